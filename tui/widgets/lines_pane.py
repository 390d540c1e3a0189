"""A long text by lines: only the rows on the screen are drawn."""

from collections.abc import Sequence

from textual.content import Content
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual

from tui.printable import printable
from tui.widgets.fold import fold


class LinesPane(ScrollView, can_focus=True):
    """Plain text, wrapped, as long as it likes."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "LinesPane { overflow: hidden scroll; scrollbar-size-vertical: 1; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: Sequence[str] = ()
        self._rows: list[str] = []
        self._width = 0

    def show(self, text: str) -> None:
        """Show this text, from its start."""
        self._lines = printable(text).replace("\t", "    ").split("\n")
        self._wrap()

    def on_resize(self) -> None:
        """Wrap again."""
        if self._width != self.scrollable_content_region.width:
            self._wrap()

    @property
    def plain(self) -> str:
        """The text as shown."""
        return "\n".join(self._rows)

    def render_line(self, y: int) -> Strip:
        """One row of the screen."""
        number = self.scroll_offset.y + y
        text = self._rows[number] if number < len(self._rows) else ""
        strips = Visual.to_strips(self, self.looks(text), max(1, self._width), 1, self.visual_style)
        return (strips[0] if strips else Strip.blank(0)).extend_cell_length(self.size.width, self.rich_style)

    def looks(self, text: str) -> Content:
        """How a row is drawn: headings of Markdown stand out."""
        return Content.styled(text, "bold $busy" if text.startswith("#") else "")

    def _wrap(self) -> None:
        self._width = max(1, self.scrollable_content_region.width)
        self._rows = [row for line in self._lines for row in fold(line, self._width)]
        self.virtual_size = Size(self._width, len(self._rows))
        self.refresh()
