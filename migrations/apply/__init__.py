"""Applies reviewed scripts to the pinned target, so that Prisma's ledger and the catalog never disagree unseen."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import psycopg

from migrations import ledger
from migrations.apply import events as e
from migrations.apply.book import Book, LedgerRow, Marks
from migrations.apply.guard import Budgets
from migrations.apply.ledger_ready import ready
from migrations.apply.pausing import GoOn, Paused, Pauses
from migrations.apply.registered import registered
from migrations.apply.retrying import Retries
from migrations.apply.script_failed import ScriptFailed as ScriptFailed
from migrations.apply.script_run import ScriptRun, ScriptToRun
from migrations.apply.sending import Cancelled, NoReply, Timeouts, Wire
from migrations.ledger.lock import PATIENCE, Holder, Lock
from migrations.own.register import Who
from migrations.problem import Problem, Unavailable
from migrations.sql import Model, Script, Way, cut_in_doubt, execution_model, read_script
from migrations.sql.hiding import veil_of
from migrations.sql.veil import Veil
from migrations.target import Fingerprint, Pinned, session_name
from migrations.target.session_settings import set_session

Connection = psycopg.AsyncConnection[Any]
OLDEST = 130000
STRINGS = "standard_conforming_strings"
BOOK = {"lock_timeout": "10s", "statement_timeout": "60s"}
"""Of the ledger's connection, which nobody can cancel."""
GUARD = {"lock_timeout": "2s", "statement_timeout": "10s"}

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
    `register`: as whom to write into the target's register, if there is to be one.
    `marks`: the scripts are no migrations, but undo some: they have no rows of their own, and mark these open failed
    ones as rolled back in their last transaction.
    `go_on` is asked before each transaction but the first. `wire`: what speaks over the script's connection.
    """

    target: Pinned
    session: str
    application_name: str
    scripts: tuple[ScriptToRun, ...]
    on: e.OnEvent
    timeouts: Timeouts = field(default_factory=Timeouts)
    budgets: Budgets = field(default_factory=Budgets)
    roll_back_rows: tuple[tuple[str, str], ...] = ()
    lock_patience: float = PATIENCE
    stop_asked: Callable[[], bool] = lambda: False
    before_script: Callable[[ScriptToRun], Awaitable[None]] = _nothing_to_check
    register: Who | None = None
    marks: tuple[str, ...] | None = None
    wire: type[Wire] = Wire
    go_on: GoOn | None = None


@dataclass(frozen=True, slots=True)
class ScriptDone:
    """A script that is applied. `took` is in microseconds."""

    name: str
    row: str
    statements: int
    took: int


@dataclass(frozen=True, slots=True)
class ApplyResult:
    """What was applied, in order; `stopped` if the operator asked to end before the last one, `amid` one of them."""

    scripts: tuple[ScriptDone, ...]
    stopped: bool
    amid: str = ""


async def prepare(
    name: str, text: str, checksum: str, way: Way = "safe", hide: Callable[[Script], Veil] = veil_of
) -> ScriptToRun:
    """Read a script and decide how it runs. Raises Problem if it cannot be run as it is.

    `hide`: what must not be told of it.
    """
    digest, script, model, veil = await asyncio.to_thread(_read, text, way, hide)
    if digest != checksum:
        raise Problem(
            f"{name} is not the script that was reviewed: its checksum differs.",
            advice="End this session and review the script as it is now.",
        )
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
        veil=veil,
        told=veil.script(script).statements,
    )


def _read(text: str, way: Way, hide: Callable[[Script], Veil]) -> tuple[str, Script, Model, Veil]:
    script = read_script(text)
    return sha256(text.encode()).hexdigest(), script, execution_model(script, way), hide(script)


async def apply(run: ApplyRun) -> ApplyResult:
    """Apply the scripts in order, under Prisma's lock.

    Raises ScriptFailed; Problem (the ledger, the lock, another target); Unavailable (a connection lost or not made).
    On cancellation what runs is cancelled in the server, its reply awaited and recorded, and then it is re-raised;
    if everything was applied before the cancel took effect, the result is returned.
    """
    try:
        async with _connected(run) as work:
            return await _attended(work)
    except Cancelled:
        raise asyncio.CancelledError from None
    except (psycopg.Error, NoReply) as error:
        raise _own_failed(run, error) from error


async def _attended(work: "_Work") -> ApplyResult:
    """Wait for the work, whatever happens to the caller: a cancel goes to the server, and its answer is awaited."""
    worker, cancels = asyncio.ensure_future(work.all()), []
    while not worker.done():
        try:
            await asyncio.wait({worker})
        except asyncio.CancelledError:
            cancels.append(asyncio.ensure_future(work.wire.cancel()))
    await asyncio.gather(*cancels, return_exceptions=True)
    result = worker.result()
    if (task := asyncio.current_task()) is not None:
        for _ in cancels:
            task.uncancel()
    return result


def _own_failed(run: ApplyRun, error: psycopg.Error | NoReply) -> Problem:
    """What to tell when it was not a script's statement that failed."""
    answered = isinstance(error, psycopg.Error) and error.sqlstate and error.diag.severity_nonlocalized == "ERROR"
    if isinstance(error, psycopg.Error) and answered:
        return Problem(
            f"A statement of gonogo's own failed, about the ledger or the session: {error.diag.message_primary}.",
            advice="See that the role may SELECT, INSERT and UPDATE in the ledger, then start the step again.",
            code=error.sqlstate or "",
        )
    return Unavailable(
        f"The connection to {run.target.url.shown} was lost.",
        advice="Start the step again: it first asks the server what became of the last statement.",
    )


