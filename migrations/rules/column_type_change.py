"""ALTER COLUMN TYPE: the table may be written anew while everybody waits."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.sql import Statement
from migrations.sql import actions as a
from migrations.sql.names import shown
from migrations.sql.seen import Seen


def check(statement: Statement, seen: Seen) -> Iterator[Found]:
    """Every such change of a table that was there before. The old type is not in the script."""
    for action in statement.actions:
        match action:
            case a.AlterType(table=table, column=column, type=type) if not seen.is_new(table):
                yield Found(
                    f"changes {shown(column)} to {type}: unless that only widens a varchar or makes it text, nobody "
                    f"can read or write {table} until all of it, and its indexes, are written anew",
                    (table,),
                    subject=f"{table}.{column}",
                    instead="Add a column of the new type, fill it in batches, let the app use it, drop the old one.",
                )


RULE = Rule(
    code="column-type-change",
    title="Changes the type of a column",
    severity="warn",
    lock=Lock.ACCESS_EXCLUSIVE,
    blocks="reads and writes",
    rewrites=True,
    setup="CREATE TABLE t (c int); INSERT INTO t VALUES (1)",
    risky="ALTER TABLE t ALTER COLUMN c TYPE bigint",
    safer="ALTER TABLE t ADD COLUMN c_new bigint",
    source="https://www.postgresql.org/docs/current/sql-altertable.html",
    check=check,
)
