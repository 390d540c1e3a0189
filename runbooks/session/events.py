"""The closed set of events. A session is nothing but these, in order."""

from typing import Annotated, Literal

from pydantic import Field, JsonValue, TypeAdapter, ValidationError

from runbooks.session.event_parts import AnswersFile as AnswersFile
from runbooks.session.event_parts import Applied as Applied
from runbooks.session.event_parts import Approval as Approval
from runbooks.session.event_parts import Approver as Approver
from runbooks.session.event_parts import By as By
from runbooks.session.event_parts import Check as Check
from runbooks.session.event_parts import Claim as Claim
from runbooks.session.event_parts import Emergency as Emergency
from runbooks.session.event_parts import End as End
from runbooks.session.event_parts import Failure as Failure
from runbooks.session.event_parts import Finding as Finding
from runbooks.session.event_parts import Git as Git
from runbooks.session.event_parts import LeftOpen as LeftOpen
from runbooks.session.event_parts import Outcome as Outcome
from runbooks.session.event_parts import Previous as Previous
from runbooks.session.event_parts import Rollback as Rollback
from runbooks.session.event_parts import Runner as Runner
from runbooks.session.event_parts import Script as Script
from runbooks.session.event_parts import Statement as Statement
from runbooks.session.event_parts import Table as Table
from runbooks.session.event_parts import Target as Target
from runbooks.session.event_parts import Took as Took
from runbooks.session.event_parts import Touch as Touch
from runbooks.session.event_parts import Tried as Tried
from runbooks.session.event_parts import Verify as Verify
from runbooks.session.frozen import Frozen
from runbooks.session.runbook import Condition, Effect, Mode, PhaseName, Runbook

FORMAT = 1
PROPOSED = "proposed"
"""The key of a step's result under which it brings a script."""
SIGNING = "signing"
"""The step under which the signatures of a session are told. No runbook has one of that name."""
WINDOW = "window"
"""The step under which the server's clock is told against the maintenance windows; and what a waiver of them names."""
ANCHOR = "anchor"
"""The step under which it is told where the head of the journal was noted. No runbook has one of that name."""

APPROVALS = "approvals"
"""The step under which it is told that an approval was used up. No runbook has one of that name."""


class SessionOpened(Frozen):
    """The first record: what needs no server. `project_file` is where gonogo.toml was.

    `machine` tells the host from others, and nothing else: see runbooks.host.machine. `tried`: by way back, how it went
    on the environment beside. `windows` are maintenance windows as they are written, those of the environment and those
    of this session: one of each must be open.
    """

    kind: Literal["session_opened"] = "session_opened"
    format: int = FORMAT
    gonogo: str
    session: str
    mode: Mode = "walk"
    environment: str
    protected: bool
    project: str
    project_file: str = ""
    project_sha256: str
    runbook: Runbook
    git: Git | None = None
    operator: By
    ticket: str
    answers: AnswersFile | None = None
    previous: Previous | None = None
    machine: str = ""
    emergency: Emergency | None = None
    tried: dict[str, Tried] = {}
    windows: tuple[tuple[str, ...], ...] = ()


class PlanMade(Frozen):
    """What is about to happen. `hash` is what a GO refers to; see runbooks.planning.planning for what it covers.

    `tables` are those that the scripts lock; `unread` says what of the target could not be read. `runner` is what
    applies the scripts, where gonogo does not. `altered` are the tables that they make or change, names without quotes.
    """

    kind: Literal["plan_made"] = "plan_made"
    hash: str
    target: Target
    protected: bool
    scripts: tuple[Script, ...]
    held_back: tuple[str, ...] = ()
    conditions: dict[Condition, tuple[str, ...]] = {}
    tables: tuple[Table, ...] = ()
    unread: tuple[str, ...] = ()
    applied: tuple[Applied, ...] = ()
    runner: Runner | None = None
    approval: Approval | None = None
    altered: tuple[str, ...] = ()

    @property
    def to_review(self) -> tuple[Script, ...]:
        """Every script that a person reads and marks: the pending ones, each with the one that undoes it behind it."""
        undoing = ((s, s.rollback.script if s.rollback else None) for s in self.scripts)
        return tuple(script for pair in undoing for script in pair if script is not None)


class PhaseOpened(Frozen):
    """A phase begins. For `rollback`, `option` names the way back."""

    kind: Literal["phase_opened"] = "phase_opened"
    phase: PhaseName
    option: str | None = None


class StepStarted(Frozen):
    """`why` is why this attempt was made: `phase` (opened), `start` (a person), `go` (read again), `resume`."""

    kind: Literal["step_started"] = "step_started"
    step: str
    attempt: int
    title: str
    uses: str
    effect: Effect
    why: Literal["phase", "start", "go", "resume", "opening"]
    by: By | None = None


class StepOutput(Frozen):
    """What a program or a server said; at most 64 KiB, lines separated by `\\n`."""

    kind: Literal["step_output"] = "step_output"
    step: str
    attempt: int
    stream: Literal["out", "err", "note"]
    text: str


