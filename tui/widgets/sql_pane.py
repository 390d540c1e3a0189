"""A script, with a line that one stands on. Only what is on the screen is coloured and drawn."""

from collections.abc import Mapping

from textual.binding import Binding
from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual

from tui.palette import Mark
from tui.sql_text import SqlText
from tui.widgets.fold import Rows, piece, rows


class SqlPane(ScrollView, can_focus=True):
    """Numbered lines, a mark beside each line that a rule speaks of; the statement stood on is shaded."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "SqlPane { overflow: hidden scroll; scrollbar-size-vertical: 1; }"
    COMPONENT_CLASSES = {"sql--here"}
    BINDINGS = [
        Binding("down,j", "move(1)", "Line down", show=False, id="sql.down", tooltip="The next line"),
        Binding("up,k", "move(-1)", "Line up", show=False, id="sql.up", tooltip="The line before"),
        Binding("pagedown,space", "page(1)", "Page down", show=False, id="sql.page_down", tooltip="A screen on"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="sql.page_up", tooltip="A screen back"),
        Binding("home", "go(0)", "Start", show=False, id="sql.home", tooltip="The first line"),
        Binding("end", "go(-1)", "End", show=False, id="sql.end", tooltip="The last line"),
    ]

    class Moved(Message):
        """One stands on another line, or has seen more of it."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._text = SqlText("", ())
        self._marks: Mapping[int, Mark] = {}
        self._lines: list[str] = [""]
        self._rows = Rows([1])
        self._width = 0
        self.cursor = 0
        self.seen_end = False

    def show(self, text: SqlText, marks: Mapping[int, Mark]) -> None:
        """Show another script from its start. `marks` are by line, from 0."""
        self._text, self._marks, self._lines = text, marks, text.lines()
        self.cursor, self.seen_end = 0, False
        self._lay_out()
        self.scroll_to(y=0, animate=False, immediate=True)
        self.call_after_refresh(self._moved)

    @property
    def text(self) -> SqlText:
        """The script that is shown."""
        return self._text

    @property
    def line_count(self) -> int:
        """Lines of the script."""
        return len(self._lines)

    def on_resize(self) -> None:
        """Wrap again."""
        if self._room() != self._width:
            self._lay_out()
        self._moved()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """More of the script has been on the screen."""
        super().watch_scroll_y(old_value, new_value)
        self._moved()

    def action_move(self, by: int) -> None:
        """To another line."""
        self.stand_on(self.cursor + by)

    def action_page(self, by: int) -> None:
        """A screen on or back."""
        row = self._rows.first(self.cursor) + by * max(1, self.size.height - 2)
        self.stand_on(self._rows.at(min(max(row, 0), len(self._rows) - 1))[0])

    def action_go(self, line: int) -> None:
        """To the first or the last line."""
        self.stand_on(line if line >= 0 else len(self._lines) - 1)

    def stand_on(self, line: int) -> None:
        """Move to a line and bring it into view, with a little around it."""
        self.cursor = min(max(line, 0), len(self._lines) - 1)
        first = self._rows.first(self.cursor)
        height = self._rows.first(self.cursor + 1) - first
        region = Region(0, max(0, first - 2), 1, min(height + 4, max(1, self.size.height)))
        self.scroll_to_region(region, animate=False, immediate=True, force=True)
        self._moved()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One row of the screen."""
        number = self.scroll_offset.y + y
        if number >= len(self._rows):
            return Strip.blank(self.size.width, self.rich_style)
        line, part = self._rows.at(number)
        begin, end = piece(self._lines[line], self._width, part)
        pieces = self._text.pieces(line, begin, end)
        coloured = ((text, f"${shade}" if shade else "") for text, shade in pieces)
        content = Content.assemble(self._gutter(line, part), *coloured)
        style = self.get_visual_style("sql--here") if self._stands_on(line) else self.visual_style
        strips = Visual.to_strips(self, content, self.size.width, 1, style)
        return strips[0].extend_cell_length(self.size.width, style.rich_style)

    def _stands_on(self, line: int) -> bool:
        here, other = self._text.statements(self.cursor), self._text.statements(line)
        return line == self.cursor or (bool(other) and other[0] in here and self._first(other) <= line)

    def _first(self, statements: range) -> int:
        return self._text.first_line(statements[0])

    def _gutter(self, line: int, part: int) -> Content:
        width = len(str(len(self._lines)))
        here = "▸" if line == self.cursor and part == 0 else " "
        number = str(line + 1) if part == 0 else ""
        mark = self._marks.get(line) if part == 0 else None
        sign = mark.sign if mark else Content(" ")
        return Content.assemble((here, "bold $busy"), (f"{number:>{width}} ", "$quiet"), sign, ("│ ", "$rule"))

    def _room(self) -> int:
        gutter = len(str(len(self._lines))) + 5
        return max(1, self.scrollable_content_region.width - gutter)

    def _lay_out(self) -> None:
        self._width = self._room()
        self._rows = Rows([rows(line, self._width) for line in self._lines])
        self.virtual_size = Size(self.scrollable_content_region.width, len(self._rows))
        self.refresh()

    def _moved(self) -> None:
        height = self.scrollable_content_region.height
        if height and self.scroll_offset.y + height >= len(self._rows):
            self.seen_end = True
        self.post_message(self.Moved())
