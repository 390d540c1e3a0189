"""Cutting a line into rows that fit."""

import re
from bisect import bisect_right
from functools import lru_cache
from itertools import accumulate

from rich.cells import cell_len, chop_cells

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


@lru_cache(maxsize=256)
def _cuts(text: str, width: int) -> tuple[int, ...]:
    if _ODD.search(text) is not None:
        pieces = chop_cells(text, width) if cell_len(text) > width else [text]
        return tuple(accumulate(len(part) for part in pieces))
    cuts, at = [], 0
    while len(text) - at > width:
        space = text.rfind(" ", at + width * 2 // 3, at + width)
        at = space + 1 if space >= 0 else at + width
        cuts.append(at)
    return (*cuts, len(text))


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
