"""SET LOGGED: the table is written anew, and into the log, while everybody waits."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.sql import Statement
from migrations.sql import actions as a


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Of a table that was there before."""
    for action in statement.actions:
        match action:
            case a.AlterTable(table=table, what="set logged") if not seen.is_new(table):
                yield Found(
                    f"nobody can read or write {table} until all of it is written anew, and once more into the log "
                    "that standbys read",
                    (table,),
                    subject=str(table),
                    instead="Create a logged table, fill it in batches, let the app use that one, drop this one.",
                )


RULE = Rule(
    code="set-logged",
    title="Writes an unlogged table anew",
    severity="warn",
    lock=Lock.ACCESS_EXCLUSIVE,
    blocks="reads and writes",
    rewrites=True,
    setup="CREATE UNLOGGED TABLE t (c int)",
    risky="ALTER TABLE t SET LOGGED",
    safer="CREATE TABLE kept (LIKE t INCLUDING ALL)",
    source="https://www.postgresql.org/docs/current/sql-altertable.html",
    about=(a.AlterTable,),
    check=check,
)
