"""One line in which words are typed that a list must have; the list follows while they are typed."""

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static


class FilterLine(Horizontal):
    """Hidden until it is asked for, and for as long as nothing stands in it."""

    class Changed(Message):
        """Other words."""

    class Left(Message):
        """Whoever typed goes back to the list."""

    def __init__(self) -> None:
        super().__init__(id="filter-line")
        self._input = Input(placeholder="words that each must have; enter goes to the list", id="filter")

    def compose(self) -> ComposeResult:
        """The field."""
        yield Static("/", markup=False, id="filter-sign")
        yield self._input

    def on_mount(self) -> None:
        """Nothing is asked for yet."""
        self._input.cursor_blink = False
        self.display = False

    @property
    def words(self) -> tuple[str, ...]:
        """What is typed, in words, whatever their case."""
        return tuple(self._input.value.casefold().split())

    @property
    def asks(self) -> bool:
        """Keys are typed into it now."""
        return self._input.has_focus

    def ask(self) -> None:
        """Let words be typed."""
        self.display = True
        self._input.focus()

    def clear(self) -> None:
        """No words."""
        self._input.value = ""

    def on_input_changed(self, event: Input.Changed) -> None:
        """A letter more, or less."""
        event.stop()
        self.post_message(self.Changed())

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """The words are there."""
        event.stop()
        self.leave()

    def leave(self) -> None:
        """Back to the list; what was typed goes on counting."""
        self.display = bool(self.words)
        self.post_message(self.Left())
