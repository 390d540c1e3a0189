"""What every screen of a session has in common."""

from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import Binding
from textual.message import Message
from textual.screen import Screen
from textual.worker import Worker

from runbooks.session.view import RunView
from tui.widgets.band import Band
from tui.widgets.key_bar import KeyBar

if TYPE_CHECKING:
    from tui.app import Looking


class Shown:
    """A screen that knows since when it is there to be read."""

    shown_at: float | None = None
    """By the clock of `Message.time`; None until it is painted."""

    def is_painted(self) -> None:
        """From now on keys are meant for this screen."""
        self.shown_at = Message().time


OVER = {"app.detach": "Leave"}
"""What keys are called that have another meaning once the session, or its runner, is gone."""


class SessionScreen(Screen[None], Shown):
    """A screen that shows the session as it stands now, again whenever it changes."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]
    BINDINGS = [
        Binding("question_mark", "app.help", "Help", id="help", tooltip="Every key of this screen"),
        Binding("y", "app.copy_line", "Copy the line", id="copy", tooltip="Copy how it stands, to read out on a call"),
    ]
    FIXED: ClassVar[tuple[tuple[str, str], ...]] = ()
    """Keys that a list or a field of this screen takes itself, and their words."""
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (12, "-tall")]

    drawn = False
    """It has its widgets by now, and has been drawn."""
    _last_told: tuple[str, float] = ("", 0.0)
    """What a key was told last, and until when that can be read."""

    @property
    def gonogo(self) -> "Looking":
        """The app, as the type that it is."""
        return cast("Looking", self.app)

    @property
    def view(self) -> RunView:
        """The session as it stands now."""
        return self.gonogo.view

    def on_mount(self) -> None:
        """Show what is known at once. Who left before it was composed has nothing to be shown."""
        if not self.is_attached or not self.query(Band):
            return
        self.drawn = True
        self.redraw()
        self.begin()
        self.call_after_refresh(self.is_painted)

    def begin(self) -> None:
        """What is to be done once, after the first drawing."""

    def redraw(self) -> None:
        """Show the session as it stands now."""
        if not self.is_attached:
            return
        for band in self.query(Band):
            band.show(self.view, self.gonogo.mark, recorded=self.gonogo.recorded)
        self.show(self.view)
        for bar in self.query(KeyBar):
            over = self.gonogo.gone or self.view.ended is not None
            bar.show(self.keys(), *self.FIXED, words=OVER if over else {})

    def show(self, view: RunView) -> None:
        """Show what is this screen's own."""

    def keys(self) -> tuple[str, ...]:
        """The actions whose keys stand at the bottom, the most wanted first."""
        return ()

    def say(self, words: str) -> None:
        """Why a key does nothing now: once, for as long as it can still be read."""
        said, until = self._last_told
        if words != said or monotonic() > until:
            self._last_told = (words, monotonic() + self.app.NOTIFICATION_TIMEOUT)
            self.notify(words, severity="warning", markup=False)

    def action_back(self) -> None:
        """Leave this screen."""
        self.dismiss()

    async def action_press(self, key: str) -> None:
        """A click on a key's word works as the key does."""
        self.app.simulate_key(key)


def wanted_by(worker: Worker[object]) -> Callable[[], bool]:
    """Tells a thread whether what it does is still wanted: threads end only by themselves."""
    return lambda: not worker.is_cancelled


SCROLL = ("↑ ↓", "Scroll")
"""Said at the bottom of a screen that is only read."""

BACK = Binding("escape,q", "back", "Back", id="back", tooltip="Back to the screen before")
"""The way out of every screen but the first."""
