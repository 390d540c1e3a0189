"""Reading the scripts, statement by statement, and marking each as reviewed."""

import asyncio
from functools import partial

from textual import work
from textual.widgets import OptionList

from runbooks.session import commands as c
from tui import reviewing
from tui.opened_script import complete, open_entry
from tui.printable import one_line, printable
from tui.reviewing import Entry, Place
from tui.screens.allowed import Allowed
from tui.screens.confirm import Asked, Confirm
from tui.screens.review_keys import BINDINGS
from tui.screens.script_reader import ScriptReader
from tui.script_files import WrongBytes
from tui.sql_search import places_of
from tui.sql_text import SqlText
from tui.widgets.outline import APPLIED, place_of, reviewed
from tui.widgets.row import row
from tui.widgets.search_line import SearchLine
from tui.widgets.tab_bar import TabBar
from tui.words import plural

PANES = {"scripts": "Scripts", "sql": "SQL", "statement": "Statement"}


class Review(ScriptReader):
    """What the keys do. A key that can do nothing now says why."""

    BINDINGS = BINDINGS

    _pane = "sql"
    _jumps = False

    def begin(self) -> None:
        """Open the first script."""
        self.laid_out.display = False
        self.action_pane("sql")
        self.load()

    def keys(self) -> tuple[str, ...]:
        """What is wanted now."""
        several = len(self.peers) > 1
        pending, marked = self.entry.script is not None, reviewed(self.view, self.entry)
        wanted = (
            ("mark", pending and not marked),
            ("comment", pending and marked),
            ("finding(1)", any(entry.order for entry in self.pending)),
            ("script(1)", several),
            ("script(-1)", several),
            ("search", True),
            ("found(1)", bool(self.search.words)),
            ("formatted", pending),
            ("copy_safer", bool(self._safer())),
            ("allowed", any(entry.allowed for entry in self.pending)),
            ("back", True),
            ("app.help", True),
        )
        return tuple(action for action, is_wanted in wanted if is_wanted)

    # Panes ------------------------------------------------------------------------------------

    def action_pane(self, name: str) -> None:
        """Show a pane, and let the keys move in it."""
        self._pane = name
        for pane in PANES:
            self.set_class(pane == name, f"-at-{pane}")
        self.query_one(TabBar).show(PANES, name)
        self.call_after_refresh(self.sql.look)
        self.call_after_refresh(self.bring_finding_into_view)
        panes = {"scripts": self.tree_of_scripts, "statement": self.around}
        panes.get(name, self.laid_out if self.is_formatted else self.sql).focus()

    def action_next_pane(self) -> None:
        """Go on to the next pane."""
        names = list(PANES)
        self.action_pane(names[(names.index(self._pane) + 1) % len(names)])

    def action_back(self) -> None:
        """Leave the search, or this screen."""
        if self.search.asks:
            self.search.leave()
            self.action_pane("sql")
        else:
            self.dismiss()

    # Going through ----------------------------------------------------------------------------

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Another row of the tree is stood on."""
        event.stop()
        if event.option_id not in (None, APPLIED) and self.tree_of_scripts.has_focus:
            self.go(place_of(event.option_id or ""))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter on a row of the tree: read it."""
        event.stop()
        if event.option_id == APPLIED:
            self.unfolded = not self.unfolded
            self.draw_tree()
        elif event.option_id is not None:
            self.go(place := place_of(event.option_id))
            self.action_pane("sql" if place.finding is None else "statement")

    def action_script(self, by: int) -> None:
        """The next script, or the one before."""
        at = self.peers.index(self.entry) + by
        if 0 <= at < len(self.peers):
            self._visit(Place(self.peers[at].id))
        else:
            self.say("This is the last script." if by > 0 else "This is the first script.")

    def action_statement(self, by: int) -> None:
        """The next statement, or the one before."""
        count = self.entry.count
        at = (count if self.place.statement is None else self.place.statement) + by
        if 0 <= at < count:
            self._visit(Place(self.entry.id, at))
        else:
            self.say("No statement comes after this one." if by > 0 else "No statement comes before this one.")

    def action_finding(self, by: int) -> None:
        """The next finding, or the one before, in whatever script; from the last one, the first."""
        place = reviewing.next_finding(self.pending, self.place, by)
        if place is None:
            self.say("No rule speaks of any of these scripts.")
        else:
            self._visit(place)

    def _visit(self, place: Place) -> None:
        self.go(place)
        self.mark_in_tree()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """In the field for words, the arrows move in it. In a record, nothing is marked any more."""
        if not self.gonogo.reviews and action in ("mark", "comment"):
            return False
        return not (action == "script" and self.search.asks)

    # Marking ----------------------------------------------------------------------------------

    def action_mark(self) -> None:
        """Mark the script as reviewed: the bytes that were shown, and no others."""
        if self._may_be_marked(again=False):
            self._send_review("")

    def action_comment(self) -> None:
        """The same with a comment, also for a script that is marked already."""
        if not self._may_be_marked(again=True):
            return
        rows = [row("", one_line(self.entry.migration))]
        dialog = Confirm(self.view, "Mark as reviewed", rows, (Asked("Comment, for the record"),), verb="mark it")

        def answered(said: tuple[str, ...] | None) -> None:
            if said is not None:
                self._send_review(said[0])

        self.app.push_screen(dialog, answered)

    def _may_be_marked(self, *, again: bool) -> bool:
        if self.entry.script is None:
            self.say("It is applied already: there is nothing left to review.")
        elif not self.is_loaded:
            self.say(self.complaint or "The script is not read yet.")
        elif not self.sql.seen_end:
            self.say("Read on to its end first (the key “end” goes there).")
        elif reviewed(self.view, self.entry) and not again:
            self.say("It is marked as reviewed already; M adds a comment.")
        else:
            return True
        return False

    def _send_review(self, comment: str) -> None:
        self.gonogo.send(c.Review(migration=self.entry.migration, sha256=self.entry.sha256, comment=comment))

    def action_allowed(self) -> None:
        """All suppressions of the plan."""
        if not any(entry.allowed for entry in self.pending):
            self.say("No script allows itself anything.")
            return
        self.app.push_screen(Allowed(self.clock, self.pending, self._visit))

    # Copying ----------------------------------------------------------------------------------

    def action_copy_safer(self) -> None:
        """Copy the safer form of the finding that is stood on, else of the statement's first one that has one."""
        if safer := self._safer():
            self._copy(safer, "The safer form")
        else:
            self.say("No rule offers other SQL for this statement. C copies it as it is.")

    def _safer(self) -> str:
        script, place = self.entry.script, self.place
        if script is None or place.statement is None:
            return ""
        said = self.entry.findings(place.statement)
        numbers = (place.finding, *said) if place.finding is not None else said
        return next((script.findings[n].safer_sql for n in numbers if script.findings[n].safer_sql), "")

    def action_copy_statement(self) -> None:
        """Copy the statement as it stands in the file."""
        statement, opened = self.place.statement, self.opened
        if statement is None or opened is None or not self.is_loaded:
            self.say("No statement is stood on.")
        else:
            self._copy(opened.shown.source(statement), f"Statement {statement + 1}")

    def _copy(self, text: str, what: str) -> None:
        """Control codes are copied as what they are shown as: whoever pastes into a shell runs nothing by it."""
        self.gonogo.copy(printable(text.replace("\r\n", "\n")), f"{what}, {plural(len(text.splitlines()), 'line')}")

    # Formatted, and found ---------------------------------------------------------------------

    def action_formatted(self) -> None:
        """The statement laid out for reading, or the file as it is."""
        if self.entry.script is None:
            self.say("Where its statements are is known of pending scripts only.")
            return
        self.is_formatted = not self.is_formatted
        self.sql.display, self.laid_out.display = not self.is_formatted, self.is_formatted
        self.action_pane("sql")
        self.show_standing()

    def action_search(self) -> None:
        """Ask for words."""
        if self.is_formatted:
            self.action_formatted()
        self.search.ask()

    def on_search_line_sought(self, event: SearchLine.Sought) -> None:
        """Look for them from where one stands."""
        event.stop()
        self.action_pane("sql")
        self.sql.show_found((), 0)
        if event.words:
            self._seek(jump=True)
        self.redraw()

    def was_read(self) -> None:
        """What was searched for is marked in this script, too."""
        if self.search.words:
            self._seek(jump=self._jumps)

    @work(exclusive=True, group="search")
    async def _seek(self, *, jump: bool) -> None:
        """Find the words in the script that is open; `jump` to the nearest place that has them."""
        words, text = self.search.words, self.sql.text
        self._jumps = jump and not text.whole
        places = await asyncio.to_thread(places_of, words, text.shown)
        if text is not self.sql.text:
            return
        self.sql.show_found(places, len(words))
        self.search.show(places, self.sql.at)
        if jump and text.whole:
            at = self.search.next(self.sql.at - 1, 1)
            self._stand_on_found(at) if at is not None else self._seek_on(1)

    def action_found(self, by: int) -> None:
        """The next place that has the words, or the one before; past the last one, in the scripts that follow."""
        if not self.search.words:
            self.say("Search for something first: the key is /.")
        elif (at := self.search.next(self.sql.at, by)) is not None:
            self._stand_on_found(at)
        else:
            self._seek_on(by)

    @work(exclusive=True, group="search")
    async def _seek_on(self, by: int) -> None:
        """The first place in the scripts that follow, or the last in those before; at last in this one again."""
        here = self.peers.index(self.entry)
        for number in range(1, len(self.peers) + 1):
            entry = self.peers[(here + by * number) % len(self.peers)]
            places = await asyncio.to_thread(self._places_in, entry)
            if places:
                self.go_to(Place(entry.id), partial(_if_read, places[0 if by > 0 else -1]))
                self.mark_in_tree()
                return
        self.say("It stands in none of these scripts.")

    def _places_in(self, entry: Entry) -> tuple[int, ...]:
        """Where the words stand in a script, wherever it is read from."""
        try:
            opened = open_entry(entry, self.gonogo.folder, self.view)
        except WrongBytes:
            return ()
        return places_of(self.search.words, complete(entry, opened).shown.shown)

    def _stand_on_found(self, at: int) -> None:
        statement = self.sql.text.statement_at(at)
        self.go_to(Place(self.entry.id, statement), partial(_if_read, at))
        self.mark_in_tree()


def _if_read(at: int, text: SqlText) -> int | None:
    """The place, once the text goes so far."""
    return at if at < len(text.shown) else None
