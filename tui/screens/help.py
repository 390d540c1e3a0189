"""The keys, as they are really bound where one came from."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from tui.palette import LOST, NOT_APPLICABLE, OPEN, OUTCOMES, RUNNING, WAITING, WAIVED
from tui.screens.base import BACK, Shown
from tui.widgets.key_bar import hint
from tui.widgets.phase_bar import HELD
from tui.widgets.pile_view import PileView
from tui.widgets.row import Row, row

KEYS = 14
GENERAL = ("help", "copy", "back", "app.")
MOVING = ("list.", "sql.", "run.next_pane", "review.next_pane")
HIDDEN = ("screen.copy_text", "scroll_left", "scroll_right", "page_left", "page_right")
TEXTUALS = {
    "select": ("Choose", "Take the line that one stands on"),
    "cursor_up": ("Up", "The line before"),
    "cursor_down": ("Down", "The next line"),
    "first": ("First", "The first line"),
    "last": ("Last", "The last line"),
    "page_up": ("Page up", "A screen back"),
    "page_down": ("Page down", "A screen on"),
    "scroll_up": ("Up", "A line up"),
    "scroll_down": ("Down", "A line down"),
    "scroll_home": ("First", "The first line"),
    "scroll_end": ("Last", "The last line"),
    "app.focus_next": ("Next pane", "Go on to what can be moved in next"),
    "app.focus_previous": ("Pane before", "Back to what could be moved in before"),
    "command_palette": ("All commands", "Find any of these by its name"),
}
"""Our words for the keys that Textual brings along."""


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
        yield Static(hint(("esc", "back"), ("↑ ↓", "scroll"), ("ctrl+p", "all commands")), id="help-keys")

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
    """Each action of a screen with all its keys: those of the screen itself, then general ones, then moving."""
    keys: dict[tuple[str, str], tuple[list[str], Binding]] = {}
    for active in screen.active_bindings.values():
        binding = _worded(active.binding)
        if binding.description and not binding.system and binding.action not in HIDDEN:
            found = keys.setdefault((binding.action, binding.description), ([], binding))
            found[0].append(screen.app.get_key_display(binding))
    return sorted(((" ".join(names), binding) for names, binding in keys.values()), key=lambda found: _rank(found[1]))


def _worded(binding: Binding) -> Binding:
    words, tooltip = TEXTUALS.get(binding.action, (binding.description, binding.tooltip))
    return replace(binding, description=words, tooltip=tooltip)


def _rank(binding: Binding) -> int:
    name = binding.id or MOVING[0]
    return 2 if name.startswith(MOVING) else 1 if name.startswith(GENERAL) else 0


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
    for mark in (*OUTCOMES.values(), WAITING, RUNNING, HELD, WAIVED, LOST, OPEN, NOT_APPLICABLE):
        yield row(Content.assemble(mark.sign, " " * KEYS), mark.words)
    yield row(Content.styled("◀" + " " * KEYS, "$warn"), "a way back")
    yield row(Content.styled("⚑" + " " * KEYS, "bold $fail"), "from there on, dropped data comes back only from backup")
