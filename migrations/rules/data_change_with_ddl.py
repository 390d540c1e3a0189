"""Rows changed and tables altered in one transaction: both wait for each other, and both are undone together."""

from collections.abc import Iterator

from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.sql import Statement
from migrations.sql import actions as a


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Every change of many rows in a transaction that alters a table which was there before."""
    for action in statement.actions:
        match action:
            case a.Update(table=table) | a.Delete(table=table) | a.Merge(table=table) | a.Insert(table=table, rows=0):
                if seen.is_new(table) or not seen.shares_with_ddl(statement):
                    continue
                yield Found(
                    f"changes rows of {table} in a transaction that also alters tables: the rows stay locked until "
                    "that waits for its turn, and a failure there undoes all of it",
                    (table,),
                    subject="transaction",
                    instead="Put the change of data into a migration of its own.",
                )


RULE = Rule(
    code="data-change-with-ddl",
    title="Changes rows and alters tables in one transaction",
    severity="note",
    setup="CREATE TABLE t (c int); INSERT INTO t VALUES (1)",
    risky="UPDATE t SET c = 2 WHERE c = 1; ALTER TABLE t ADD COLUMN d int",
    safer="UPDATE t SET c = 2 WHERE c = 1",
    source="https://www.postgresql.org/docs/current/explicit-locking.html",
    check=check,
)
