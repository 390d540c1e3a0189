"""State as a pure fold of events: what every face shows, and what every gate is judged by."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TypeVar, assert_never

from runbooks.anchoring.noted import noted_in
from runbooks.session import events as e
from runbooks.session import gates
from runbooks.session.calls import CALL, Call, calls_after
from runbooks.session.changed import changed
from runbooks.session.follow_ups import Owed, owed_by
from runbooks.session.looked import LOGS, Looked, looked_in
from runbooks.session.moved import Moved
from runbooks.session.pairs import UNDO, Opened, pairs_after
from runbooks.session.proven import is_green
from runbooks.session.reach import Reach
from runbooks.session.references import LITERAL, shown
from runbooks.session.runbook import Condition, Item, Option, Phase, PhaseName, Runbook, Section, Step
from runbooks.session.step_view import KEPT_LINES as KEPT_LINES
from runbooks.session.step_view import Line as Line
from runbooks.session.step_view import Status as Status
from runbooks.session.step_view import StepView as StepView
from runbooks.session.step_view import with_end, with_output

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision, with the record that holds it."""

    seq: int
    at: str
    event: e.Decided


@dataclass(frozen=True, slots=True)
class RunView:
    """Everything that is known of a session after record `seq` (at time `at`, RFC 3339 UTC)."""

    seq: int = -1
    at: str = ""
    head: str = ""
    started_at: str = ""
    opened: e.SessionOpened | None = None
    plan: e.PlanMade | None = None
    phase: PhaseName | None = None
    option: str | None = None
    passed: tuple[PhaseName, ...] = ()
    refused: bool = False
    steps: Mapping[str, StepView] = field(default_factory=dict)
    reach: Reach = field(default_factory=Reach)
    moved: Moved = field(default_factory=Moved)
    questions: Mapping[str, e.QuestionAsked] = field(default_factory=dict)
    answers: Mapping[str, str] = field(default_factory=dict)
    """What was answered to questions, of each step since its last start."""
    items: Mapping[str, e.ItemTicked] = field(default_factory=dict)
    reviews: Mapping[str, e.ScriptReviewed] = field(default_factory=dict)
    waivers: Mapping[str, e.Waived] = field(default_factory=dict)
    calls: Mapping[str, Call] = field(default_factory=dict)
    pairs: Mapping[str, Opened] = field(default_factory=dict)
    """What steps with an `undo` have opened, and nothing has undone yet: see runbooks.session.pairs."""
    decisions: tuple[Decision, ...] = ()
    artefacts: tuple[e.ArtefactKept, ...] = ()
    faces: Mapping[str, e.FaceAttached] = field(default_factory=dict)
    pen: str | None = None
    pen_since: str = ""
    handover: e.PenTaken | None = None
    """The last time that the pen was taken."""
    refusals: tuple[e.CommandRefused, ...] = ()
    parked: bool = False
    ended: e.SessionEnded | None = None

    @property
    def runbook(self) -> Runbook:
        """The runbook of this session. Raises ValueError before `session_opened`."""
        if self.opened is None:
            raise ValueError("no session_opened yet")
        return self.opened.runbook

    @property
    def section(self) -> Phase | Option | None:
        """What stands open: a phase, or the chosen option while rolling back. None during the opening."""
        if self.opened is None:
            return None
        if self.phase == "rollback":
            return next((o for o in self.runbook.options if o.id == self.option), None)
        return next((p for p in self.runbook.phases if p.name == self.phase), None)

    @property
    def conditions(self) -> Mapping[Condition, tuple[str, ...]]:
        """The conditions that hold, each with the findings behind it."""
        return self.plan.conditions if self.plan else {}

    @property
    def protected(self) -> bool:
        """By gonogo.toml, or by the server's own mark."""
        return bool((self.opened and self.opened.protected) or (self.plan and self.plan.protected))

    @property
    def to_review(self) -> tuple[e.Script, ...]:
        """The scripts that a person is to read: those of the plan, or on a way back the ones that its steps brought."""
        if self.phase != "rollback":
            return self.plan.to_review if self.plan else ()
        steps = self.active_steps(self.section) if self.section else ()
        return tuple(script for step in steps if (script := self.step(step.id).proposed) is not None)

    @property
    def running(self) -> str | None:
        """The id of the step that runs now."""
        return next((name for name, step in self.steps.items() if step.status == "running"), None)

    @property
    def gate(self) -> gates.Gate:
        """The hold point of what stands open, polled now."""
        return gates.poll(self)

    @property
    def left_open(self) -> list[gates.Hold]:
        """What keeps the session from ending, wherever it stands: what is open, for no reason that was given."""
        return gates.left_open(self)

    @property
    def next_reading(self) -> Step | None:
        """The step that starts by itself now."""
        return gates.next_reading(self)

    @property
    def next_start(self) -> Step | None:
        """The step that waits for a person's `start`, if the next one is of that kind and nothing is in its way."""
        return gates.next_start(self)

    def blocked_by(self, step: Step) -> Step | None:
        """The earlier step that must be settled before this one can start."""
        return gates.blocked_by(self, step)

    def proof(self, item: Item) -> StepView | None:
        """The step that proves an item, while it does."""
        state = self.step(item.proved_by)
        return state if item.proved_by and state.status == "ended" and is_green(state.end, state.outcome) else None

    def undoes(self, step: str) -> bool:
        """Whether this step undoes what is open now."""
        return any(one.undo == step and one.id in self.pairs for one in self.runbook.steps()) if self.pairs else False

    def step(self, name: str) -> StepView:
        """How a step stands; a blank one if it never started."""
        return self.steps.get(name, StepView())

    def shows(self, step: Step) -> str:
        """What is put before the operator ahead of `start`, with what earlier steps have found by now."""
        if LITERAL in step.params:
            return step.shows
        return shown(step.shows, {name: state.result for name, state in self.steps.items()})

    @property
    def owed(self) -> tuple[Owed, ...]:
        """What the session has left to be done, once it has ended."""
        if self.ended is None or self.opened is None:
            return ()
        day, mode = date.fromisoformat(self.at[:10]), self.opened.mode
        return owed_by(self.runbook, self.conditions, self.ended.outcome, day, mode)

    @property
    def looked(self) -> Looked | None:
        """The last look at the environment's logs, if there was one."""
        return looked_in(LOGS, self.step(LOGS).progress)

    @property
    def unsigned(self) -> tuple[int, str] | None:
        """The record that was to be signed last, and why it was not."""
        match self.step(e.SIGNING).progress:
            case {"sort": "unsigned", "record": int(record), "reason": str(reason)}:
                return record, reason
            case _:
                return None

    @property
    def missed(self) -> tuple[int, str] | None:
        """The record whose head was noted last, and where that failed, if it did."""
        noted = noted_in(self.step(e.ANCHOR).progress)
        return (noted.record, noted.missed) if noted is not None and noted.missed else None

    def took_before(self, step: str) -> e.Took | None:
        """How long a step took in an earlier session on this environment, if one is on record."""
        previous = self.opened.previous if self.opened else None
        return previous.took.get(step) if previous else None

    def active_steps(self, section: Section) -> tuple[Step, ...]:
        """The steps of a section whose condition holds."""
        return tuple(s for s in section.steps if s.when is None or s.when in self.conditions)

    def active_items(self, section: Section) -> tuple[Item, ...]:
        """The items of a section whose condition holds."""
        return tuple(i for i in section.items if i.when is None or i.when in self.conditions)