@asynccontextmanager
async def _connected(run: ApplyRun) -> "AsyncIterator[_Work]":
    """The three connections, the lock, and a ledger that may be written to."""
    async with AsyncExitStack() as stack:

        async def opened(purpose: str, name: str, settings: dict[str, str] | None = None) -> Connection:
            conn = await run.target.open(purpose, application_name=name, settings=settings)
            stack.push_async_callback(conn.close)
            return conn

        book = await opened("ledger", run.application_name, BOOK)
        _check_server(run, book)
        _check_strings(run, book)
        lock = Lock(book)
        await lock.take(patience=run.lock_patience, on_wait=lambda others: _tell_wait(run, others))
        written = await _book(run, book)
        on = await registered(book, run.register, run.on)
        guard = await opened("guard", session_name(run.session, "guard"), GUARD)
        await set_session(guard, {"search_path": ""})
        script = await opened("script", session_name(run.session, "script"), run.timeouts.settings)
        backends = [await _backend(conn) for conn in (script, book, guard)]
        wire = run.wire(run.target, script, guard, run.timeouts, backends[0][0])
        world = await run.target.compare(script)
        await on(e.Connected(tuple(backends), world.timeline))
        yield _Work(run, on, written, lock, wire, world)


async def _book(run: ApplyRun, conn: Connection) -> Book:
    """Where the scripts are written down. Raises Problem if the ledger is not in order."""
    schema = run.target.url.schema
    if run.marks is not None:
        return Marks(conn, await ledger.find(conn, schema), run.marks)
    return LedgerRow(conn, await ready(conn, schema, run.scripts, run.roll_back_rows, run.on))


def _check_server(run: ApplyRun, book: Connection) -> None:
    if book.info.server_version < OLDEST:
        raise Problem("The server is older than PostgreSQL 13.", advice="Apply with Prisma's own command.")
    if run.target.pin is not None and run.target.pin.in_recovery:
        raise Problem(
            f"{run.target.url.shown} is a standby: nothing can be applied there.",
            advice=f"Let {run.target.url.variable} (or the direct URL) lead to the primary.",
            code="25006",
        )


def _check_strings(run: ApplyRun, book: Connection) -> None:
    in_doubt = [script.name for script in run.scripts if cut_in_doubt(script.statements, script.pieces)]
    if in_doubt and book.info.parameter_status(STRINGS) != "on":
        raise strings_in_doubt(in_doubt)


def strings_in_doubt(names: Sequence[str]) -> Problem:
    """What to tell where a server would read backslashes in these scripts otherwise than the review did."""
    return Problem(
        f"{STRINGS} is off on the target: it could read other statements than were reviewed in {', '.join(names)}. "
        "Nothing was sent.",
        advice=f"Switch it on for the role or the database: ALTER ROLE, or ALTER DATABASE, … SET {STRINGS} = on;",
    )


async def _tell_wait(run: ApplyRun, others: tuple[Holder, ...]) -> None:
    words = (f"{'held by' if other.granted else 'also waited for by'} {other.words}" for other in others)
    await run.on(e.LockWait(f"the migration lock is {'; '.join(words)}"))


async def _backend(conn: Connection) -> tuple[int, str]:
    row = await (await conn.execute(_BACKEND.encode())).fetchone()
    assert row is not None
    return int(row[0]), str(row[1])


async def _begins(script: ScriptToRun, pauses: Pauses) -> bool:
    """Whether a script may begin, or go on where it was left."""
    try:
        await pauses.before(script.next_from(script.through))
    except Paused:
        return False
    return True


@dataclass(frozen=True, slots=True)
class _Work:
    """One run, connected."""

    run: ApplyRun
    on: e.OnEvent
    book: Book
    lock: Lock
    wire: Wire
    world: Fingerprint

    async def all(self) -> ApplyResult:
        """Every script, in order."""
        done: list[ScriptDone] = []
        retries = Retries(self.run.budgets, self.wire, self.on)
        pauses = Pauses(self.run.go_on, self.wire, self.run.stop_asked)
        for script in self.run.scripts:
            if self.run.stop_asked() or not await _begins(script, pauses):
                return ApplyResult(tuple(done), stopped=True)
            if self.wire.cancel_asked:
                raise Cancelled(sent=False)
            await self.run.before_script(script)
            await self.wire.reset()
            await self._same_world()
            limits = (self.run.timeouts, self.run.budgets, retries, pauses)
            one = ScriptRun(script, self.wire, self.book, *limits, self.on)
            try:
                took = await one.run()
            except Paused:
                return ApplyResult(tuple(done), stopped=True, amid=script.name)
            done.append(ScriptDone(script.name, script.row, len(script.statements), took))
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
