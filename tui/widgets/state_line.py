"""The one line to look at: the state, and what is wanted."""

from datetime import timedelta

from textual.content import Content
from textual.widgets import Static

from runbooks.session.calls import turn_now
from runbooks.session.pen import whose
from runbooks.session.view import RunView
from tui.printable import one_line
from tui.standing import open_line, standing
from tui.words import Clock, elapsed, moment


class StateLine(Static):
    """Glyph, state in capitals, words; who watches and who has the pen."""

    ALLOW_SELECT = False

    def __init__(self, clock: Clock) -> None:
        super().__init__("", markup=False)
        self._clock = clock
        self._drawn = Content("")

    def show(self, view: RunView, *, gone: bool, has_pen: bool, keys: bool = True) -> None:
        """Show how the session stands; which keys would help only where there are `keys`, and they count."""
        state = standing(view, gone=gone, keys=keys and (has_pen or view.ended is not None))
        parts: list[str | Content | tuple[str, str]] = []
        if keys and not has_pen and view.ended is None and not gone:
            parts.append((f"✎ WATCHING: {one_line(whose(view))} (h takes it)\n", "bold $warn"))
        if words := open_line(view):
            undo = " (u undoes it)" if keys and has_pen and view.ended is None and not gone else ""
            parts.append((f"{words}{undo}\n", "bold $warn"))
        turn = turn_now(view, self._clock()) if view.opened is not None and view.calls and view.ended is None else None
        if turn is not None:
            words = one_line(f"☎ CALL NOW: {turn.contact.who}, {turn.contact.how}")
            parts.append((f"{words}{' (i)' if keys else ''}\n", "bold $warn"))
        parts += [(f"{state.glyph} {state.word}", f"bold ${state.shade}"), "  ", one_line(state.words)]
        if state.kind == "running" and (started := moment(view.step(state.about).started_at)):
            parts.append((f"  {elapsed(self._clock() - started if view.running else timedelta())}", "$quiet"))
        content = Content.assemble(*parts)
        if not content.is_same(self._drawn):
            self._drawn = content
            self.update(content)
