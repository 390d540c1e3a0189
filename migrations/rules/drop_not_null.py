"""DROP NOT NULL: whoever reads the column may now find a null where there was always a value."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.sql import Statement
from migrations.sql import actions as a
from migrations.sql.names import shown


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Of columns that the running app may read."""
    freed = [
        action
        for action in statement.actions
        if isinstance(action, a.DropNotNull)
        and not seen.is_new(action.table)
        and not seen.is_new_column(action.table, action.column)
    ]
    for table in dict.fromkeys(action.table for action in freed):
        names = [action.column for action in freed if action.table == table]
        yield Found(
            f"{', '.join(map(shown, names))} of {table} may be null from now on: the running app has never met a null "
            "there",
            (table,),
            subject=f"{table}.{','.join(names)}",
            instead="Let no version write a null before every version that reads it can take one.",
        )


RULE = Rule(
    code="drop-not-null",
    title="Allows null where readers have never met one",
    severity="note",
    breaks=True,
    lock=Lock.ACCESS_EXCLUSIVE,
    blocks="reads and writes",
    setup="CREATE TABLE t (c int NOT NULL)",
    risky="ALTER TABLE t ALTER COLUMN c DROP NOT NULL",
    safer="ALTER TABLE t ALTER COLUMN c SET DEFAULT 0",
    source="https://www.postgresql.org/docs/current/sql-altertable.html",
    about=(a.DropNotNull,),
    check=check,
)
