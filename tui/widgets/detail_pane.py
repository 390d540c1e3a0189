"""One step, closely: what it does, what it found, what failed, what it said."""

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from runbooks.session.view import RunView
from tui.printable import one_line
from tui.standing import title_of
from tui.widgets.output_pane import OutputPane, older_words
from tui.widgets.pile_view import PileView
from tui.widgets.step_rows import step_rows
from tui.words import Clock


class DetailPane(Vertical):
    """The findings of a step above its output."""

    def __init__(self, clock: Clock, *, id: str) -> None:
        super().__init__(id=id, classes="pane")
        self._clock = clock
        self._rows = PileView(id="detail-rows")
        self._scroll = VerticalScroll(self._rows, id="detail-scroll")
        self._heading = Static("", markup=False, id="output-heading")
        self._output = OutputPane(id="output")
        self._step: str | None = None
        self._title = ""

    def compose(self) -> ComposeResult:
        """The rows, then what was said."""
        yield self._scroll
        yield self._heading
        yield self._output

    def show(self, view: RunView, step: str | None) -> None:
        """Show one step as it stands."""
        state = view.step(step or "")
        if step != self._step:
            self._step = step
            self._scroll.scroll_home(animate=False)
        title = one_line(title_of(view, step or "opening"))
        if title != self._title:
            self._title = title
            self.border_title = Content(title)
        self._rows.show(step_rows(view, step, self._clock()) if step else ())
        talks = bool(state.lines)
        self.set_class(talks, "-talks")
        if talks:
            self._heading.update(" · ".join(filter(None, ("Output", older_words(state)))))
            self._output.show(step or "", state)

    def focus_scroll(self) -> None:
        """Let the keys scroll."""
        self._scroll.focus()
