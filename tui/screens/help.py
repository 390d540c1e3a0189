"""The keys, as they are really bound where one came from."""

from collections.abc import Iterator, Sequence

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from tui.palette import LOST, NOT_APPLICABLE, OPEN, OUTCOMES, RUNNING, WAITING, WAIVED
from tui.screens.base import BACK, Shown
from tui.widgets.key_bar import hint
from tui.widgets.pile_view import PileView
from tui.widgets.row import Row, row

KEYS = 10
MOVING = ("list.", "sql.")
HIDDEN = ("screen.copy_text", "scroll_left", "scroll_right", "page_left", "page_right", "focus_previous")


class Help(Screen[None], Shown):
    """Every key of the screen below, what it does, and what the signs mean."""

    BINDINGS = [BACK]

    def __init__(self, bindings: Sequence[tuple[str, Binding]]) -> None:
        super().__init__()
        self._listed = bindings

    def compose(self) -> ComposeResult:
        """The list, scrolled where it must be."""
        yield Static("Keys", markup=False, id="help-heading")
        with VerticalScroll(id="help"):
            yield PileView(id="help-rows")
        yield Static(hint(("escape", "back"), ("↑ ↓", "scroll"), ("ctrl+p", "all commands")), id="help-keys")

    def on_mount(self) -> None:
        """What it lists does not change while it is read."""
        if not self.query("#help"):
            return
        self.call_after_refresh(self.is_painted)
        self.query_one("#help-rows", PileView).show([*key_rows(self._listed), *sign_rows()])
        self.query_one("#help").focus()

    def action_back(self) -> None:
        """Back to the screen below."""
        self.dismiss()


def listed(screen: Screen[object]) -> list[tuple[str, Binding]]:
    """Each action of a screen with all the keys that it answers to: what is the screen's own first, then moving."""
    keys: dict[tuple[str, str], tuple[list[str], Binding]] = {}
    for active in screen.active_bindings.values():
        binding = active.binding
        if binding.description and not binding.system and binding.action not in HIDDEN:
            found = keys.setdefault((binding.action, binding.description), ([], binding))
            found[0].append(screen.app.get_key_display(binding))
    found_keys = [(" ".join(names), binding) for names, binding in keys.values()]
    return sorted(found_keys, key=lambda found: (found[1].id or "list.").startswith(MOVING))


def key_rows(bindings: Sequence[tuple[str, Binding]]) -> Iterator[Row]:
    """A row for each key."""
    for keys, binding in bindings:
        head = Content.styled(f"{keys:<{KEYS}} ", "bold $busy")
        words = f"  {binding.tooltip}" if binding.tooltip else ""
        yield row(head, (binding.description, "bold"), (words, "$quiet"))


def sign_rows() -> Iterator[Row]:
    """What the signs mean."""
    yield row("", "")
    yield row("", ("Signs", "bold $quiet"))
    for mark in (*OUTCOMES.values(), WAITING, RUNNING, WAIVED, LOST, OPEN, NOT_APPLICABLE):
        yield row(Content.assemble(mark.sign, " " * KEYS), mark.words)
    yield row(Content.styled("⚑" + " " * KEYS, "bold $fail"), "from there on, dropped data comes back only from backup")
