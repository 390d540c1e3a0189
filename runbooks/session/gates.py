"""What keeps a hold point shut: a pure poll of the view."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from runbooks.session.events import WINDOW, Check, Outcome, Waived
from runbooks.session.fitting import fit
from runbooks.session.pairs import unexplained
from runbooks.session.runbook import PHASES, Item, Phase, Step

if TYPE_CHECKING:
    from runbooks.session.view import RunView, StepView

Kind = Literal["running", "step", "check", "stale", "item", "review", "question", "refused", "undo", "window"]

RANK: dict[Outcome, int] = {"ok": 0, "warn": 1, "unknown": 2, "fail": 3}


@dataclass(frozen=True, slots=True)
class Hold:
    """One reason for NO-GO. `subject` is what a waiver would name; `outcome` is what it would pass over."""

    kind: Kind
    subject: str
    words: str
    waivable: bool
    outcome: Outcome = "unknown"


@dataclass(frozen=True, slots=True)
class Gate:
    """A polled hold point. GO is possible when nothing holds."""

    holds: tuple[Hold, ...]

    @property
    def ready(self) -> bool:
        """Nothing is left that keeps it shut."""
        return not self.holds


def worst(outcomes: list[Outcome]) -> Outcome:
    """The worst of several outcomes; `ok` of none."""
    return max(outcomes, key=RANK.__getitem__, default="ok")


def waived(waiver: Waived | None, outcome: Outcome) -> bool:
    """Whether a waiver covers this outcome. It never covers a worse one than the person saw."""
    return waiver is not None and RANK[outcome] <= RANK[waiver.outcome]


def poll(view: "RunView") -> Gate:
    """Poll the steps, reviews, questions and items of what stands open."""
    section = view.section
    if section is None:
        return Gate((Hold("step", "opening", "the opening is not over", waivable=False),))
    holds = [
        *_refused(view),
        *(Hold("question", q.question, f"open question: {q.text}", waivable=False) for q in view.questions.values()),
        *(hold for step in view.active_steps(section) for hold in _step(view, step)),
        *(_review(view) if view.phase in ("preflight", "rollback") else ()),
        *(_stale(view) if view.phase in ("backup", "preflight") else ()),
        *(_repeated(view) if view.phase == "preflight" else ()),
        *(_window(view) if view.phase == "preflight" else ()),
        *(hold for item in view.active_items(section) for hold in _item(view, item)),
        *(left_open(view) if view.phase in (PHASES[-1], "rollback") else ()),
    ]
    return Gate(tuple(holds))


def left_open(view: "RunView") -> list[Hold]:
    """The pairs that are open, and for which nobody has given a reason: with one of them, no session ends."""
    return [Hold("undo", pair.subject, pair.words, waivable=True) for pair in unexplained(view)]


def _window(view: "RunView") -> list[Hold]:
    """What keeps a migration from beginning now; nothing keeps it from being finished."""
    found = fit(view)
    if found is None or (found.window.now and not found.too_short):
        return []
    outcome: Outcome = "warn" if found.window.now else "fail"
    if waived(view.waivers.get(WINDOW), outcome):
        return []
    words = f"too little is left of the maintenance window: {found.words}"
    shut = f"outside of the maintenance window: {found.window.words}"
    return [Hold("window", WINDOW, words if found.window.now else shut, waivable=True, outcome=outcome)]


def _refused(view: "RunView") -> list[Hold]:
    if not view.refused:
        return []
    reason = next((d.event.reason for d in reversed(view.decisions) if d.event.what == "no_go"), "")
    words = f"NO-GO was called: {reason}. Run a step again, tick or waive something, roll back, or end"
    return [Hold("refused", view.phase or "", words, waivable=False)]


def _stale(view: "RunView") -> list[Hold]:
    """Results that say until when they are good. The time is that of the last record."""
    return [
        Hold("stale", name, f"{name} is too old since {until}: run it again", waivable=False)
        for name, state in view.steps.items()
        if isinstance(until := state.result.get("stale_at"), str) and until <= view.at
    ]


def _repeated(view: "RunView") -> list[Hold]:
    """What Backup's steps left if they were run again at Preflight's hold point, and did not end well."""
    steps = view.active_steps(view.runbook.phases[0])
    return [hold for step in steps if view.step(step.id).attempt for hold in _step(view, step)]


def once_more(view: "RunView", gate: Gate) -> tuple[Step, ...]:
    """The steps of Backup that hold Preflight's gate; and where one of them only reads, those before it.

    What it read is too old, and comes from them.
    """
    steps = view.runbook.phases[0].steps
    held = {hold.subject.partition("/")[0] for hold in gate.holds if hold.kind in ("stale", "step", "check")}
    reading = [number for number, step in enumerate(steps) if step.id in held and step.effect == "reads"]
    return tuple(step for n, step in enumerate(steps) if step.id in held or n < max(reading, default=0))


def _step(view: "RunView", step: Step) -> list[Hold]:
    state = view.step(step.id)
    if state.status == "running":
        return [Hold("running", step.id, f"{step.title} is running", waivable=False)]
    outcome: Outcome = state.outcome if state.status == "ended" and state.outcome else "unknown"
    if waived(view.waivers.get(step.id), outcome) and not step.required:
        return []
    if state.status == "waiting":
        words = f"{step.title} has not run"
    elif state.status == "unknown":
        words = f"{step.title}: how it ended is not known"
    elif state.end != "done":
        words = f"{step.title} {state.end}"
    else:
        return _checks(view, step, state)
    return [Hold("step", step.id, words, waivable=not step.required, outcome=outcome)]


def _checks(view: "RunView", step: Step, state: "StepView") -> list[Hold]:
    if not state.checks and state.outcome not in ("ok", None):
        words = f"{step.title}: {state.outcome}"
        return [Hold("step", step.id, words, waivable=not step.required, outcome=state.outcome or "unknown")]
    return [
        _check_hold(step, check)
        for check in state.checks
        if check.outcome != "ok" and not waived(view.waivers.get(f"{step.id}/{check.id}"), check.outcome)
    ]


def _check_hold(step: Step, check: Check) -> Hold:
    # An amber check of a required step can be waived, or there would be no way on; a red one cannot.
    waivable = not step.required or check.outcome == "warn"
    words = f"{check.title}: {check.evidence or check.outcome}"
    return Hold("check", f"{step.id}/{check.id}", words, waivable, check.outcome)


def _review(view: "RunView") -> list[Hold]:
    return [
        Hold("review", s.migration, f"{s.migration} is not reviewed", waivable=False)
        for s in view.to_review
        if (review := view.reviews.get(s.migration)) is None or review.sha256 != s.sha256
    ]


def _item(view: "RunView", item: Item) -> list[Hold]:
    ticked = view.items.get(item.id)
    if ticked is not None and not (item.required and ticked.state == "not_applicable"):
        return []
    if waived(view.waivers.get(item.id), "unknown") and not item.required:
        return []
    if view.proof(item) is not None:
        return []
    words = f"open: {item.text}"
    if item.proved_by:
        step = view.runbook.step(item.proved_by)
        words = f"not proven by {step.title if step else item.proved_by}: {item.text}"
    return [Hold("item", item.id, words, waivable=not item.required)]


def waivable(view: "RunView", subject: str) -> Hold | None:
    """The hold that a waiver of `subject` would lift now, if there is one; else one that nothing lifts.

    Why a pair stays open can be said at any time, not only where it holds.
    """
    holds = [hold for hold in (*poll(view).holds, *left_open(view)) if hold.subject == subject]
    return next((hold for hold in holds if hold.waivable), holds[0] if holds else None)


def next_step(view: "RunView") -> Step | None:
    """The first step, in the document's order, that has not run and is not waived. None while one runs."""
    section = view.section
    if section is None or view.running or view.ended:
        return None
    untouched = (
        step
        for step in view.active_steps(section)
        if view.step(step.id).status in ("waiting", "unknown") and step.id not in view.waivers
    )
    return next(untouched, None)


