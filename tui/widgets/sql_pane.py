"""A script, with a place that one stands on. Only what is on the screen is coloured and drawn."""

import asyncio
from bisect import bisect_left
from collections.abc import Sequence
from typing import Any, NamedTuple

from textual import work
from textual.binding import Binding
from textual.content import Content
from textual.events import Click
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual

from tui.palette import Mark
from tui.sql_text import SqlText
from tui.widgets.fold import Rows, part, piece, rows

LONG = 200_000
"""Longer texts, in characters, are wrapped in a thread."""

FOUND = "reverse"
HERE = "bold reverse $busy"


class Marked(NamedTuple):
    """A mark beside the row that holds `offset`; of several, the one with the least `rank`."""

    offset: int
    rank: Any
    mark: Mark


class SqlPane(ScrollView, can_focus=True):
    """Numbered lines, a mark beside each row that a rule speaks of; the statement stood on is shaded."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "SqlPane { overflow: hidden scroll; scrollbar-size-vertical: 1; }"
    COMPONENT_CLASSES = {"sql--here"}
    BINDINGS = [
        Binding("down,j", "move(1)", "Line down", show=False, id="sql.down", tooltip="The next line"),
        Binding("up,k", "move(-1)", "Line up", show=False, id="sql.up", tooltip="The line before"),
        Binding("pagedown,space", "page(1)", "Page down", show=False, id="sql.page_down", tooltip="A screen on"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="sql.page_up", tooltip="A screen back"),
        Binding("home", "first", "Start", show=False, id="sql.home", tooltip="The first line"),
        Binding("end", "last", "End", show=False, id="sql.end", tooltip="The last line"),
    ]

    class Moved(Message):
        """One stands somewhere else, or has seen more of it."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._text = SqlText("", ())
        self._marks: Sequence[Marked] = ()
        self._found: Sequence[int] = ()
        self._found_length = 0
        self._rows = Rows([1])
        self._width = 0
        self.at = 0
        self.seen_end = False

    def show(self, text: SqlText, marks: Sequence[Marked] = ()) -> None:
        """Show another script, from its start. `marks` in the order of their offsets."""
        self._take(text, marks, Rows(_heights(text, self._room(text))), self._room(text))
        self.at, self.seen_end = 0, False
        self.show_found((), 0)
        self.scroll_to(y=0, animate=False, immediate=True)
        self.call_after_refresh(self.look)

    async def complete(self, text: SqlText, marks: Sequence[Marked]) -> None:
        """Show all of what was shown in part; one stays where one is."""
        room = self._room(text)
        self._take(text, marks, Rows(await asyncio.to_thread(_heights, text, room)), room)
        self.look()

    def show_found(self, places: Sequence[int], length: int) -> None:
        """Mark what was searched for."""
        self._found, self._found_length = places, length
        self.refresh()

    @property
    def text(self) -> SqlText:
        """The script that is shown."""
        return self._text

    @property
    def statement(self) -> int | None:
        """The statement that one stands on."""
        return self._text.statement_at(self.at)

    def on_click(self, event: Click) -> None:
        """To the row that was clicked on."""
        self._stand_in(self.scroll_offset.y + event.y)

    def on_resize(self) -> None:
        """Wrap again, and keep in view where one stands."""
        room = self._room(self._text)
        if room != self._width and len(self._text.shown) > LONG:
            self._wrap_long()
        elif room != self._width:
            self._take(self._text, self._marks, Rows(_heights(self._text, room)), room)
        self._bring_into_view()
        self.look()

    @work(exclusive=True, group="wrap")
    async def _wrap_long(self) -> None:
        text = self._text
        rows_of_it = Rows(await asyncio.to_thread(_heights, text, room := self._room(text)))
        if text is self._text:
            self._take(text, self._marks, rows_of_it, room)
            self._bring_into_view()
            self.look()

    def _take(self, text: SqlText, marks: Sequence[Marked], laid_out: Rows, width: int) -> None:
        self._text, self._marks, self._rows, self._width = text, marks, laid_out, width
        self.virtual_size = Size(self.scrollable_content_region.width, len(laid_out))
        self.refresh()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """More of the script has been on the screen."""
        super().watch_scroll_y(old_value, new_value)
        self.look()

    def action_move(self, by: int) -> None:
        """To another row."""
        self._stand_in(self._row() + by)

    def action_page(self, by: int) -> None:
        """A screen on or back."""
        self._stand_in(self._row() + by * max(1, self.size.height - 2))

    def action_first(self) -> None:
        """To the first row."""
        self._stand_in(0)

    def action_last(self) -> None:
        """To the last row."""
        self._stand_in(len(self._rows) - 1)

    def stand_on(self, offset: int) -> None:
        """Move to a place and bring its row into view, with a little around it."""
        self.at = offset
        self._bring_into_view()
        self.look()
        self.refresh()

    def _bring_into_view(self) -> None:
        height = max(1, self.size.height)
        region = Region(0, max(0, self._row() - 2), 1, 5) if height > 5 else Region(0, self._row(), 1, 1)
        self.scroll_to_region(region, animate=False, immediate=True, force=True)

    def _stand_in(self, number: int) -> None:
        line, row = self._rows.at(min(max(number, 0), len(self._rows) - 1))
        self.stand_on(self._text.start(line) + piece(self._text.lines[line], self._width, row)[0])

    def _row(self) -> int:
        """The row that one stands in."""
        line = self._text.line_of(self.at)
        return self._rows.first(line) + part(self._text.lines[line], self._width, self.at - self._text.start(line))

    def render_line(self, y: int) -> Strip:
        """One row of the screen."""
        number = self.scroll_offset.y + y
        if number >= len(self._rows):
            return Strip.blank(self.size.width, self.rich_style)
        line, row = self._rows.at(number)
        begin, end = piece(self._text.lines[line], self._width, row)
        pieces = self._text.pieces(line, begin, end)
        start = self._text.start(line) + begin
        content = Content.assemble(*((text, f"${shade}" if shade else "") for text, shade in pieces))
        content = Content.assemble(
            self._gutter(line, row, start, start + end - begin, here=number == self._row()),
            self._with_found(content, start),
        )
        shaded = number == self._row() or self._stands_on(start, start + end - begin)
        style = self.get_visual_style("sql--here") if shaded else self.visual_style
        strips = Visual.to_strips(self, content, self.size.width, 1, style)
        return strips[0].extend_cell_length(self.size.width, style.rich_style)

    def _with_found(self, content: Content, start: int) -> Content:
        """What was searched for is marked, where it begins in this row or runs on into it."""
        length = self._found_length
        first = bisect_left(self._found, start - length + 1)
        for place in self._found[first : bisect_left(self._found, start + len(content))]:
            looks = HERE if place == self.at else FOUND
            content = content.stylize(looks, max(0, place - start), place - start + length)
        return content

    def _stands_on(self, start: int, end: int) -> bool:
        if self.statement is None:
            return False
        begin, stop = self._text.extent(self.statement)
        return begin < end and start < stop

    def _gutter(self, line: int, row: int, start: int, end: int, *, here: bool) -> Content:
        width = len(str(self._text.count))
        first = bisect_left(self._marks, start, key=_offset)
        marks = self._marks[first : bisect_left(self._marks, max(end, start + 1), key=_offset)]
        sign = min(marks, key=lambda marked: marked.rank).mark.sign if marks else Content(" ")
        number = str(line + 1) if row == 0 else ""
        return Content.assemble(
            ("▸" if here else " ", "bold $busy"), (f"{number:>{width}} ", "$quiet"), sign, ("│ ", "$rule")
        )

    def _room(self, text: SqlText) -> int:
        gutter = len(str(text.count)) + 5
        return max(1, self.scrollable_content_region.width - gutter)

    def look(self) -> None:
        """What is on the screen now has been seen. Where another pane stands in its place, it has no height."""
        height = self.scrollable_content_region.height
        if self._text.whole and height and self.scroll_offset.y + height >= len(self._rows):
            self.seen_end = True
        self.post_message(self.Moved())


def _offset(marked: Marked) -> int:
    return marked.offset


def _heights(text: SqlText, width: int) -> list[int]:
    """How many rows each line takes."""
    return [1 if len(line) <= width and line.isascii() else rows(line, width) for line in text.lines]
