"""The steps of what stands open."""

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList

from runbooks.session.pairs import open_pairs
from runbooks.session.runbook import Step
from runbooks.session.view import RunView
from tui.palette import of_step
from tui.printable import one_line
from tui.reading import reading_rows
from tui.standing import reading_next
from tui.widgets.choices import Choice, Choices
from tui.widgets.pile_view import PileView
from tui.widgets.row import Row
from tui.words import took

WIDE = 50
"""From this many columns on, a step and how it stands share a line."""

OPENING = Step(id="opening", title="Opening", uses="opening", effect="reads")


class StepsPane(Vertical):
    """A list of steps, and the phase's own words below it. The choice follows what runs until a person moves it."""

    class Selected(Message):
        """A person chose another step."""

        def __init__(self, step: str) -> None:
            super().__init__()
            self.step = step

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, classes="pane")
        self._list = Choices(id="steps-list")
        self._prose = PileView(id="prose")
        self._follow = True
        self._current: str | None = None
        self._place: object = None
        self._view = RunView()

    def compose(self) -> ComposeResult:
        """The list above, the prose below."""
        yield self._list
        with VerticalScroll(id="prose-scroll", can_focus=True):
            yield self._prose

    def show(self, view: RunView) -> None:
        """Show the steps as they stand."""
        self._view = view
        place = (view.phase, view.option)
        if place != self._place:
            self._place, self._follow = place, True
            prose = view.section.prose if view.section else ""
            self._prose.show(reading_rows(prose))
        self._list_steps()
        self._current = current_step(view)
        if self._follow:
            self._list.choose(self._current)

    def on_resize(self) -> None:
        """The width decides how many lines a step takes."""
        self._list_steps()

    def _list_steps(self) -> None:
        gap = "  " if self.size.width >= WIDE else "\n"
        self._list.show([Choice(step.id, _row(self._view, step, gap)) for step in steps_of(self._view)])

    @property
    def chosen(self) -> str | None:
        """The id of the chosen step."""
        return self._list.chosen

    def choose(self, step: str) -> None:
        """Choose a step, as a person would."""
        self._list.choose(step)
        self._chosen_by_hand(step)

    def focus_list(self) -> None:
        """Let the keys move in the list."""
        self._list.focus()

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """A person moved in the list."""
        event.stop()
        if event.option_id is not None:
            self._chosen_by_hand(event.option_id)

    def _chosen_by_hand(self, step: str) -> None:
        self._follow = step == self._current
        self.post_message(self.Selected(step))


def steps_of(view: RunView) -> tuple[Step, ...]:
    """The steps to show: of what stands open, earlier ones that have grown too old, and what undoes from elsewhere."""
    if view.opened is None or view.section is None:
        return (OPENING,)
    here = view.active_steps(view.section)
    stale = {hold.subject for hold in view.gate.holds if hold.kind == "stale"} - {step.id for step in here}
    undoing = {pair.undo.id for pair in open_pairs(view) if view.step(pair.undo.id).status != "waiting"}
    elsewhere = tuple(step for step in view.runbook.steps() if step.id in undoing and step not in here)
    return (*(step for step in view.runbook.steps() if step.id in stale), *here, *elsewhere)


def current_step(view: RunView) -> str | None:
    """The step to look at: the one that runs, or waits, or has just ended."""
    if view.running is not None:
        return view.running
    if (step := view.next_start or reading_next(view)) is not None:
        return step.id
    ended = [s.id for s in steps_of(view) if view.step(s.id).status != "waiting"]
    holding = {hold.subject.partition("/")[0] for hold in view.gate.holds} if view.section else set()
    bad = [name for name in ended if name in holding]
    latest = sorted(ended, key=lambda name: view.step(name).ended_at)
    return bad[0] if bad else latest[-1] if latest else None


def _row(view: RunView, step: Step, gap: str) -> Row:
    state = view.step(step.id)
    mark = of_step(state, waived=step.id in view.waivers)
    words = mark.word
    if state.status == "ended":
        words += f" · {took(state.took)}" + (f" · attempt {state.attempt}" if state.attempt > 1 else "")
    weight = "bold" if state.status == "running" else ""
    title = Content.styled(one_line(step.title), weight) if weight else Content(one_line(step.title))
    return Row(Content.assemble(mark.sign, " "), Content.assemble(title, gap, (words, f"${mark.shade}")))
