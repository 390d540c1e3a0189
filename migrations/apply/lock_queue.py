"""Who waits for whom around one backend: those it waits for, and those that wait behind it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg

from migrations.activity import Prepared, Session, Waiter, prepared, sessions

Connection = psycopg.AsyncConnection[Any]

MOST_ASKED = 200
"""Of how many waiting sessions it is asked whom they wait for: each answer takes the whole lock table for a moment."""
MOST_NAMED = 8
"""How many of those behind are named."""

# Nothing is asked of those who wait for nothing. Waiting is seen in pg_locks by every role, in pg_stat_activity not.
_WAITERS = """
WITH waiting AS MATERIALIZED (
    SELECT DISTINCT ON (l.pid) l.pid, l.locktype, l.relation, l.mode
    FROM pg_catalog.pg_locks l
    WHERE NOT l.granted AND coalesce(l.database, 0) IN (
        0, (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()))
    ORDER BY l.pid
), asked AS MATERIALIZED (SELECT * FROM waiting ORDER BY pid <> %(pid)s, pid LIMIT %(most)s)
SELECT pid, pg_catalog.pg_blocking_pids(pid), coalesce(relation::pg_catalog.regclass::text, locktype), mode FROM asked
"""


@dataclass(frozen=True, slots=True)
class LockQueue:
    """`waiters` wait for a lock in this database. `ours` is the backend that it is about, if it is one of them.

    `behind` wait for `pid`, directly or behind others; `before` are the pids that it waits for, farthest first:
    0 stands for a prepared transaction.
    """

    pid: int
    ours: Waiter | None = None
    before: tuple[int, ...] = ()
    behind: tuple[Waiter, ...] = ()
    waiters: Mapping[int, Waiter] = field(default_factory=dict)
    sessions: Mapping[int, Session] = field(default_factory=dict)
    prepared: tuple[Prepared, ...] = ()

    def __bool__(self) -> bool:
        """Whether anybody waits, we or others behind us."""
        return self.ours is not None or bool(self.behind)

    @property
    def holders(self) -> tuple[int, ...]:
        """Those before us that do not wait themselves: one of them must end."""
        return tuple(pid for pid in self.before if pid not in self.waiters)

    @property
    def holders_words(self) -> tuple[str, ...]:
        """Each of them: who it is, since when, and the SQL that ends it."""
        words = [_ending(one.words, one.sql_to_end) for pid in self.holders if (one := self.sessions.get(pid))]
        if 0 in self.holders:
            words += [
                _ending(f"the prepared transaction {p.gid} of {p.user}, since {p.since}", p.sql_to_end)
                for p in self.prepared
            ]
        named = {*self.sessions, 0}
        return (*words, *(f"pid {pid}, which is no longer there" for pid in self.holders if pid not in named))


def _ending(words: str, sql: str) -> str:
    return f"{words}; to end it: {sql}" if sql else f"{words}; the role may not see enough of it to end it safely"


async def look(guard: Connection, pid: int) -> LockQueue:
    """Look once. The guard's search_path must be empty. Raises psycopg.Error."""
    rows = await (await guard.execute(_WAITERS.encode(), {"pid": pid, "most": MOST_ASKED})).fetchall()
    waiters = {row[0]: Waiter(row[0], tuple(row[1]), row[2], row[3]) for row in rows}
    before, behind = _before(pid, waiters), _behind(pid, waiters.values())
    if pid not in waiters and not behind:
        return LockQueue(pid)
    named = [one for one in before if one] + [waiter.pid for waiter in behind[:MOST_NAMED]]
    return LockQueue(
        pid=pid,
        ours=waiters.get(pid),
        before=before,
        behind=behind,
        waiters=waiters,
        sessions=await sessions(guard, named),
        prepared=await prepared(guard) if 0 in before else (),
    )


def _before(pid: int, waiters: Mapping[int, Waiter]) -> tuple[int, ...]:
    """Whom it waits for, whom these wait for, and so on; farthest first."""
    found: list[int] = []
    level: Collection[int] = (pid,)
    while level:
        blockers = (other for one in level if one in waiters for other in waiters[one].blocked_by)
        level = [other for other in dict.fromkeys(blockers) if other != pid and other not in found]
        found = [*level, *found]
    return tuple(found)


def _behind(pid: int, waiters: Iterable[Waiter]) -> tuple[Waiter, ...]:
    """Those that wait for it, then those that wait for these, and so on."""
    found: list[Waiter] = []
    left = [waiter for waiter in waiters if waiter.pid != pid]
    level = {pid}
    while level:
        new = [waiter for waiter in left if level.intersection(waiter.blocked_by)]
        level = {waiter.pid for waiter in new}
        left = [waiter for waiter in left if waiter.pid not in level]
        found += new
    return tuple(found)
