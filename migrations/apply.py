"""Applies reviewed scripts to the pinned target, so that Prisma's ledger and the catalog never disagree unseen."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import psycopg

from migrations import apply_events as e
from migrations import ledger
from migrations.ledger_lock import PATIENCE, Holder, Lock
from migrations.problem import Problem, Unavailable
from migrations.script_failed import ScriptFailed as ScriptFailed
from migrations.script_run import ScriptRun, ScriptToRun
from migrations.sending import Cancelled, NoReply, Timeouts, Wire
from migrations.sql import execution_model, read_script
from migrations.target import Fingerprint, Pinned, session_name

Connection = psycopg.AsyncConnection[Any]
OLDEST = 130000
BOOK = {"lock_timeout": "10s", "statement_timeout": "60s"}
"""Of the ledger's connection, which nobody can cancel."""

_BACKEND = """
SELECT pid, backend_start::text FROM pg_catalog.pg_stat_activity WHERE pid = pg_catalog.pg_backend_pid()
"""


async def _nothing_to_check(script: ScriptToRun) -> None:
    return


@dataclass(frozen=True, slots=True)
class ApplyRun:
    """What to apply, where, and as whom.

    `roll_back_rows`: (name, ledger id) of this session's own failed rows, of which settle() knows that nothing was
    committed. `before_script` may raise Problem, for instance when the file on disk is no longer the reviewed one.
    """

    target: Pinned
    session: str
    application_name: str
    scripts: tuple[ScriptToRun, ...]
    on: e.OnEvent
    timeouts: Timeouts = field(default_factory=Timeouts)
    roll_back_rows: tuple[tuple[str, str], ...] = ()
    lock_patience: float = PATIENCE
    stop_asked: Callable[[], bool] = lambda: False
    before_script: Callable[[ScriptToRun], Awaitable[None]] = _nothing_to_check


@dataclass(frozen=True, slots=True)
class ScriptDone:
    """A script that is applied. `took` is in microseconds."""

    name: str
    row: str
    statements: int
    took: int


@dataclass(frozen=True, slots=True)
class ApplyResult:
    """What was applied, in order; `stopped` if the operator asked to end before the last one."""

    scripts: tuple[ScriptDone, ...]
    stopped: bool


async def prepare(name: str, text: str, checksum: str) -> ScriptToRun:
    """Read a script and decide how it runs. Raises Problem if it cannot be run as it is."""
    if sha256(text.encode()).hexdigest() != checksum:
        raise Problem(
            f"{name} is not the script that was reviewed: its checksum differs.",
            advice="End this session and review the script as it is now.",
        )
    script = await asyncio.to_thread(read_script, text)
    model = execution_model(script)
    if model.kind == "refused":
        raise Problem(
            f"{name} cannot be applied: {model.words}.", advice="Change the script, then start a new session."
        )
    return ScriptToRun(
        name=name,
        checksum=checksum,
        text=text,
        model=model.kind,
        statements=script.statements,
        pieces=model.pieces,
        row=ledger.new_id(),
    )


async def apply(run: ApplyRun) -> ApplyResult:
    """Apply the scripts in order, under Prisma's lock.

    Raises ScriptFailed; Problem (the ledger, the lock, another target); Unavailable (a connection lost or not made).
    On cancellation what runs is cancelled in the server, its reply awaited and recorded, and then it is re-raised;
    if everything was applied before the cancel took effect, the result is returned.
    """
    async with _connected(run) as work:
        worker, cancels = asyncio.ensure_future(work.all()), []
        while not worker.done():
            try:
                await asyncio.wait({worker})
            except asyncio.CancelledError:
                cancels.append(asyncio.ensure_future(work.wire.cancel()))
        await asyncio.gather(*cancels)
        try:
            return worker.result()
        except Cancelled:
            raise asyncio.CancelledError from None
        except (psycopg.Error, NoReply) as error:
            raise work.own_failed(error) from error


@asynccontextmanager
async def _connected(run: ApplyRun) -> "AsyncIterator[_Work]":
    """The three connections, the lock, and a ledger that may be written to."""
    async with AsyncExitStack() as stack:

        async def opened(purpose: str, name: str, settings: dict[str, str] | None = None) -> Connection:
            conn = await run.target.open(purpose, application_name=name, settings=settings)
            stack.push_async_callback(conn.close)
            return conn

        book = await opened("ledger", run.application_name, BOOK)
        if book.info.server_version < OLDEST:
            raise Problem("The server is older than PostgreSQL 13.", advice="Apply with Prisma's own command.")
        lock = Lock(book)
        await lock.take(patience=run.lock_patience, on_wait=lambda others: _tell_wait(run, others))
        table = await _ledger(run, book)
        guard = await opened("guard", session_name(run.session, "guard"))
        script = await opened("script", session_name(run.session, "script"), run.timeouts.settings)
        backends = [await _backend(conn) for conn in (script, book, guard)]
        wire = Wire(run.target, script, guard, run.timeouts, backends[0][0])
        await run.on(e.Connected(tuple(backends)))
        yield _Work(run, book, lock, table, wire, await run.target.compare(script))


