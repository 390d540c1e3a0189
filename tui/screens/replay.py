"""The run screen once more, over a journal: what the operator saw, in time or record by record."""

import asyncio
from collections.abc import Iterable
from datetime import timedelta

from textual import work
from textual.binding import Binding
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from runbooks.reading.reel import Changed
from runbooks.session.view import RunView
from tui.replay import SPEEDS, Replay
from tui.screens.base import BACK
from tui.screens.run_panes import RunPanes
from tui.words import elapsed

FRAME_SECONDS = 0.1


def _key(key: str, action: str, words: str, tooltip: str) -> Binding:
    return Binding(key, action, words, id=f"replay.{action}", tooltip=tooltip)


class ReplayScreen(RunPanes):
    """Panes that follow the replay. None of its keys sends anything to a session."""

    acts = False
    BINDINGS = [
        _key("space", "play", "Play or pause", "Go on in time, or stand still"),
        _key("s", "speed", "Speed", "As fast as it was, 8 times, 60 times; where nothing happens is cut short"),
        _key("n", "step(1)", "Next record", "One record on"),
        _key("N", "step(-1)", "Record before", "One record back"),
        _key("f", "phase(1)", "Next phase", "To where the next phase was opened"),
        _key("F", "phase(-1)", "Phase before", "To where this phase was opened, or the one before"),
        _key("v", "review", "SQL", "Read the scripts of the plan"),
        _key("d", "see", "See also", "Read the other documents that the runbook points to"),
        _key("i", "contacts", "Contacts", "Whom to call, as the runbook said"),
        _key("1", "pane('steps')", "Steps", "Show the steps"),
        _key("2", "pane('detail')", "Detail", "Show the chosen step"),
        _key("3", "pane('hold')", "Hold point", "Show the hold point"),
        Binding("tab", "next_pane", "Next pane", id="run.next_pane", tooltip="Go on to the next pane"),
        BACK,
    ]

    def __init__(self, replay: Replay) -> None:
        super().__init__(replay.now)
        self._replay = replay
        self._line = Static("", markup=False, id="replay-line")
        self._moving = False

    def above(self) -> Iterable[Widget]:
        """Where in the journal one stands."""
        yield self._line

    def begin(self) -> None:
        """It stands still until somebody lets it go on."""
        super().begin()
        self.set_interval(FRAME_SECONDS, self._frame)

    def show(self, view: RunView) -> None:
        """Show the session as it stood then."""
        super().show(view)
        self._line.update(self._where())

    def keys(self) -> tuple[str, ...]:
        """What is wanted now."""
        return ("play", "speed", "step(1)", "phase(1)", "review", "app.help", "back")

    def _where(self) -> Content:
        replay = self._replay
        sign, state = ("▶", "plays") if replay.playing else ("■", "at its end") if replay.over else ("‖", "paused")
        cut = f" · idle {elapsed(timedelta(microseconds=replay.skipped))} left out" if replay.skipped else ""
        words = f" · {replay.speed}× · record {replay.view.seq} of {len(replay.reel) - 1} · {replay.now():%H:%M:%S} UTC"
        return Content.assemble((f"{sign} REPLAY {state}", "bold reverse"), words, (cut, "$quiet"))

    def _frame(self) -> None:
        if not self._replay.playing or self._moving or not self.is_current:
            return
        try:
            self._replay.play(FRAME_SECONDS)
        except (Changed, OSError) as changed:
            self._replay.playing = False
            self.say(str(changed))
        self.redraw()

    @work(exclusive=True)
    async def _seek(self, seq: int) -> None:
        """Stand at another record; the way there is gone in a thread."""
        self._replay.playing, self._moving = False, True
        try:
            await asyncio.to_thread(self._replay.seek, seq)
        except (Changed, OSError) as changed:
            self.say(str(changed))
        finally:
            self._moving = False
        self.redraw()

    def action_play(self) -> None:
        """Go on, or stand still; at the end, begin anew."""
        if self._replay.over:
            self._seek(0)
        else:
            self._replay.playing = not self._replay.playing
            self.redraw()

    def action_speed(self) -> None:
        """The next of the speeds."""
        self._replay.speed = SPEEDS[(SPEEDS.index(self._replay.speed) + 1) % len(SPEEDS)]
        self.redraw()

    def action_step(self, by: int) -> None:
        """A record on, or back."""
        if not self._moving:
            self._seek(self._replay.view.seq + by)

    def action_phase(self, by: int) -> None:
        """Where a phase was opened."""
        at = self._replay.view.seq
        begun = [stage.first for stage in self._replay.reel.stages]
        there = [seq for seq in begun if seq > at] if by > 0 else [seq for seq in begun if seq < at][::-1]
        if there and not self._moving:
            self._seek(there[0])
        elif not self._moving:
            self.say("No phase was opened after this one." if by > 0 else "This is where it began.")

    def action_back(self) -> None:
        """Back to the record."""
        self._replay.playing = False
        self.dismiss()
