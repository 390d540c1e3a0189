"""Reading a dump that is SQL: what its COPY lines hold, and whether its closing line is there."""

import gzip
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from migrations.backup.files import packed
from migrations.problem import Problem

PIECE = 1 << 24
SHOWN = 120
OPENING = b"-- PostgreSQL database dump"
CLOSING = b"-- PostgreSQL database dump complete"
CLUSTER = b"-- PostgreSQL database cluster dump"

_NAME = rb'(?:"(?:[^"]|"")+"|[^\s".(]+)'
_COPY = re.compile(rb"COPY (" + _NAME + rb"(?:\." + _NAME + rb")?)\s+(?:\((.*)\)\s*)?FROM stdin;$", re.DOTALL)
_COLUMN = re.compile(rb'"(?:[^"]|"")+"|[^,\s]+')
_OUTWARDS = re.compile(rb"(?:\\(?!restrict\b|unrestrict\b).*|(?:CREATE|DROP|ALTER) (?:DATABASE|ROLE|TABLESPACE) .*)")


@dataclass(slots=True)
class Text:
    """What was read. `rows` by table, quoted where need be; `outwards` are lines that reach beyond the database that
    they are restored into: `\\connect`, DROP DATABASE and their like, with their numbers."""

    rows: dict[str, int] = field(default_factory=dict)
    outwards: list[tuple[int, str]] = field(default_factory=list)


class Damaged(Exception):
    """What is wrong, and in which line."""


class PlainReader:
    """Reads a whole dump; call `read` in a thread. `size` bytes were read, `table` is at hand; `stop` ends it."""

    def __init__(self) -> None:
        self.size = 0
        self.table = ""
        self.stop = False
        self.text = Text()
        self._line = 0
        self._columns: int | None = None
        self._tabs = 0
        self._opened = False
        self._closed = False
        self._utf8 = False

    def read(self, file: IO[bytes]) -> Text:
        """To the last byte. Raises Damaged."""
        fresh = True
        for piece in self._pieces(file):
            self.size += len(piece)
            whole = piece.endswith(b"\n")
            self._line += fresh
            self._characters(piece, fresh and whole)
            if self.table:
                self._row(piece, fresh, whole)
            elif fresh:
                self._statement(piece.rstrip(b"\r\n"))
            fresh = whole
            if self.stop:
                break
        self._over()
        return self.text

    def _pieces(self, file: IO[bytes]) -> Iterator[bytes]:
        try:
            while piece := file.readline(PIECE):
                yield piece
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise Damaged(f"after line {self._line} it cannot be unpacked any more ({error})") from None

    def _characters(self, piece: bytes, complete: bool) -> None:
        if b"\0" in piece:
            raise Damaged(f"line {self._line}{self._where} holds zero bytes, which no dump does")
        if self._utf8 and complete and not piece.isascii():
            try:
                piece.decode()
            except UnicodeDecodeError:
                raise Damaged(f"line {self._line}{self._where} is not UTF-8, as the dump says it is") from None

    def _row(self, piece: bytes, fresh: bool, whole: bool) -> None:
        if fresh and piece.rstrip(b"\r\n") == b"\\.":
            self.table = ""
            return
        self._tabs = piece.count(b"\t") + (0 if fresh else self._tabs)
        if not whole:
            return
        if self._columns and self._tabs + 1 != self._columns:
            found = f"{self._tabs + 1} values where {self._columns} are due"
            raise Damaged(f"line {self._line}{self._where} has {found}")
        self.text.rows[self.table] += 1

    def _statement(self, line: bytes) -> None:
        if found := _COPY.match(line):
            self.table = found[1].decode(errors="replace")
            self._columns = len(_COLUMN.findall(found[2])) if found[2] else None
            self.text.rows.setdefault(self.table, 0)
        elif line == CLOSING:
            self._closed = True
            return
        elif line.startswith(CLUSTER):
            raise Damaged("it is of a whole cluster (pg_dumpall), not of one database")
        elif line == OPENING:
            self._opened = True
        elif line == b"SET client_encoding = 'UTF8';":
            self._utf8 = True
        elif _OUTWARDS.fullmatch(line):
            self.text.outwards.append((self._line, line[:SHOWN].decode(errors="replace")))
        # What may stand behind the closing line.
        if line not in (b"", b"--") and not line.startswith(b"\\unrestrict"):
            self._closed = False

    def _over(self) -> None:
        if self.table:
            raise Damaged(f"it ends in line {self._line}, in the middle of the rows of {self.table}")
        if not self._opened:
            raise Damaged(f"the line {OPENING.decode()!r}, with which pg_dump begins, is missing")
        if not self._closed:
            raise Damaged(f"it ends in line {self._line}, without pg_dump's closing line")

    @property
    def _where(self) -> str:
        return f", a row of {self.table}," if self.table else ""


def open_plain(path: Path) -> IO[bytes]:
    """The text of a plain dump, unpacked where it is compressed. Raises Problem."""
    try:
        return gzip.open(path, "rb") if packed(path) else path.open("rb")  # type: ignore[return-value]
    except OSError as error:
        raise Problem(f"The dump {path} cannot be read: {error.strerror}.", advice="Bring it back there.") from None
