"""What a step is, and what it is given."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeVar

import psycopg
from pydantic import JsonValue

from runbooks.session.events import ArtefactKept, Check, End, Outcome, StepStarted
from runbooks.session.frozen import Frozen
from runbooks.session.runbook import Effect, Step
from runbooks.session.view import RunView
from runbooks.settings.project import Environment, Project

if TYPE_CHECKING:
    from migrations.target import Pinned

P = TypeVar("P", bound=Frozen)
R = TypeVar("R", bound=Frozen)

Purpose = Literal["read", "script", "ledger", "guard", "dump"]


class Nothing(Frozen):
    """No parameters, or no result."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What the world says of a start without an end. `checks` and `result` as the step itself would have reported."""

    end: End
    outcome: Outcome
    words: str
    checks: tuple[Check, ...] = ()
    result: Mapping[str, JsonValue] | None = None


@dataclass(frozen=True, slots=True)
class Doubt:
    """The world does not tell how a start without an end ended. `look`: what a person should look at, and for what."""

    look: str


class Context(Protocol):
    """What a running step may use. Everything it shows goes through here, redacted, into the journal.

    A step raises `migrations.problem.Problem` for what the operator can act on (ends `failed`), and lets
    everything else pass (cancelled → `stopped`, any other → `crashed`).
    """

    session: str
    folder: Path
    """The session folder."""
    project: Project
    environment: Environment
    target: "Pinned"
    step: Step
    attempt: int

    @property
    def view(self) -> RunView:
        """The session as it stands now."""

    @property
    def application_name(self) -> str:
        """How the server's other users see this session."""

    @property
    def stop_asked(self) -> bool:
        """The operator asked to finish this script or batch, and then end."""

    def check(self, id: str, title: str, outcome: Outcome, evidence: str = "", advice: str = "") -> None:
        """Report one line of the result. The step's outcome is the worst of them."""

    async def output(self, text: str, stream: Literal["out", "err", "note"] = "out") -> None:
        """Show text, whole lines or pieces; it is batched."""

    async def progress(self, **data: JsonValue) -> None:
        """Show where the step stands: `label`, `done`, `total`, `unit`, `detail`. Written once a second at the most."""

    async def record(self, **data: JsonValue) -> None:
        """Like `progress`, but never skipped, and on disk when it returns: what `reconcile` will need."""

    async def ask(self, question: str, text: str, *, exact: str | None = None, choices: Sequence[str] = ()) -> str:
        """Ask a person, and wait. With `exact`, only that text is taken."""

    async def keep(self, name: str, path: Path) -> ArtefactKept:
        """Keep a file as an artefact: hashed, in the journal. A file inside `artefact(name)`'s folder stays there."""

    def artefact(self, name: str) -> Path:
        """Where to write an artefact of this attempt, inside the session folder."""

    def capture(self, name: str, value: str, *, secret: bool) -> None:
        """Keep a value in the runner's memory, for later steps to name. A secret is written nowhere from now on."""

    def clean(self, text: str) -> str:
        """A text without secrets, for what is written elsewhere than in the journal."""

    def result(self, step: str) -> Mapping[str, JsonValue]:
        """The latest result of another step, empty if it has none."""

    def child_environment(self) -> dict[str, str]:
        """The environment for a program: built, not inherited. This session's target alone is in it."""

    def connect(self, purpose: Purpose = "read") -> AbstractAsyncContextManager[psycopg.AsyncConnection[Any]]:
        """A new connection to the pinned target, its fingerprint compared. Raises Unavailable or Problem."""

    def beside(self, environment: str) -> "Pinned":
        """The database of another environment of gonogo.toml, for this process alone to read: no program of this
        session gets its address. Raises Misuse where the address is not set or not understood.
        """

    def restored(self) -> "Pinned":
        """Where a restored database is, not looked at yet: by `restored_url`, or at the old address where that is not
        set. Raises Misuse."""

    def move_to(self, other: "Pinned") -> None:
        """From here on, everything that this session does is done there. `other` was connected to and is pinned."""

    def progress_of(self, step: str) -> Sequence[Mapping[str, JsonValue]]:
        """Everything that a step `record`ed in this session, oldest first."""


@dataclass(frozen=True)
class StepKind(Generic[P, R]):
    """A built-in step. `shows` puts its parameters in words, before `start`.

    `effect_of`, where there is one, tells the effect from the parameters as a document writes them. `asks` are the
    questions that it may ask; `*` at the end of one stands for what is known only then. `names` are the parameters
    that name an earlier step. `grows_old`: what it read is read again before GO; not so what it saw of a time that is
    over.
    """

    title: str
    effect: Effect
    params: type[P]
    run: Callable[[Context, P], Awaitable[R]]
    shows: Callable[[P], str] = lambda params: ""
    reconcile: Callable[[Context, P, StepStarted], Awaitable[Settled | Doubt | None]] | None = None
    effect_of: Callable[[Mapping[str, JsonValue]], Effect] | None = None
    asks: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    grows_old: bool = True

    def effect_with(self, params: Mapping[str, JsonValue]) -> Effect:
        """The effect with these parameters."""
        return self.effect if self.effect_of is None else self.effect_of(params)
