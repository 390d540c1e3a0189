"""A long statement in a transaction that has already shut readers out of a table."""

from collections.abc import Iterator

from migrations.locks import Lock, Touch
from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.sql import Statement
from migrations.sql import actions as a
from migrations.sql.seen import Key


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Every statement that works through rows while ACCESS EXCLUSIVE is held; what takes it itself has other rules."""
    if not any(_is_long(touch) for touch in seen.touches(statement)) or _only_some_rows(statement):
        return
    held = list(seen.closed(statement))
    if held and not _validates(statement, {touch.relation.key for touch, _ in held}):
        tables = tuple(touch.relation for touch, _ in held)
        names = " and ".join(map(str, tables[:3])) + f" and {len(tables) - 3} more" * (len(tables) > 3)
        line = held[0][1].line
        yield Found(
            f"while it runs, nobody can read or write {names}: line {line} locked it, "
            "and the lock is held until the transaction ends",
            tables,
            subject="transaction",
            instead="Put it into a migration of its own.",
        )


def _is_long(touch: Touch) -> bool:
    return touch.work != "brief" and touch.lock is not Lock.ACCESS_EXCLUSIVE


def _validates(statement: Statement, held: set[Key]) -> bool:
    """What is added and validated in one transaction has a rule of its own."""
    return any(isinstance(action, a.ValidateConstraint) and action.table.key in held for action in statement.actions)


def _only_some_rows(statement: Statement) -> bool:
    return all(isinstance(action, a.Insert) and action.rows for action in statement.actions)


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
