"""The screen that a session is run from."""

from runbooks.session import commands as c
from runbooks.session.events import QuestionAsked
from runbooks.session.looked import LOGS
from runbooks.session.pairs import Pair, open_pairs
from runbooks.session.runbook import Item, Step
from runbooks.session.view import RunView
from tui.face import Hold
from tui.printable import one_line, printable
from tui.screens.confirm import Asked, Confirm
from tui.screens.decisions import Decisions
from tui.screens.logs import Logs
from tui.screens.run_keys import BINDINGS, wanted
from tui.screens.run_panes import RunPanes
from tui.screens.transcript import Transcript
from tui.standing import standing, title_of
from tui.widgets.hold_pane import HoldPane
from tui.widgets.row import row
from tui.widgets.steps_pane import steps_of
from tui.words import Clock


class Run(RunPanes, Decisions):
    """Steps, the chosen step, the hold point. A key that can do nothing now says why."""

    BINDINGS = BINDINGS

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self._asked: set[str] = set()
        self._dialog: tuple[str, Confirm] | None = None

    def on_screen_resume(self) -> None:
        """Back from another screen: a question may have been asked meanwhile."""
        if self.drawn:
            self.redraw()

    def show(self, view: RunView) -> None:
        """Show the session as it stands, and what is asked."""
        super().show(view)
        self._show_question(view)

    def keys(self) -> tuple[str, ...]:
        """What is wanted now."""
        return wanted(self.view, standing(self.view, gone=self.gonogo.gone), has_pen=self.gonogo.has_pen)

    def on_hold_pane_picked(self, event: HoldPane.Picked) -> None:
        """Enter on a line of the hold point: what is nearest to be done about it."""
        match event.kind:
            case "item" if event.subject in self.view.items:
                self.say("It is ticked. The key t takes the tick back.")
            case "item":
                self.action_tick()
            case "review":
                self.action_review(event.subject)
            case "question":
                self.action_answer()
            case "option":
                self.action_roll_back()
            case "undo":
                self.action_undo()
            case "step" | "check" | "stale" | "running":
                self._steps.choose(event.subject.partition("/")[0])
                self.action_pane("detail")
            case _:
                self.say("This is lifted by what it says, not by a key.")

    def look_at(self, step: Step) -> None:
        """Choose it, and show it where there is room for one pane only."""
        self._steps.choose(step.id)
        if self.narrow:
            self.action_pane("detail")

    # What is chosen ---------------------------------------------------------------------------

    def chosen_step(self) -> Step | None:
        """The step chosen in the list, or that a chosen hold is about."""
        name = self._steps.chosen
        if self._hold.chosen and self._hold.has_focus_within:
            kind, subject = self._hold.chosen
            name = subject.partition("/")[0] if kind in ("step", "check", "stale") else name
        return next((s for s in steps_of(self.view) if s.id == name and s.id != "opening"), None)

    def chosen_pair(self) -> Pair | None:
        """The pair to undo: the only one that is open, else the one that the person has chosen."""
        pairs = list(open_pairs(self.view))
        if len(pairs) == 1:
            return pairs[0]
        if not pairs:
            self.say("Nothing is open that would have to be undone.")
            return None
        kind, subject = self._hold.chosen or ("", "")
        chosen = next((pair for pair in pairs if (kind, subject) == ("undo", pair.subject)), None)
        if chosen is None or not self._hold_is_seen():
            self._hold.choose("undo", pairs[-1].subject)
            self.action_pane("hold")
            self.say("Choose what to undo, then press the key again.")
            return None
        return chosen

    def chosen_item(self) -> Item | None:
        """The chosen item of the checklist."""
        section = self.view.section
        items = {item.id: item for item in self.view.active_items(section)} if section else {}
        if not items:
            self.say("No checklist stands open.")
            return None
        kind, subject = self._hold.chosen or ("", "")
        settled = {*self.view.items, *self.view.waivers}
        open_items = [name for name, item in items.items() if name not in settled and self.view.proof(item) is None]
        proven = kind == "item" and subject in items and self.view.proof(items[subject]) is not None
        meant = subject in open_items or (self._hold.has_focus_within and not (proven and open_items))
        if kind == "item" and subject in items and self._hold_is_seen() and meant:
            return items[subject]
        if kind != "item" or (open_items and subject not in open_items):
            self._hold.choose("item", (open_items or list(items))[0])
        if len(open_items) == 1:
            self.action_pane("hold")
            return items[open_items[0]]
        self.action_pane("hold")
        self.say("Choose the item, then press the key again.")
        return None

    def chosen_hold(self) -> Hold | None:
        """The chosen line of the hold point, if it is one that holds."""
        holding = (*self.view.gate.holds, *self.view.left_open) if self.view.section else ()
        holds = {(hold.kind, hold.subject): hold for hold in holding}
        chosen = next((h for (k, s), h in holds.items() if (k, s) == self._hold.chosen), None)
        lifted = [hold for hold in holds.values() if hold.waivable]
        waivable = [hold for hold in lifted if hold.kind != "item"] or lifted
        meant = chosen in waivable or self._hold.has_focus_within
        if chosen is not None and self._hold_is_seen() and meant:
            return chosen
        if not waivable:
            self.say("Nothing holds that a waiver would lift.")
            return None
        if chosen is None or len(waivable) == 1:
            self._hold.choose(waivable[0].kind, waivable[0].subject)
        self.action_pane("hold")
        if len(waivable) == 1:
            return waivable[0]
        self.say("Choose what to waive, then press the key again.")
        return None

    def _hold_is_seen(self) -> bool:
        return not self.narrow or self._pane == "hold"

    # Questions and other screens --------------------------------------------------------------

    def _show_question(self, view: RunView) -> None:
        if self._dialog is not None and self._dialog[0] not in view.questions:
            if self._dialog[1].is_current:
                self._dialog[1].dismiss(None)
            return
        for question in view.questions.values():
            if question.question not in self._asked and self.app.screen is self and self.gonogo.has_pen:
                self._ask_question(question)
                return

    def _ask_question(self, question: QuestionAsked) -> None:
        self._asked.add(question.question)
        exact = (question.exact,) if question.exact is not None else question.choices
        label = f"Type: {exact[0]}" if question.exact else f"Type one of: {', '.join(exact)}" if exact else "Answer"
        asked = Asked(one_line(label), exact=exact, keep_case=True)
        heading = title_of(self.view, question.step)
        dialog = Confirm(self.view, heading, [row("", printable(question.text))], (asked,), verb="answer")
        self._dialog = (question.question, dialog)

        def answered(answers: tuple[str, ...] | None) -> None:
            self._dialog = None
            if answers is not None:
                self.gonogo.send(c.Answer(question=question.question, answer=answers[0]))

        self.app.push_screen(dialog, answered)

    def action_answer(self) -> None:
        """Answer the question that is open."""
        question = next(iter(self.view.questions.values()), None)
        if question is None:
            self.say("Nothing is asked.")
        elif not self.watches():
            self._ask_question(question)

    def action_logs(self) -> None:
        """Look at the environment's logs, anew where this face may ask for it."""
        if self.view.ended is None and self.gonogo.has_pen and not self.gonogo.gone:
            self.gonogo.send(c.Start(step=LOGS))
        self.app.push_screen(Logs())

    def action_transcript(self) -> None:
        """The record so far."""
        self.app.push_screen(Transcript())
