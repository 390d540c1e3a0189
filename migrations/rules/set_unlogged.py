"""SET UNLOGGED: the table is written anew while everybody waits, and a crash empties it."""

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
            case a.AlterTable(table=table, what="set unlogged") if not seen.is_new(table):
                yield Found(
                    f"nobody can read or write {table} until all of it is written anew; from then on a crash or a "
                    "failover empties it, and standbys do not have it",
                    (table,),
                    subject=str(table),
                    instead="Keep it logged. If its rows can be made anew, CREATE UNLOGGED TABLE a new one and let the "
                    "app use that.",
                )


RULE = Rule(
    code="set-unlogged",
    title="Makes a table that a crash empties",
    severity="stop",
    loses_data=True,
    lock=Lock.ACCESS_EXCLUSIVE,
    blocks="reads and writes",
    rewrites=True,
    setup="CREATE TABLE t (c int)",
    risky="ALTER TABLE t SET UNLOGGED",
    safer="CREATE UNLOGGED TABLE cache (LIKE t)",
    source="https://www.postgresql.org/docs/current/sql-createtable.html#SQL-CREATETABLE-UNLOGGED",
    about=(a.AlterTable,),
    check=check,
)
