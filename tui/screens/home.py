"""Where to begin: an environment, an unfinished session, a transcript."""

from collections.abc import Iterator, Sequence

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import OptionList, Static

from runbooks.history.sessions import Summary
from runbooks.settings.project import Environment, Project
from tui.listed_rows import passed_words
from tui.palette import OUTCOMES
from tui.printable import one_line
from tui.screens.base import Shown
from tui.session_rows import state_mark
from tui.widgets.choices import Choice, Choices
from tui.widgets.key_bar import KeyBar
from tui.widgets.row import Row, row
from tui.words import plural

Chosen = tuple[str, str]
"""What to do (`run`, `resume` or `transcript`), and with which environment or session."""


class Home(Screen[Chosen | None], Shown):
    """One list: environments to run on, sessions to resume, transcripts to read."""

    BINDINGS = [
        Binding("question_mark", "app.help", "Help", id="help", tooltip="Every key of this screen"),
        Binding("q,escape", "leave", "Leave", id="home.leave", tooltip="Leave gonogo"),
    ]

    def __init__(self, project: Project, known: Sequence[Summary]) -> None:
        super().__init__()
        self._project = project
        self._known = known

    def compose(self) -> ComposeResult:
        """The project, the list, the keys."""
        yield Static(f" gonogo  {one_line(self._project.name)} ", markup=False, id="home-heading")
        yield Choices(id="home")
        with VerticalScroll(can_focus=False, id="home-note-scroll"):
            yield Static("", markup=False, id="home-note")
        yield KeyBar()

    def on_mount(self) -> None:
        """What is listed was read before."""
        if not self.query(Choices):
            return
        self.call_after_refresh(self.is_painted)
        self.query_one(Choices).show(list(choices(self._project, self._known)))
        self.query_one(Choices).focus()
        self.query_one(KeyBar).show(("leave", "app.help"), ("enter", "Run, resume or read"), ("↑ ↓", "Choose"))
        self.query_one("#home-note", Static).update("Running begins with a look at the target that changes nothing.")

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter on a line."""
        event.stop()
        self.action_choose()

    def action_choose(self) -> None:
        """Answer with what is chosen."""
        what, _, name = (self.query_one(Choices).chosen or "").partition(":")
        if name:
            self.dismiss((what, name))

    def action_leave(self) -> None:
        """Nothing is chosen."""
        self.dismiss(None)

    async def action_press(self, key: str) -> None:
        """A click on a key's word works as the key does."""
        self.app.simulate_key(key)


def choices(project: Project, known: Sequence[Summary]) -> Iterator[Choice]:
    """Unfinished sessions first: they wait."""
    unfinished = [s for s in known if s.unfinished]
    past = [s for s in known if not s.unfinished]
    if unfinished:
        yield _heading("Unfinished: resume", first=True)
        yield from (Choice(f"resume:{s.id}", session_row(s)) for s in unfinished)
    yield _heading("Environments: run", first=not unfinished)
    for environment in project.environments.values():
        yield Choice(f"run:{environment.name}", environment_row(environment))
    if not project.environments:
        yield Choice("none", row("", ("gonogo.toml names no environment", "$warn")), heading=True)
    if past:
        yield _heading("Past: read the transcript")
        yield from (Choice(f"transcript:{s.id}", session_row(s)) for s in past)


def _heading(words: str, *, first: bool = False) -> Choice:
    return Choice(f"heading {words}", row("", "" if first else "\n", (words, "bold $quiet")), heading=True)


def environment_row(environment: Environment) -> Row:
    """One environment; a protected one says so."""
    protected = ("  PROTECTED", "bold $fail") if environment.protected else ("", "")
    names = dict.fromkeys(name for name in (environment.direct_url, environment.url) if name)
    return row("  ", one_line(environment.name), protected, (f"  {', '.join(map(one_line, names))}", "$quiet"))


def session_row(summary: Summary) -> Row:
    """One session: how it stands, where, for which ticket, by whom."""
    mark, words = state_mark(summary), state_mark(summary).word
    if summary.fault:
        mark, words = OUTCOMES["unknown"], f"broken: {one_line(summary.fault)}"
    elif summary.outcome is None:
        words = "running" if summary.running else "not running"
    head = Content.assemble(mark.sign, " ")
    if summary.fault:
        return row(head, one_line(summary.id), (f"\n{words}", f"${mark.shade}"))
    facts = (
        summary.environment,
        summary.ticket,
        summary.operator,
        plural(summary.records, "record"),
        *passed_words(summary),
    )
    line = " · ".join(one_line(fact) for fact in facts if fact)
    return row(head, one_line(summary.id), (f"  {words}", f"bold ${mark.shade}"), (f"\n{line}", "$quiet"))
