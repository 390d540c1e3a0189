"""What a lock stood in the way of is tried again, for a while, unless that would cost others the same again."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg

from migrations.apply import events as e
from migrations.apply.guard import Budgets
from migrations.apply.sending import GaveWay, Wire
from migrations.locks import Lock, Touch, touches_of
from migrations.locks.lock import EFFORT
from migrations.sql import Script, Statement
from migrations.sql import actions as a

Work = tuple[range, float]
"""Statements (from 0) that went out in one query, and for how many seconds they worked, their waits not counted."""

HELD = "it is not tried again: it held the lock while it worked, and would keep them waiting as long again"
SCANNED = 0.1
"""Seconds of reading or writing a whole table under its lock that nobody should have to bear twice."""
WORKED = 1.0
"""The same for whatever a transaction did."""


class GivenUp(Exception):
    """A lock stood in the way, and it is not tried again. `error` is the last one; `words` say why, and the way on."""

    def __init__(self, error: Exception, words: str) -> None:
        super().__init__(words)
        self.error, self.words = error, words


@dataclass(frozen=True, slots=True)
class Lost:
    """A try that a lock ended: number `attempt`, in `took` seconds. `why_not`: why there must not be another one."""

    name: str
    row: str
    statement: int
    attempt: int
    took: float
    error: Exception
    holders: tuple[str, ...]
    why_not: str = ""


class Retries:
    """The one budget of a run for tries that a lock ended, and for the pauses after them."""

    def __init__(self, budgets: Budgets, wire: Wire, on: e.OnEvent) -> None:
        self._budgets, self._wire, self._on = budgets, wire, on
        self._spent = 0.0

    async def after(self, lost: Lost) -> None:
        """Tell, and pause before another try. Raises GivenUp, or Cancelled in the pause."""
        self._spent += lost.took
        pause = self._pause(lost.attempt)
        why = lost.why_not or self._used_up(lost.attempt, pause)
        if why:
            timed_out = isinstance(lost.error, psycopg.errors.LockNotAvailable)
            await self._on(e.GaveUp(lost.name, lost.row, lost.statement, timed_out, why, lost.holders))
            raise GivenUp(lost.error, " ".join((_sentence(why), *_way_on(lost))))
        self._spent += pause
        told = (
            e.microseconds(pause),
            e.microseconds(self._spent),
            e.microseconds(self._budgets.retry_for),
            _said(lost.error),
            lost.holders,
        )
        await self._on(e.Retried(lost.name, lost.row, lost.statement, lost.attempt, *told))
        await self._wire.pause(pause)

    def _pause(self, attempt: int) -> float:
        """Twice as long each time, and never just as long as whoever else was turned away."""
        most = min(self._budgets.longest_pause, self._budgets.first_pause * 2.0 ** min(attempt - 1, 30))
        return random.uniform(most / 2, most)

    def _used_up(self, attempt: int, pause: float) -> str:
        if not self._budgets.retry_for:
            return "the step does not try again (retry_for is 0)"
        if self._spent + pause < self._budgets.retry_for:
            return ""
        tries = "one try" if attempt == 1 else f"{attempt} tries"
        return f"after {tries}, the {self._budgets.retry_for:g} s for trying again (retry_for) are used up"


def _way_on(lost: Lost) -> Sequence[str]:
    if isinstance(lost.error, GaveWay) and lost.error.held:
        return (
            "Apply it when nobody uses the table, or change the script so that it holds no such lock while it works; "
            "held_wait is how long the step lets others wait.",
        )
    return (*(f"Held by {words}" for words in lost.holders), "When the lock is free, start the step again.")


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."


def _said(error: Exception) -> str:
    diag = error.diag if isinstance(error, psycopg.Error) else None
    return (diag and diag.message_primary) or str(error)


async def why_not_again(error: Exception, work: Sequence[Work], statements: Sequence[Statement]) -> str:
    """Why a transaction that a lock ended must not be done again; empty if nothing in it was costly to others.

    `work` is what was sent in this try, in order. What came before it first touched anything of others costs nobody.
    """
    if isinstance(error, GaveWay) and error.held:
        return HELD
    if sum(seconds for _, seconds in work) < SCANNED:
        return ""
    touches, whole = await asyncio.to_thread(touches_of, Script("", tuple(statements))), 0.0
    for indexes, seconds in work:
        if seconds >= SCANNED and any(_heavy(touch) for index in indexes for touch in touches[index]):
            did = f"statement {indexes[-1] + 1} went through a whole table under its lock for {seconds:.1f} s"
            return f"it is not tried again: {did}, and would again"
        if whole or any(_of_others(statements[index], touches[index]) for index in indexes):
            whole += seconds
    if whole >= WORKED:
        return f"it is not tried again: its transaction had worked for {whole:.1f} s, and would again"
    return ""


def _of_others(statement: Statement, touches: Sequence[Touch]) -> bool:
    """Whether it locks more of what was there before than a reader does, as far as is known."""
    hidden = any(isinstance(x, a.RunCode | a.Call) or (isinstance(x, a.Query) and x.calls) for x in statement.actions)
    return hidden or not statement.analysed or any(t.lock.strength > Lock.ROW_SHARE.strength for t in touches)


def _heavy(touch: Touch) -> bool:
    most = max(EFFORT[touch.work], EFFORT[touch.hinge.work] if touch.hinge else 0)
    return "writes" in touch.lock.blocks and most >= EFFORT["scan"]
