"""One statement at a time on the script's connection, and the guard beside it that can cancel it."""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import psycopg
from psycopg import generators, pq

from migrations.target import Pinned
from migrations.target.session_settings import set_session

Connection = psycopg.AsyncConnection[Any]

AGAIN = 0.5
"""Seconds until a cancel is sent again, or what nobody watches is looked after."""
GOOD = (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK, pq.ExecStatus.EMPTY_QUERY)
CLOSED_CLIENT_CHECK = {"client_connection_check_interval": "5s"}


class Cancelled(Exception):
    """The operator asked to end now, and nothing is in flight any more. `sent`: the statement had gone out."""

    def __init__(self, *, sent: bool) -> None:
        super().__init__("cancelled by the operator")
        self.sent = sent


class GaveWay(Exception):
    """Others waited behind our statement for long enough, and it was cancelled for them.

    `held`: it was at work under a lock that they waited for; else it waited itself.
    """

    def __init__(self, words: str, *, held: bool) -> None:
        super().__init__(f"cancelled by the guard, to give way: {words}")
        self.held = held


class Watcher(Protocol):
    """Who looks at a running statement."""

    def between(self) -> float:
        """Seconds until the next look."""

    async def look(self, guard: Connection, pid: int) -> None:
        """Look, through the guard's connection. Raises GaveWay if the statement is to be cancelled."""


class NoReply(Exception):
    """The connection ended before the statement's reply: it is not known what the statement did."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """In milliseconds; 0 is none. `concurrent` is for what runs CONCURRENTLY, which waits without a lock timeout."""

    lock: int = 5_000
    statement: int = 900_000
    concurrent: int = 14_400_000
    idle_in_transaction: int = 60_000

    @property
    def settings(self) -> dict[str, str]:
        """As the server's settings."""
        return {
            "lock_timeout": f"{self.lock}ms",
            "statement_timeout": f"{self.statement}ms",
            "idle_in_transaction_session_timeout": f"{self.idle_in_transaction}ms",
        }


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server answered: its tag, the rows it counted (-1: none), and the last result's first row."""

    tag: str
    rows: int
    row: tuple[Any, ...] | None = None


