"""One session, read afterwards: what is proven of it, its phases and decisions, every record, and its replay."""

import asyncio
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, cast

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.content import Content
from textual.worker import get_current_worker

from runbooks.history.sessions import Summary
from runbooks.reading.reel import Changed, Reel
from runbooks.reading.said import Said
from runbooks.reading.sought import places_in
from runbooks.reading.verifying import Left, Proof, Signers, proof
from runbooks.session.view import RunView
from tui.about_rows import about_rows
from tui.printable import one_line
from tui.record_rows import record_line, record_rows
from tui.screens.base import BACK, SessionScreen, wanted_by
from tui.screens.contacts import Contacts
from tui.screens.review import Review
from tui.screens.see_also import SeeAlso
from tui.widgets.band import Band
from tui.widgets.key_bar import KeyBar
from tui.widgets.lines_pane import LinesPane
from tui.widgets.long_list import LongList
from tui.widgets.row import row
from tui.widgets.search_line import SearchLine
from tui.widgets.tab_bar import TabBar
from tui.words import plural

if TYPE_CHECKING:
    from tui.auditing import Auditing

Shows = Literal["told", "all", "deviations"]
"""Which records are listed: all but what programs said and how far they were; all; those that deviated."""
TITLES: dict[Shows, str] = {
    "told": "{} without output and progress",
    "all": "{}",
    "deviations": "{} not as the runbook has it",
}
PANES = {"about": "Session", "records": "Records", "record": "Record"}


def _key(key: str, action: str, words: str, tooltip: str) -> Binding:
    return Binding(key, action, words, id=f"opened.{action}", tooltip=tooltip)


