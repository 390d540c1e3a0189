"""A column that forbids null, in three migrations that keep nobody waiting for long."""

import re
from collections.abc import Iterator
from textwrap import wrap

from migrations.drafting.skeleton import WIDTH
from migrations.problem import Misuse
from migrations.rules.steps import filled, set_not_null
from migrations.sql import Name
from migrations.sql.names import printable

_PART = r'"(?:[^"]|"")+"|[^".]+'
_PLACE = re.compile(rf"(?:(?P<schema>{_PART})\.)?(?P<table>{_PART})\.(?P<column>{_PART})")

WHY = (
    "From here on no row without a value comes in: every version that runs must write one by then. The table is "
    "locked for a moment; no row is read.",
    "Looks for rows without a value while readers and writers go on, and fails while there is one. Fill them in "
    "before, outside of migrations, again and again until it changes no row:",
    "Believes the check, so that no row is read, and takes it away again. The table is locked for a moment.",
)
VALUE = "…"


def place_of(text: str) -> tuple[Name, str]:
    """Table and column of `orders.note`, `shop.orders.note` or `"Order"."note"`; letters count as they are.

    Raises Misuse.
    """
    found = _PLACE.fullmatch(text)
    if found is None or not text.isprintable():
        raise Misuse(f"{printable(text)} is no column.", advice="Write TABLE.COLUMN, or SCHEMA.TABLE.COLUMN.")
    schema, table, column = (_bare(found[part]) for part in ("schema", "table", "column"))
    return Name(schema or None, table), column


def _bare(written: str | None) -> str:
    if not written or not written.startswith('"'):
        return written or ""
    return written[1:-1].replace('""', '"')


def not_null_scripts(table: Name, column: str) -> list[str]:
    """The three scripts, in their order."""
    steps = list(set_not_null(table, column))
    return ["\n".join(_lines(table, column, number, step.statements)) + "\n" for number, step in enumerate(steps)]


def _lines(table: Name, column: str, number: int, statements: tuple[str, ...]) -> Iterator[str]:
    head = f"Forbids null in {table}.{column}, {number + 1} of {len(WHY)}, to run in this order."
    for words in (head, WHY[number]):
        yield from (f"-- {line}" for line in wrap(words, WIDTH))
    if number == 1:
        yield from (f"--   {statement};" for statement in filled(table, column, VALUE).statements)
    yield ""
    yield from (f"{statement};" for statement in statements)
