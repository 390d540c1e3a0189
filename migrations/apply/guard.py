"""The lock-queue guard: how long others wait behind us, and when our statement has to give way to them."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from migrations.activity import Waiter
from migrations.apply.lock_queue import LockQueue
from migrations.apply.sending import GaveWay
from migrations.listed import many

LONGEST_BETWEEN = 0.5
SHORTEST_BETWEEN = 0.05
COST = 20
"""A look is paid for by as many times its length without one."""
ROWS = frozenset({"AccessShareLock", "RowShareLock", "RowExclusiveLock"})
"""What reading and writing rows takes of a table."""


@dataclass(frozen=True, slots=True)
class Budgets:
    """What our statements may cost others, and tries may cost us; in seconds, 0 is no limit (`retry_for`: no retry).

    While a statement waits for a lock, none of those behind it waits longer than `queue_wait`, nor all together longer
    than `queue_total`; while it works under its locks, none longer than `held_wait`. `retry_for` is for all the tries
    of a run that a lock ended, and the pauses after them.
    """

    queue_wait: float = 2.0
    queue_total: float = 20.0
    held_wait: float = 30.0
    retry_for: float = 600.0
    first_pause: float = 1.0
    longest_pause: float = 60.0


@dataclass(frozen=True, slots=True)
class Behind:
    """For how many seconds each of those has waited that wait behind us, by pid."""

    waits: Mapping[int, float] = field(default_factory=dict)

    @property
    def longest(self) -> float:
        """The longest of the waits."""
        return max(self.waits.values(), default=0.0)

    @property
    def total(self) -> float:
        """All waits together."""
        return sum(self.waits.values())

    @property
    def words(self) -> str:
        """`20 sessions waited behind it, the longest for 1.9 s`."""
        if len(self.waits) == 1:
            return f"a session waited behind it for {self.longest:.1f} s"
        return f"{many(len(self.waits), 'session')} waited behind it, the longest for {self.longest:.1f} s"


class Watch:
    """One try of a transaction, or of a statement by itself, as the guard sees it.

    `waits`: for how long it has been waiting for the lock that it waits for now; `waited`: all its waits. In seconds.
    A wait is reckoned from the last look that did not see it, so never too short. `concurrently`: what only keeps out
    other changes of the table; of those behind it, the ones that read or write rows count.
    """

    def __init__(
        self, budgets: Budgets, *, concurrently: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._budgets, self._concurrently, self._clock = budgets, concurrently, clock
        self._waiting_since: dict[int, float] = {}
        self._looked = self._statement_began = clock()
        self._cost = 0.0
        self.behind = Behind()
        self.waits = 0.0
        self.waited = 0.0

    def between(self, lock_timeout: float) -> float:
        """Seconds until the next look: a part of the shortest budget. The first at a statement is never late."""
        limits = (self._budgets.queue_wait, self._budgets.held_wait, lock_timeout)
        shortest = min((limit for limit in limits if limit), default=LONGEST_BETWEEN * 4)
        paid = self._cost * COST if self._looked > self._statement_began else 0.0
        return max(SHORTEST_BETWEEN, min(LONGEST_BETWEEN, shortest / 4), paid)

    @property
    def due(self) -> bool:
        """So long without a look that statements, each too short for one, must have gone by."""
        return self._clock() - self._looked >= max(LONGEST_BETWEEN, self._cost * COST)

    def statement_begins(self) -> None:
        """The next statement goes out."""
        self._statement_began = self._clock()
        self.waits = 0.0

    def take(self, queue: LockQueue, asked: float) -> None:
        """Take what a look found that began at `asked`. Raises GaveWay if others have waited long enough."""
        now = self._clock()
        self._cost = now - asked
        if queue.ours is None:
            self.waits = 0.0
        else:
            self._add_wait(now)
        self.behind = self._reckoned(queue.behind, now)
        self._looked = now
        self._judge(queue.ours)

    def ended_by_a_lock(self) -> None:
        """The statement's wait ended by an error: since the last look, it waited."""
        now = self._clock()
        self._add_wait(now)
        self._looked = now

    def _add_wait(self, now: float) -> None:
        more = now - max(self._looked, self._statement_began)
        self.waits += more
        self.waited += more

    def _reckoned(self, behind: Iterable[Waiter], now: float) -> Behind:
        counted = [w.pid for w in behind if not self._concurrently or w.mode in ROWS]
        self._waiting_since = {pid: self._waiting_since.get(pid, self._looked) for pid in counted}
        return Behind({pid: now - since for pid, since in self._waiting_since.items()})

    def _judge(self, ours: Waiter | None) -> None:
        """A wait CONCURRENTLY shuts nobody out by itself; whoever queues behind it, waits for somebody else, too."""
        budgets, behind = self._budgets, self.behind
        if ours is None or (self._concurrently and ours.mode != "AccessExclusiveLock"):
            if budgets.held_wait and behind.longest >= budgets.held_wait:
                raise GaveWay(behind.words, held=ours is None)
        elif (budgets.queue_wait and behind.longest >= budgets.queue_wait) or (
            budgets.queue_total and behind.total >= budgets.queue_total
        ):
            raise GaveWay(behind.words, held=False)