async def _tell_wait(run: ApplyRun, others: tuple[Holder, ...]) -> None:
    words = (f"{'held by' if other.granted else 'also waited for by'} {other.words}" for other in others)
    await run.on(e.LockWait(f"the migration lock is {'; '.join(words)}"))


async def _backend(conn: Connection) -> tuple[int, str]:
    row = await (await conn.execute(_BACKEND.encode())).fetchone()
    assert row is not None
    return int(row[0]), str(row[1])


async def _ledger(run: ApplyRun, book: Connection) -> str:
    """The ledger's qualified name; made if this is the first run. Raises Problem P3005, P3009."""
    schema = run.target.url.schema
    rows = await ledger.rows(book, schema)
    if rows is None:
        if count := await ledger.other_tables(book, [schema] if schema else []):
            raise Problem(
                f"The database has no {ledger.NAME}, and {count} table{'s' if count > 1 else ''} already.",
                advice="Baseline it first: mark the migrations that made these tables as applied.",
                code="P3005",
            )
        return await ledger.create(book, schema)
    for name, id in run.roll_back_rows:
        if await ledger.roll_back_row(book, id, schema=schema):
            await run.on(e.RowRolledBack(name, id))
    _refuse_others(run, await ledger.rows(book, schema) or ())
    table = await ledger.find(book, schema)
    assert table is not None
    return table


def _refuse_others(run: ApplyRun, rows: Sequence[ledger.Row]) -> None:
    ours = {script.row for script in run.scripts}
    names = {script.name for script in run.scripts}
    for row in rows:
        if row.id in ours or row.applied.rolled_back:
            continue
        if row.applied.failed:
            raise Problem(
                f"{row.applied.name} failed earlier (started {row.applied.started_at}) and was never resolved.",
                advice="Find out what of it took effect, undo or complete that, then mark it: gonogo resolve.",
                code="P3009",
            )
        if row.applied.name in names:
            raise Problem(
                f"{row.applied.name} was applied by somebody else at {row.applied.finished_at}.",
                advice="The plan no longer holds. End this session and start anew.",
                code="P3008",
            )


@dataclass(frozen=True, slots=True)
class _Work:
    """One run, connected."""

    run: ApplyRun
    book: Connection
    lock: Lock
    table: str
    wire: Wire
    world: Fingerprint

    async def all(self) -> ApplyResult:
        """Every script, in order."""
        done: list[ScriptDone] = []
        for script in self.run.scripts:
            if self.run.stop_asked():
                return ApplyResult(tuple(done), stopped=True)
            await self.run.before_script(script)
            await self.wire.reset()
            await self._same_world()
            one = ScriptRun(script, self.wire, self.book, self.table, self.run.timeouts, self.run.on)
            done.append(ScriptDone(script.name, script.row, len(script.statements), await one.run()))
        return ApplyResult(tuple(done), stopped=False)

    async def _same_world(self) -> None:
        """The wire has just compared its fingerprint with the pin; a restart would be allowed by that, but not here."""
        if not await self.lock.held():
            raise Problem(
                "The migration lock is no longer held by our own connection.",
                advice="A pooler seems to swap connections; use the server's own address. Nothing more was sent.",
            )
        if self.run.target.pin != self.world:
            raise Unavailable("The server was restarted.", advice="Start the step again: it first reads what is there.")

    def own_failed(self, error: psycopg.Error | NoReply) -> Problem:
        """What to tell when it was not a script's statement that failed."""
        if isinstance(error, psycopg.Error) and error.sqlstate and not (self.book.closed or self.wire.lost):
            return Problem(
                f"A statement of gonogo's own failed, about {self.table} or the session: {error.diag.message_primary}.",
                advice="See that the role may SELECT, INSERT and UPDATE there, then start the step again.",
                code=error.sqlstate,
            )
        return Unavailable(
            f"The connection to {self.run.target.url.shown} was lost.",
            advice="Start the step again: it first asks the server what became of the last statement.",
        )
