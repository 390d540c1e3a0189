"""The sessions of this machine: filtered, sorted, verified while one looks, opened."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static
from textual.worker import get_current_worker

from runbooks.history.sessions import Summary, summary
from runbooks.reading.listing import SORTS, Sort, Wanted, chosen, folders_in
from runbooks.reading.verifying import Left, Signers, verified
from tui.listed_rows import review_words
from tui.printable import one_line
from tui.screens.base import Shown, wanted_by
from tui.session_rows import is_wide, session_rows, text_of, widths_of
from tui.widgets.filter_line import FilterLine
from tui.widgets.key_bar import KeyBar
from tui.widgets.long_list import LongList
from tui.words import plural

BATCH = 20
"""So many are read before they are shown."""
DRAWN_SECONDS = 0.2
WORDS: dict[Sort, str] = {
    "opened": "newest first",
    "waivers": "most waivers first",
    "grade": "worst grade first",
}


class Sessions(Screen[None], Shown):
    """One list. Reading and verifying go on beside it, and end with it."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]
    BINDINGS = [
        Binding("slash", "filter", "Filter", id="sessions.filter", tooltip="Only those that have all these words"),
        Binding("s", "sort(1)", "Sort", id="sessions.sort", tooltip="By the next key: when, where, for what …"),
        Binding("S", "sort(-1)", "Sort back", id="sessions.sort_back", tooltip="By the key before"),
        Binding("r", "again", "Read again", id="sessions.again", tooltip="Look for new sessions, and verify all again"),
        Binding("question_mark", "app.help", "Help", id="help", tooltip="Every key of this screen"),
        Binding("escape,q", "leave", "Leave", id="sessions.leave", tooltip="Leave the filter, then gonogo"),
    ]

    def __init__(
        self,
        root: Path,
        wanted: Wanted,
        sort: Sort,
        open_one: Callable[[Summary], object],
        signers: Signers = None,
    ) -> None:
        super().__init__()
        self._root = root
        self._wanted = wanted
        self._sort = sort
        self._open = open_one
        self._signers = signers
        self._known: dict[str, Summary] = {}
        self._verified: set[str] = set()
        self._listed: Sequence[Summary] = ()
        self._read = 0
        self._count: int | None = None
        self._complaint = ""
        self._verifying = ""
        self._stale = False
        self._wide = False
        self._widths: tuple[int, ...] = ()
        self._filter = FilterLine()
        self._note = Static("", markup=False, id="session-note")
        self._list = LongList(id="sessions")

    def compose(self) -> ComposeResult:
        """Where they lie, the list, the words that they must have, the keys."""
        yield Static(f" gonogo  sessions in {one_line(str(self._root))} ", markup=False, id="home-heading")
        yield self._list
        yield self._note
        yield self._filter
        yield KeyBar()

    def on_mount(self) -> None:
        """Begin to read."""
        if not self.query(LongList):
            return
        self._list.focus()
        self.call_after_refresh(self.is_painted)
        self.set_interval(DRAWN_SECONDS, self._draw_if_stale)
        keys = ("filter", "sort(1)", "again", "app.help", "leave")
        self.query_one(KeyBar).show(keys, ("enter", "Open"), ("↑ ↓", "Choose"))
        self.action_again()

    # Reading and verifying ----------------------------------------------------------------------

    @work(exclusive=True)
    async def action_again(self) -> None:
        """Read what lies there; then verify each."""
        self.workers.cancel_group(self, "verify")
        self._known, self._verified, self._read, self._count, self._complaint = {}, set(), 0, None, ""
        folders, self._complaint = await asyncio.to_thread(folders_in, self._root)
        self._count = len(folders)
        for begin in range(0, len(folders), BATCH):
            found = await asyncio.to_thread(_summaries, folders[begin : begin + BATCH])
            self._known |= {session.id: session for session in found}
            self._read += len(found)
            self._stale = True
        self._draw()
        self._verify_all()

    def on_screen_suspend(self) -> None:
        """Whoever reads a session has the machine for that."""
        self.workers.cancel_group(self, "verify")

    def on_screen_resume(self) -> None:
        """Go on where that was left."""
        if self._count is not None and self._read == self._count:
            self._verify_all()

    @work(exclusive=True, group="verify")
    async def _verify_all(self) -> None:
        """What is looked at first."""
        is_wanted = wanted_by(get_current_worker())
        while (session := self._next_to_verify()) is not None:
            self._verifying, self._stale = session.id, True
            await self._verify(session, is_wanted)
        self._verifying = ""
        self._draw()

    def _next_to_verify(self) -> Summary | None:
        every_one = (*self._listed[self._list.chosen :], *self._listed, *self._known.values())
        return next((s for s in every_one if s.id not in self._verified), None)

    async def _verify(self, session: Summary, is_wanted: Callable[[], bool]) -> None:
        try:
            found = await asyncio.to_thread(verified, session, is_wanted, self._signers)
        except Left:
            return
        self._known[session.id] = found
        self._verified.add(session.id)
        self._stale = True

    # Drawing --------------------------------------------------------------------------------------

    def _draw_if_stale(self) -> None:
        if self._stale:
            self._draw()

    def on_resize(self) -> None:
        """The width decides how many lines a session takes."""
        self._stale = True

    def _draw(self) -> None:
        if not self.is_attached:
            return
        self._stale = False
        stood_on, words = self._chosen, self._filter.words
        meant = chosen(self._known.values(), self._wanted, self._sort)
        self._listed = [session for session in meant if all(word in text_of(session) for word in words)]
        place = next((n for n, s in enumerate(self._listed) if stood_on and s.id == stood_on.id), None)
        self._widths = widths_of(self._listed)
        self._wide = is_wide(self._widths, self._list.scrollable_content_region.width)
        self._list.show(len(self._listed), self._rows, each=1 if self._wide else 2, chosen=place)
        self._list.border_title = self._title(len(meant))
        self._list.border_subtitle = self._progress()
        self._tell()

    def _rows(self, number: int) -> Sequence[Content]:
        session = self._listed[number]
        return session_rows(session, self._widths, wide=self._wide, verifying=session.id == self._verifying)

    @property
    def _chosen(self) -> Summary | None:
        """The session that one stands on, as it is known by now."""
        listed = self._listed[self._list.chosen : self._list.chosen + 1]
        return self._known.get(listed[0].id) if listed else None

    def _tell(self) -> None:
        """What is wrong with the session that one stands on, or owed by it; or why there is none."""
        session = self._chosen
        said = one_line(session.fault or review_words(session)) if session else self._nothing()
        self._note.update(said)
        self._note.display = bool(said)

    def _nothing(self) -> str:
        if self._complaint:
            return one_line(self._complaint)
        if self._count is None or self._read < self._count:
            return "Reading …"
        return "No session is like that." if self._known else "No session lies here."

    def _title(self, meant: int) -> str:
        order = WORDS.get(self._sort, f"by {self._sort}")
        some = f"{len(self._listed)} of " if len(self._listed) < meant else ""
        return f"{some}{plural(meant, 'session')}, {order}"

    def _progress(self) -> str:
        if self._count is None or self._read < self._count:
            return f"{self._read} read of {self._count or '…'}"
        left = len(self._known) - len(self._verified)
        return f"{left} not verified yet" if left else "all verified"

    # Keys -----------------------------------------------------------------------------------------

    def action_filter(self) -> None:
        """Type words."""
        self._filter.ask()

    def on_filter_line_changed(self) -> None:
        """The list follows."""
        self._draw()

    def on_filter_line_left(self) -> None:
        """Back to the list."""
        self._list.focus()

    def action_sort(self, by: int) -> None:
        """By another key; what is chosen stays chosen."""
        self._sort = SORTS[(SORTS.index(self._sort) + by) % len(SORTS)]
        self._draw()

    def on_long_list_moved(self) -> None:
        """Another one is looked at."""
        self._tell()

    def on_long_list_selected(self) -> None:
        """Enter on a line."""
        if self._chosen is not None:
            self._open(self._chosen)

    def action_leave(self) -> None:
        """One thing at a time: the filter, then the screen."""
        if self._filter.words:
            self._filter.clear()
        if self._filter.asks or self._filter.display:
            self._filter.leave()
        else:
            self.dismiss()

    async def action_press(self, key: str) -> None:
        """A click on a key's word works as the key does."""
        self.app.simulate_key(key)


def _summaries(folders: Sequence[Path]) -> list[Summary]:
    return [summary(folder) for folder in folders]
