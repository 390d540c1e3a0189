"""Rows changed and tables altered in one transaction: both wait for each other, and both are undone together."""

from collections.abc import Iterator

from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.sql import Name, Statement
from migrations.sql import actions as a


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """The first change of many rows in a transaction that alters a table which was there before."""
    tables = _changed(statement, seen)
    if tables and seen.shares_with_ddl(statement) and not any(_changed(s, seen) for s in seen.before(statement)):
        yield Found(
            f"changes rows of {' and '.join(map(str, tables))} in a transaction that also alters tables: the rows stay "
            "locked until that waits for its turn, and a failure there undoes all of it",
            tuple(tables),
            subject="transaction",
            instead="Put the change of data into a migration of its own.",
        )


def _changed(statement: Statement, seen: Situation) -> list[Name]:
    """The tables that were there before, and of which a statement may change many rows."""
    found: dict[Name, None] = {}
    for action in statement.actions:
        match action:
            case a.Update(table=table) | a.Delete(table=table) | a.Merge(table=table) | a.Insert(table=table, rows=0):
                found[table] = None
    return [table for table in found if not seen.is_new(table)]


RULE = Rule(
    code="data-change-with-ddl",
    title="Changes rows and alters tables in one transaction",
    severity="note",
    setup="CREATE TABLE t (c int); INSERT INTO t VALUES (1)",
    risky="UPDATE t SET c = 2 WHERE c = 1; ALTER TABLE t ADD COLUMN d int",
    safer="UPDATE t SET c = 2 WHERE c = 1",
    source="https://www.postgresql.org/docs/current/explicit-locking.html",
    about=(a.Delete, a.Insert, a.Merge, a.Update),
    check=check,
)