def _with(mapping: Mapping[K, V], key: K, value: V) -> dict[K, V]:
    return {**mapping, key: value}


def _without(mapping: Mapping[K, V], key: K) -> dict[K, V]:
    return {k: v for k, v in mapping.items() if k != key}


def _on_step(view: RunView, name: str, step: StepView) -> RunView:
    return changed(view, steps=_with(view.steps, name, step))


def _decided(view: RunView, seq: int, at: str, event: e.Decided) -> RunView:
    view = changed(view, decisions=(*view.decisions, Decision(seq, at, event)))
    match event.what:
        case "go":
            return changed(view, passed=(*view.passed, event.phase), refused=False)
        case "no_go":
            return changed(view, refused=True)
        case "roll_back" | "stop" | "cancel" | "end":
            return view
        case _:
            assert_never(event.what)


def _lost(view: RunView) -> RunView:
    """Starts without an end, questions that nobody waits for, and faces without a leave, after the runner died."""
    steps = {
        name: changed(step, status="unknown") if step.status == "running" else step for name, step in view.steps.items()
    }
    return changed(view, steps=steps, questions={}, faces={}, pen=None, parked=False)


StepEvent = e.StepStarted | e.StepOutput | e.StepProgress | e.StepEnded
PersonEvent = e.QuestionAnswered | e.ItemTicked | e.ItemUnticked | e.ScriptReviewed | e.Waived
FaceEvent = e.FaceAttached | e.FaceDetached | e.PenTaken


