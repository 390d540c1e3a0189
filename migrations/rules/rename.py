"""RENAME of a table or column: the app that runs now does not know the new name."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.sql import Statement
from migrations.sql import actions as a
from migrations.sql.names import shown
from migrations.sql.seen import Seen


def check(statement: Statement, seen: Seen) -> Iterator[Found]:
    """What the script made itself, nobody uses yet."""
    for action in statement.actions:
        match action:
            case a.Rename(kind="table" | "view" | "materialized view" as kind, table=table, new=new):
                if seen.is_new(table):
                    continue
                yield Found(
                    f"the running app will not find {kind} {table} any more: it is {shown(new)} now",
                    (table,),
                    subject=str(table),
                    instead="Keep the old name as a view until no version that uses it runs.",
                )
            case a.Rename(kind="column", table=table, old=str(old), new=new):
                if seen.is_new(table) or seen.is_new_column(table, old):
                    continue
                yield Found(
                    f"the running app will not find column {shown(old)} of {table} any more: it is {shown(new)} now",
                    (table,),
                    subject=f"{table}.{old}",
                    instead="Add the new column, write to both, fill it in batches, read from it, drop the old one.",
                )


RULE = Rule(
    code="rename",
    title="Renames what the running app uses",
    severity="warn",
    lock=Lock.ACCESS_EXCLUSIVE,
    blocks="reads and writes",
    setup="CREATE TABLE t (c int)",
    risky="ALTER TABLE t RENAME COLUMN c TO d",
    safer="ALTER TABLE t ADD COLUMN d int",
    source="https://www.postgresql.org/docs/current/sql-altertable.html",
    check=check,
)
