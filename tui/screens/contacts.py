"""Whom to call, and what the runbook advises for what one may see."""

from collections.abc import Iterator

from textual.app import ComposeResult
from textual.content import Content

from runbooks.session.view import RunView
from tui.printable import one_line
from tui.reading import reading_rows
from tui.screens.base import BACK, SCROLL, SessionScreen
from tui.widgets.band import Band
from tui.widgets.key_bar import KeyBar
from tui.widgets.lines_pane import LinesPane
from tui.widgets.row import Row, row
from tui.widgets.step_rows import ARROW
from tui.words import Clock


class Contacts(SessionScreen):
    """The runbook's Contacts and Troubleshooting."""

    BINDINGS = [BACK]
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
        """They stand in the runbook, which does not change."""
        pane = self.query_one("#text", LinesPane)
        pane.border_title = "Contacts and troubleshooting"
        pane.show(list(contacts(self.view)))
        pane.focus()

    def keys(self) -> tuple[str, ...]:
        """What is wanted now."""
        return ("back", "app.help")


def contacts(view: RunView) -> Iterator[Row]:
    """Contacts first, then each advice."""
    if view.opened is None:
        yield row("", "The runbook is not known yet.")
        return
    yield row("", ("Contacts", "bold $busy"))
    each_its_line = view.runbook.contacts.replace("\n", "  \n")
    yield from reading_rows(each_its_line) or [row("", "The runbook names none.")]
    yield row("", "")
    yield row("", ("Troubleshooting", "bold $busy"))
    for advice in view.runbook.troubleshooting:
        yield row("", ("When you see  ", "$quiet"), (one_line(advice.see), "bold"))
        yield from (Row(Content.assemble(ARROW, line.head), line.body) for line in reading_rows(advice.do))
    if not view.runbook.troubleshooting:
        yield row("", "The runbook has no advice.")
