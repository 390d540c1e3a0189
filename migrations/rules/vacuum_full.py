"""VACUUM FULL: the table is written anew while everybody waits."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.rules.steps import ALONE, in_one
from migrations.sql import Statement
from migrations.sql import actions as a


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Of the tables that are named, or of all in the database."""
    for action in statement.actions:
        match action:
            case a.Maintain(what="vacuum full", table=table) if table is None or not seen.is_new(table):
                yield Found(
                    f"nobody can read or write {table or 'any table, one after the other,'} until all of it is written "
                    "anew, which needs as much room again",
                    (table,) if table else (),
                    subject=str(table or ""),
                    instead="VACUUM without FULL makes the room usable again and keeps nobody out; pg_repack gives it "
                    "back while others read and write.",
                    safer_sql=in_one(f"VACUUM {table.sql}" if table else "VACUUM", when=ALONE),
                )


RULE = Rule(
    code="vacuum-full",
    title="Writes a table anew to make it smaller",
    severity="warn",
    lock=Lock.ACCESS_EXCLUSIVE,
    blocks="reads and writes",
    rewrites=True,
    setup="CREATE TABLE t (c int)",
    risky="VACUUM FULL t",
    safer="VACUUM t",
    source="https://www.postgresql.org/docs/current/sql-vacuum.html",
    about=(a.Maintain,),
    check=check,
)
