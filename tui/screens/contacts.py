"""Whom to call, and what the runbook advises for what one may see."""

from textual.app import ComposeResult

from runbooks.view import RunView
from tui.screens.base import BACK, SessionScreen
from tui.widgets.band import Band
from tui.widgets.key_bar import KeyBar
from tui.widgets.lines_pane import LinesPane
from tui.words import Clock


class Contacts(SessionScreen):
    """The runbook's Contacts and Troubleshooting."""

    BINDINGS = [BACK]

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
        pane.show(contacts(self.view))
        pane.focus()

    def keys(self) -> tuple[str, ...]:
        """What is wanted now."""
        return ("back", "app.help")


def contacts(view: RunView) -> str:
    """Contacts first, then each advice."""
    if view.opened is None:
        return "The runbook is not known yet."
    parts = ["# Contacts", view.runbook.contacts.strip() or "The runbook names none.", "", "# Troubleshooting"]
    for advice in view.runbook.troubleshooting:
        parts += [f"When you see: {advice.see}", f"  {advice.do}", ""]
    if not view.runbook.troubleshooting:
        parts.append("The runbook has no advice.")
    return "\n".join(parts)
