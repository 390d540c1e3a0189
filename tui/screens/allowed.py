"""Everything that the scripts of the plan allow themselves, in one list."""

from collections.abc import Callable, Sequence

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import OptionList

from runbooks.session.events import Finding
from tui.palette import of_finding
from tui.printable import one_line
from tui.reviewing import Entry, Place
from tui.screens.base import BACK, SessionScreen
from tui.widgets.band import Band
from tui.widgets.choices import Choice, Choices
from tui.widgets.key_bar import KeyBar
from tui.widgets.outline import id_of, place_of
from tui.widgets.row import Row, row
from tui.words import Clock, plural


class Allowed(SessionScreen):
    """A list; enter goes to the finding."""

    BINDINGS = [BACK]
    FIXED = (("enter", "Go there"),)

    def __init__(self, clock: Clock, entries: Sequence[Entry], go: Callable[[Place], None]) -> None:
        super().__init__()
        self._clock = clock
        self._entries = entries
        self._go = go

    def compose(self) -> ComposeResult:
        """Where this is, the list, the keys."""
        yield Band(self._clock)
        yield Choices(id="allowed", classes="pane")
        yield KeyBar()

    def begin(self) -> None:
        """What it lists does not change while it is read."""
        choices = [_choice(entry, finding) for entry in self._entries for finding in entry.allowed]
        listed = self.query_one("#allowed", Choices)
        listed.show(choices)
        scripts = len({place_of(choice.id).entry for choice in choices})
        listed.border_title = f"Allowed by comments: {plural(len(choices), 'finding')} in {plural(scripts, 'script')}"
        listed.focus()

    def keys(self) -> tuple[str, ...]:
        """The way out."""
        return ("back", "app.help")

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Go to it."""
        event.stop()
        if event.option_id is not None:
            self.dismiss()
            self._go(place_of(event.option_id))


def _choice(entry: Entry, finding: int) -> Choice:
    assert entry.script is not None
    return Choice(id_of(entry.place(finding)), _row(entry, entry.script.findings[finding]))


def _row(entry: Entry, finding: Finding) -> Row:
    """Which rule, why it may, where."""
    mark = of_finding(finding)
    return row(
        Content.assemble(mark.sign, " "),
        (f"{mark.word} · {one_line(finding.rule)}: ", f"bold ${mark.shade}"),
        one_line(finding.message),
        f"\nallowed because {one_line(finding.allowed)}",
        (f"\n{one_line(entry.migration)}, line {finding.line}", "$quiet"),
    )
