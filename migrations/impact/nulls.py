"""Which columns a CHECK proves to be never null, told from the expression as the catalog holds it."""

import re
from collections.abc import Iterable, Iterator

_PIECE = re.compile(r"[{}]|[^{}]+")
_IS_NOT_NULL = re.compile(r"NULLTEST :arg :nulltesttype 1 :argisrow false")
_COLUMN = re.compile(r"VAR :varno 1 :varattno ([1-9][0-9]*)")


def never_null(expressions: Iterable[str]) -> set[int]:
    """The numbers of the columns that validated CHECKs (`pg_constraint.conbin`) prove: each `c IS NOT NULL`, and each
    such part of an AND."""
    return {number for expression in expressions for number in _proven(expression)}


def _proven(expression: str) -> Iterator[int]:
    """A node is `{NAME :field value …}`; at depth 1 the test itself, or the AND; at depth 2 the parts of the AND."""
    levels: list[str] = []
    columns: list[str] = []
    conjunction = expression.startswith("{BOOLEXPR :boolop and")
    for piece in _PIECE.findall(expression):
        if piece == "{":
            levels.append("")
            columns.append("")
        elif piece == "}":
            closed, column = levels.pop(), columns.pop()
            if len(levels) == conjunction and _IS_NOT_NULL.match(" ".join(closed.split())) and column:
                yield int(column)
            found = _COLUMN.match(closed)
            if found and columns:
                columns[-1] = found[1]
        elif levels:
            levels[-1] += piece
