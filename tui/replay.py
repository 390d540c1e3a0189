"""A session played again from its journal: a face that shows what was, and takes no command."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

from runbooks.faces.meanwhile import Told
from runbooks.reading.reel import Reel
from runbooks.session.commands import Command
from runbooks.session.view import RunView

SPEEDS = (1, 8, 60)
IDLE = 2.0
"""Seconds, as they are watched, that nothing may happen; what is longer is left out."""
MOST_AT_ONCE = 200
"""So many records are gone through between two frames, whatever the speed."""
SECOND = 1_000_000
REFUSAL = "This is the record of what was: nothing can be done to the session from here."


class Replay:
    """Stands at a moment of the journal, in microseconds from its beginning, and moves when it is told to."""

    has_pen = False
    meanwhile: Told | None = None

    def __init__(self, folder: Path, reel: Reel | None = None) -> None:
        self.folder = folder
        self.view = RunView()
        self.playing = False
        self.speed = SPEEDS[1]
        self.skipped = 0
        self.moment = 0
        self._reel = reel

    async def changes(self) -> AsyncIterator[RunView]:
        """What there is: nothing comes by itself."""
        yield self.view

    async def send(self, command: Command) -> str | None:
        """Refused, whatever it is."""
        return REFUSAL

    def taken_out(self) -> tuple[str, ...]:
        """Nothing was sent."""
        return ()

    async def close(self) -> None:
        """Let the journal go."""
        if self._reel is not None:
            self._reel.close()

    @property
    def reel(self) -> Reel:
        """The journal. Raises ValueError where there is none."""
        if self._reel is None:
            raise ValueError("no journal to be gone through")
        return self._reel

    @property
    def over(self) -> bool:
        """There is no record after this one."""
        return self._reel is None or self.view.seq + 1 >= len(self._reel)

    def now(self) -> datetime:
        """The time that it was."""
        began = datetime.fromisoformat(self.view.started_at or "1970-01-01T00:00:00+00:00")
        return began + timedelta(microseconds=self.moment)

    def seek(self, seq: int) -> None:
        """Go to a record; slow where it is far, so not for the event loop."""
        seq = max(0, min(seq, len(self.reel) - 1))
        self.view = self.reel.view(seq, near=self.view)
        self.moment, self.skipped = self.reel.at(seq), 0

    def play(self, seconds: float) -> bool:
        """Go on for so many seconds, as they are watched. Returns whether anything happened."""
        budget, before = int(seconds * SECOND) * self.speed, self.view.seq
        self.skipped = max(0, self.skipped - budget) if self.view.seq == before else self.skipped
        for _ in range(MOST_AT_ONCE):
            if self.over:
                self.playing = False
                break
            gap = self._gap()
            if gap > budget:
                self.moment += budget
                break
            self.moment, budget = self.moment + gap, budget - gap
            self.view = self.reel.view(self.view.seq + 1, near=self.view)
        return self.view.seq != before

    def _gap(self) -> int:
        """How long until the next record; a long one is cut short first."""
        gap = self.reel.at(self.view.seq + 1) - self.moment
        longest = int(IDLE * SECOND) * self.speed
        if gap > longest:
            self.skipped = gap - longest
            self.moment += self.skipped
            return longest
        return gap
