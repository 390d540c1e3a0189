"""A script as it is shown: its lines, which statement each belongs to, and their colours, worked out when wanted."""

import hashlib
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from pygments.lexer import inherit
from pygments.lexers.sql import PostgresLexer
from pygments.token import Comment, Keyword, Name, Number, String

from runbooks.events import Script
from tui.printable import printable

CHUNK = 32_768
"""Statements longer than this many characters are coloured line by line."""

TAB = "    "
CR = "\u240d"
"""What a carriage return is shown as; at the end of a line it is left out."""

Piece = tuple[str, str]
"""Text, and the theme's variable for its colour, or nothing."""

_SHADES: tuple[tuple[Any, str], ...] = (
    (Comment, "sql-comment"),
    (String.Name, "sql-name"),
    (String, "sql-text"),
    (Number, "sql-number"),
    (Keyword, "sql-keyword"),
    (Name.Builtin, "sql-keyword"),
)


class SqlLexer(PostgresLexer):
    """PostgreSQL's SQL; unlike its parent, it finds the end of `E'it\\'s'`."""

    name = "gonogo SQL"
    aliases = []
    tokens = {
        "root": [(r"E'", String.Single, "escapes"), inherit],
        "escapes": [
            (r"[^'\\]+", String.Single),
            (r"(?s)\\.", String.Escape),
            (r"''", String.Single),
            (r"'", String.Single, "#pop"),
        ],
    }


class SqlText:
    """One script. Lines count from 0 here, from 1 on the screen."""

    def __init__(self, text: str, spans: Sequence[tuple[int, int]]) -> None:
        shown = printable(text)
        tabs = [match.start() for match in re.finditer("\t", shown)]
        self._text = shown.replace("\t", TAB)
        self._starts = [0, *(match.end() for match in re.finditer("\n", self._text))]
        self._begins = [_widened(begin, tabs) for begin, _ in spans]
        self._ends = [_widened(end, tabs) for _, end in spans]
        self._lexer = SqlLexer(stripnl=False, ensurenl=False)
        self._tokens = lru_cache(maxsize=64)(self._lex_chunk)

    def __len__(self) -> int:
        return len(self._starts)

    def line(self, number: int) -> str:
        """One line as it is shown."""
        start, end = self._bounds(number)
        return self._text[start:end]

    def lines(self) -> list[str]:
        """All lines as they are shown."""
        return [line.removesuffix(CR) for line in self._text.split("\n")]

    def statements(self, number: int) -> range:
        """The statements that a line is part of; of a line between two, the one that follows."""
        start, end = self._bounds(number)
        first = bisect_right(self._ends, start)
        last = bisect_right(self._begins, max(start, end - 1))
        return range(first, min(max(last, first + 1), len(self._begins)))

    def first_line(self, statement: int) -> int:
        """The line that a statement begins on."""
        return bisect_right(self._starts, self._begins[statement]) - 1

    def pieces(self, number: int, begin: int = 0, end: int | None = None) -> list[Piece]:
        """One line in colours, or its part from `begin` to `end`."""
        start, stop = self._bounds(number)
        at, end = start + begin, stop if end is None else min(stop, start + end)
        pieces: list[Piece] = []
        while at < end:
            chunk = bisect_right(self._begins, at)
            stop = min(end, self._begins[chunk] if chunk < len(self._begins) else end)
            pieces += self._coloured(chunk, at, stop)
            at = stop
        return pieces

    def _bounds(self, number: int) -> tuple[int, int]:
        start = self._starts[number]
        end = self._starts[number + 1] - 1 if number + 1 < len(self._starts) else len(self._text)
        return start, end - 1 if self._text.endswith(CR, start, end) else end

    def _coloured(self, chunk: int, at: int, stop: int) -> list[Piece]:
        """The part from `at` to `stop` of the text between two statements' beginnings."""
        begin = self._begins[chunk - 1] if chunk else 0
        end = self._begins[chunk] if chunk < len(self._begins) else len(self._text)
        if end - begin > CHUNK:
            middle = min(stop, at + CHUNK)
            rest = [(self._text[middle:stop], "")] if middle < stop else []
            return [(text, shade) for _, text, shade in self._lex(at, middle)] + rest
        return [
            (text[max(0, at - offset) : stop - offset], shade)
            for offset, text, shade in self._tokens(begin, end)
            if offset < stop and offset + len(text) > at
        ]

    def _lex_chunk(self, begin: int, end: int) -> list[tuple[int, str, str]]:
        return list(self._lex(begin, end))

    def _lex(self, begin: int, end: int) -> Iterator[tuple[int, str, str]]:
        found: Iterable[tuple[int, Any, str]] = self._lexer.get_tokens_unprocessed(self._text[begin:end])  # type: ignore[no-untyped-call]
        for _, token, text in found:  # its offsets begin anew inside $$ … $$
            yield begin, text, _shade(token)
            begin += len(text)


def _widened(offset: int, tabs: Sequence[int]) -> int:
    return offset + (len(TAB) - 1) * bisect_left(tabs, offset)


def _shade(token: Any) -> str:
    return next((shade for kind, shade in _SHADES if token in kind), "")


class WrongBytes(Exception):
    """The file is not there, or its bytes are not those of the plan."""


def read_script(folder: Path, script: Script) -> str:
    """The text of a script as the session keeps it. Raises WrongBytes with words for a person."""
    try:
        data = (folder / "scripts" / f"{script.sha256}.sql").read_bytes()
    except OSError as error:
        raise WrongBytes(f"The session folder does not have this script: {error.strerror}.") from None
    found = hashlib.sha256(data).hexdigest()
    if found != script.sha256:
        raise WrongBytes(
            f"These are not the bytes of the plan: SHA-256 {found[:12]}… instead of {script.sha256[:12]}…."
        )
    return data.decode("utf-8", errors="replace")
