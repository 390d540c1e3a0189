"""What the server shows of Prisma's command while it runs."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import psycopg

from migrations import ledger
from migrations.prisma.after import child_name
from migrations.prisma.before import Before
from migrations.problem import Problem
from migrations.target import Pinned, session_name

OFTEN = 0.005
"""Between two looks: under bun, the session of `migrate status` is shorter than 50 ms."""
SECONDLY = 1.0
SEEN = "SELECT 1 FROM pg_catalog.pg_stat_activity WHERE application_name = %s AND datname = current_database()"

BEHIND = """
SELECT count(*) FROM pg_catalog.pg_stat_activity w
WHERE w.wait_event_type = 'Lock' AND w.datname = pg_catalog.current_database() AND EXISTS (
    SELECT 1 FROM pg_catalog.pg_stat_activity o
    WHERE o.application_name = %s AND o.pid = ANY (pg_catalog.pg_blocking_pids(w.pid)))
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """Rows of the ledger that are finished, the script that is open, and how many sessions wait behind it."""

    done: int
    running: str
    behind: int

    @property
    def words(self) -> str:
        """`runs 2_b, 3 sessions wait behind it`."""
        waiting = f"{self.behind} session{'s wait' if self.behind > 1 else ' waits'} behind it" if self.behind else ""
        return ", ".join(part for part in (f"runs {self.running}" if self.running else "", waiting) if part)


OnProgress = Callable[[Standing], Awaitable[None]]


class Seen:
    """Whether a session of the command was in the pinned database."""

    def __init__(self) -> None:
        self.yes = False


@asynccontextmanager
async def looking_for(target: Pinned, session: str) -> AsyncIterator[Seen]:
    """Look for the command's sessions while the block runs."""
    seen = Seen()
    conn = await target.open("guard", application_name=session_name(session, "guard"))

    async def look() -> None:
        while not seen.yes:
            cur = await conn.execute(SEEN, (child_name(session),))
            seen.yes = await cur.fetchone() is not None
            await asyncio.sleep(OFTEN)

    try:
        async with _beside(look()):
            yield seen
    finally:
        await conn.close()


@asynccontextmanager
async def following(target: Pinned, session: str, before: Before, on: OnProgress) -> AsyncIterator[None]:
    """Tell once a second how it stands in the pinned database, since `before`."""
    known = {row.id for row in before.rows}

    async def look() -> None:
        conn = await target.open("guard", application_name=session_name(session, "guard"))
        try:
            while True:
                new = [row for row in await ledger.rows(conn, target.url.schema) or () if row.id not in known]
                running = next((row.applied.name for row in new if row.applied.failed), "")
                waiting = await (await conn.execute(BEHIND, (child_name(session),))).fetchone()
                done = sum(1 for row in new if row.applied.finished_at)
                await on(Standing(done, running, int(waiting[0]) if waiting else 0))
                await asyncio.sleep(SECONDLY)
        finally:
            await conn.close()

    async with _beside(look()):
        yield


@asynccontextmanager
async def _beside(work: Awaitable[None]) -> AsyncIterator[None]:
    """Run something beside a block, and end it with the block. A lost connection ends the looking, nothing else."""

    async def quietly() -> None:
        with contextlib.suppress(psycopg.Error, Problem):
            await work

    task = asyncio.ensure_future(quietly())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})
