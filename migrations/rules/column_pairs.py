"""Which of the columns that a script drops may be one that it adds, under its old name or another one."""

from typing import NamedTuple

from migrations.rules.situation import Situation
from migrations.sql import Name, Statement
from migrations.sql import actions as a


class Dropped(NamedTuple):
    """A dropped column that was there before, and the one that may be meant by it: None if the script adds none."""

    table: Name
    column: str
    becomes: str | None
    cascade: bool


def dropped_by(statement: Statement, seen: Situation) -> list[Dropped]:
    """The columns that a statement drops, but for those that the script made itself."""
    found = []
    for action in statement.actions:
        match action:
            case a.DropColumn(table=table, column=column, cascade=cascade):
                if not seen.is_new(table) and not seen.is_new_column(table, column):
                    found.append(Dropped(table, column, seen.likeness.of_column(table, column), cascade))
    return found
