"""A script as it is shown: its lines, which statement each belongs to, and their colours, worked out when wanted."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import accumulate, takewhile

from runbooks.report.sql_lexer import lex, shade
from tui.printable import printable

CHUNK = 32_768
"""Statements longer than this many characters are coloured line by line."""

HEAD = 16_384
"""So many characters of a script are shown before the rest of it has been looked at."""

TAB = "    "
CR = "\u240d"
"""What a carriage return is shown as; at the end of a line it is left out."""

Piece = tuple[str, str]
"""Text, and the theme's variable for its colour, or nothing."""


class SqlText:
    """One script, or its beginning. Lines count from 0 here; offsets are those of the text as it is shown."""

    def __init__(self, text: str, spans: Sequence[tuple[int, int]], *, more_lines: int | None = None) -> None:
        """`more_lines`: this is only the beginning of a script, and so many lines follow."""
        shown = printable(text)
        tabs = [match.start() for match in re.finditer("\t", shown)]
        self.shown = shown.replace("\t", TAB)
        self.whole = more_lines is None
        self._source = text
        self._spans = spans
        lines = self.shown.split("\n")
        self.lines = [line.removesuffix(CR) for line in lines]
        self.count = len(lines) + (more_lines or 0)
        self._starts = [0, *accumulate(len(line) + 1 for line in lines[:-1])]
        self._begins = [_widened(begin, tabs) for begin, _ in spans]
        self._ends = [_widened(end, tabs) for _, end in spans]
        self._tokens = lru_cache(maxsize=64)(self._lex_chunk)

    @property
    def statements(self) -> int:
        """How many statements begin in it."""
        return len(self._begins)

    def start(self, line: int) -> int:
        """Where a line begins."""
        return self._starts[line]

    def line_of(self, offset: int) -> int:
        """The line that a character stands in."""
        return bisect_right(self._starts, offset) - 1

    def statement_at(self, offset: int) -> int | None:
        """The statement that a character is part of; between two, the one that follows; after the last, none."""
        found = bisect_right(self._ends, offset)
        return found if found < len(self._ends) else None

    def extent(self, statement: int) -> tuple[int, int]:
        """Where a statement begins and ends."""
        return self._begins[statement], self._ends[statement]

    def place(self, statement: int, line: int) -> int:
        """Where to stand for a line (from 0) of a statement."""
        begin, end = self.extent(statement)
        start = self._starts[min(max(line, 0), len(self.lines) - 1)]
        return start if begin <= start < end else begin

    def source(self, statement: int) -> str:
        """A statement as it stands in the file."""
        begin, end = self._spans[statement]
        return self._source[begin:end]

    def pieces(self, line: int, begin: int = 0, end: int | None = None) -> list[Piece]:
        """One line in colours, or its part from `begin` to `end`."""
        start, length = self._starts[line], len(self.lines[line])
        at, end = start + begin, start + (length if end is None else min(length, end))
        pieces: list[Piece] = []
        while at < end:
            chunk = bisect_right(self._begins, at)
            stop = min(end, self._begins[chunk] if chunk < len(self._begins) else end)
            pieces += self._coloured(chunk, at, stop)
            at = stop
        return pieces

    def _coloured(self, chunk: int, at: int, stop: int) -> list[Piece]:
        """The part from `at` to `stop` of the text between two statements' beginnings."""
        begin = self._begins[chunk - 1] if chunk else 0
        end = self._begins[chunk] if chunk < len(self._begins) else len(self.shown)
        if end - begin > CHUNK:
            middle = min(stop, at + CHUNK)
            rest = [(self.shown[middle:stop], "")] if middle < stop else []
            return [(text, colour) for _, text, colour in self._lex(at, middle)] + rest
        return [
            (text[max(0, at - offset) : stop - offset], colour)
            for offset, text, colour in self._tokens(begin, end)
            if offset < stop and offset + len(text) > at
        ]

    def _lex_chunk(self, begin: int, end: int) -> list[tuple[int, str, str]]:
        return list(self._lex(begin, end))

    def _lex(self, begin: int, end: int) -> Iterator[tuple[int, str, str]]:
        for token, text in lex(self.shown[begin:end]):
            yield begin, text, shade(token)
            begin += len(text)


def head_of(text: str, spans: Iterable[tuple[int, int]]) -> SqlText:
    """The beginning of a script, of whole lines where they are not too long; all of it, if it is short."""
    if len(text) <= HEAD:
        return SqlText(text, tuple(spans))
    line_end = text.rfind("\n", 0, HEAD)
    cut = line_end if line_end > 0 else HEAD
    known = tuple(takewhile(lambda span: span[0] < cut, spans))
    return SqlText(text[:cut], known, more_lines=text.count("\n", cut))


def _widened(offset: int, tabs: Sequence[int]) -> int:
    return offset + (len(TAB) - 1) * bisect_left(tabs, offset)
