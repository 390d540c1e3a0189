"""What the keys of the run screen do: each asks what it must, then sends one command."""

from collections.abc import Callable, Sequence

from runbooks.session import commands as c
from runbooks.session.gates import next_step
from runbooks.session.pairs import Pair, open_pairs, unexplained
from runbooks.session.pen import whose
from runbooks.session.runbook import Item, Step
from runbooks.session.view import RunView
from tui.face import Hold
from tui.printable import one_line, printable
from tui.screens.base import SessionScreen
from tui.screens.confirm import Asked, Confirm
from tui.screens.hold import HoldPoint
from tui.screens.rollback import Rollback
from tui.standing import phase_title, title_of
from tui.widgets.hold_pane import fact_rows
from tui.widgets.row import Row, row
from tui.widgets.step_rows import EFFECTS

Made = Callable[[tuple[str, ...]], c.Command | Sequence[c.Command]]


class Decisions(SessionScreen):
    """The commands. Which step, item and hold they are about is the screen's to say."""

    def chosen_step(self) -> Step | None:
        """The step that the person has chosen."""
        raise NotImplementedError

    def chosen_item(self) -> Item | None:
        """The item that the person has chosen and sees; else None, after showing the list."""
        raise NotImplementedError

    def chosen_hold(self) -> Hold | None:
        """The hold that the person has chosen and sees; else None, after showing the list."""
        raise NotImplementedError

    def chosen_pair(self) -> Pair | None:
        """What is open and the person has chosen to undo; else None, after showing the list."""
        raise NotImplementedError

    def look_at(self, step: Step) -> None:
        """Bring a step that was started by hand into view."""
        raise NotImplementedError

    def watches(self) -> bool:
        """Whether somebody else has the pen, which is said then: what would be refused is not asked for."""
        if not self.gonogo.has_pen:
            self.say(f"{one_line(whose(self.view))}: press h first to take it.")
        return not self.gonogo.has_pen

    def _ask(self, heading: str, rows: Sequence[Row], made: Made, *asked: Asked, verb: str) -> None:
        if not self.watches():
            self._ask_anyway(heading, rows, made, *asked, verb=verb)

    def _ask_anyway(self, heading: str, rows: Sequence[Row], made: Made, *asked: Asked, verb: str) -> None:
        def answered(answers: tuple[str, ...] | None) -> None:
            if answers is not None:
                commands = made(answers)
                self.gonogo.send(*(commands if isinstance(commands, Sequence) else (commands,)))

        self.app.push_screen(Confirm(self.view, heading, rows, asked, verb=verb), answered)

    # Steps ------------------------------------------------------------------------------------

    def action_start(self) -> None:
        """Start the step that waits for a person."""
        step = self.view.next_start
        if step is not None:
            self._start(step)
        elif self.view.running:
            self.say(f"{title_of(self.view, self.view.running)} is running: one step at a time.")
        else:
            undo = " What is still open is undone by u." if self.view.pairs else ""
            self.say(f"{_in_the_way(self.view)}{undo}")

    def action_again(self) -> None:
        """Run the chosen step again."""
        step = self.chosen_step()
        if step is None:
            self.say("Choose a step first.")
        elif self.view.running:
            self.say(f"{title_of(self.view, self.view.running)} is running: one step at a time.")
        elif step.effect == "reads" and self.view.step(step.id).status == "ended":
            self.gonogo.send(c.Start(step=step.id))
        else:
            self._start(step)

    def _start(self, step: Step) -> None:
        attempt = self.view.step(step.id).attempt + 1
        again = f"Run again (attempt {attempt}): " if attempt > 1 else "Start: "
        rows = [row("", ("This step " + EFFECTS[step.effect] + ".", "bold")), *_early(self.view, step)]
        if shows := self.view.shows(step).strip():
            rows += [row("", ""), row("", printable(shows))]

        def made(_: tuple[str, ...]) -> c.Command:
            self.look_at(step)
            return c.Start(step=step.id)

        self._ask(again + step.title, rows, made, verb="start it")

    def action_undo(self) -> None:
        """Start what undoes something that is open, from wherever the session stands."""
        if self.view.running:
            self.say(f"{title_of(self.view, self.view.running)} is running: one step at a time.")
        elif (pair := self.chosen_pair()) is not None:
            self._start(pair.undo)

    def action_cancel(self) -> None:
        """End the running step now."""
        if self.view.running is None:
            self.say("No step is running.")
            return
        words = "It is ended now: its statement is cancelled, its programs are stopped. What was committed stays."
        title = f"Cancel: {title_of(self.view, self.view.running)}"
        self._ask(title, [row("", words)], lambda _: c.Cancel(), verb="cancel it now")

    def action_stop(self) -> None:
        """Let the running step finish its script, then end it."""
        if self.view.running is None:
            self.say("No step is running.")
            return
        words = "The script or batch that runs now is finished; nothing after it is begun."
        title = f"Stop after this: {title_of(self.view, self.view.running)}"
        self._ask(title, [row("", words)], lambda _: c.Stop(), verb="stop after this")

    # The checklist ----------------------------------------------------------------------------

    def action_tick(self) -> None:
        """Tick the chosen item, or take the tick back."""
        item = self.chosen_item()
        if item is None:
            return
        if item.id in self.view.items:
            self.gonogo.send(c.Untick(item=item.id))
        elif item.proved_by:
            run = "" if self.view.proof(item) is not None else " Run that step."
            self.say(f"No person ticks it: it is proven by {title_of(self.view, item.proved_by)}.{run}")
        elif item.evidence is None:
            self.gonogo.send(c.Tick(item=item.id))
        else:
            name, asked = item.id, Asked(f"Evidence: {item.evidence}")
            rows = [row("", printable(item.text)), *fact_rows(self.view, item)]
            self._ask("Tick", rows, lambda said: c.Tick(item=name, evidence=said[0]), asked, verb="tick it")

    def action_not_applicable(self) -> None:
        """Say that the chosen item does not apply."""
        item = self.chosen_item()
        if item is None:
            return
        if item.required:
            self.say("This item is required: it always applies.")
            return
        name, rows = item.id, [row("", printable(item.text)), *fact_rows(self.view, item)]

        def made(said: tuple[str, ...]) -> c.Command:
            return c.Tick(item=name, state="not_applicable", reason=said[0])

        self._ask("Not applicable", rows, made, Asked("Why it does not apply"), verb="record it")

    def action_waive(self) -> None:
        """Pass over the chosen hold, with a reason."""
        hold = self.chosen_hold()
        if hold is None:
            return
        if not hold.waivable:
            self.say(f"This cannot be waived: {one_line(hold.words)}.")
            return
        subject, rows = hold.subject, [row("", printable(hold.words), (f"\n{one_line(hold.subject)}", "$quiet"))]

        def made(said: tuple[str, ...]) -> c.Command:
            return c.Waive(subject=subject, reason=said[0])

        self._ask("Waive", rows, made, Asked("Reason, for the record"), verb="waive it")

    # Decisions --------------------------------------------------------------------------------

    def action_go(self) -> None:
        """Poll the hold point."""
        if self.view.section is None or self.view.ended:
            self.say("No hold point is open.")
        else:
            self.app.push_screen(HoldPoint())

    def action_no_go(self) -> None:
        """Call NO-GO."""
        phase = self.view.phase
        if self.view.section is None or phase is None or self.view.ended:
            self.say("No hold point is open.")
            return
        rows = [row("", f"{phase_title(phase)} stays shut. From there: run again, roll back, or end.")]
        self._ask(
            f"NO-GO: {phase_title(phase)}",
            rows,
            lambda said: c.Decide(what="no_go", phase=phase, reason=said[0]),
            Asked("Reason, for the record"),
            verb="call NO-GO",
        )

    def action_roll_back(self) -> None:
        """The ways back."""
        if self.view.section is None or self.view.ended:
            self.say("Nothing stands open that could be rolled back.")
        elif self.view.phase == "rollback":
            self.say("A rollback is under way: go on with it, or end the session.")
        else:
            self.app.push_screen(Rollback())

    def action_end(self) -> None:
        """End the session."""
        if self.view.ended:
            self.say("The session has ended: q leaves.")
            return
        if self.view.running:
            self.say(f"{title_of(self.view, self.view.running)} is running: cancel it first (c).")
            return
        rows = [row("", "The session ends as NO-GO and cannot be resumed. What was done to the target stays as it is.")]
        left = unexplained(self.view)
        if left:
            rows += [row("", ""), row("", ("It leaves open what u would undo first:", "bold $warn"))]
            rows += [row("⟲ ", printable(pair.words)) for pair in left]
        open_fields = [Asked(f"Why this stays open: {one_line(pair.step.title)}") for pair in left]
        fields = (*open_fields, Asked("Reason, for the record"), Asked("Type “end”", exact=("end",)))

        def made(said: tuple[str, ...]) -> Sequence[c.Command]:
            reasons = [c.Waive(subject=pair.subject, reason=why) for pair, why in zip(left, said, strict=False)]
            return (*reasons, c.EndSession(reason=said[len(left)]))

        self._ask("End this session", rows, made, *fields, verb="end it")

    def action_take_pen(self) -> None:
        """Become the face whose keys count."""
        if self.gonogo.has_pen:
            self.say("You have the pen.")
            return
        if self.view.pen is None:
            self.gonogo.send(c.TakePen(reason=""))
            return
        rows = [
            row("", printable(f"{whose(self.view)}.")),
            row("", "If you take it, that face only watches. It is told by whom and why, and so is the record."),
        ]
        asked = Asked("Reason, for the record")
        self._ask_anyway("Take the pen", rows, lambda said: c.TakePen(reason=said[0]), asked, verb="take it")


def _in_the_way(view: RunView) -> str:
    """Why no step can be started now."""
    step = next_step(view)
    earlier = view.blocked_by(step) if step is not None else None
    if step is None or earlier is None:
        return "No step waits for a start."
    return f"{step.title} waits for {earlier.title}: r runs that again, w waives what holds in it."


def _early(view: RunView, step: Step) -> Sequence[Row]:
    """What undoes something may be started before all that stands before it: that is said."""
    section = view.section
    if not view.undoes(step.id) or section is None:
        return ()
    if (earlier := view.blocked_by(step)) is not None:
        words = f"{earlier.title} has not ended well, or has not run. This undoes all the same:"
    elif step not in view.active_steps(section):
        words = "It stands elsewhere in the runbook, and undoes from here:"
    else:
        return ()
    opened = [row("⟲ ", printable(pair.step.title)) for pair in open_pairs(view) if pair.undo.id == step.id]
    return (row("", (printable(words), "$warn")), *opened)
