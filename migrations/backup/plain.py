"""Reading a dump that is SQL: what its COPY lines hold, and whether its closing line is there."""

import gzip
import re
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from migrations.backup.files import packed
from migrations.listed import many
from migrations.problem import Problem

PIECE = 1 << 20
END = b"\\.\n"
SHOWN = 120
OPENING = b"-- PostgreSQL database dump"
CLOSING = b"-- PostgreSQL database dump complete"
CLUSTER = b"-- PostgreSQL database cluster dump"

_NAME = rb'(?:"(?:[^"]|"")+"|[^\s".(]+)'
_COPY = re.compile(rb"COPY (" + _NAME + rb"(?:\." + _NAME + rb")?)\s+(?:\((.*)\)\s*)?FROM stdin;$", re.DOTALL)
_COLUMN = re.compile(rb'"(?:[^"]|"")+"|[^,\s]+')
_OUTWARDS = re.compile(rb"(?:\\.*|(?:CREATE|DROP|ALTER) (?:DATABASE|ROLE|TABLESPACE) .*)")


@dataclass(slots=True)
class Text:
    """What was read. `rows` by table, quoted where need be; `outwards` are lines that reach beyond the database that
    they are restored into: `\\connect`, DROP DATABASE and their like, with their numbers. `guards` are the lines by
    which pg_dump keeps psql from running programs of its reader's machine, and lets go of it: whoever writes the file
    knows their key."""

    rows: dict[str, int] = field(default_factory=dict)
    outwards: list[tuple[int, str]] = field(default_factory=list)
    guards: list[int] = field(default_factory=list)


class Damaged(Exception):
    """What is wrong, and in which line."""


class PlainReader:
    """Reads a whole dump; call `read` in a thread. `size` bytes were read, `table` is at hand; `stop` ends it.

    Rows are taken many at a time: their newlines and tabs are counted, and only where those do not fit is it found out
    which row is wrong.
    """

    def __init__(self) -> None:
        self.size = 0
        self.table = ""
        self.stop = False
        self.text = Text()
        self._line = 0
        self._columns: int | None = None
        self._opened = False
        self._closed = False
        self._utf8 = False
        self._begun = False

    def read(self, file: IO[bytes]) -> Text:
        """To the last byte. Raises Damaged."""
        rest = b""
        while piece := self._piece(file, max(PIECE, len(rest))):
            self.size += len(piece)
            rest = self._take(rest + piece)
            if self.stop:
                return self.text
        if rest and not self.table:
            self._take(rest + b"\n")
        self._over(bool(rest))
        return self.text

    def _piece(self, file: IO[bytes], size: int) -> bytes:
        try:
            return file.read(size)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise Damaged(f"after line {self._line} it cannot be unpacked any more ({error})") from None

    def _take(self, data: bytes) -> bytes:
        """Read what is whole. Returns what is not yet."""
        at = 0
        while True:
            if self.table and not data.startswith(END, at):
                over = data.find(b"\n" + END, at)
                end = (over if over >= 0 else data.rfind(b"\n", at)) + 1
                if end <= at:
                    return data[at:]
                self._rows(data[at:end])
            else:
                end = data.find(b"\n", at) + 1
                if not end:
                    return data[at:]
                self._one(data[at:end])
            at = end

    def _one(self, line: bytes) -> None:
        """A line that is no row."""
        self._line += 1
        if fault := self._characters(line):
            raise Damaged(f"line {self._line}{self._where} {fault}")
        if self.table:
            self.table = ""
        else:
            self._statement(line.rstrip(b"\r\n"))

    def _rows(self, rows: bytes) -> None:
        count = rows.count(b"\n")
        fits = not self._columns or rows.count(b"\t") == count * (self._columns - 1)
        if not fits or self._characters(rows):
            self._find_fault(rows)
        self._line += count
        self.text.rows[self.table] += count

    def _find_fault(self, rows: bytes) -> None:
        for number, row in enumerate(rows.removesuffix(b"\n").split(b"\n"), 1):
            found = row.count(b"\t") + 1
            fault = self._characters(row)
            if self._columns and found != self._columns:
                fault = f"has {many(found, 'value')} where {self._columns} are due"
            if fault:
                raise Damaged(f"line {self._line + number}{self._where} {fault}")

    def _characters(self, text: bytes) -> str:
        """What is wrong with the bytes of whole lines."""
        if b"\0" in text:
            return "holds zero bytes, which no dump does"
        if self._utf8 and not text.isascii():
            try:
                text.decode()
            except UnicodeDecodeError:
                return "is not UTF-8, as the dump says it is"
        return ""

    def _statement(self, line: bytes) -> None:
        guards = line.startswith(b"\\restrict ") and not self._begun
        guards |= line.startswith(b"\\unrestrict ") and self._closed
        if guards:
            self.text.guards.append(self._line)
        elif _OUTWARDS.fullmatch(line):
            self.text.outwards.append((self._line, line[:SHOWN].decode(errors="replace")))
        self._begun |= bool(line) and not line.startswith(b"--")
        if found := _COPY.match(line):
            self.table = found[1].decode(errors="replace")
            self._columns = len(_COLUMN.findall(found[2])) if found[2] else None
            self.text.rows.setdefault(self.table, 0)
        elif line == CLOSING:
            self._closed = True
        elif line.startswith(CLUSTER):
            raise Damaged("it is of a whole cluster (pg_dumpall), not of one database")
        elif line == OPENING:
            self._opened = True
        elif line == b"SET client_encoding = 'UTF8';":
            self._utf8 = True
        # What may stand behind the closing line.
        if not guards and line not in (b"", b"--", CLOSING):
            self._closed = False

    def _over(self, more: bool) -> None:
        if self.table:
            raise Damaged(f"it ends in line {self._line + more}, in the middle of the rows of {self.table}")
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