class Wire:
    """The script's connection. A cancel reaches only a statement that may be cancelled: never a COMMIT.

    `answered`: of the statements in the query that was sent last, so many were answered, and none of them by an error.
    """

    def __init__(self, target: Pinned, script: Connection, guard: Connection, timeouts: Timeouts, pid: int) -> None:
        self._target, self.script, self._guard, self._timeouts = target, script, guard, timeouts
        self.pid = pid
        self.notices: list[tuple[str, str]] = []
        self._cancel_asked = asyncio.Event()
        self.answered = 0
        self._closed_client_check = CLOSED_CLIENT_CHECK if script.info.server_version >= 140000 else {}
        self._gate = asyncio.Lock()
        self._in_flight = False
        script.add_notice_handler(self._noticed)

    def _noticed(self, diag: psycopg.errors.Diagnostic) -> None:
        # The diagnostic is only valid during the call.
        detail = f" ({diag.message_detail})" if diag.message_detail else ""
        self.notices.append((diag.severity or "NOTICE", f"{diag.message_primary}{detail}"))

    @property
    def cancel_asked(self) -> bool:
        """The operator asked to end now."""
        return self._cancel_asked.is_set()

    async def pause(self, seconds: float) -> None:
        """Let others go first. Raises Cancelled."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._cancel_asked.wait(), seconds)
            raise Cancelled(sent=False)

    @property
    def in_transaction(self) -> bool:
        """Whether the server said that a transaction is open."""
        return self.script.info.transaction_status in (pq.TransactionStatus.INTRANS, pq.TransactionStatus.INERROR)

    @property
    def lost(self) -> bool:
        """The connection is gone. It is never opened again."""
        return self.script.closed

    def parameter(self, name: str) -> str:
        """A setting that the server reports by itself, such as standard_conforming_strings."""
        return self.script.info.parameter_status(name) or ""

    async def send(self, query: str, *, cancellable: bool = True, watcher: Watcher | None = None) -> Reply:
        """Send one simple query and wait for its reply, whatever happens to the caller's patience.

        Raises psycopg.Error (the server's own reply), NoReply, or, cancelled by us: GaveWay, Cancelled (or not sent).
        """
        async with self._gate:
            if cancellable and self.cancel_asked:
                raise Cancelled(sent=False)
            self._in_flight, self.answered = cancellable, 0
            task = asyncio.ensure_future(self._exchange(query))
        gave_way: GaveWay | None = None
        try:
            while not (await asyncio.wait({task}, timeout=watcher.between() if watcher else AGAIN))[0]:
                if gave_way or (cancellable and self.cancel_asked):
                    # The first cancel may have come before the statement reached the server.
                    await self._send_cancel()
                elif watcher and (gave_way := await self._judged(watcher)):
                    await self._send_cancel()
        finally:
            # The next statement goes out only after every cancel that was sent has been answered.
            async with self._gate:
                self._in_flight = False
            if not task.done():
                task.cancel()
        return self._reply(task, cancellable, gave_way)

    async def _judged(self, watcher: Watcher) -> GaveWay | None:
        try:
            await self.look(watcher)
        except GaveWay as gave_way:
            return gave_way
        return None

    async def look(self, watcher: Watcher) -> None:
        """Let it look, if the guard's connection is there. Raises GaveWay."""
        if not self._guard.closed:
            await watcher.look(self._guard, self.pid)

    def _reply(self, task: "asyncio.Future[Reply]", cancellable: bool, gave_way: GaveWay | None) -> Reply:
        try:
            return task.result()
        except psycopg.errors.QueryCanceled:
            if cancellable and self.cancel_asked:
                raise Cancelled(sent=True) from None
            if gave_way:
                raise gave_way from None
            raise
        except psycopg.Error as error:
            if self.lost:
                raise NoReply((str(error).strip().splitlines() or ["no reply came"])[0]) from error
            raise

    async def _exchange(self, query: str) -> Reply:
        """A simple query. A cursor would not tell which of several statements an error is about."""
        self.script.pgconn.send_query(query.encode())
        for result in (results := await self.script.wait(generators.execute(self.script.pgconn))):
            if result.status not in GOOD:
                raise _error(result)
            self.answered += 1
        return _reply_of(results)

    async def cancel(self) -> None:
        """Ask the server to cancel what is in flight, if that may be cancelled; nothing goes out after it."""
        self._cancel_asked.set()
        async with self._gate:
            if self._in_flight:
                await self._send_cancel()

    async def _send_cancel(self) -> None:
        try:
            await self._guard.execute("SELECT pg_catalog.pg_cancel_backend(%s)", (self.pid,))
        except psycopg.Error:
            await self.script.cancel_safe(timeout=10)

    async def roll_back(self) -> None:
        """End an open transaction without a trace. Does nothing on a lost connection: the server does it."""
        if not self.lost and self.in_transaction:
            await self.send("ROLLBACK", cancellable=False)

    async def reset(self) -> None:
        """Forget everything that a script may have left in the session, put in force what it starts with, prove it."""
        await self.roll_back()
        await self.send("DISCARD ALL", cancellable=False)
        try:
            await self._set()
        except psycopg.errors.InvalidParameterValue:
            self._closed_client_check = {}  # The server's operating system cannot tell that a client is gone.
            await self._set()
        await self._target.compare(self.script)

    async def _set(self) -> None:
        timeouts = self._timeouts.settings
        settings = {**self._closed_client_check, **self._target.search_path(self.script)}
        await set_session(self.script, {**settings, **(timeouts if self._target.pooled else {})}, check=timeouts)


def _error(result: pq.abc.PGresult) -> psycopg.Error:
    if result.status == pq.ExecStatus.FATAL_ERROR:
        return psycopg.errors.error_from_result(result)
    return psycopg.ProgrammingError("COPY to or from a client needs one such as psql")


def _reply_of(results: Sequence[pq.abc.PGresult]) -> Reply:
    last, row = results[-1], None
    for result in results:
        if result.ntuples:
            row = tuple(_text(result.get_value(0, column)) for column in range(result.nfields))
    rows = last.ntuples if last.status == pq.ExecStatus.TUPLES_OK else last.command_tuples
    return Reply(_text(last.command_status) or "", -1 if rows is None else rows, row)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "replace")
