"""A long statement in a transaction that has already shut readers out of a table."""

from collections.abc import Collection, Iterator

from migrations.locks import Lock, Touch
from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.sql import Name, Statement
from migrations.sql import actions as a
from migrations.sql.names import Key


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """The first statement of a transaction that works through rows while a lock is held, with those that follow it.

    What takes ACCESS EXCLUSIVE has other rules.
    """
    if not seen.closed or not _works(statement, seen, seen.closed):
        return
    before = next((s.index for s in seen.before(statement) if _works(s, seen, seen.closed)), 0)
    now = list(seen.closed.values())
    if now[0][1].index < before:
        return  # it is told of that one, or of one before it
    last, count, held = _following(statement, seen)
    more = (
        f"; so it is while {count} later statement{'s do' * (count > 1) or ' does'} such work, the last on line {last}"
    )
    also = f", and then with {_names(held[len(now) :])}" * (len(held) > len(now))
    yield Found(
        f"while it runs, nobody can read or write {_names(now)}: line {now[0][1].line} locked it, and the lock is held "
        f"until the transaction ends{f'{more}{also}' * (count > 0)}",
        tuple(touch.relation for touch, _ in held),
        subject="transaction",
        instead="Put it into a migration of its own.",
    )


def _following(statement: Statement, seen: Situation) -> tuple[int, int, list[tuple[Touch, Statement]]]:
    """The line of the last statement of the transaction that works on, how many do, and what is locked meanwhile."""
    line, count, closed = statement.line, 0, dict(seen.closed)
    held = len(closed)
    for later in seen.after(statement):
        if _works(later, seen, closed):
            line, count, held = later.line, count + 1, len(closed)
        seen.close(later, closed)
    return line, count, list(closed.values())[:held]


def _names(held: list[tuple[Touch, Statement]]) -> str:
    names = " and ".join(_name(touch.relation, by) for touch, by in held[:3])
    return names + f" and {len(held) - 3} more" * (len(held) > 3)


def _name(relation: Name, by: Statement) -> str:
    dropped = any(isinstance(x, a.Drop) and x.kind == "index" and x.name.key == relation.key for x in by.actions)
    return f"the table of index {relation}" if dropped else str(relation)


def _works(statement: Statement, seen: Situation, closed: Collection[Key]) -> bool:
    touches = seen.touches(statement)
    if any(touch.work != "brief" and touch.lock is not Lock.ACCESS_EXCLUSIVE for touch in touches):
        return not all(_is_quick(action, closed) for action in statement.actions)
    return any(_fills(action) for action in statement.actions) and any(t.lock is Lock.ACCESS_SHARE for t in touches)


def _is_quick(action: a.Action, closed: Collection[Key]) -> bool:
    """A few rows, a check of no rows; and what is added and validated in one transaction has a rule of its own."""
    match action:
        case a.Insert(rows=rows):
            return rows > 0
        case a.ValidateConstraint(table=table):
            return table.key in closed
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
