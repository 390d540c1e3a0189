"""How a session stands, in panes: what every screen shows that follows one, whether it may act or not."""

from collections.abc import Iterable

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import OptionList

from runbooks.session.view import RunView
from tui.screens.base import SessionScreen
from tui.screens.contacts import Contacts
from tui.screens.review import Review
from tui.screens.see_also import SeeAlso
from tui.standing import phase_title
from tui.widgets.band import Band
from tui.widgets.detail_pane import DetailPane
from tui.widgets.hold_pane import HoldPane
from tui.widgets.key_bar import KeyBar
from tui.widgets.phase_bar import PhaseBar
from tui.widgets.state_line import StateLine
from tui.widgets.steps_pane import StepsPane
from tui.widgets.tab_bar import TabBar
from tui.words import Clock

PANES = ("steps", "detail", "hold")


class RunPanes(SessionScreen):
    """Steps, the chosen step, the hold point. Reads only."""

    acts = True
    """Its keys may be named beside what they would change."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self._steps = StepsPane(id="steps")
        self._detail = DetailPane(clock, id="detail")
        self._hold = HoldPane(clock, id="hold", keys=self.acts)
        self._panes = {"steps": self._steps, "detail": self._detail, "hold": self._hold}
        self._tabs = TabBar()
        self._pane = "steps"

    def compose(self) -> ComposeResult:
        """Band, phases, state, the panes, the keys."""
        yield Band(self._clock)
        yield from self.above()
        yield PhaseBar()
        yield StateLine(self._clock)
        yield self._tabs
        with Horizontal(id="panes"):
            yield from self._panes.values()
        yield KeyBar()

    def above(self) -> Iterable[Widget]:
        """What else stands below the band."""
        return ()

    def begin(self) -> None:
        """The steps are looked at first."""
        self.action_pane("steps")

    def show(self, view: RunView) -> None:
        """Show the session as it stands."""
        self.query_one(PhaseBar).show(view)
        line = self.query_one(StateLine)
        line.show(view, gone=self.gonogo.gone, has_pen=self.gonogo.has_pen, keys=self.acts)
        self._steps.border_title = phase_title(view.phase)
        self._steps.show(view)
        self._detail.show(view, self._steps.chosen)
        self._hold.show(view)
        self._show_tabs(view)

    # Panes ------------------------------------------------------------------------------------

    @property
    def narrow(self) -> bool:
        """Only one pane is shown."""
        return self.has_class("-narrow")

    def action_pane(self, name: str) -> None:
        """Show a pane, and let the keys move in it."""
        self._pane = name
        for pane in PANES:
            self._panes[pane].set_class(pane == name, "-shown")
        self._show_tabs(self.view)
        match name:
            case "steps":
                self._steps.focus_list()
            case "detail":
                self._detail.focus_scroll()
            case _:
                self._hold.focus_list()

    def action_next_pane(self) -> None:
        """Go on to the next pane."""
        before = self.focused
        after = self.focus_next()
        chain = self.focus_chain
        places = [chain.index(widget) for widget in (before, after) if widget in chain]
        wrapped = len(places) < 2 or places[1] <= places[0]
        if self.narrow and wrapped:
            self.action_pane(PANES[(PANES.index(self._pane) + 1) % len(PANES)])

    def on_descendant_focus(self) -> None:
        """Tab or the mouse moved on to another pane."""
        self._pane = next((name for name, pane in self._panes.items() if pane.has_focus_within), self._pane)

    def _show_tabs(self, view: RunView) -> None:
        count = len(view.gate.holds) if view.section is not None else 0
        hold = "Hold point" + (f" ({count})" if count else "")
        self._tabs.show({"steps": "Steps", "detail": "Detail", "hold": hold}, self._pane)

    def on_steps_pane_selected(self, event: StepsPane.Selected) -> None:
        """Another step is looked at."""
        self._detail.show(self.view, event.step)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter on a step: look at it closely."""
        if event.option_list.id == "steps-list":
            self.action_pane("detail")

    def action_review(self, migration: str = "") -> None:
        """Read the pending scripts."""
        if not (self.view.to_review or (self.view.plan and self.view.plan.applied)):
            self.say("No script is pending, and none is applied.")
        else:
            self.app.push_screen(Review(self._clock, migration))

    def action_see(self) -> None:
        """Read what the runbook points to, first what the chosen step does."""
        documents = self.view.runbook.documents if self.view.opened is not None else ()
        if not documents:
            self.say("The runbook points to no other document.")
            return
        step = self.view.runbook.step(self._steps.chosen or "")
        self.app.push_screen(SeeAlso(step.see if step else ""))

    def action_contacts(self) -> None:
        """Whom to call."""
        self.app.push_screen(Contacts())
