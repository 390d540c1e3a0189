"""Steps in pairs: what one has switched on stays open until the other has switched it off again."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runbooks.session import events as e
from runbooks.session.runbook import Runbook, Step

if TYPE_CHECKING:
    from runbooks.session.view import RunView

UNDO = "undo"
"""`step/undo` is what a reason names for which a pair stays open."""


@dataclass(frozen=True, slots=True)
class Opened:
    """By which attempt a pair was opened, and when (RFC 3339 UTC)."""

    attempt: int
    at: str


@dataclass(frozen=True, slots=True)
class Pair:
    """A step that has begun, and the one that has not undone it yet. `reason`: why it may stay open."""

    step: Step
    undo: Step
    at: str
    failed: bool
    reason: str = ""

    @property
    def subject(self) -> str:
        """What a reason names."""
        return f"{self.step.id}/{UNDO}"

    @property
    def words(self) -> str:
        """What is open, and what undoes it."""
        how = "may be half done" if self.failed else "is still open"
        return f"{self.step.title} {how}: {self.undo.title} ({self.undo.id}) has not undone it"


def pairs_after(
    before: Mapping[str, Opened], runbook: Runbook, at: str, event: e.StepStarted | e.StepEnded
) -> Mapping[str, Opened]:
    """What is open after a step has started or ended, by the step that opened it.

    A start is enough: how far a step came that failed is not known. Only what was declined did nothing.
    """
    step = runbook.step(event.step)
    if isinstance(event, e.StepStarted):
        if step is None or not step.undo:
            return before
        return {**before, event.step: before.get(event.step, Opened(event.attempt, at))}
    closed = set[str]()
    if event.ended_well:
        closed = {one.id for one in runbook.steps() if one.undo == event.step}
    elif event.end == "declined" and event.step in before and before[event.step].attempt == event.attempt:
        closed = {event.step}
    return {name: opened for name, opened in before.items() if name not in closed} if closed else before


def open_pairs(view: "RunView") -> Iterator[Pair]:
    """The pairs that are open, in the order in which they were opened."""
    steps = {step.id: step for step in view.runbook.steps()} if view.pairs else {}
    for name, opened in view.pairs.items():
        step = steps[name]
        waiver = view.waivers.get(f"{name}/{UNDO}")
        state = view.step(name)
        failed = state.status == "unknown" or state.end not in (None, "done")
        yield Pair(step, steps[step.undo], opened.at, failed, waiver.reason if waiver else "")


def unexplained(view: "RunView") -> list[Pair]:
    """Those for which no reason was given: with one of them, no session ends."""
    return [pair for pair in open_pairs(view) if not pair.reason]
