"""What apply() tells while it runs. `durable` ones must be on disk when the callback returns: settle() reads them."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from migrations.apply.guard import Behind
from migrations.apply.lock_queue import LockQueue
from migrations.apply.server_progress import Progress


@dataclass(frozen=True, slots=True)
class Connected:
    """The connections of this run: (pid, backend_start) of the script's, the ledger's and the guard's.

    `timeline` is the server's, as in a fingerprint: another one later means that a standby took over.
    """

    durable: ClassVar[bool] = True
    backends: tuple[tuple[int, str], ...]
    timeline: str


@dataclass(frozen=True, slots=True)
class LockWait:
    """Somebody else holds the migration lock, or waits for it inside the server."""

    durable: ClassVar[bool] = False
    words: str


@dataclass(frozen=True, slots=True)
class RowRolledBack:
    """A failed row of an earlier attempt of this session was marked as rolled back: nothing of it was committed."""

    durable: ClassVar[bool] = True
    name: str
    row: str


@dataclass(frozen=True, slots=True)
class ScriptStarted:
    """`row` is the ledger's id, written only after this. `through`: statements that an earlier attempt committed."""

    durable: ClassVar[bool] = True
    name: str
    row: str
    checksum: str
    model: str
    statements: int
    through: int


@dataclass(frozen=True, slots=True)
class StatementStarted:
    """Statement `statement` (from 0) of `statements` goes out."""

    durable: ClassVar[bool] = False
    name: str
    statement: int
    statements: int
    line: int
    summary: str


@dataclass(frozen=True, slots=True)
class Sending:
    """A statement goes out that commits by itself: without its reply, only what the catalog proves is known.

    `index`, `there`, `repeatable` and `partition` are those of migrations.apply.concurrent.Proof.
    """

    durable: ClassVar[bool] = True
    name: str
    row: str
    statement: int
    index: str
    there: bool
    repeatable: bool
    partition: str = ""


@dataclass(frozen=True, slots=True)
class Running:
    """Again and again while a statement runs.

    `took` is for how long it has run, `waits` for how long it has been waiting for a lock, 0 if it does not wait now;
    in microseconds.
    """

    durable: ClassVar[bool] = False
    name: str
    statement: int
    took: int
    waits: int
    progress: Progress
    queue: LockQueue
    behind: Behind


@dataclass(frozen=True, slots=True)
class Retried:
    """A lock stood in the way; what was open is rolled back. After `pause` it is tried again, from `statement` on.

    `attempt` is the number of the try that ended. `holders` are those that held the lock, each with the SQL to end it.
    `spent` and `budget` are for all tries of the run. Times are in microseconds.
    """

    durable: ClassVar[bool] = True
    name: str
    row: str
    statement: int
    attempt: int
    pause: int
    spent: int
    budget: int
    words: str
    holders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GaveUp:
    """A lock stood in the way, and it is not tried again; `why` in words. `timed_out`: lock_timeout was over."""

    durable: ClassVar[bool] = True
    name: str
    row: str
    statement: int
    timed_out: bool
    why: str
    holders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StatementEnded:
    """`took` is in microseconds; `rows` is -1 where the statement has none."""

    durable: ClassVar[bool] = False
    name: str
    statement: int
    statements: int
    took: int
    rows: int
    tag: str


@dataclass(frozen=True, slots=True)
class Notice:
    """What the server said beside its reply, or what gonogo has to say."""

    durable: ClassVar[bool] = False
    name: str
    severity: str
    text: str


@dataclass(frozen=True, slots=True)
class Committing:
    """A COMMIT goes out: of statements up to `through` (exclusive), and of the ledger's row too if `finishing`."""

    durable: ClassVar[bool] = True
    name: str
    row: str
    xid: str
    through: int
    finishing: bool


@dataclass(frozen=True, slots=True)
class Through:
    """Statements up to `through` (exclusive) are committed, or done for good."""

    durable: ClassVar[bool] = True
    name: str
    row: str
    through: int


@dataclass(frozen=True, slots=True)
class ScriptEnded:
    """The script is applied, and the ledger says so. `took` is in microseconds."""

    durable: ClassVar[bool] = True
    name: str
    row: str
    statements: int
    took: int


@dataclass(frozen=True, slots=True)
class ScriptBroken:
    """The script ended by an error or a cancel. `known`: what is committed is certain, and it is up to `through`."""

    durable: ClassVar[bool] = True
    name: str
    row: str
    statement: int
    through: int
    known: bool
    cancelled: bool
    words: str


ApplyEvent = (
    Connected
    | LockWait
    | RowRolledBack
    | ScriptStarted
    | StatementStarted
    | Sending
    | Running
    | Retried
    | GaveUp
    | StatementEnded
    | Notice
    | Committing
    | Through
    | ScriptEnded
    | ScriptBroken
)
OnEvent = Callable[[ApplyEvent], Awaitable[None]]


def microseconds(seconds: float) -> int:
    """Seconds as events and records have them."""
    return int(seconds * 1_000_000)


def as_record(event: ApplyEvent) -> dict[str, Any]:
    """An event as JSON, for the journal and for settle()."""
    return {"event": type(event).__name__, **json.loads(json.dumps(asdict(event)))}
