"""Reading the pending scripts, statement by statement, and marking each as reviewed."""

import asyncio
from functools import partial
from pathlib import Path

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static

from runbooks import commands as c
from runbooks.events import Script
from runbooks.view import RunView
from tui.palette import OPEN, TICKED, Mark, of_finding
from tui.printable import one_line
from tui.screens.base import BACK, SessionScreen
from tui.sql_text import SqlText, WrongBytes, read_script
from tui.widgets.band import Band
from tui.widgets.choices import Choice, Choices
from tui.widgets.finding_rows import model_rows, statement_rows, worst_first
from tui.widgets.key_bar import KeyBar
from tui.widgets.pile_view import PileView
from tui.widgets.row import Row, row
from tui.widgets.sql_pane import SqlPane
from tui.words import Clock, plural, size


class Review(SessionScreen):
    """Scripts, the one that is open, what the rules say of the statement one stands on."""

    BINDINGS = [
        Binding("m", "mark", "Mark reviewed", id="review.mark", tooltip="Once the end of the script was seen"),
        Binding("n", "finding", "Finding", id="review.finding", tooltip="The next line that a rule speaks of"),
        Binding("right", "script(1)", "Next script", priority=True, id="review.next", tooltip="The next script"),
        Binding("left", "script(-1)", "Script before", priority=True, id="review.before", tooltip="The script before"),
        BACK,
    ]

    def __init__(self, clock: Clock, migration: str = "") -> None:
        super().__init__()
        self._clock = clock
        self._open = migration
        self._loaded = ""
        self._complaint = ""
        self._sql = SqlPane(id="sql")

    def compose(self) -> ComposeResult:
        """The list of scripts where there is room; the script; the findings."""
        self._open = self._first()
        yield Band(self._clock)
        with Horizontal(id="review"):
            scripts = Choices(id="scripts", classes="pane")
            scripts.border_title = "Scripts"
            yield scripts
            with Vertical(id="reading"):
                yield Static("", markup=False, id="script-heading")
                yield self._sql
                with VerticalScroll(id="findings-scroll", can_focus=True):
                    yield PileView(id="findings")
        yield KeyBar()

    def _first(self) -> str:
        """The script that was asked for, or the first that is not reviewed."""
        names = [s.migration for s in self._scripts]
        first = next((s.migration for s in self._scripts if not _reviewed(self.view, s)), names[0] if names else "")
        return self._open if self._open in names else first

    def begin(self) -> None:
        """Open the first script."""
        self.query_one("#scripts", Choices).choose(self._open)
        self._sql.focus()
        self._load()

    @property
    def _scripts(self) -> tuple[Script, ...]:
        return self.view.plan.scripts if self.view.plan else ()

    @property
    def script(self) -> Script | None:
        """The script that is open."""
        return next((s for s in self._scripts if s.migration == self._open), None)

    def show(self, view: RunView) -> None:
        """Show what is reviewed by now."""
        self.query_one("#scripts", Choices).show([Choice(s.migration, script_row(view, s)) for s in self._scripts])
        self._show_heading()

    def keys(self) -> tuple[str, ...]:
        """What is wanted now."""
        return ("mark", "finding", "script(1)", "script(-1)", "back", "app.help")

    # The script that is open ------------------------------------------------------------------

    @work(exclusive=True, group="script")
    async def _load(self) -> None:
        """Read the script in a thread, and show it."""
        script = self.script
        if script is None:
            return
        self._loaded, self._complaint = "", ""
        try:
            text = await asyncio.to_thread(partial(_read, self.gonogo.folder, script))
        except WrongBytes as wrong:
            self._complaint = str(wrong)
            text = SqlText("", ())
        else:
            self._loaded = script.migration
        self._sql.show(text, marks_of(script) if self._loaded else {})
        self._show_heading()
        self._show_findings()

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Another script is opened."""
        event.stop()
        if event.option_id is not None and event.option_id != self._open:
            self._open = event.option_id
            self._load()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter on a script: read it."""
        event.stop()
        self._sql.focus()

    def on_sql_pane_moved(self) -> None:
        """Another statement is stood on."""
        if self.is_attached:
            self._show_heading()
            self._show_findings()

    def action_script(self, by: int) -> None:
        """The next script, or the one before."""
        names = [s.migration for s in self._scripts]
        at = names.index(self._open) + by if self._open in names else 0
        if 0 <= at < len(names):
            self._open = names[at]
            self.query_one("#scripts", Choices).choose(self._open)
            self._load()

    def action_finding(self) -> None:
        """The next line that a rule speaks of; from the last one, the first."""
        lines = sorted(marks_of(self.script)) if self.script and self._loaded else []
        if not lines:
            self.notify("No rule speaks of this script.", markup=False)
            return
        self._sql.stand_on(next((line for line in lines if line > self._sql.cursor), lines[0]))

    def action_mark(self) -> None:
        """Mark the script as reviewed: the bytes that were shown, and no others."""
        script = self.script
        if script is None or self._loaded != script.migration:
            self._warn(self._complaint or "The script is not read yet.")
        elif not self._sql.seen_end:
            self._warn("Read on to its end first (the key “end” goes there).")
        elif _reviewed(self.view, script):
            self._warn("It is marked as reviewed already.")
        else:
            self.gonogo.send(c.Review(migration=script.migration, sha256=script.sha256))

    def _warn(self, words: str) -> None:
        self.notify(words, severity="warning", markup=False)

    def _show_heading(self) -> None:
        script = self.script
        if script is None:
            return
        place = [s.migration for s in self._scripts].index(script.migration) + 1
        mark = TICKED if _reviewed(self.view, script) else OPEN
        state = "reviewed" if mark is TICKED else "not reviewed"
        if mark is OPEN and self._loaded == script.migration:
            state += ": m marks it" if self._sql.seen_end else ": read on to its end"
        heading = Content.assemble(
            (f"{place} of {len(self._scripts)}  ", "$quiet"),
            (one_line(script.migration), "bold"),
            (f"  {mark.glyph} {state}", f"${mark.shade}"),
            (f"\n{self._complaint}", "bold $fail") if self._complaint else "",
        )
        self.query_one("#script-heading", Static).update(heading)

    def _show_findings(self) -> None:
        script = self.script
        if script is None or self._loaded != script.migration:
            self.query_one("#findings", PileView).show(())
            return
        statements = self._sql.text.statements(self._sql.cursor)
        rows = (*statement_rows(script, statements), *model_rows(script))
        self.query_one("#findings", PileView).show(rows)


def _read(folder: Path, script: Script) -> SqlText:
    return SqlText(read_script(folder, script), [(s.start, s.end) for s in script.statements])


def _reviewed(view: RunView, script: Script) -> bool:
    review = view.reviews.get(script.migration)
    return review is not None and review.sha256 == script.sha256


def marks_of(script: Script) -> dict[int, Mark]:
    """The worst mark of each line, from 0."""
    marks: dict[int, Mark] = {}
    for finding in worst_first(script.findings):
        marks.setdefault(finding.line - 1, of_finding(finding))
    return marks


def script_row(view: RunView, script: Script) -> Row:
    """One script of the list: reviewed or not, how large, how bad."""
    mark = TICKED if _reviewed(view, script) else OPEN
    worst = worst_first(script.findings)
    words = f"\n{plural(len(script.statements), 'statement')}, {size(script.size)}, {one_line(script.model)}"
    found = of_finding(worst[0]) if worst else None
    finding = (f"\n{found.glyph} {found.word}", f"${found.shade}") if found else ("", "")
    return row(Content.assemble(mark.sign, " "), one_line(script.migration), (words, "$quiet"), finding)
