"""A table gone through twice in one script, where one ALTER TABLE would do it once."""

from collections.abc import Iterator
from itertools import islice

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.sql import Name, Statement
from migrations.sql import actions as a

_ALTERS = (a.AddColumn, a.AlterType, a.SetNotNull, a.AddConstraint, a.AlterTable)

NEAR = 50
"""Statements between the two, at the most: in a script of thousands, nobody would write them as one."""


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """The second ALTER TABLE of a transaction that works through a table."""
    for table in _gone_through(statement, seen):
        near = islice(seen.before(statement), NEAR)
        before = [earlier for earlier in near if table in _gone_through(earlier, seen)]
        if len(before) == 1:
            yield Found(
                f"goes through {table} once more, as line {before[0].line} did: the server would do both in one pass",
                (table,),
                subject=str(table),
                instead=f"Write both into one ALTER TABLE {table}, parted by a comma.",
            )


def _gone_through(statement: Statement, seen: Situation) -> list[Name]:
    """The tables that an ALTER TABLE works through while nobody can read them."""
    if not all(isinstance(action, _ALTERS) for action in statement.actions):
        return []
    heavy = (touch for touch in seen.touches(statement) if touch.work in ("scan", "rewrite") and not touch.through)
    return list(dict.fromkeys(touch.relation for touch in heavy if touch.lock is Lock.ACCESS_EXCLUSIVE))


RULE = Rule(
    code="alters-that-could-be-one",
    title="Goes through one table twice",
    severity="note",
    lock=Lock.ACCESS_EXCLUSIVE,
    blocks="reads and writes",
    setup="CREATE TABLE t (c int, d int)",
    risky="ALTER TABLE t ALTER COLUMN c TYPE bigint; ALTER TABLE t ALTER COLUMN d TYPE bigint",
    safer="ALTER TABLE t ALTER COLUMN c TYPE bigint, ALTER COLUMN d TYPE bigint",
    source="https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-NOTES",
    about=(a.AddColumn, a.AddConstraint, a.AlterTable, a.AlterType, a.SetNotNull),
    check=check,
)
