"""What a journal's times are worth: steps back of the clock that wrote them, and that clock against the server's."""

import contextlib
from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import Field, ValidationError

from runbooks.journal.records import Record
from runbooks.session.events import ANCHOR, StepProgress
from runbooks.session.frozen import Frozen

SECOND = 1_000_000


class Reading(Frozen):
    """The server's clock against this machine's, in microseconds: `ahead`, known to within `within` either way."""

    ahead: int
    within: int = Field(ge=0)


@dataclass(frozen=True, slots=True)
class Clocks:
    """What the times of a journal show, in microseconds.

    `back`: the largest of the `steps_back` from one record to the next, at record `back_at`. `ahead`: the largest
    difference to the server's clock, of `readings`, at record `ahead_at`. `shift`: by how much this machine's clock
    went ahead of the server's (back, if below zero) between two readings at the most, the later of them at `shift_at`.
    """

    steps_back: int = 0
    back: int = 0
    back_at: int = 0
    readings: int = 0
    ahead: Reading | None = None
    ahead_at: int = 0
    shift: int = 0
    shift_at: int = 0


class ClockWatch:
    """Takes the records in order; `found` is what they show."""

    def __init__(self) -> None:
        self.found = Clocks()
        self.first = self.last = ""
        self._before: Reading | None = None

    @property
    def lasted(self) -> int:
        """From the first record to the last, in microseconds, by the clock that wrote them."""
        return _between(self.first, self.last) if self.first else 0

    def take(self, record: Record) -> None:
        """One record that holds."""
        self.first = self.first or record.at
        if record.at < self.last:
            self._back(record.seq, _between(record.at, self.last))
        self.last = record.at
        match record.event:
            case StepProgress(step=step, data={"clock": dict(clock)}) if step == ANCHOR:
                with contextlib.suppress(ValidationError):
                    self._read(record.seq, Reading.model_validate(clock))

    def _back(self, seq: int, by: int) -> None:
        found = replace(self.found, steps_back=self.found.steps_back + 1)
        self.found = replace(found, back=by, back_at=seq) if by > found.back else found

    def _read(self, seq: int, now: Reading) -> None:
        found, before, self._before = self.found, self._before, now
        found = replace(found, readings=found.readings + 1)
        if found.ahead is None or abs(now.ahead) > abs(found.ahead.ahead):
            found = replace(found, ahead=now, ahead_at=seq)
        if before is not None and abs(before.ahead - now.ahead) > max(abs(found.shift), before.within + now.within):
            found = replace(found, shift=before.ahead - now.ahead, shift_at=seq)
        self.found = found


def _between(earlier: str, later: str) -> int:
    delta = datetime.fromisoformat(later) - datetime.fromisoformat(earlier)
    return (delta.days * 86_400 + delta.seconds) * SECOND + delta.microseconds
