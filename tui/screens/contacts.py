"""Whom to call, and what the runbook advises for what one may see."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from textual.binding import Binding
from textual.content import Content
from textual.widget import Widget

from runbooks.session import commands as c
from runbooks.session.calls import REACHED, Turn, turns
from runbooks.session.view import RunView
from tui.printable import one_line, printable
from tui.reading import reading_rows
from tui.screens.confirm import Asked, Confirm
from tui.screens.reading import Reading
from tui.widgets.pile_view import PileView
from tui.widgets.row import Row, row
from tui.widgets.step_rows import ARROW
from tui.words import minutes

REFRESH_SECONDS = 1.0


class Contacts(Reading):
    """Whom to call now and next, where the runbook says so; below it the rest of Contacts, and Troubleshooting."""

    BINDINGS = [
        Binding("c", "call", "Note a call", id="contacts.call", tooltip="Note that whoever is to be called was called"),
        *(
            Binding(str(n), f"call({n})", f"Note a call to {n}", show=False, id=f"contacts.call_{n}")
            for n in range(1, 10)
        ),
    ]

    def above(self) -> Iterable[Widget]:
        """Whom to call."""
        yield PileView(id="calls")

    def begin(self) -> None:
        """The text stands in the runbook, which does not change; whose turn it is does, by the clock."""
        self.pane.border_title = "Contacts and troubleshooting"
        self.pane.show(list(contacts(self.view)))
        self.pane.focus()
        self.set_interval(REFRESH_SECONDS, self.redraw)

    def show(self, view: RunView) -> None:
        """Whose turn it is now."""
        rows = list(call_rows(view, self.gonogo.clock())) if view.opened is not None else []
        calls = self.query_one("#calls", PileView)
        calls.display = bool(rows)
        calls.show(rows)

    def keys(self) -> tuple[str, ...]:
        """What is wanted now."""
        may_note = self.view.opened is not None and self.view.runbook.people and self.gonogo.has_pen
        return ("call", "back", "app.help") if may_note and not self.view.ended else ("back", "app.help")

    def action_call(self, number: int = 0) -> None:
        """Note a call: to the one of this number, or to whoever is next."""
        listed = turns(self.view, self.gonogo.clock()) if self.view.opened is not None else []
        if not self.gonogo.has_pen or self.view.ended is not None:
            self.say("Nothing can be noted here: the session has ended, or another face has the pen.")
            return
        waiting = [turn for turn in listed if turn.state in ("now", "later")]
        turn = next((turn for turn in listed if turn.number == number), None) if number else next(iter(waiting), None)
        if turn is None:
            self.say(f"The runbook has no contact {number}." if number else "Everybody was called: press a number.")
            return
        subject = turn.subject
        rows = [row("", printable(f"{turn.contact.who}, {turn.contact.how}"))]

        def answered(answers: tuple[str, ...] | None) -> None:
            if answers is not None:
                reached = REACHED if answers[0].strip().casefold() == "yes" else ""
                self.gonogo.send(c.Tick(item=subject, evidence=answers[1], reason=reached))

        asked = (Asked("Reached? Type yes or no", exact=("yes", "no")), Asked("What came of it, for the record"))
        self.app.push_screen(Confirm(self.view, "Note a call", rows, asked, verb="note it"), answered)


def call_rows(view: RunView, now: datetime) -> Iterator[Row]:
    """Whom to call now, in what order, and since or until when."""
    for turn in turns(view, now):
        who = f"{turn.number} {one_line(turn.contact.who)}  {one_line(turn.contact.how)}"
        if turn.state == "now":
            since = f", since {turn.due:%H:%M} UTC" if turn.due else ""
            yield row(Content.styled("☎ ", "bold $warn"), (f"CALL NOW{since}: ", "bold $warn"), (who, "bold"))
        elif turn.call is not None:
            said = f": {printable(turn.call.came)}" if turn.call.came else ""
            reached = ", reached" if turn.call.reached else ""
            words = f"  called {turn.call.at[11:16]} UTC by {one_line(turn.call.by)}{reached}{said}"
            yield row(Content.styled("✔ ", "$ok"), who, (words, "$quiet"))
        else:
            yield row("· ", who, (_later(turn, now), "$quiet"))


def _later(turn: Turn, now: datetime) -> str:
    if turn.state == "passed":
        return "  not called"
    if turn.due is None:
        return ""
    return f"  at {turn.due:%H:%M} UTC, in {minutes(turn.due - now)}" if turn.due > now else "  after that one"


def contacts(view: RunView) -> Iterator[Row]:
    """Contacts first, then each advice."""
    if view.opened is None:
        yield row("", "The runbook is not known yet.")
        return
    yield row("", ("Contacts", "bold $busy"))
    each_its_line = view.runbook.contacts.replace("\n", "  \n")
    none = "They stand above." if view.runbook.people else "The runbook names none."
    yield from reading_rows(each_its_line) or [row("", none)]
    yield row("", "")
    yield row("", ("Troubleshooting", "bold $busy"))
    for advice in view.runbook.troubleshooting:
        yield row("", ("When you see  ", "$quiet"), (one_line(advice.see), "bold"))
        yield from (Row(Content.assemble(ARROW, line.head), line.body) for line in reading_rows(advice.do))
    if not view.runbook.troubleshooting:
        yield row("", "The runbook has no advice.")
