"""The hold point, polled: everything that a GO stands on, and the GO itself, which is typed."""

from collections.abc import Iterator
from datetime import datetime

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from runbooks.session import commands as c
from runbooks.session.pairs import open_pairs
from runbooks.session.runbook import PhaseName, Section
from runbooks.session.view import RunView
from tui.palette import NOT_APPLICABLE, WAIVED, of_step
from tui.printable import one_line, printable
from tui.screens.base import BACK, SessionScreen
from tui.standing import phase_title
from tui.way_back import coming_rows, running_rows, untouched_rows, way_back_rows, window_rows
from tui.widgets.band import Band
from tui.widgets.hold_pane import hold_row, item_row, pair_row, verdict_rows
from tui.widgets.key_bar import hint
from tui.widgets.phase_bar import PhaseBar
from tui.widgets.pile_view import PileView
from tui.widgets.row import Row, row
from tui.words import plural


class HoldPoint(SessionScreen):
    """Polls steps, checklist and waivers. GO is the phase's name, or its initial, and enter."""

    BINDINGS = [
        Binding("up", "scroll(-1)", "Scroll up", show=False, id="list.poll_up", tooltip="A line up"),
        Binding("down", "scroll(1)", "Scroll down", show=False, id="list.poll_down", tooltip="A line down"),
        Binding("pageup", "scroll(-10)", "Page up", show=False, id="list.poll_page_up", tooltip="A screen back"),
        Binding("pagedown", "scroll(10)", "Page down", show=False, id="list.poll_page_down", tooltip="A screen on"),
        BACK,
    ]

    def __init__(self) -> None:
        super().__init__()
        self._phase: PhaseName | None = None

    def compose(self) -> ComposeResult:
        """The poll, then the field, which is there only when nothing holds. This hold point, and no later one."""
        self._phase = self.view.phase
        yield Band(self.gonogo.clock)
        yield PhaseBar()
        yield Static("", markup=False, id="hold-heading")
        with VerticalScroll(id="poll", can_focus=True):
            yield PileView(id="poll-rows")
        yield Static("", markup=False, id="go-label")
        field = Input(id="go")
        field.cursor_blink = False
        yield field
        yield Static("", markup=False, id="go-complaint")
        yield Static("", id="go-keys")

    def show(self, view: RunView) -> None:
        """Poll again; another phase, or the end, closes this."""
        if view.phase != self._phase or view.ended is not None:
            if self.is_current:
                self.dismiss()
            return
        self.query_one(PhaseBar).show(view)
        self.query_one("#hold-heading", Static).update(f"Hold point: {phase_title(view.phase)}")
        self.query_one("#poll-rows", PileView).show(poll_rows(view, self.gonogo.clock()))
        self._show_field(view.gate.ready, view)

    def _show_field(self, ready: bool, view: RunView) -> None:
        field = self.query_one("#go", Input)
        opened = ready and not self.has_class("-ready")
        self.set_class(ready, "-ready")
        field.disabled = not ready
        title = phase_title(view.phase)
        label = f"GO for {title}: type {title[0]} or {title}, then enter" if ready else "GO is not possible yet."
        self.query_one("#go-label", Static).update(label)
        keys = (*((("enter", "GO"),) if ready else ()), ("esc", "back"), ("↑ ↓", "scroll"))
        self.query_one("#go-keys", Static).update(hint(*keys))
        if opened:
            field.focus()
        elif not ready and not field.has_focus:
            self.query_one("#poll").focus()

    def action_scroll(self, by: int) -> None:
        """Scroll the poll, wherever the keys go."""
        self.query_one("#poll").scroll_relative(y=by, animate=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """GO, if it is this phase that was named."""
        event.stop()
        said, phase = event.value.strip().casefold(), self._phase
        if phase is None or not self.view.gate.ready or not self.is_current:
            return
        if said in (phase, phase[0]):
            self.gonogo.send(c.Decide(what="go", phase=phase))
            self.dismiss()
            return
        title = phase_title(phase)
        self.query_one("#go-complaint", Static).update(f"That is not {title}. Type {title[0]} or {title}.")
        event.input.value = ""


def poll_rows(view: RunView, now: datetime) -> Iterator[Row]:
    """All that the decision stands on: what holds or is passed over, what comes, the way back; then what is done."""
    yield from verdict_rows(view)
    section = view.section
    if section is None:
        return
    if not view.gate.ready:
        yield from _holding(view)
        yield from _checklist(view, section)
        yield row("", "")
    yield from (pair_row(pair, "  ", keys=False) for pair in open_pairs(view))
    yield from _waived(view)
    if view.gate.ready:
        yield from _not_applicable(view, section)
    yield from untouched_rows(view)
    yield from coming_rows(view)
    yield from window_rows(view)
    if ways := way_back_rows(view, now, keys=False):
        yield row("", "")
        yield from ways
    if view.gate.ready:
        yield from _checklist(view, section)
    yield from _steps(view, section)
    if running := list(running_rows(view)):
        yield from _heading("What runs after GO")
        yield from running


def _holding(view: RunView) -> Iterator[Row]:
    """What holds, but for the items: their list is the next."""
    holds = [hold for hold in view.gate.holds if hold.kind not in ("item", "undo")]
    if holds:
        yield from _heading("Holding")
        yield from (hold_row(view, hold, keys=False) for hold in holds)


def _checklist(view: RunView, section: Section) -> Iterator[Row]:
    items = view.active_items(section)
    if items:
        yield from _heading("Checklist")
        yield from (item_row(view, item, gap="  ") for item in items)


def _steps(view: RunView, section: Section) -> Iterator[Row]:
    steps = view.active_steps(section)
    if steps:
        yield from _heading("Steps")
    for step in steps:
        mark = of_step(view.step(step.id), waived=step.id in view.waivers)
        words = (f"  {mark.word}", f"${mark.shade}")
        yield row(Content.assemble(mark.sign, " "), one_line(step.title), words, _checks(view, step.id))


def _waived(view: RunView) -> Iterator[Row]:
    """The waivers of what stands open. A waived item says so itself."""
    section = view.section
    steps = {step.id for step in view.active_steps(section)} if section else set()
    for subject, waiver in view.waivers.items():
        if subject.partition("/")[0] in steps:
            by = (f"  {one_line(waiver.by.name)}", "$quiet")
            yield row(Content.assemble(WAIVED.sign, " "), f"waived {one_line(subject)}: ", printable(waiver.reason), by)


def _not_applicable(view: RunView, section: Section) -> Iterator[Row]:
    """The items that somebody said do not apply, each with the reason. No waivers: nothing is passed over."""
    for item in view.active_items(section):
        ticked = view.items.get(item.id)
        if ticked is not None and ticked.state == "not_applicable":
            by = (f"  {one_line(ticked.by.name)}", "$quiet")
            head = Content.assemble(NOT_APPLICABLE.sign, " ")
            yield row(head, "not applicable ", printable(item.text), ": ", printable(ticked.reason), by)


def _heading(words: str) -> Iterator[Row]:
    yield row("", "")
    yield row("", (words, "bold $quiet"))


def _checks(view: RunView, step: str) -> tuple[str, str]:
    checks = view.step(step).checks
    if not checks:
        return "", ""
    green = sum(check.outcome == "ok" for check in checks)
    waived = sum(f"{step}/{check.id}" in view.waivers for check in checks)
    return f", {green} of {plural(len(checks), 'check')} green" + (f", {waived} waived" if waived else ""), "$quiet"
