"""A list that keeps its place while what it lists changes."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual.binding import Binding
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui.widgets.row import Row


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of a list. A heading cannot be chosen."""

    id: str
    row: Row
    heading: bool = False


class Choices(OptionList):
    """Lines to choose from; `j` and `k` move as the arrows do."""

    ALLOW_SELECT = False
    BINDINGS = [
        Binding("j", "cursor_down", "Down", show=False, id="list.down", tooltip="The next line of the list"),
        Binding("k", "cursor_up", "Up", show=False, id="list.up", tooltip="The line before in the list"),
    ]

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes, markup=False)
        self._shown: tuple[Choice, ...] = ()

    def show(self, choices: Sequence[Choice]) -> None:
        """Show these lines; what was chosen stays chosen, if it is still there."""
        before, self._shown = self._shown, tuple(choices)
        if [(c.id, c.heading) for c in before] == [(c.id, c.heading) for c in choices]:
            for index, (old, new) in enumerate(zip(before, choices, strict=True)):
                if not old.row.same(new.row):
                    self.replace_option_prompt_at_index(index, new.row)
            return
        chosen = self.chosen
        with self.prevent(OptionList.OptionHighlighted):
            self.set_options([Option(c.row, id=c.id, disabled=c.heading) for c in choices])
            self.choose(chosen)
            if self.highlighted is None:
                self.action_first()

    def choose(self, name: str | None) -> None:
        """Move to the line of that id, saying nothing of it."""
        index = next((n for n, c in enumerate(self._shown) if c.id == name and not c.heading), None)
        if index is not None and index != self.highlighted:
            with self.prevent(OptionList.OptionHighlighted):
                self.highlighted = index

    @property
    def chosen(self) -> str | None:
        """The id of the line that is chosen."""
        option = self.highlighted_option
        return option.id if option else None
