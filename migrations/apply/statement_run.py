"""One statement of a script: sent as it stands, watched through the guard, and its after-effects on the session."""

import time
from typing import TYPE_CHECKING, Any

import psycopg

from migrations.apply import events as e
from migrations.apply import lock_queue, server_progress
from migrations.apply.guard import Budgets, Watch
from migrations.apply.inside_code import line_inside
from migrations.apply.lock_queue import LockQueue
from migrations.apply.script_failed import Place, caret
from migrations.apply.sending import GaveWay, Reply, Timeouts, Wire
from migrations.target.session_settings import milliseconds

if TYPE_CHECKING:
    from migrations.apply.script_run import ScriptToRun

LOCKED = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected, GaveWay)
"""How a wait for a lock ends without it: by lock_timeout, as the loser of a deadlock, or to give way."""

Connection = psycopg.AsyncConnection[Any]


class Refusal(Exception):
    """The server took what was sent, and still the script cannot go on or count as applied."""


class StatementRun:
    """Sends a script's statements. `at` is the one that went out last (from 0).

    `work`: which were sent in this try, and for how many seconds they worked, their waits not counted. `waited_in`: who
    was in the way when it last waited for a lock.
    """

    def __init__(
        self,
        script: "ScriptToRun",
        wire: Wire,
        timeouts: Timeouts,
        budgets: Budgets,
        on: e.OnEvent,
    ) -> None:
        self._name, self._text, self._statements = script.name, script.text, script.statements
        self._told, self._veil = script.told, script.veil
        self._wire, self._timeouts, self._budgets, self._on = wire, timeouts, budgets, on
        self._sent_from: int | None = None  # where in the text the query stands that is on its way
        self._blind = False
        self.at = 0
        self.begin_try()

    def begin_try(self, *, concurrently: bool = False) -> None:
        """A transaction begins, or a statement by itself. `concurrently`: it keeps out other changes only."""
        self._watch = Watch(self._budgets, concurrently=concurrently)
        self._concurrently = concurrently
        self._began = time.monotonic()
        self.work: list[tuple[range, float]] = []
        self.waited_in = LockQueue(0)

    async def send(self, index: int, text: str = "") -> None:
        """Send one statement, or `text` in its place, and wait for its reply.

        Raises psycopg.Error, NoReply, Cancelled, GaveWay, or Refusal.
        """
        statement, count = self._statements[index], len(self._statements)
        self.check(index)
        if self._watch.due:
            await self._wire.look(self)
        self._began = time.monotonic()
        self._watch.statement_begins()
        await self._on(e.StatementStarted(self._name, index, count, statement.line, self._told[index].summary))
        self._sent_from = None if text else statement.start
        reply = await self._sent(text or statement.text, range(index, index + 1))
        self._sent_from = None
        took = e.microseconds(time.monotonic() - self._began)
        await self.tell_notices()
        if statement.facts.sets or statement.facts.may_commit or not statement.analysed:
            await self.clamp()
        await self._on(e.StatementEnded(self._name, index, count, took, reply.rows, reply.tag))

    async def send_rest(self, first: int) -> None:
        """Send all from one statement on as one query, each checked before. Raises as send() does: `at` broke it."""
        count, self.at, self._began = len(self._statements), first, time.monotonic()
        self._watch.statement_begins()
        summary = "all of it, as one query" if first == 0 else f"all from statement {first + 1} on, as one query"
        await self._on(e.StatementStarted(self._name, first, count, self._statements[first].line, summary))
        self._sent_from = self._statements[first].start if first else 0
        try:
            reply = await self._sent(self._text[self._sent_from :], range(first, count))
        except Exception as error:
            self.at = self._failed_at(error, first)
            raise
        self._sent_from, self.at = None, count - 1
        took = e.microseconds(time.monotonic() - self._began)
        await self.tell_notices()
        await self._on(e.StatementEnded(self._name, count - 1, count, took, -1, reply.tag))

    def _failed_at(self, error: Exception, first: int) -> int:
        """The statement that an error is about: where the server points to, else the first that was not answered."""
        if (offset := self._offset(error)) is not None:
            return max((s.index for s in self._statements if s.start <= offset), default=0)
        return min(first + self._wire.answered, len(self._statements) - 1)

    def _offset(self, error: Exception) -> int | None:
        """Where in the text, in characters from 0, the server points to."""
        position = error.diag.statement_position if isinstance(error, psycopg.Error) else None
        return self._sent_from + int(position) - 1 if position and self._sent_from is not None else None

    async def _sent(self, text: str, indexes: range) -> Reply:
        waited = self._watch.waited
        try:
            return await self._wire.send(text, watcher=self)
        except (psycopg.Error, GaveWay) as error:
            if self.lost_to_a_lock(error) and not (isinstance(error, GaveWay) and error.held):
                self._watch.ended_by_a_lock()
            raise
        finally:
            net = max(0.0, time.monotonic() - self._began - (self._watch.waited - waited))
            self.work.append((indexes, net))

    def lost_to_a_lock(self, error: Exception) -> bool:
        """Whether it was a lock that the statement broke at.

        What runs CONCURRENTLY has no lock_timeout: its own timeout counts, if it waited for anybody. A long build that
        ran into it is not tried again for all that, since its length is more than there is for trying again.
        """
        if isinstance(error, psycopg.errors.QueryCanceled) and self._concurrently and self._watch.waited:
            return time.monotonic() - self._began >= self._timeouts.concurrent / 1000
        return isinstance(error, LOCKED)

    def check(self, index: int) -> None:
        """The server must read the bytes of this statement, which is next, as the review did. Raises Refusal."""
        self.at = index
        statement = self._statements[index]
        if "\\" in statement.text and self._wire.parameter("standard_conforming_strings") != "on":
            raise Refusal("standard_conforming_strings is off: the server would read backslashes differently")
        if not statement.text.isascii() and self._wire.parameter("client_encoding") != "UTF8":
            raise Refusal("client_encoding is not UTF8: the server would read other characters")

    async def clamp(self) -> None:
        """A script may lower the timeouts for itself, and never raise them. SHOW takes no snapshot."""
        for name, most in self._timeouts.settings.items():
            reply = await self._wire.send(f"SHOW {name}")
            found, limit = str(reply.row[0]) if reply.row else "0", milliseconds(most)
            if limit and not 0 < milliseconds(found) <= limit:
                await self._wire.send(f"SET {name} = '{most}'")
                text = f"the script sets {name} to {found}; the step's own {most} stays in force"
                await self._on(e.Notice(self._name, "NOTE", text))

    async def tell_notices(self) -> None:
        """Tell what the server said beside its replies."""
        while self._wire.notices:
            severity, text = self._wire.notices.pop(0)
            await self._on(e.Notice(self._name, severity, self._veil.words(text)))

    def between(self) -> float:
        """Seconds until the next look."""
        timeout = self._timeouts.concurrent if self._concurrently else self._timeouts.lock
        return self._watch.between(timeout / 1000)

    async def look(self, guard: Connection, pid: int) -> None:
        """Look at the running statement, and tell. Raises GaveWay if others have waited long enough behind it."""
        await self.tell_notices()
        asked = time.monotonic()
        try:
            progress = await server_progress.look(guard, pid)
            queue = await lock_queue.look(guard, pid)
        except psycopg.Error as error:
            return await self._tell_blind(error)
        self.waited_in = queue if queue.ours else self.waited_in
        try:
            self._watch.take(queue, asked)
        finally:
            took, waits = e.microseconds(time.monotonic() - self._began), e.microseconds(self._watch.waits)
            await self._on(e.Running(self._name, self.at, took, waits, progress, queue, self._watch.behind))

    async def _tell_blind(self, error: psycopg.Error) -> None:
        """The script's connection decides alone. If the guard's is lost, the next script does not start."""
        if not self._blind:
            self._blind = True
            words = (str(error).strip().splitlines() or [type(error).__name__])[0]
            await self._on(e.Notice(self._name, "NOTE", f"the guard cannot look, only the timeouts hold: {words}"))

    def place(self, error: Exception) -> Place:
        """Where the script stands, with a caret where the server names a position."""
        if not self._statements:
            return Place(0, 0, 1, "")
        statement, offset = self._statements[self.at], self._offset(error)
        inside = line_inside(statement, error) if offset is None else None
        shown_at = statement.start + (inside or 0) if offset is None else min(offset, len(self._text))
        line, shown = caret(self._veil.text, self._veil.place(shown_at), exact=offset is not None)
        return Place(self.at, len(self._statements), line, shown)
