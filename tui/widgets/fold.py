"""Cutting a line into rows that fit."""

import re
from bisect import bisect_right
from functools import lru_cache
from itertools import accumulate

from rich.cells import cell_len, chop_cells

_ODD = re.compile("[^\u0000-\u02ff\u0370-\u0482\u048a-\u0590\u2010-\u2027\u2190-\u21ff\u2400-\u25ff]")
"""Characters that may be wider or narrower than one cell."""


def fold(text: str, width: int) -> list[str]:
    """The text in pieces that are at most `width` cells wide; at least one piece."""
    if _ODD.search(text) is None:
        return [text[at : at + width] for at in range(0, len(text), width)] or [""]
    return chop_cells(text, width) if cell_len(text) > width else [text]


def rows(text: str, width: int) -> int:
    """How many rows the text takes."""
    if _ODD.search(text) is None:
        return max(1, -(-len(text) // width))
    return len(_cuts(text, width))


def piece(text: str, width: int, number: int) -> tuple[int, int]:
    """Where a row of the text begins and ends, in characters."""
    if _ODD.search(text) is None:
        return number * width, min(len(text), (number + 1) * width)
    cuts = _cuts(text, width)
    return (cuts[number - 1] if number else 0), cuts[number]


@lru_cache(maxsize=64)
def _cuts(text: str, width: int) -> tuple[int, ...]:
    return tuple(accumulate(len(part) for part in fold(text, width)))


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
