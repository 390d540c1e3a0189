"""A screen that shows one script after the other: which is open, where in it one stands, what is known of that."""

import asyncio
from collections.abc import Callable

from textual import work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Static

from runbooks.session.view import RunView
from tui import reviewing
from tui.opened_script import Opened, complete, open_entry
from tui.reviewing import Entry, Place
from tui.screens.base import SessionScreen
from tui.script_files import WrongBytes
from tui.sql_formatted import formatted
from tui.sql_text import SqlText
from tui.widgets.band import Band
from tui.widgets.choices import Choices
from tui.widgets.key_bar import KeyBar
from tui.widgets.outline import id_of, outline, reviewed
from tui.widgets.pile_view import PileView
from tui.widgets.review_heading import heading, standing_words
from tui.widgets.search_line import SearchLine
from tui.widgets.sql_pane import SqlPane
from tui.widgets.statement_rows import Told, tells_of_locks, told_of, told_of_applied, told_of_script
from tui.widgets.tab_bar import TabBar
from tui.words import Clock, plural

Target = Callable[[SqlText], int | None]
"""Where to stand in a script, once it has been read so far."""


class ScriptReader(SessionScreen):
    """The tree of scripts, the script that is open, what is known of the statement that one stands on."""

    def __init__(self, clock: Clock, migration: str = "") -> None:
        super().__init__()
        self.pending: tuple[Entry, ...] = ()
        self.done: tuple[Entry, ...] = ()
        self.place = Place("")
        self.unfolded = False
        self.is_formatted = False
        self.opened: Opened | None = None
        self.sql = SqlPane(id="sql")
        self.laid_out = SqlPane(id="formatted")
        self.search = SearchLine()
        self.tree_of_scripts = Choices(id="scripts", classes="pane")
        self.clock = clock
        self._asked_for = migration
        self._with_locks = False
        self._entries: dict[str, Entry] = {}
        self._target: Target | None = None
        self._loaded = ""
        self._complaint = ""
        self._drawn_tree: object = None
        self._told_of: object = None
        self._laid_out_of: object = None
        self._not_laid_out = ""
        self._ids: frozenset[str] = frozenset()
        self._detail = PileView(id="findings")
        self.around = VerticalScroll(id="findings-scroll", can_focus=True)

    def compose(self) -> ComposeResult:
        """The tree; the script; what is known of the statement. Where it is narrow, not all of them at once."""
        plan = self.view.plan
        self.pending, self.done = reviewing.pending(self.view.to_review), reviewing.applied(plan)
        self._with_locks = plan is not None and tells_of_locks(plan)
        self._entries = {entry.id: entry for entry in (*self.pending, *self.done)}
        self.place = Place(self._first().id)
        yield Band(self.clock)
        yield TabBar()
        with Horizontal(id="review"):
            yield self.tree_of_scripts
            with Vertical(id="reading"):
                yield Static("", markup=False, id="script-heading")
                yield self.sql
                yield self.laid_out
                yield self.search
                with self.around:
                    yield self._detail
        yield KeyBar()

    def _first(self) -> Entry:
        """The script that was asked for, or the first that is not reviewed."""
        entries = tuple(self._entries.values())
        asked = next((entry for entry in entries if entry.migration == self._asked_for), None)
        return asked or next((e for e in self.pending if not reviewed(self.view, e)), entries[0])

    def show(self, view: RunView) -> None:
        """Show what is reviewed by now."""
        self.draw_tree()
        self._draw_heading()

    @property
    def entry(self) -> Entry:
        """The script that is open."""
        return self._entries[self.place.entry]

    @property
    def peers(self) -> tuple[Entry, ...]:
        """The scripts that are gone through with it."""
        return self.done if self.entry.applied else self.pending

    @property
    def is_loaded(self) -> bool:
        """The script that is open is also the one that is shown."""
        return self._loaded == self.place.entry

    @property
    def complaint(self) -> str:
        """Why it is not shown, or not as it should be."""
        return self._complaint

    # Going somewhere --------------------------------------------------------------------------

    def go(self, place: Place) -> None:
        """Stand on a finding, a statement, or at the start of a script."""
        entry = self._entries[place.entry]
        finding = entry.script.findings[place.finding] if entry.script and place.finding is not None else None

        def target(text: SqlText) -> int | None:
            if place.statement is None:
                return 0
            if place.statement >= text.statements:
                return None
            line = finding.line - 1 if finding else -1
            return text.place(place.statement, line)

        self.go_to(place, target)

    def go_to(self, place: Place, target: Target) -> None:
        """Stand where the target says; what is not read yet is waited for."""
        is_open, self.place, self._target = place.entry == self.place.entry, place, target
        if not is_open:
            self.load()
        elif self.is_loaded:
            self._arrive()
        self.show_standing()

    def _arrive(self) -> None:
        at = self._target(self.sql.text) if self._target else None
        if at is not None:
            self._target = None
            self.sql.stand_on(at)

    def on_sql_pane_moved(self) -> None:
        """Somebody stands elsewhere, or has seen more."""
        if not self.is_attached or not self.is_loaded:
            return
        if self._target is None and self.place.statement != self.sql.statement:
            self.place = Place(self.place.entry, self.sql.statement)
        if self.search.places:
            self.search.show(self.search.places, self.sql.at)
        self.show_standing()

    @work(exclusive=True, group="script")
    async def load(self) -> None:
        """Read the script in a thread, and show its beginning, then all of it."""
        entry, self._loaded, self._complaint, self.search.places = self.entry, "", "", ()
        try:
            opened = await asyncio.to_thread(open_entry, entry, self.gonogo.folder, self.view)
        except WrongBytes as wrong:
            self.opened, self._target, self._complaint = None, None, str(wrong)
            self.sql.show(SqlText("", ()))
            self.show_standing()
            return
        self.opened, self._loaded, self._complaint = opened, entry.id, opened.edited
        self.sql.show(opened.shown, opened.marks)
        self._arrive()
        self.show_standing()
        if not opened.shown.whole:
            await self._painted()
            self.opened = whole = await asyncio.to_thread(complete, entry, opened)
            await self.sql.complete(whole.shown, whole.marks)
            self._arrive()
        self.was_read()

    async def _painted(self) -> None:
        """What is there is on the screen now: what comes next may take its time."""
        painted = asyncio.Event()
        self.call_after_refresh(painted.set)
        await painted.wait()

    def was_read(self) -> None:
        """All of the script is there."""

    # Drawing ----------------------------------------------------------------------------------

    def draw_tree(self) -> None:
        """The tree of scripts, if it would look different."""
        key = (self.view.reviews, self.place.entry, self.unfolded)
        if key == self._drawn_tree:
            return
        self._drawn_tree = key
        choices = outline(self.view, self.pending, self.done, self.place.entry, unfolded=self.unfolded)
        self._ids = frozenset(choice.id for choice in choices)
        self.tree_of_scripts.show(choices)
        left = sum(not reviewed(self.view, entry) for entry in self.pending)
        self.tree_of_scripts.border_title = f"{plural(len(self.pending), 'script')}, {left} to review"
        count = sum(entry.count for entry in self.pending)
        unread = sum(len(entry.unread) for entry in self.pending)
        self.tree_of_scripts.border_subtitle = f"{plural(count, 'statement')}, {unread} not analysed"

    def show_standing(self) -> None:
        """Show everything that hangs on where one stands."""
        if not self.drawn:
            return
        self.draw_tree()
        if not self.tree_of_scripts.has_focus:
            self.mark_in_tree()
        self._draw_heading()
        self._draw_detail()
        self._draw_formatted()
        for bar in self.query(KeyBar):
            bar.show(self.keys(), *self.FIXED)

    def mark_in_tree(self) -> None:
        """Choose the row that stands for where one stands."""
        place = self.place
        nearest = (place, Place(place.entry, place.statement), Place(place.entry))
        self.tree_of_scripts.choose(next((id_of(p) for p in nearest if id_of(p) in self._ids), None))

    def _draw_heading(self) -> None:
        words = heading(
            self.view, self.peers, self.entry, seen_end=self.sql.seen_end, loaded=self.is_loaded, said=self._said()
        )
        self.query_one("#script-heading", Static).update(words)

    def _said(self) -> tuple[str, str]:
        """What is wrong with the script, or that this is not how it stands in the file; and how that looks."""
        if self._complaint or not self.is_formatted:
            return self._complaint, "bold $fail"
        return self._not_laid_out or "laid out for reading; v shows the file as it is", "$busy"

    def _draw_detail(self) -> None:
        told, key = self._told(), (self.place, self._loaded)
        self._detail.show(told.rows)
        self.around.border_title = standing_words(self.entry, self.place, reviewing.number_of(self.pending, self.place))
        if key != self._told_of:
            self._told_of = key
            self.call_after_refresh(self.bring_finding_into_view)

    def bring_finding_into_view(self) -> None:
        """Scroll to what is said of the finding that one stands on."""
        told = self._told()
        self.around.scroll_to(y=told.above(max(1, self._detail.size.width)), animate=False, immediate=True)

    def _told(self) -> Told:
        script, plan, place = self.entry.script, self.view.plan, self.place
        if plan is None or not self.is_loaded:
            return Told(())
        if script is None:
            return told_of_applied(self.entry.sha256, edited=bool(self._complaint))
        if place.statement is None:
            return told_of_script(script, self.entry.findings(None))
        findings = self.entry.findings(place.statement)
        return told_of(plan, script, place.statement, findings, place.finding, with_locks=self._with_locks)

    def _draw_formatted(self) -> None:
        key = (self.place.entry, self.place.statement, self._loaded)
        if self.is_formatted and key != self._laid_out_of:
            self._laid_out_of = key
            self._lay_out()

    @work(exclusive=True, group="formatted")
    async def _lay_out(self) -> None:
        """Lay the statement out in a thread."""
        statement, opened = self.place.statement, self.opened
        source = "" if statement is None or opened is None else opened.shown.source(statement)
        text = await asyncio.to_thread(formatted, source)
        shown = source if text is None else text
        self._not_laid_out = "as it was written: it cannot be laid out without changing it" if text is None else ""
        self.laid_out.show(SqlText(shown, ((0, len(shown)),)))
        self._draw_heading()
