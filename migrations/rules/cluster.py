"""CLUSTER: the table is written anew in the order of an index while everybody waits."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.sql import Statement
from migrations.sql import actions as a


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Of one table, or without a name of every table that was clustered before."""
    for action in statement.actions:
        match action:
            case a.Maintain(what="cluster", table=table) if table is None or not seen.is_new(table):
                yield Found(
                    f"nobody can read or write {table or 'any table that was clustered before'} until all of it is "
                    "written anew, which needs as much room again",
                    (table,) if table else (),
                    subject=str(table or ""),
                    instead="Leave it out: the order does not last. pg_repack does it while others read and write.",
                )


RULE = Rule(
    code="cluster",
    title="Writes a table anew in the order of an index",
    severity="warn",
    lock=Lock.ACCESS_EXCLUSIVE,
    blocks="reads and writes",
    rewrites=True,
    setup="CREATE TABLE t (c int); CREATE INDEX i ON t (c)",
    risky="CLUSTER t USING i",
    safer="ALTER TABLE t CLUSTER ON i",
    source="https://www.postgresql.org/docs/current/sql-cluster.html",
    about=(a.Maintain,),
    check=check,
)
