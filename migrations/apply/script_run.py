"""One script through the wire: its transactions, its ledger row, and what is known when it breaks."""

import re
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import astuple, dataclass
from functools import partial
from typing import Any, Literal

import psycopg

from migrations.apply import events as e
from migrations.apply.book import Book
from migrations.apply.concurrent import Proof, proof
from migrations.apply.guard import Budgets
from migrations.apply.leftovers import Leftovers
from migrations.apply.pausing import Next, Paused, Pauses
from migrations.apply.retrying import HELD, GivenUp, Lost, Retries, why_not_again
from migrations.apply.script_failed import ScriptFailed
from migrations.apply.sending import Cancelled, GaveWay, NoReply, Timeouts, Wire
from migrations.apply.statement_run import Refusal, StatementRun
from migrations.problem import Problem
from migrations.sql import Piece, Statement
from migrations.sql.actions import Set
from migrations.sql.veil import Veil

Connection = psycopg.AsyncConnection[Any]

XID = "SELECT pg_catalog.pg_current_xact_id()::text"
ENDS = ("commit", "rollback")
BEGUN = "it is not tried again: its transaction was begun before it"
Work = Callable[[], Awaitable[None]]
WhyNot = Callable[[Exception], Awaitable[str]]
ENDS_TRANSACTION = re.compile(r"\b(commit|rollback|call)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ScriptToRun:
    """A reviewed script, and the id of its ledger row, where it gets one.

    `continued`: the row is there, and statements before `through` were committed by an earlier attempt.
    `begun`: indexes and partitions (qualified and quoted) that earlier attempts of this session began to build or to
    detach concurrently. `told`: the statements as they may be shown; `veil` hides what may not.
    """

    name: str
    checksum: str
    text: str
    model: str
    statements: tuple[Statement, ...]
    pieces: tuple[Piece, ...]
    row: str
    veil: Veil
    told: tuple[Statement, ...]
    through: int = 0
    continued: bool = False
    begun: frozenset[str] = frozenset()

    def next_from(self, through: int) -> Next:
        """What is the next to be sent when statements before `through` are committed."""
        ends = [piece.indexes[-1] for piece in self.pieces if piece.indexes[-1] >= through]
        last = len(self.statements) - 1 if self.model == "batch" or not ends else ends[0]
        first = self.told[min(through, last)] if self.told else None
        line, summary = (first.line, first.summary) if first else (0, "the ledger's row")
        return Next(self.name, self.row, through, last, len(self.statements), line, summary)


class ScriptRun:
    """Runs one script. Statements before `through` are committed; while `in_doubt`, the last one sent may be too."""

    def __init__(
        self,
        script: ScriptToRun,
        wire: Wire,
        book: Book,
        timeouts: Timeouts,
        budgets: Budgets,
        retries: Retries,
        pauses: Pauses,
        on: e.OnEvent,
    ) -> None:
        self._script, self._wire, self._book = script, wire, book
        self._timeouts, self._retries, self._pauses, self._on = timeouts, retries, pauses, on
        self._statements = StatementRun(script, wire, timeouts, budgets, on)
        self._leftovers = Leftovers(script.name, wire, self._statements, book.conn, script.begun, on)
        self._through = script.through
        self._in_doubt: Literal["statement", "commit"] | None = None
        self._finished = False

    async def run(self) -> int:
        """Run it, to the ledger's last word. Returns microseconds. Raises ScriptFailed, or Cancelled."""
        script, began = self._script, time.monotonic()
        started = (script.name, script.row, script.checksum, script.model, len(script.statements), script.through)
        await self._on(e.ScriptStarted(*started))
        if not script.continued:
            await self._book.start(script.name, script.checksum, script.row)
        try:
            await self._replay()
            await self._all()
        except GivenUp as given_up:
            raise await self._broken(given_up.error, given_up.words) from None
        except Paused as paused:
            await self._broken(paused)
            raise
        except (psycopg.Error, NoReply, Refusal) as error:
            raise await self._broken(error) from None
        except Cancelled as cancelled:
            await self._broken(cancelled)
            raise
        if not self._finished:
            await self._book.finish(script.row)
        took = e.microseconds(time.monotonic() - began)
        await self._on(e.ScriptEnded(script.name, script.row, len(script.statements), took))
        return took

    async def _replay(self) -> None:
        """What an earlier attempt set for its session, for the statements that are still to come."""
        for statement in self._script.statements[: self._through]:
            if any(isinstance(action, Set) and not action.local for action in statement.actions):
                await self._wire.send(statement.text)
                await self._statements.clamp()

    async def _all(self) -> None:
        if self._script.model == "batch":
            await self._tried(self._rest_as_one, self._why_not_again())
        for piece in self._script.pieces:
            left = [index for index in piece.indexes if index >= self._through]
            if left and left[0] > self._script.through and not self._wire.in_transaction:
                await self._pauses.before(self._script.next_from(left[0]))
            if left and piece.by_itself and not self._wire.in_transaction:
                facts = self._script.statements[left[0]].facts
                slow = facts.concurrently and facts.alone
                await self._tried(partial(self._by_itself, left[0]), self._once(left[0]), concurrently=slow)
            elif left:
                await self._tried(partial(self._in_transaction, left), self._why_not_again(left[0]))
        if self._wire.in_transaction:
            raise Refusal("the script ends inside a transaction that it never commits: that part of it would be lost")

    async def _rest_as_one(self) -> None:
        """What is not committed, as one query. What its reply says is certain; without one, nothing is."""
        count, first = len(self._script.statements), self._through
        if count - first < 2:
            return
        for index in range(first, count):
            self._statements.check(index)
        await self._on(e.Sending(self._script.name, self._script.row, count - 1, *astuple(Proof())))
        self._in_doubt = "statement"
        try:
            await self._statements.send_rest(first)
        except (psycopg.Error, Cancelled, GaveWay):
            answered = self._script.statements[first : first + self._wire.answered]
            self._in_doubt = None
            if ended := [s.index + 1 for s in answered if s.facts.control in ENDS]:
                await self._is_through(ended[-1])
            raise
        self._in_doubt = None
        await self._is_through(count)

    async def _tried(self, work: Work, why_not: WhyNot, *, concurrently: bool = False) -> None:
        """Do it, and from its beginning again as long as only a lock stood in its way. Raises GivenUp."""
        script, attempt, begun = self._script, 0, self._wire.in_transaction
        while True:
            attempt, began = attempt + 1, time.monotonic()
            self._statements.begin_try(concurrently=concurrently)
            try:
                return await work()
            except (psycopg.Error, GaveWay) as error:
                if self._in_doubt == "commit" or not self._statements.lost_to_a_lock(error):
                    raise
                took, at, holders = time.monotonic() - began, self._statements.at, self._statements.waited_in
                await self._statements.tell_notices()
                await self._wire.roll_back()
                why = BEGUN if begun else await why_not(error)
                lost = Lost(script.name, script.row, at, attempt, took, error, holders.holders_words, why)
                await self._retries.after(lost)
                self._in_doubt = None

    def _why_not_again(self, first: int | None = None) -> WhyNot:
        """Of a transaction that begins at a statement, or of all that is not committed."""

        async def why_not(error: Exception) -> str:
            if first is not None and self._through > first:
                return "it is not tried again: an earlier part of the same is committed"
            return await why_not_again(error, self._statements.work, self._script.statements)

        return why_not

    def _once(self, index: int) -> WhyNot:
        """Of a statement by itself."""
        statement = self._script.statements[index]

        async def why_not(error: Exception) -> str:
            if isinstance(error, GaveWay) and error.held:
                return HELD
            return self._leftovers.why_not_again(statement, await proof(self._wire.script, statement))

        return why_not

    async def _in_transaction(self, indexes: Sequence[int]) -> None:
        """Statements in one transaction. What ends it, and what begins it, may be the script's own."""
        statements = self._script.statements
        if not self._wire.in_transaction and statements[indexes[0]].facts.control != "begin":
            await self._wire.send(_begin(statements[: indexes[0]]))
        for index in indexes:
            control = statements[index].facts.control
            if control == "commit":
                return await self._commit(index, statements[index].text)
            await self._statements.send(index)
            if control == "rollback":
                return await self._is_through(index + 1)
            if not self._wire.in_transaction:
                self._in_doubt = "statement"
                raise Refusal("the statement ended the transaction that it was to run in")
        await self._commit(indexes[-1], "COMMIT")

    async def _by_itself(self, index: int) -> None:
        statement = self._script.statements[index]
        self._statements.check(index)
        decides = await proof(self._wire.script, statement)
        slow = statement.facts.concurrently and statement.facts.alone
        if slow:
            await self._set(lock=0, statement=self._timeouts.concurrent)
        instead = await self._leftovers.clear(statement, decides) if slow else ""
        await self._on(e.Sending(self._script.name, self._script.row, index, *astuple(decides)))
        self._in_doubt = "statement"
        await self._statements.send(index, instead)
        self._in_doubt = None
        await self._is_through(index + 1)
        if slow:
            await self._set(lock=self._timeouts.lock, statement=self._timeouts.statement)

    async def _set(self, *, lock: int, statement: int) -> None:
        await self._wire.send(f"SET lock_timeout = {lock}; SET statement_timeout = {statement}")

    async def _is_through(self, through: int) -> None:
        self._through = through
        await self._on(e.Through(self._script.name, self._script.row, through))

    async def _commit(self, index: int, text: str) -> None:
        """COMMIT, with the ledger's row in the same transaction if the script ends here."""
        script, self._statements.at = self._script, index
        finishing = index + 1 == len(script.statements) and await self._may_write()
        xid = await (self._finish_inside() if finishing else self._xid())
        await self._on(e.Committing(script.name, script.row, xid, index + 1, finishing))
        self._in_doubt = "commit"
        reply = await self._wire.send(text, cancellable=False)
        self._in_doubt = None
        await self._statements.tell_notices()
        if not reply.tag.startswith("COMMIT"):
            raise Refusal(f"the server answered COMMIT with {reply.tag}: the transaction was rolled back")
        self._finished = finishing
        await self._is_through(index + 1)

    async def _may_write(self) -> bool:
        """A script may have made its transaction read-only; then its row is finished after it. SHOW changes nothing."""
        if not any(s.facts.sets or s.facts.control or not s.analysed for s in self._script.statements):
            return True
        reply = await self._wire.send("SHOW transaction_read_only")
        return reply.row is not None and reply.row[0] == "off"

    async def _finish_inside(self) -> str:
        """The ledger's last word, in the script's own transaction, as ourselves. Returns the transaction's id."""
        finish = (
            "RESET ROLE; RESET SESSION AUTHORIZATION",
            f"SET LOCAL lock_timeout = {self._timeouts.lock}",
            f"SET LOCAL statement_timeout = {self._timeouts.statement}",
            self._book.finishing(self._script.row),
        )
        reply = await self._wire.send("; ".join(finish), watcher=self._statements)
        if reply.rows != 1 or reply.row is None:
            raise Refusal(self._book.lost)
        return str(reply.row[0])

    async def _xid(self) -> str:
        reply = await self._wire.send(XID)
        return str(reply.row and reply.row[0])

    async def _broken(self, error: Exception, way_on: str = "") -> ScriptFailed:
        """End what is open, and tell the ledger and the callback what is known."""
        script = self._script
        known = not self._in_doubt or self._replied_that_nothing_happened(error)
        failed = ScriptFailed(
            script.name,
            script.row,
            self._statements.place(error),
            error,
            through=self._through,
            known=known,
            waited_for="; ".join(self._statements.waited_in.holders_words),
            way_on=way_on,
            hide=script.veil.words,
        )
        await self._statements.tell_notices()
        if not isinstance(error, NoReply):
            await self._wire.roll_back()
        cancelled = isinstance(error, Cancelled | Paused)
        at = self._statements.at
        await self._on(e.ScriptBroken(script.name, script.row, at, self._through, known, cancelled, str(failed)))
        if known:
            await self._tell_ledger(failed)
        return failed

    def _replied_that_nothing_happened(self, error: Exception) -> bool:
        """An error or a cancel undoes what was sent, unless that is code that commits in its middle."""
        if self._in_doubt == "commit":
            return isinstance(error, psycopg.Error)
        if isinstance(error, Cancelled) and not error.sent:
            return True
        statement = self._script.statements[self._statements.at]
        commits_inside = statement.facts.may_commit and ENDS_TRANSACTION.search(statement.text)
        return isinstance(error, psycopg.Error | Cancelled | GaveWay) and not commits_inside

    async def _tell_ledger(self, failed: ScriptFailed) -> None:
        try:
            await self._book.fail(self._script.row, failed.logs)
        except (psycopg.Error, Problem):
            failed.advice = f"{failed.advice} (The reason could not be written into the ledger's row.)"


def _begin(before: Sequence[Statement]) -> str:
    """What begins a transaction after these; AND CHAIN begins one like the one before it."""
    if before and before[-1].facts.chain:
        return next((s.text for s in reversed(before) if s.facts.control == "begin"), "BEGIN")
    return "BEGIN"
