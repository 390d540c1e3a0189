"""A list of very many lines to choose from: each entry takes the same few rows, and only what is seen is made."""

from collections.abc import Callable, Sequence

from textual import events
from textual.binding import Binding
from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual

Draw = Callable[[int], Sequence[Content]]
"""The rows of an entry, by its number."""


class LongList(ScrollView, can_focus=True):
    """Moves as other lists do. Who fills it says which entry is chosen when the entries change."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES = {"long-list--chosen"}
    BINDINGS = [
        Binding("down,j", "move(1)", "Down", show=False, id="list.down", tooltip="The next line of the list"),
        Binding("up,k", "move(-1)", "Up", show=False, id="list.up", tooltip="The line before in the list"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="list.page_down", tooltip="A screen on"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="list.page_up", tooltip="A screen back"),
        Binding("home", "go(0)", "First", show=False, id="list.first", tooltip="The first line"),
        Binding("end", "go(-1)", "Last", show=False, id="list.last", tooltip="The last line"),
        Binding("enter", "select", "Choose", show=False, id="list.choose", tooltip="Take the line that one stands on"),
    ]

    class Moved(Message):
        """Another entry is chosen."""

    class Selected(Message):
        """Enter, or a click on the entry that is chosen."""

    def __init__(self, *, id: str, classes: str = "pane") -> None:
        super().__init__(id=id, classes=classes)
        self.chosen = 0
        self.count = 0
        self._each = 1
        self._draw_entry: Draw = lambda _: ()

    def show(self, count: int, draw: Draw, *, each: int = 1, chosen: int | None = None) -> None:
        """Show so many entries of `each` rows; one stands on `chosen`, else where one stood."""
        self.count, self._draw_entry, self._each = count, draw, each
        self.chosen = max(0, min(self.chosen if chosen is None else chosen, count - 1))
        size = Size(self.scrollable_content_region.width, count * each)
        if size != self.virtual_size:
            self.virtual_size = size
        self._bring_into_view()
        self.refresh()

    def choose(self, number: int) -> None:
        """Stand on an entry."""
        number = max(0, min(number, self.count - 1))
        if number != self.chosen and self.count:
            self.chosen = number
            self._bring_into_view()
            self.refresh()
            self.post_message(self.Moved())

    def on_resize(self) -> None:
        """What is chosen stays in view."""
        self._bring_into_view()

    def render_line(self, y: int) -> Strip:
        """One row of the screen."""
        width = self.scrollable_content_region.width
        number, part = divmod(self.scroll_offset.y + y, self._each)
        rows = self._draw_entry(number) if number < self.count else ()
        content = (rows[part] if part < len(rows) else Content("")).truncate(max(1, width), ellipsis=True)
        is_chosen = number == self.chosen and number < self.count
        style = self.get_visual_style("long-list--chosen") if is_chosen else self.visual_style
        strips = Visual.to_strips(self, content, max(1, width), 1, style)
        return (strips[0] if strips else Strip.blank(0)).extend_cell_length(width, style.rich_style)

    def action_move(self, by: int) -> None:
        """So many entries on."""
        self.choose(self.chosen + by)

    def action_page(self, by: int) -> None:
        """A screen on, or back."""
        self.choose(self.chosen + by * max(1, self.scrollable_content_region.height // self._each))

    def action_go(self, number: int) -> None:
        """To the first, or to the last."""
        self.choose(number if number >= 0 else self.count + number)

    def action_select(self) -> None:
        """Take it."""
        if self.count:
            self.post_message(self.Selected())

    def on_click(self, event: events.Click) -> None:
        """Choose what is clicked on; the second time, take it."""
        number = (event.get_content_offset_capture(self).y + self.scroll_offset.y) // self._each
        if number == self.chosen:
            self.action_select()
        else:
            self.choose(number)

    def _bring_into_view(self) -> None:
        region = Region(0, self.chosen * self._each, max(1, self.virtual_size.width), self._each)
        self.scroll_to_region(region, animate=False, immediate=True, force=True)
