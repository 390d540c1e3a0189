"""One line below a script: where words are typed that are looked for, and how many places have them."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from tui.printable import printable
from tui.sql_search import MOST
from tui.widgets.key_bar import hint
from tui.words import plural


class SearchLine(Horizontal):
    """Hidden until it is asked for; holds what was found."""

    class Sought(Message):
        """These words are wanted; none: no longer any."""

        def __init__(self, words: str) -> None:
            super().__init__()
            self.words = words

    def __init__(self, where: str = "this script") -> None:
        super().__init__(id="search-line")
        self._where = where
        self.words = ""
        self.places: Sequence[int] = ()
        self._input = Input(placeholder="words to search for; enter goes to the next place, escape leaves", id="search")
        self._said = Static("", markup=False, id="found")

    def compose(self) -> ComposeResult:
        """The field, or what was found."""
        yield Static("/", markup=False, id="search-sign")
        yield self._input
        yield self._said

    def on_mount(self) -> None:
        """Nothing is sought yet."""
        self._input.cursor_blink = False
        self._input.display = self.display = False

    @property
    def asks(self) -> bool:
        """Keys are typed into it now."""
        return self._input.has_focus

    def ask(self) -> None:
        """Ask for words; those of the last time are there to be typed over."""
        self.display = self._input.display = True
        self._said.display = False
        self._input.value = self.words
        self._input.action_select_all()
        self._input.focus()

    def leave(self) -> None:
        """No longer ask; what was found before stays."""
        self._input.display = False
        self._said.display = True
        self.display = bool(self.words)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """The words are there."""
        event.stop()
        self.words, self.places = event.value, ()
        self.leave()
        self.post_message(self.Sought(self.words))

    def begin(self) -> None:
        """Say that it takes its time."""
        self._said.update(Content.assemble((printable(self.words), "bold"), "  …"))

    def next(self, at: int, by: int) -> int | None:
        """The place after one, or before it; None if there is none."""
        number = bisect_right(self.places, at) if by > 0 else bisect_left(self.places, at) - 1
        return self.places[number] if 0 <= number < len(self.places) else None

    def show(self, places: Sequence[int], at: int) -> None:
        """Say what was found, and which place of these one stands on."""
        self.places = places
        number = bisect_left(places, at) + 1
        count = f"{MOST} places or more" if len(places) >= MOST else plural(len(places), "place")
        stands = f", this is number {number}" if number <= len(places) and places[number - 1] == at else ""
        words = count + stands if places else f"nowhere in {self._where}"
        keys = hint(("n", "next"), ("N", "before"))
        self._said.update(Content.assemble((printable(self.words), "bold"), f"  {words}  ", keys))
