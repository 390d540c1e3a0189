"""The record of the session so far, as the transcript will have it."""

import asyncio

from textual import work
from textual.binding import Binding

from tui.reading import reading_rows
from tui.screens.reading import Reading
from tui.widgets.row import Row


class Transcript(Reading):
    """Rendered from the journal when it is opened, and again when asked."""

    BINDINGS = [
        Binding("r", "again", "Render again", id="transcript.again", tooltip="With what has been recorded since"),
    ]

    def begin(self) -> None:
        """Render it."""
        self.pane.focus()
        self.action_again()

    def keys(self) -> tuple[str, ...]:
        """What is wanted now."""
        return ("again", "back", "app.help")

    @work(exclusive=True)
    async def action_again(self) -> None:
        """Render what is recorded by now, in a thread."""
        self.pane.border_title = f"Transcript up to record {self.view.seq}"
        self.pane.show(await asyncio.to_thread(self._read))

    def _read(self) -> list[Row]:
        return reading_rows(self.gonogo.transcript(self.gonogo.folder))
