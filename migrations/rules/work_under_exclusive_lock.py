"""A long statement in a transaction that has already shut readers out of a table."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.sql import Name, Statement
from migrations.sql import actions as a
from migrations.sql.thing import READ


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """The first statement that works through rows while a lock is held; what takes ACCESS EXCLUSIVE has other rules."""
    if not seen.closed or not _works(statement, seen):
        return
    before = next((s.index for s in seen.before(statement) if _works(s, seen)), 0)
    held = [(t.relation, by) for t, by in seen.closed_since(before) if not _goes(t.relation, by, seen)]
    if held:
        names = " and ".join(_name(table, by) for table, by in held[:3])
        yield Found(
            f"while it runs, nobody can read or write {names}{f' and {len(held) - 3} more' * (len(held) > 3)}: "
            f"line {held[0][1].line} locked it, and the lock is held until the transaction ends",
            tuple(table for table, _ in held),
            subject="transaction",
            instead="Put it into a migration of its own.",
        )


def _goes(relation: Name, by: Statement, seen: Situation) -> bool:
    """Nobody waits to read what is dropped for good."""
    dropped = any(isinstance(x, a.Drop) and x.kind in READ and x.name.key == relation.key for x in by.actions)
    return seen.ahead.of(relation).is_dropped or (dropped and not seen.ahead.of(relation).named > by.index)


def _name(relation: Name, by: Statement) -> str:
    dropped = any(isinstance(x, a.Drop) and x.kind == "index" and x.name.key == relation.key for x in by.actions)
    return f"the table of index {relation}" if dropped else str(relation)


def _works(statement: Statement, seen: Situation) -> bool:
    touches = seen.touches(statement)
    if any(touch.work != "brief" and touch.lock is not Lock.ACCESS_EXCLUSIVE for touch in touches):
        return not all(_is_quick(action, seen) for action in statement.actions)
    return any(_fills(action) for action in statement.actions) and any(t.lock is Lock.ACCESS_SHARE for t in touches)


def _is_quick(action: a.Action, seen: Situation) -> bool:
    """A few rows, a check of no rows; and what is added and validated in one transaction has a rule of its own."""
    match action:
        case a.Insert(rows=rows):
            return rows > 0
        case a.ValidateConstraint(table=table):
            return table.key in seen.closed
    return False


def _fills(action: a.Action) -> bool:
    """It makes something of the rows of a query."""
    match action:
        case a.Insert(rows=0) | a.CreateTable(filled=True) | a.Create(kind="materialized view"):
            return True
    return False


RULE = Rule(
    code="work-under-exclusive-lock",
    title="Works through rows while a lock that shuts everybody out is held",
    severity="warn",
    lock=Lock.ACCESS_EXCLUSIVE,
    blocks="reads and writes",
    supersedes=("data-change-with-ddl",),
    setup="CREATE TABLE t (c int); CREATE TABLE o (c int); INSERT INTO o VALUES (1)",
    risky="ALTER TABLE t ADD COLUMN d int; UPDATE o SET c = 2 WHERE c = 1",
    safer="ALTER TABLE t ADD COLUMN d int",
    source="https://www.postgresql.org/docs/current/explicit-locking.html",
    check=check,
)