class Opened(SessionScreen):
    """Its journal is read once when it is opened, in a thread; records are read again as they are looked at."""

    BINDINGS = [
        _key("r", "replay", "Replay", "See it again on the run screen, from the record that one stands on"),
        _key("d", "deviations", "Deviations", "Only the records that were not as the runbook has it, or all again"),
        _key("o", "output", "Output", "List what programs said and how far they were, or leave it out"),
        _key("slash", "search", "Search", "Look for words in every record"),
        _key("n", "place(1)", "Next place", "To the next record that has the words"),
        _key("N", "place(-1)", "Place before", "To the record before that has the words"),
        _key("f", "phase(1)", "Next phase", "To where the next phase was opened"),
        _key("F", "phase(-1)", "Phase before", "To where this phase was opened, or the one before"),
        _key("g", "verify", "Grade", "Verify it again, and say what is proven"),
        _key("v", "review", "SQL", "Read the scripts of the plan"),
        _key("e", "see", "See also", "Read the other documents that the runbook pointed to"),
        _key("i", "contacts", "Contacts", "Whom to call, as the runbook said"),
        _key("1", "pane('about')", "Session", "What is proven, the phases, what deviated, who decided"),
        _key("2", "pane('records')", "Records", "Every record, a line each"),
        _key("3", "pane('record')", "Record", "The chosen record, with everything that it holds"),
        BACK,
    ]
    FIXED = (("enter", "Look closely"),)

    def __init__(self, session: Summary, reel: Reel, signers: Signers = None) -> None:
        super().__init__()
        self._signers = signers
        self._session = session
        self._reel = reel
        self._said = Said(reel.facts.opening) if reel.facts.opened else None
        self._proof: Proof | None = None
        self._shows: Shows = "told"
        self._seqs: Sequence[int] = ()
        self._pane = "about"
        self._about = LinesPane(id="about")
        self._records = LongList(id="records", classes="")
        self._record = LinesPane(id="record")
        self._panes = {"about": self._about, "records": self._records, "record": self._record}
        self._tabs = TabBar()
        self.search = SearchLine("these records")
        self._line = lru_cache(maxsize=512)(self._make_line)

    def compose(self) -> ComposeResult:
        """Whose session it was, the panes, what is searched for, the keys."""
        yield Band(self.gonogo.clock)
        yield self._tabs
        with Horizontal(id="opened"):
            yield from self._panes.values()
        yield self.search
        yield KeyBar()

    def begin(self) -> None:
        """What is proven comes first."""
        self._about.border_title = one_line(self._session.id)
        self._list("told", 0)
        self.action_pane("about")
        self.action_verify()

    def on_resize(self) -> None:
        """On a wide screen the list and the record stand beside each other."""
        if self.drawn:
            self.action_pane(self._pane)

    def show(self, view: RunView) -> None:
        """The session does not change."""

    def keys(self) -> tuple[str, ...]:
        """What is wanted now."""
        first = ("place(1)",) if self.search.places else ()
        return (*first, "replay", "deviations", "output", "search", "phase(1)", "review", "app.help", "back")

    # What is proven -----------------------------------------------------------------------------

    @work(exclusive=True, group="verify")
    async def action_verify(self) -> None:
        """Verify it in a thread."""
        self._proof = None
        self._tell_about()
        try:
            self._proof = await asyncio.to_thread(proof, self._session, wanted_by(get_current_worker()), self._signers)
        except Left:
            return
        self._tell_about()

    def _tell_about(self) -> None:
        if self.is_attached:
            self._about.show(list(about_rows(self._reel, self._proof)))

    # Panes --------------------------------------------------------------------------------------

    def action_pane(self, name: str) -> None:
        """Show a pane, and let the keys move in it."""
        self._pane = name
        for each, pane in self._panes.items():
            pane.set_class(each == name, "-shown")
        self.set_class(name == "about", "-at-about")
        self._tabs.show(PANES, name)
        self._panes[name].focus()

    def on_long_list_moved(self) -> None:
        """Another record is looked at."""
        self._show_record()

    def on_long_list_selected(self) -> None:
        """Enter on a record."""
        self.action_pane("record")

    @property
    def chosen(self) -> int:
        """The number of the record that one stands on."""
        return self._seqs[self._records.chosen] if self._seqs else 0

    def _list(self, shows: Shows, seq: int) -> None:
        """List other records, and stand on this one, or on the last before it."""
        reel, self._shows = self._reel, shows
        if shows == "deviations":
            self._seqs = tuple(reel.deviations)
        else:
            self._seqs = range(len(reel)) if shows == "all" else reel.told
        chosen = max((n for n, each in enumerate(self._seqs) if each <= seq), default=0)
        self._records.show(len(self._seqs), lambda number: (self._line(self._seqs[number]),), chosen=chosen)
        self._records.border_title = TITLES[shows].format(plural(len(self._seqs), "record"))
        self._show_record()

    def _make_line(self, seq: int) -> Content:
        try:
            record = self._reel.record(seq)
        except (Changed, OSError) as changed:
            return Content.styled(f"{seq}  {one_line(str(changed))}", "$fail")
        assert self._said is not None
        width = len(str(len(self._reel)))
        return record_line(record, self._said, width=width, deviates=seq in self._reel.deviations)

    def _show_record(self) -> None:
        if not self._seqs or self._said is None:
            self._record.border_title = "No record"
            self._record.show([row("", "Nothing deviated, as far as these records tell.")])
            return
        seq = self.chosen
        self._record.border_title = f"Record {seq}"
        try:
            record = self._reel.record(seq)
            self._record.show(list(record_rows(record, self._said, self._reel.deviations.get(seq, ()))))
        except (Changed, OSError) as changed:
            self._record.show([row("", (one_line(str(changed)), "$fail"))])
        if self.search.places:
            self.search.show(self.search.places, seq)

    # Which records ------------------------------------------------------------------------------

    def action_deviations(self) -> None:
        """Only these, or all again."""
        self._list("told" if self._shows == "deviations" else "deviations", self.chosen)
        self._go_to_records()

    def action_output(self) -> None:
        """With what programs said, or without."""
        self._list("told" if self._shows == "all" else "all", self.chosen)
        self._go_to_records()

    def action_phase(self, by: int) -> None:
        """Where a phase was opened."""
        begun = [stage.first for stage in self._reel.stages]
        there = [s for s in begun if s > self.chosen] if by > 0 else [s for s in begun if s < self.chosen][::-1]
        if there:
            self.stand_on(there[0])
        else:
            self.say("No phase was opened after this one." if by > 0 else "This is where it began.")

    def stand_on(self, seq: int) -> None:
        """Go to a record, whichever are listed now."""
        if seq not in self._seqs:
            self._list("told" if seq in self._reel.told else "all", seq)
        else:
            self._records.choose(self._seqs.index(seq))
        self._go_to_records()

    def _go_to_records(self) -> None:
        self.action_pane("records" if self._pane == "about" or self.has_class("-narrow") else self._pane)

    # Search -------------------------------------------------------------------------------------

    def action_search(self) -> None:
        """Ask for words."""
        self.search.ask()

    @work(exclusive=True, group="search")
    async def on_search_line_sought(self, event: SearchLine.Sought) -> None:
        """Look into every record, in a thread."""
        self._panes[self._pane].focus()
        if not event.words or self._said is None:
            return
        is_wanted = wanted_by(get_current_worker())
        self.search.begin()
        try:
            places = await asyncio.to_thread(places_in, self._reel, self._said, event.words, is_wanted)
        except Left:
            return
        except (Changed, OSError) as changed:
            self.say(str(changed))
            return
        self.search.show(places, self.chosen)
        if places:
            first = next((seq for seq in places if seq >= self.chosen), places[0])
            self.stand_on(first)
        self.redraw()

    def action_place(self, by: int) -> None:
        """The next record that has the words, or the one before."""
        there = self.search.next(self.chosen, by)
        if there is not None:
            self.stand_on(there)
        else:
            self.say("No record after this one has them." if by > 0 else "No record before this one has them.")

    # Other screens ------------------------------------------------------------------------------

    def action_replay(self) -> None:
        """See it again from here; from its beginning, where one stands on its last record."""
        if self._said is None:
            self.say("There is nothing to be replayed.")
        else:
            cast("Auditing", self.app).start_replay(self.chosen)

    def action_review(self) -> None:
        """Read the scripts."""
        if not (self.view.to_review or (self.view.plan and self.view.plan.applied)):
            self.say("No script was pending, and none was applied.")
        else:
            self.app.push_screen(Review(self.gonogo.clock))

    def action_see(self) -> None:
        """Read what the runbook pointed to."""
        if self.gonogo.view.opened is None or not self.gonogo.view.runbook.documents:
            self.say("The runbook points to no other document.")
        else:
            self.app.push_screen(SeeAlso())

    def action_contacts(self) -> None:
        """Whom to call."""
        self.app.push_screen(Contacts())

    def action_back(self) -> None:
        """Leave the search first, then the session."""
        if self.search.asks or self.search.words:
            self.workers.cancel_group(self, "search")
            self.search.words, self.search.places = "", ()
            self.search.leave()
            self._panes[self._pane].focus()
            self.redraw()
        else:
            self.dismiss()