def next_start(view: "RunView") -> Step | None:
    """The step that waits for a person's `start`: nothing before it is in its way."""
    step = next_step(view)
    if step is None or (step.effect == "reads" and view.step(step.id).status != "unknown"):
        return None
    return step if blocked_by(view, step) is None else None


def next_reading(view: "RunView") -> Step | None:
    """The step that starts by itself: it only reads, and what it would read is no longer to be changed."""
    step = next_step(view)
    if step is None or step.effect != "reads" or view.step(step.id).status == "unknown":
        return None
    earlier = blocked_by(view, step)
    return step if earlier is None or earlier.effect == "reads" else None


def blocked_by(view: "RunView", step: Step) -> Step | None:
    """The earlier step of the same section that must be settled first: done, its failures waived, or waived itself."""
    section = view.section
    steps = view.active_steps(section) if section else ()
    if step not in steps:
        return None
    return next((earlier for earlier in steps[: steps.index(step)] if not _settled(view, earlier)), None)


def is_over(view: "RunView") -> bool:
    """Whether a session of one phase has nothing more to do: a step did not end well, or all of them did."""
    section = view.section
    if not isinstance(section, Phase):
        return False
    states = [view.step(step.id) for step in view.active_steps(section)]
    bad = any(s.status == "ended" and (s.end != "done" or s.outcome == "fail") for s in states)
    return bad or all(s.status == "ended" for s in states)


def unread(view: "RunView", step: Step) -> Item | None:
    """The item that must be ticked before a step changes anything, and is not."""
    section = view.section
    if section is None or step.effect == "reads":
        return None
    firsts = (item for item in view.active_items(section) if item.first and item.id not in view.items)
    return next((item for item in firsts if view.proof(item) is None), None)


def _settled(view: "RunView", step: Step) -> bool:
    holds = _step(view, step)
    done = view.step(step.id).status == "ended" and view.step(step.id).end == "done"
    return not holds or (done and all(hold.outcome != "fail" for hold in holds))
