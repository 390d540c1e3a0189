"""Which of the columns that a script drops may be one that it adds, under its old name or another one."""

from typing import NamedTuple

from migrations.rules.likeness import pairs
from migrations.sql import Name, Statement
from migrations.sql import actions as a
from migrations.sql.seen import Seen


class Dropped(NamedTuple):
    """A dropped column that was there before, and the one that may be meant by it: None if the script adds none."""

    table: Name
    column: str
    becomes: str | None
    cascade: bool


def dropped_by(statement: Statement, seen: Seen) -> list[Dropped]:
    """The columns that a statement drops, but for those that the script made itself."""
    found = []
    for action in statement.actions:
        match action:
            case a.DropColumn(table=table, column=column, cascade=cascade):
                if not seen.is_certainly_new(table) and not seen.is_new_column(table, column):
                    found.append(Dropped(table, column, _becomes(table, column, seen), cascade))
    return found


def _becomes(table: Name, column: str, seen: Seen) -> str | None:
    added = tuple(dict.fromkeys(seen.left_empty(table)))
    if column in added:
        return column
    if seen.made.is_column_renamed_to(table, column):
        return None
    dropped = tuple(dict.fromkeys(seen.made.dropped_columns(table)))
    return pairs(
        tuple(name for name in dropped if name not in added), tuple(name for name in added if name not in dropped)
    ).get(column)
