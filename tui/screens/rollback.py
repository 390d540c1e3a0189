"""The ways back, what each costs and loses, and the decision to take one."""

from collections.abc import Iterator

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.widgets import OptionList, Static

from runbooks.report.way_back import tried_words
from runbooks.session import commands as c
from runbooks.session.runbook import Option
from runbooks.session.view import RunView
from runbooks.session.ways_back import Ranked, applied, ranked, ranking_words
from tui.estimates import last_time
from tui.printable import one_line, printable
from tui.reading import reading_rows
from tui.screens.base import BACK, SessionScreen
from tui.screens.confirm import Asked, Confirm
from tui.way_back import option_row
from tui.widgets.band import Band
from tui.widgets.choices import Choice, Choices
from tui.widgets.key_bar import KeyBar
from tui.widgets.phase_bar import PhaseBar
from tui.widgets.pile_view import PileView
from tui.widgets.row import Row, row
from tui.widgets.step_rows import EFFECTS

WORDS = "roll back"


class Rollback(SessionScreen):
    """Choose a way back, read it, then type it. Nothing is begun by a single key."""

    BINDINGS = [
        Binding(
            "enter", "choose", "Take this way back", show=False, id="rollback.take", tooltip="A reason comes first"
        ),
        BACK,
    ]
    FIXED = (("enter", "Take this way back"), ("↑ ↓", "Choose"), ("tab", "Read below"))

    def compose(self) -> ComposeResult:
        """The options above, the chosen one closely below."""
        yield Band(self.gonogo.clock)
        yield PhaseBar()
        yield Static("Ways back", markup=False, id="rollback-heading")
        yield Static("", markup=False, id="rollback-applied")
        yield Choices(id="options")
        with VerticalScroll(id="option-scroll"):
            yield PileView(id="option")
        yield KeyBar()

    def show(self, view: RunView) -> None:
        """Show the options; a rollback that has begun, or the end, closes this."""
        if view.phase == "rollback" or view.ended is not None:
            if self.is_current:
                self.dismiss()
            return
        self.query_one(PhaseBar).show(view)
        self.query_one("#rollback-applied", Static).update(printable(applied(view).words))
        choices = [Choice(one.option.id, ranked_row(view, one)) for one in ranked(view)]
        self.query_one(Choices).show(choices)
        self._show_option()

    def keys(self) -> tuple[str, ...]:
        """What is wanted now."""
        return ("back", "app.help")

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Another option is looked at."""
        event.stop()
        self._show_option()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter on an option."""
        event.stop()
        self.action_choose()

    def action_choose(self) -> None:
        """Ask for the reason and the words, then take this way back."""
        option = self._chosen()
        if option is None:
            self.notify("The runbook has no way back.", severity="warning", markup=False)
            return
        if option.is_over(self.view.phase):
            self.notify(f"That way back existed until {option.until}.", severity="warning", markup=False)
            return
        if self.view.running:
            self.notify("A step is running: cancel it first (c).", severity="warning", markup=False)
            return
        name = option.id
        fields = (Asked("Reason, for the record"), Asked(f"Type “{WORDS}”", exact=(WORDS,)))
        facts = [
            row("rank    ", printable(ranking_words(self.view, option.id))),
            *_facts(self.view, option),
            row("ends    ", "the session ends as rolled back; trying again is a new session"),
        ]
        dialog = Confirm(self.view, f"Roll back: {option.title}", facts, fields, verb="roll back")

        def answered(answers: tuple[str, ...] | None) -> None:
            if answers is not None:
                self.gonogo.send(c.RollBack(option=name, reason=answers[0]))

        self.app.push_screen(dialog, answered)

    def _chosen(self) -> Option | None:
        name = self.query_one(Choices).chosen
        return next((o for o in self.view.runbook.options if o.id == name), None)

    def _show_option(self) -> None:
        option = self._chosen()
        rows = option_rows(self.view, option) if option else iter((row("", "The runbook has no way back."),))
        self.query_one("#option", PileView).show(rows)


def _facts(view: RunView, option: Option) -> Iterator[Row]:
    yield row("costs   ", one_line(option.costs) or "not said")
    yield row("loses   ", printable(option.loses) or "not said")
    if option.read_by:
        yield row("read by ", printable(option.read_by), (", before anything is changed", "$quiet"))
    if option.application:
        yield row("the app ", printable(option.application))
    yield row("tried   ", printable(tried_words(view.opened.tried.get(option.id) if view.opened else None)))


def ranked_row(view: RunView, one: Ranked) -> Row:
    """One way back, with its place and why it has it."""
    return option_row(view, one.option, f"{one.place}. {one.why}" if one.place else "")


def option_rows(view: RunView, option: Option) -> Iterator[Row]:
    """All there is to say of one way back."""
    yield row("", (one_line(option.title), "bold"))
    yield from _facts(view, option)
    if option.see:
        yield row("see     ", (one_line(option.see), "$busy"))
    if option.prose:
        yield row("", "")
        yield from reading_rows(option.prose)
    steps = view.active_steps(option)
    if steps:
        yield row("", "")
        yield row("", ("Its steps", "bold $quiet"))
    for step in steps:
        yield row("· ", one_line(step.title), (f"  {EFFECTS[step.effect]} · {last_time(view, step)}", "$quiet"))
    items = view.active_items(option)
    if items:
        yield row("", "")
        yield row("", ("Its checklist", "bold $quiet"))
    for item in items:
        yield row("☐ ", printable(item.text))
