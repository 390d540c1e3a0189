"""The environment's logs: their addresses, to be opened elsewhere, and the last lines of what their commands say."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

from textual import work
from textual.binding import Binding
from textual.content import Content

from runbooks.session import commands as c
from runbooks.session.looked import LOGS, Looked
from runbooks.session.view import RunView
from tui.printable import one_line, printable
from tui.screens.reading import Reading
from tui.widgets.row import Row, row
from tui.widgets.step_rows import log_rows
from tui.words import plural

LARGEST = 2_000_000


class Logs(Reading):
    """The last look at them; a new one takes its place."""

    BINDINGS = [
        Binding("r", "again", "Look again", id="logs.again", tooltip="Ask for the logs as they are now"),
        Binding("y", "copy", "Copy", id="logs.copy", tooltip="Copy the addresses, to be opened in a browser"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._shown: Looked | None = None

    def begin(self) -> None:
        """Wait for the look that was asked for."""
        self.pane.border_title = "Logs"
        asked = self.view.ended is None and self.gonogo.has_pen and not self.gonogo.gone
        words = (
            "The logs are being read: a program gets 20 seconds at the most." if asked else "Nobody has looked at them."
        )
        self.pane.show([row("", words)])
        self.pane.focus()
        self.show(self.view)

    def show(self, view: RunView) -> None:
        """Show the last look, if it is a new one."""
        looked = view.looked
        if looked is not None and looked != self._shown:
            self._shown = looked
            self._read(looked)

    def keys(self) -> tuple[str, ...]:
        """What is wanted now."""
        return ("again", "copy", "back", "app.help")

    def action_again(self) -> None:
        """Ask for another look."""
        self.gonogo.send(c.Start(step=LOGS))

    def action_copy(self) -> None:
        """Copy all addresses."""
        urls = [one_line(one.url) for one in self._shown.logs if one.url] if self._shown else []
        if urls:
            self.gonogo.copy("\n".join(urls), ", ".join(urls))
        else:
            self.app.notify("None of the logs has an address.", markup=False)

    @work(exclusive=True)
    async def _read(self, looked: Looked) -> None:
        self.pane.border_title = Content(f"Logs, look {looked.number}: {one_line(looked.cause)}")
        folder = self.gonogo.folder
        self.pane.show(await asyncio.to_thread(lambda: list(rows(folder, looked))))


def rows(folder: Path, looked: Looked) -> Iterator[Row]:
    """The end of each log; then each with all its lines that were kept."""
    yield from log_rows(looked)
    for one in looked.logs:
        if lines := _lines(folder, one.path):
            yield row("", "")
            yield row("", (f"{one_line(one.name)}, {plural(len(lines), 'line')}, all that were kept", "bold $busy"))
            yield from (row("  ", printable(line)) for line in lines)


def _lines(folder: Path, path: str) -> list[str]:
    """Those of a file in the session's folder; none if it is not there any more."""
    file = folder / path
    if not path or not file.resolve().is_relative_to(folder.resolve()):
        return []
    try:
        with file.open("rb") as stream:
            return stream.read(LARGEST).decode("utf-8", "replace").splitlines()
    except OSError:
        return []
