"""The keys that make sense now, as they are really bound."""

from collections.abc import Mapping, Sequence

from textual.binding import Binding
from textual.content import Content
from textual.screen import Screen
from textual.style import Style
from textual.widgets import Static

GAP = "  "
LINES = 2


class KeyBar(Static):
    """Keys and their words, most wanted first; two lines at the most. A click works as the key does."""

    ALLOW_SELECT = False

    def __init__(self) -> None:
        super().__init__("", markup=False)
        self.auto_links = False
        self._actions: tuple[str, ...] = ()
        self._fixed: tuple[tuple[str, str], ...] = ()
        self._words: Mapping[str, str] = {}

    def show(self, actions: Sequence[str], *fixed: tuple[str, str], words: Mapping[str, str] = {}) -> None:
        """Show the keys of these actions, in this order, after keys that are fixed.

        `words` are for actions that are called otherwise now than where they are bound.
        """
        if (tuple(actions), fixed, words) != (self._actions, self._fixed, self._words):
            self._actions, self._fixed, self._words = tuple(actions), fixed, words
            self._draw()

    def on_resize(self) -> None:
        """The width decides how many fit."""
        self._draw()

    def _draw(self) -> None:
        bound = bindings_of(self.screen)
        pieces = [hint(pair) for pair in self._fixed]
        pieces += [self._piece(action, bound[action]) for action in self._actions if action in bound]
        width = self.content_size.width or self.app.size.width - 2
        lines = [Content("")]
        for piece in pieces:
            joined = Content.assemble(lines[-1], GAP, piece) if lines[-1] else piece
            if joined.cell_length <= width:
                lines[-1] = joined
            else:
                lines.append(piece)
        self.update(Content("\n").join(lines[:LINES]))

    def _piece(self, action: str, binding: Binding) -> Content:
        key = self.app.get_key_display(binding)
        click = Style.from_meta({"@click": f"screen.press({binding.key!r})"})
        piece = Content.assemble((key, "bold $busy"), " ", self._words.get(action, binding.description))
        return piece.stylize(click)


def hint(*pairs: tuple[str, str]) -> Content:
    """Keys and their words, where the keys are fixed: in dialogs, enter and escape."""
    return Content(GAP).join(Content.assemble((key, "bold $busy"), " ", words) for key, words in pairs)


def bindings_of(screen: Screen[object]) -> dict[str, Binding]:
    """The binding of each action that is active on a screen, its first key first."""
    bound: dict[str, Binding] = {}
    for active in screen.active_bindings.values():
        bound.setdefault(active.binding.action, active.binding)
    return bound
