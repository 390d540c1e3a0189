"""The record of the session so far, as the transcript will have it."""

import asyncio

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding

from runbooks.session.view import RunView
from tui.reading import reading_rows
from tui.screens.base import BACK, SCROLL, SessionScreen
from tui.widgets.band import Band
from tui.widgets.key_bar import KeyBar
from tui.widgets.lines_pane import LinesPane
from tui.widgets.row import Row
from tui.words import Clock


class Transcript(SessionScreen):
    """Rendered from the journal when it is opened, and again when asked."""

    BINDINGS = [
        Binding("r", "again", "Render again", id="transcript.again", tooltip="With what has been recorded since"),
        BACK,
    ]
    FIXED = (SCROLL,)

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def compose(self) -> ComposeResult:
        """The text, and the keys."""
        yield Band(self._clock)
        yield LinesPane(id="text")
        yield KeyBar()

    def begin(self) -> None:
        """Render it."""
        self.query_one("#text").focus()
        self.action_again()

    def show(self, view: RunView) -> None:
        """The text stays as it was rendered: it does not move under the reader."""

    def keys(self) -> tuple[str, ...]:
        """What is wanted now."""
        return ("again", "back", "app.help")

    @work(exclusive=True)
    async def action_again(self) -> None:
        """Render what is recorded by now, in a thread."""
        pane = self.query_one("#text", LinesPane)
        pane.border_title = f"Transcript up to record {self.view.seq}"
        pane.show(await asyncio.to_thread(self._read))

    def _read(self) -> list[Row]:
        return reading_rows(self.gonogo.transcript(self.gonogo.folder))
