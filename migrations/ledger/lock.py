"""Prisma's advisory lock: who runs migrations here, one at a time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from migrations.problem import Problem

Connection = psycopg.AsyncConnection[Any]

KEY = 72707369
PATIENCE = 10.0
"""Seconds, as Prisma waits."""
POLL = 0.2

_HOLDERS = """
SELECT l.pid, l.granted, a.usename, coalesce(a.application_name, ''), a.backend_start::text,
       CASE WHEN a.backend_start IS NULL THEN NULL
            ELSE coalesce(pg_catalog.host(a.client_addr), 'the server''s own host') END,
       to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS"Z"'),
       CASE WHEN a.state = 'idle' THEN to_char(a.state_change AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS"Z"') END
FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a USING (pid)
WHERE l.locktype = 'advisory' AND l.classid = 0 AND l.objid = %s AND l.objsubid = 1
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
  AND l.pid <> pg_catalog.pg_backend_pid()
ORDER BY l.granted DESC, a.backend_start
"""


@dataclass(frozen=True, slots=True)
class Holder:
    """A backend that holds the lock, or waits for it inside the server. Empty: the role may not see it."""

    pid: int
    granted: bool
    user: str
    application: str
    address: str
    since: str
    end_sql: str
    """The statement that ends just this backend; empty where it cannot be told from a later one with its pid."""
    idle_since: str = ""
    """Since when it has said nothing; empty while it works, or where that is not visible."""

    @property
    def ours(self) -> bool:
        """Whether it is a gonogo, which works on another connection than the one that holds the lock."""
        return self.application.startswith("gonogo ")

    @property
    def idle(self) -> str:
        """What its silence means; empty where it is not silent."""
        if self.idle_since and self.ours:
            return "A gonogo holds it while it works on another connection: ask who is named."
        return f"It has said nothing since {self.idle_since}." if self.idle_since else ""

    @property
    def words(self) -> str:
        """Who, since when, where from."""
        who = f"{self.application or 'an unnamed program'} (user {self.user or 'not visible'}, pid {self.pid})"
        since = f", connected since {self.since}" if self.since else ", since when is not visible"
        return f"{who}{since}{f', from {self.address}' if self.address else ''}"


async def holders(conn: Connection) -> tuple[Holder, ...]:
    """Who holds the lock (first) and who waits for it, other than this connection."""
    cur = await conn.execute(_HOLDERS, (KEY,))
    return tuple(_holder(*row) for row in await cur.fetchall())


def _holder(
    pid: int,
    granted: bool,
    user: str | None,
    application: str,
    start: str | None,
    address: str | None,
    since: str | None,
    idle: str | None,
) -> Holder:
    end = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = {pid} AND backend_start = '{start}';"
    return Holder(pid, granted, user or "", application, address or "", since or "", end if start else "", idle or "")


class Lock:
    """The lock, held by one connection until `release`, or until the connection ends."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    async def take(
        self,
        *,
        patience: float = PATIENCE,
        on_wait: Callable[[tuple[Holder, ...]], Awaitable[None]] | None = None,
    ) -> None:
        """Take it by polling, for `patience` seconds. Raises Problem P1002 that names the holder.

        Waiting inside pg_advisory_lock() would hold a snapshot, and stall every CREATE INDEX CONCURRENTLY.
        """
        loop = asyncio.get_running_loop()
        until, told = loop.time() + patience, False
        while not await self._try():
            others = await holders(self._conn)
            if on_wait and others and not told:
                told = True
                await on_wait(others)
            if loop.time() >= until:
                raise _busy(others)
            await asyncio.sleep(POLL)

    async def _try(self) -> bool:
        row = await (await self._conn.execute("SELECT pg_catalog.pg_try_advisory_lock(%s)", (KEY,))).fetchone()
        return bool(row and row[0])

    async def held(self) -> bool:
        """Whether this very backend holds it. A pooler that swaps backends shows here."""
        cur = await self._conn.execute(
            "SELECT 1 FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND classid = 0 AND objid = %s "
            "AND objsubid = 1 AND granted AND pid = pg_catalog.pg_backend_pid()",
            (KEY,),
        )
        return await cur.fetchone() is not None

    async def release(self) -> None:
        """Let go of it."""
        await self._conn.execute("SELECT pg_catalog.pg_advisory_unlock(%s)", (KEY,))


@asynccontextmanager
async def locked(conn: Connection, *, patience: float = PATIENCE) -> AsyncIterator[None]:
    """Hold the lock for a block, in which the connection must stay usable. Raises Problem P1002."""
    lock = Lock(conn)
    await lock.take(patience=patience)
    try:
        yield
    finally:
        if not conn.closed:
            await lock.release()


def _busy(others: tuple[Holder, ...]) -> Problem:
    holder = next((o for o in others if o.granted), None)
    if holder is None:
        return Problem("Another program held the migration lock until a moment ago.", advice="Try again.", code="P1002")
    idle = f" {holder.idle}" if holder.idle else ""
    end = f" If its program is gone, end it: {holder.end_sql}" if holder.end_sql else ""
    return Problem(
        f"Somebody else runs migrations on this database: {holder.words}.",
        advice=f"Talk to them and wait until they are done.{idle}{end}",
        code="P1002",
    )
