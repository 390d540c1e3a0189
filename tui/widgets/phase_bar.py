"""The six phases, what is behind, what is ahead, and from where there is no return."""

from textual.content import Content
from textual.widgets import Static

from runbooks.session.runbook import PHASES, PhaseName
from runbooks.session.view import RunView
from tui.palette import OUTCOMES, RUNNING, WAITING, Mark
from tui.printable import one_line
from tui.standing import phase_title

HELD = Mark("■", "held", "warn")
AHEAD: tuple[str, ...] = (" ── ", " ─ ", "  ", " ")


class PhaseBar(Static):
    """One line; where the phases do not fit, it says which of the six stands open."""

    ALLOW_SELECT = False

    def __init__(self) -> None:
        super().__init__("", markup=False)
        self._view = RunView()

    def show(self, view: RunView) -> None:
        """Show where the session stands."""
        before, self._view = self._view, view
        if _what_matters(before) != _what_matters(view):
            self._draw()

    def on_resize(self) -> None:
        """The width decides how the phases are joined."""
        self._draw()

    def _draw(self) -> None:
        width = self.content_size.width or self.app.size.width - 2
        drawn = (bar(self._view, joint) for joint in AHEAD)
        self.update(next((line for line in drawn if line.cell_length <= width), short_bar(self._view)))


def _what_matters(view: RunView) -> tuple[object, ...]:
    return (view.opened is None, view.phase, view.option, view.passed, view.refused, view.ended, view.plan)


def bar(view: RunView, joint: str) -> Content:
    """All phases on one line, joined by `joint`."""
    if view.phase == "rollback":
        return _rollback(view)
    parts: list[Content] = []
    if view.phase in (None, "opening"):
        parts.append(_phase("opening", RUNNING))
    for phase in PHASES:
        parts.append(_phase(phase, mark_of(view, phase)))
        if phase == "migrate" and "destructive" in view.conditions:
            parts.append(Content.styled("⚑ no return" if len(joint) > 1 else "⚑", "bold $fail"))
    return Content.styled(joint, "$rule").join(parts)


def short_bar(view: RunView) -> Content:
    """Only the phase that stands open, and its place among the six."""
    if view.phase == "rollback":
        return _rollback(view)
    phase = view.phase or "opening"
    place = f"  ({PHASES.index(phase) + 1} of {len(PHASES)})" if phase in PHASES else ""
    return Content.assemble(_phase(phase, mark_of(view, phase)), (place, "$quiet"))


def mark_of(view: RunView, phase: PhaseName) -> Mark:
    """How one phase stands."""
    if phase in view.passed:
        return OUTCOMES["ok"]
    if phase != (view.phase or "opening"):
        return WAITING
    return OUTCOMES["fail"] if view.refused else HELD if view.ended else RUNNING


def _phase(phase: PhaseName, mark: Mark) -> Content:
    weight = "bold " if mark is not WAITING else ""
    return Content.styled(f"{mark.glyph} {phase_title(phase)}", f"{weight}${mark.shade}")


def _rollback(view: RunView) -> Content:
    title = view.section.title if view.section else view.option or ""
    return Content.styled(f"◀ Rollback: {one_line(title)}", "bold $warn")