class StepProgress(Frozen):
    """Where a step stands. Faces draw `label`, `done`, `total`, `unit`, `detail`; other keys are the step's own."""

    kind: Literal["step_progress"] = "step_progress"
    step: str
    attempt: int
    data: dict[str, JsonValue]


class StepEnded(Frozen):
    """`took` is in microseconds."""

    kind: Literal["step_ended"] = "step_ended"
    step: str
    attempt: int
    end: End
    outcome: Outcome
    checks: tuple[Check, ...] = ()
    result: dict[str, JsonValue] = {}
    failure: Failure | None = None
    advice: tuple[str, ...] = ()
    took: int = 0

    @property
    def ended_well(self) -> bool:
        """Whether it did what it is for."""
        return self.end == "done" and self.outcome in ("ok", "warn")

    @property
    def proposed(self) -> Script | None:
        """The script that the step brought, to be read by a person before another step runs it; None if it is none."""
        try:
            return Script.model_validate(self.result.get(PROPOSED))
        except ValidationError:
            return None


class QuestionAsked(Frozen):
    """A question that only a person answers. `exact`: the text to type; `choices`: what to choose from."""

    kind: Literal["question_asked"] = "question_asked"
    question: str
    step: str
    attempt: int
    text: str
    exact: str | None = None
    choices: tuple[str, ...] = ()


class QuestionAnswered(Frozen):
    kind: Literal["question_answered"] = "question_answered"
    question: str
    answer: str
    by: By


class ItemTicked(Frozen):
    """`facts`: what gonogo had found of what the item asks, as it stood beside the question."""

    kind: Literal["item_ticked"] = "item_ticked"
    item: str
    state: Literal["done", "not_applicable"]
    evidence: str = ""
    reason: str = ""
    facts: tuple[str, ...] = ()
    by: By


class ItemUnticked(Frozen):
    kind: Literal["item_unticked"] = "item_unticked"
    item: str
    by: By


class ScriptReviewed(Frozen):
    kind: Literal["script_reviewed"] = "script_reviewed"
    migration: str
    sha256: str
    comment: str = ""
    by: By


class Waived(Frozen):
    """`subject` is a step id, `step/check`, or an item id; the waiver holds for `outcome` and better."""

    kind: Literal["waived"] = "waived"
    subject: str
    outcome: Outcome
    reason: str
    by: By


class Decided(Frozen):
    """Written before it takes effect. `ranked`: how the way back stood among the others, by what was applied."""

    kind: Literal["decided"] = "decided"
    what: Literal["go", "no_go", "roll_back", "stop", "cancel", "end"]
    phase: PhaseName
    reason: str = ""
    option: str | None = None
    ranked: str = ""
    plan: str = ""
    by: By


class ArtefactKept(Frozen):
    """`path` is relative to the session folder, or absolute for what is kept elsewhere (a dump)."""

    kind: Literal["artefact_kept"] = "artefact_kept"
    step: str
    attempt: int
    name: str
    path: str
    sha256: str
    size: int


class FaceAttached(Frozen):
    """`answers`: those that it brings to a session which already runs."""

    kind: Literal["face_attached"] = "face_attached"
    face: str
    sort: Literal["screen", "headless"]
    pen: bool
    by: By
    answers: AnswersFile | None = None


class FaceDetached(Frozen):
    kind: Literal["face_detached"] = "face_detached"
    face: str


class PenTaken(Frozen):
    kind: Literal["pen_taken"] = "pen_taken"
    face: str
    from_face: str | None = None
    reason: str
    by: By


class CommandRefused(Frozen):
    """`command` is the command as it was sent, without what was typed into it."""

    kind: Literal["command_refused"] = "command_refused"
    command: str
    subject: str = ""
    reason: str
    by: By


class SessionParked(Frozen):
    kind: Literal["session_parked"] = "session_parked"
    reason: str


class SessionResumed(Frozen):
    """`unknown` are the steps (id, attempt) that had started and not ended."""

    kind: Literal["session_resumed"] = "session_resumed"
    gonogo: str
    host: str
    pid: int
    by: By
    answers: AnswersFile | None = None
    unknown: tuple[tuple[str, int], ...] = ()


class JournalRepaired(Frozen):
    """An unterminated last line was set aside into `file`."""

    kind: Literal["journal_repaired"] = "journal_repaired"
    file: str
    size: int
    sha256: str


class SessionEnded(Frozen):
    kind: Literal["session_ended"] = "session_ended"
    outcome: Literal["go", "no_go", "rolled_back", "unavailable", "crashed"]
    exit_code: int
    reason: str = ""


Event = Annotated[
    SessionOpened
    | PlanMade
    | PhaseOpened
    | StepStarted
    | StepOutput
    | StepProgress
    | StepEnded
    | QuestionAsked
    | QuestionAnswered
    | ItemTicked
    | ItemUnticked
    | ScriptReviewed
    | Waived
    | Decided
    | ArtefactKept
    | FaceAttached
    | FaceDetached
    | PenTaken
    | CommandRefused
    | SessionParked
    | SessionResumed
    | JournalRepaired
    | SessionEnded,
    Field(discriminator="kind"),
]

EVENT: TypeAdapter[Event] = TypeAdapter(Event)
