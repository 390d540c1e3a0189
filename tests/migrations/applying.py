"""Applies scripts to a test's database as the step does, and reads what is there afterwards."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from hashlib import sha256
from typing import Any

import psycopg

from migrations import ledger
from migrations.apply import ApplyResult, ApplyRun, apply, prepare
from migrations.apply import events as e
from migrations.apply.events import as_record
from migrations.apply.guard import Budgets
from migrations.apply.script_run import ScriptToRun
from migrations.apply.sending import Timeouts
from migrations.apply.settle import Fate, settle
from migrations.sql import Way
from migrations.target import Pinned, Url, session_name

SESSION = "20260131T020304Z-staging-7f3a"
BOUND = 30.0


class Bench:
    """One database, and everything that was told about the runs on it."""

    def __init__(self, url: str, session: str = SESSION) -> None:
        self.url, self.session = url, session
        self.plain = url.partition("&schema=")[0]
        self.target = Pinned(Url.parse(url, variable="DATABASE_URL"))
        self.events: list[e.ApplyEvent] = []
        self.records: list[dict[str, Any]] = []
        self.on: Callable[[e.ApplyEvent], Awaitable[None]] | None = None

    async def apply(self, scripts: Mapping[str, str], way: Way = "safe", **over: Any) -> ApplyResult:
        """Apply scripts by name; `over` goes to ApplyRun."""
        return await self.run(*[await ready(name, text, way) for name, text in scripts.items()], **over)

    async def run(self, *scripts: ScriptToRun, **over: Any) -> ApplyResult:
        """Apply scripts that are prepared."""
        over.setdefault("timeouts", Timeouts(lock=2_000, statement=20_000))
        over.setdefault("budgets", Budgets(retry_for=0))
        over.setdefault("lock_patience", 2.0)
        name = session_name(self.session, "ana@example.org@bastion-1")
        return await apply(ApplyRun(self.target, self.session, name, scripts, self._tell, **over))

    async def _tell(self, event: e.ApplyEvent) -> None:
        self.events.append(event)
        if event.durable:
            self.records.append(as_record(event))
        if self.on:
            await self.on(event)

    async def settle(self) -> tuple[Fate, ...]:
        """What became of everything that was recorded."""
        return await settle(self.target, self.session, self.records)

    def told(self, kind: type) -> list[Any]:
        """The events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]

    async def rows(self) -> list[tuple[str, str, int]]:
        """The ledger: name, state, steps."""
        async with await psycopg.AsyncConnection.connect(self.plain, autocommit=True) as conn:
            found = await ledger.rows(conn, self.target.url.schema) or ()
        return [(row.applied.name, _state(row), row.steps) for row in found]

    async def query(self, text: str) -> list[tuple[Any, ...]]:
        """Ask the database, on a connection of its own."""
        async with await psycopg.AsyncConnection.connect(self.plain, autocommit=True) as conn:
            cur = await conn.execute(text.encode())
            return await cur.fetchall() if cur.description else []

    async def value(self, text: str) -> Any:
        """The one value that a query returns."""
        return (await self.query(text))[0][0]

    async def backends(self) -> int:
        """How many backends of this session there are."""
        return int(await self.value(f"SELECT count(*) FROM pg_stat_activity WHERE application_name ~ '{self.session}'"))


async def ready(name: str, text: str, way: Way = "safe") -> ScriptToRun:
    """A script, prepared."""
    return await prepare(name, text, sha256(text.encode()).hexdigest(), way)


def _state(row: ledger.Row) -> str:
    if row.applied.rolled_back:
        return "rolled back"
    return "failed" if row.applied.failed else "applied"


async def until(condition: Callable[[], Awaitable[Any]]) -> None:
    """Wait for a condition, bounded."""
    async with asyncio.timeout(BOUND):
        while not await condition():  # noqa: ASYNC110 (the condition is asked of the server)
            await asyncio.sleep(0.02)
