"""The tree of who waits for whom: those who hold the lock, then us, then those behind us."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from migrations.activity import Session, Waiter
from migrations.apply.events import microseconds
from migrations.apply.guard import Behind
from migrations.apply.lock_queue import MOST_NAMED, LockQueue

NO_TABLE = {
    "transactionid": "the end of a transaction",
    "virtualxid": "the end of a transaction",
    "tuple": "a row",
    "advisory": "an advisory lock",
}
"""What `on` says where it is not a table that is locked."""
Role = Literal["holds", "waits", "us", "behind"]


@dataclass(frozen=True, slots=True)
class Branch:
    """One session. `waits` are those that stand between the holders and us. Texts are empty where nothing is known.

    `took` is in microseconds: of a holder's transaction, else of the wait; None where it is not known.
    """

    depth: int
    role: Role
    pid: int
    who: str = ""
    doing: str = ""
    took: int | None = None
    on: str = ""
    mode: str = ""

    @property
    def words(self) -> str:
        """What it does in the tree: `pid 77 nightly holds it, idle in transaction (SELECT)`."""
        who = f"pid {self.pid} {self.who or 'unnamed'}" if self.pid else f"{self.doing} of {self.who}"
        wanted = f"for {NO_TABLE.get(self.on) or f'{self.mode} on {self.on}'}"
        match self.role:
            case "holds":
                return f"{who} holds it{f', {self.doing}' if self.doing and self.pid else ''}"
            case "us":
                return f"our statement waits {wanted}" if self.on else "our statement holds it, at work"
            case "waits":
                return f"{who} waits {wanted}, before us"
            case _:
                return f"{who} waits behind it{f' ({self.mode})' if self.mode else ''}"


def tree(queue: LockQueue, waits: int, behind: Behind) -> tuple[Branch, ...]:
    """The tree from the top; of those behind, the first few. `waits`: for how long we wait, in microseconds."""
    before = tuple(_before(queue))
    depth = max((branch.depth for branch in before), default=-1) + 1
    ours = queue.ours
    us = Branch(depth, "us", queue.pid, took=waits, on=ours.on if ours else "", mode=_mode(ours))
    return (*before, us, *_behind(queue, behind, depth))


def _before(queue: LockQueue) -> Iterator[Branch]:
    for pid in queue.before:
        waiter, session = queue.waiters.get(pid), queue.sessions.get(pid)
        if waiter:
            yield Branch(1, "waits", pid, _who(session), on=waiter.on, mode=_mode(waiter))
        elif pid:
            took = None if session is None or session.seconds is None else microseconds(session.seconds)
            yield Branch(0, "holds", pid, _who(session), _doing(session), took)
    if 0 in queue.before:
        for one in queue.prepared:
            yield Branch(0, "holds", 0, one.user, f"prepared transaction {one.gid}", microseconds(one.seconds))


def _behind(queue: LockQueue, behind: Behind, depth: int) -> Iterator[Branch]:
    for waiter in queue.behind[:MOST_NAMED]:
        deeper = depth + (1 if queue.pid in waiter.blocked_by else 2)
        waits = behind.waits.get(waiter.pid)
        took = None if waits is None else microseconds(waits)
        yield Branch(
            deeper, "behind", waiter.pid, _who(queue.sessions.get(waiter.pid)), "", took, waiter.on, _mode(waiter)
        )


def _who(session: Session | None) -> str:
    return (session.application or session.user) if session else ""


def _doing(session: Session | None) -> str:
    if session is None or session.hidden:
        return ""
    return f"{session.state or 'active'}{f' ({session.doing})' if session.doing else ''}"


def _mode(waiter: Waiter | None) -> str:
    """`AccessExclusiveLock` as PostgreSQL's documentation has it: `ACCESS EXCLUSIVE`."""
    mode = waiter.mode.removesuffix("Lock") if waiter else ""
    return "".join(f" {c}" if c.isupper() else c for c in mode).strip().upper()
