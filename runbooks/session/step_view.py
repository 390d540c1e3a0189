"""How one step stands, as the events of it have it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import JsonValue

from runbooks.session import events as e
from runbooks.session.changed import changed

KEPT_LINES = 2000

Status = Literal["waiting", "running", "ended", "unknown"]
"""`unknown`: it started, and the runner died before it ended."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of output, and the sequence number of the record that brought it."""

    seq: int
    stream: str
    text: str


@dataclass(frozen=True, slots=True)
class StepView:
    """A step as it stands. `dropped` older lines are only in the journal, from record `first_seq` on."""

    status: Status = "waiting"
    attempt: int = 0
    end: e.End | None = None
    outcome: e.Outcome | None = None
    checks: tuple[e.Check, ...] = ()
    result: Mapping[str, JsonValue] = field(default_factory=dict)
    proposed: e.Script | None = None
    """A script that it brought, to be read by a person before another step runs it."""
    failure: e.Failure | None = None
    advice: tuple[str, ...] = ()
    progress: Mapping[str, JsonValue] = field(default_factory=dict)
    lines: tuple[Line, ...] = ()
    dropped: int = 0
    first_seq: int = 0
    started_at: str = ""
    ended_at: str = ""
    took: int = 0

    @property
    def ended_well(self) -> bool:
        """Whether it has done what it is for."""
        return self.end == "done" and self.outcome in ("ok", "warn")


def with_output(step: StepView, seq: int, event: e.StepOutput) -> StepView:
    """With what record `seq` brought; of many lines only the last are kept."""
    new = [Line(seq, event.stream, text) for text in event.text.removesuffix("\n").split("\n")]
    lines = (*step.lines, *new)
    dropped = max(0, len(lines) - KEPT_LINES)
    return changed(
        step,
        lines=lines[dropped:],
        dropped=step.dropped + dropped,
        first_seq=step.first_seq or seq,
    )


def with_end(step: StepView, at: str, event: e.StepEnded) -> StepView:
    """With how it ended."""
    return changed(
        step,
        status="ended",
        end=event.end,
        outcome=event.outcome,
        checks=event.checks,
        result=event.result,
        proposed=event.proposed,
        failure=event.failure,
        advice=event.advice,
        ended_at=at,
        took=event.took,
    )
