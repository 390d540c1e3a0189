"""Cutting a line into rows that fit."""

import re
from bisect import bisect_right
from functools import lru_cache
from itertools import accumulate

from rich.cells import cell_len

_ODD = re.compile("[^\u0000-\u02ff\u0370-\u0482\u048a-\u0590\u2010-\u2027\u2190-\u21ff\u2400-\u25ff]")
"""Characters that may be wider or narrower than one cell."""


def fold(text: str, width: int) -> list[str]:
    """The text in pieces that are at most `width` cells wide, cut at spaces where it can be; at least one piece."""
    if len(text) <= width and _ODD.search(text) is None:
        return [text]
    cuts = _cuts(text, width)
    return [text[begin:end] for begin, end in zip((0, *cuts), cuts, strict=False)]


def hang(text: str, width: int) -> list[str]:
    """The same, where the pieces stand as deep as the text began."""
    depth = len(text) - len(text.lstrip(" "))
    if depth * 2 > width:
        return fold(text, width)
    return [text[:depth] + part for part in fold(text[depth:], width - depth)]


def rows(text: str, width: int) -> int:
    """How many rows the text takes."""
    return 1 if len(text) <= width and _ODD.search(text) is None else len(_cuts(text, width))


def piece(text: str, width: int, number: int) -> tuple[int, int]:
    """Where a row of the text begins and ends, in characters."""
    if len(text) <= width and _ODD.search(text) is None:
        return 0, len(text)
    cuts = _cuts(text, width)
    return (cuts[number - 1] if number else 0), cuts[number]


def part(text: str, width: int, at: int) -> int:
    """Which row of the text a character stands in."""
    return min(bisect_right(_cuts(text, width), at), rows(text, width) - 1)


@lru_cache(maxsize=256)
def _cuts(text: str, width: int) -> tuple[int, ...]:
    cuts, at = [], 0
    while (rest := len(text) - at) > 1 and (rest > width or cell_len(text[at:]) > width):
        end = at + _fitting(text[at : at + width], width)
        space = text.rfind(" ", at + (end - at) * 2 // 3, end)
        at = space + 1 if space >= 0 else end
        cuts.append(at)
    return (*cuts, len(text))


def _fitting(text: str, width: int) -> int:
    """How many characters fit; one at the least."""
    if _ODD.search(text) is None or cell_len(text) <= width:
        return len(text)
    widths = accumulate(cell_len(character) for character in text)
    return max(1, sum(1 for wide in widths if wide <= width))


class Rows:
    """Which line a row of the screen belongs to. Made once for a width, in one pass over the lines."""

    def __init__(self, counts: list[int]) -> None:
        self._ends = list(accumulate(counts))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def at(self, number: int) -> tuple[int, int]:
        """The line of a row, and the row's number within it."""
        line = bisect_right(self._ends, number)
        return line, number - self.first(line)

    def first(self, line: int) -> int:
        """The first row of a line."""
        return self._ends[line - 1] if line else 0
