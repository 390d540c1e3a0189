"""What a step's program or server said."""

from collections import deque

from textual.content import Content
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual

from runbooks.session.view import Line, StepView
from tui.printable import printable
from tui.widgets.fold import hang
from tui.words import plural

SHADES = {"out": "", "err": "$warn", "note": "$busy"}


class OutputPane(ScrollView, can_focus=True):
    """The last lines of an attempt, wrapped; follows the end until it is scrolled away from it."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "OutputPane { overflow: hidden scroll; scrollbar-size-vertical: 1; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._state = StepView()
        self._of: tuple[str, int] = ("", 0)
        self._rows: list[tuple[str, str]] = []
        self._counts: deque[int] = deque()
        self._width = 0
        self._follow = True

    def show(self, step: str, state: StepView) -> None:
        """Show the output of a step's latest attempt."""
        if (step, state.attempt) != self._of:
            self._of, self._follow = (step, state.attempt), True
            self._start_over(state)
        elif self._width != self._room():
            self._start_over(state)
        else:
            self._add(state)

    def on_resize(self) -> None:
        """Wrap again."""
        if self._width != self._room():
            self._start_over(self._state)

    @property
    def plain(self) -> str:
        """What it shows, row by row."""
        return "\n".join(text for text, _ in self._rows)

    def render_line(self, y: int) -> Strip:
        """One row of the screen."""
        number = self.scroll_offset.y + y
        if number >= len(self._rows):
            return Strip.blank(self.size.width, self.rich_style)
        text, stream = self._rows[number]
        content = Content.styled(text, SHADES.get(stream, ""))
        strip = Visual.to_strips(self, content, max(1, self._width), 1, self.visual_style)
        return (strip[0] if strip else Strip.blank(0)).extend_cell_length(self.size.width, self.rich_style)

    def _room(self) -> int:
        return max(1, self.scrollable_content_region.width)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Whoever scrolls away from the end stays there; at the end, it is followed again."""
        super().watch_scroll_y(old_value, new_value)
        self._follow = round(new_value) >= self.max_scroll_y

    def _start_over(self, state: StepView) -> None:
        self._rows.clear()
        self._counts.clear()
        self._width = self._room()
        self._state = StepView()
        self._add(state)

    def _add(self, state: StepView) -> None:
        known = self._state.dropped + len(self._state.lines)
        new = state.dropped + len(state.lines) - known
        if new <= 0 and self._rows:
            return
        self._state = state
        for line in state.lines[-new:] if new > 0 else ():
            self._append(line)
        gone = sum(self._counts.popleft() for _ in range(len(self._counts) - len(state.lines)))
        del self._rows[:gone]
        self._grown(gone)

    def _grown(self, gone: int) -> None:
        """Stay at the end, or with the rows that are looked at."""
        follow, looked_at = self._follow, max(0, round(self.scroll_y) - gone)
        self.virtual_size = Size(self._width, len(self._rows))
        if not follow:
            self.scroll_to(y=looked_at, animate=False, immediate=True, force=True)
        self._follow = follow
        self.call_after_refresh(self._to_end)
        self.refresh()

    def _to_end(self) -> None:
        if self._follow:
            self.scroll_to(y=self.max_scroll_y, animate=False, immediate=True, force=True)

    def _append(self, line: Line) -> None:
        rows = hang(printable(line.text.rstrip("\r")).replace("\t", "    "), self._width)
        self._rows.extend((row, line.stream) for row in rows)
        self._counts.append(len(rows))


def older_words(state: StepView) -> str:
    """What to say of lines that are no longer kept."""
    if not state.dropped:
        return ""
    return f"{plural(state.dropped, 'older line')} only in the journal, from record {state.first_seq} on"
