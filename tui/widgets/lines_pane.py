"""A long text by rows: only those on the screen are drawn."""

from collections.abc import Sequence

from textual.content import Content
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual

from tui.widgets.fold import Rows, piece, rows
from tui.widgets.row import Row


class LinesPane(ScrollView, can_focus=True):
    """Rows, wrapped, as many as there are."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "LinesPane { overflow: hidden scroll; scrollbar-size-vertical: 1; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: Sequence[Row] = ()
        self._rows = Rows([])
        self._width = 0

    def show(self, lines: Sequence[Row]) -> None:
        """Show these rows, from the first one."""
        self._lines = lines
        self._wrap()
        self.scroll_home(animate=False)

    def on_resize(self) -> None:
        """Wrap again."""
        if self._width != self.scrollable_content_region.width:
            self._wrap()

    def render_line(self, y: int) -> Strip:
        """One row of the screen."""
        number = self.scroll_offset.y + y
        content = self._drawn(number) if number < len(self._rows) else Content("")
        strips = Visual.to_strips(self, content, max(1, self._width), 1, self.visual_style)
        return (strips[0] if strips else Strip.blank(0)).extend_cell_length(self.size.width, self.rich_style)

    def _drawn(self, number: int) -> Content:
        """What wraps goes on beside its head, not below it."""
        line, part = self._rows.at(number)
        head, body = self._lines[line].head, self._lines[line].body
        begin, end = piece(body.plain, self._room(self._lines[line]), part)
        return Content.assemble(head if part == 0 else " " * head.cell_length, body[begin:end])

    def _room(self, line: Row) -> int:
        return max(1, self._width - line.head.cell_length)

    def _wrap(self) -> None:
        self._width = max(1, self.scrollable_content_region.width)
        self._rows = Rows([rows(line.body.plain, self._room(line)) for line in self._lines])
        self.virtual_size = Size(self._width, len(self._rows))
        self.refresh()