def _step(view: RunView, seq: int, at: str, event: StepEvent) -> RunView:
    name, step = event.step, view.step(event.step)
    match event:
        case e.StepStarted(attempt=attempt):
            refused = view.refused and (event.why != "start" or view.undoes(name))
            started = StepView(status="running", attempt=attempt, started_at=at)
            answers = {k: v for k, v in view.answers.items() if not k.startswith(f"{name}/")}
            return changed(_paired(_on_step(view, name, started), at, event), refused=refused, answers=answers)
        case e.StepOutput():
            return _on_step(view, name, with_output(step, seq, event))
        case e.StepProgress(data=data):
            return _on_step(changed(view, reach=view.reach.after_record(data)), name, changed(step, progress=data))
        case e.StepEnded():
            open_questions = {k: q for k, q in view.questions.items() if q.step != name}
            reach, moved = view.reach.after_step(event.result), view.moved.after_step(event.result)
            view = changed(view, reach=reach, moved=moved)
            view = _paired(_on_step(view, name, with_end(step, at, event)), at, event)
            return changed(view, questions=open_questions)
        case _:
            assert_never(event)


def _paired(view: RunView, at: str, event: e.StepStarted | e.StepEnded) -> RunView:
    """What is open now. What was opened anew wants its undo anew, and no reason holds that was given before."""
    if view.opened is None:
        return view
    step = view.runbook.step(event.step)
    if step is not None and step.undo and isinstance(event, e.StepStarted):
        if (undone := view.step(step.undo)).status == "ended":
            view = _on_step(view, step.undo, StepView(attempt=undone.attempt))
        view = changed(view, waivers=_without(view.waivers, f"{step.id}/{UNDO}"))
    return changed(view, pairs=pairs_after(view.pairs, view.runbook, at, event))


def _person(view: RunView, event: PersonEvent) -> RunView:
    match event:
        case e.QuestionAnswered(question=question, answer=answer):
            answers = _with(view.answers, question, answer)
            return changed(view, questions=_without(view.questions, question), answers=answers)
        case e.ItemTicked(item=item) if item.startswith(CALL):
            return changed(view, calls=calls_after(view.calls, view.at, event))
        case e.ItemTicked(item=item):
            return changed(view, items=_with(view.items, item, event), refused=False)
        case e.ItemUnticked(item=item):
            return changed(view, items=_without(view.items, item))
        case e.ScriptReviewed(migration=migration):
            return changed(view, reviews=_with(view.reviews, migration, event))
        case e.Waived(subject=subject):
            return changed(view, waivers=_with(view.waivers, subject, event), refused=False)
        case _:
            assert_never(event)


def _face(view: RunView, at: str, event: FaceEvent) -> RunView:
    match event:
        case e.FaceAttached(face=face, pen=pen):
            there = changed(view, faces=_with(view.faces, face, event))
            return changed(there, pen=face, pen_since=at) if pen else there
        case e.FaceDetached(face=face):
            holder = None if view.pen == face else view.pen
            return changed(view, faces=_without(view.faces, face), pen=holder)
        case e.PenTaken(face=face):
            return changed(view, pen=face, pen_since=at, handover=event)
        case _:
            assert_never(event)


def advance(view: RunView, seq: int, at: str, event: e.Event, head: str = "") -> RunView:
    """The view after one more event; `head` is its record's hash. Pure, and exhaustive over the closed set."""
    view = changed(view, seq=seq, at=at, head=head)
    match event:
        case e.SessionOpened():
            return changed(view, opened=event, started_at=at, phase="opening")
        case e.PlanMade():
            return changed(view, plan=event)
        case e.PhaseOpened(phase=phase, option=option):
            return changed(view, phase=phase, option=option, refused=False)
        case e.StepStarted() | e.StepOutput() | e.StepProgress() | e.StepEnded():
            return _step(view, seq, at, event)
        case e.QuestionAsked(question=question):
            return changed(view, questions=_with(view.questions, question, event))
        case e.QuestionAnswered() | e.ItemTicked() | e.ItemUnticked() | e.ScriptReviewed() | e.Waived():
            return _person(view, event)
        case e.Decided():
            return _decided(view, seq, at, event)
        case e.ArtefactKept():
            return changed(view, artefacts=(*view.artefacts, event))
        case e.FaceAttached() | e.FaceDetached() | e.PenTaken():
            return _face(view, at, event)
        case e.CommandRefused():
            return changed(view, refusals=(*view.refusals, event))
        case e.SessionParked():
            return changed(view, parked=True)
        case e.SessionResumed():
            return _lost(view)
        case e.JournalRepaired():
            return view
        case e.SessionEnded():
            return changed(view, ended=event)
        case _:
            assert_never(event)


def as_of(view: RunView, now: datetime) -> RunView:
    """The view at a later moment, at which nothing was recorded: what grows old, and what opens, does so by itself."""
    at = now.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return changed(view, at=at) if view.ended is None and at > view.at else view


def fold(events: Iterable[tuple[int, str, e.Event]], start: RunView | None = None) -> RunView:
    """The view after (seq, at, event) triples, in order."""
    view = start or RunView()
    for seq, at, event in events:
        view = advance(view, seq, at, event)
    return view
