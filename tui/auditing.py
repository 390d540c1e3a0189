"""The app of whoever reads sessions afterwards: `gonogo sessions` on a terminal. It sends no command to any session."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from textual import work
from textual.binding import Binding
from textual.worker import get_current_worker

from runbooks.history.sessions import Summary
from runbooks.reading.listing import Sort, Wanted
from runbooks.reading.reel import Reel, reel_of
from runbooks.reading.verifying import Left, Signers
from tui.app import Looking, go_with_the_terminal
from tui.printable import one_line
from tui.replay import Replay
from tui.screens.base import wanted_by
from tui.screens.opened import Opened
from tui.screens.replay import ReplayScreen
from tui.screens.sessions import Sessions
from tui.words import now, plural

MANY = 5000
"""Records that take a second to be read, or so."""


class Auditing(Looking):
    """The list of sessions; from there, one session, and its replay."""

    BINDINGS = [
        Binding("ctrl+c,ctrl+q", "quit", "Leave", id="app.leave", priority=True, tooltip="Leave gonogo, from anywhere")
    ]

    def __init__(
        self,
        root: Path,
        wanted: Wanted,
        sort: Sort = "opened",
        signers: Signers = None,
        keymap: Mapping[str, str] | None = None,
    ) -> None:
        self.face = Replay(root)
        super().__init__(self.face, clock=lambda: self.face.now() if self.face.view.opened else now(), keymap=keymap)
        self._place = root
        self._selection = wanted
        self._sort = sort
        self._signers = signers

    @property
    def mark(self) -> str:
        """Nobody shall take what was for what is."""
        return "REPLAY" if any(isinstance(screen, ReplayScreen) for screen in self.screen_stack) else "RECORD"

    def on_mount(self) -> None:
        """The list."""
        self.push_screen(
            Sessions(self._place, self._selection, self._sort, self.open_one, self._signers), lambda _: self.exit(0)
        )

    @work(exclusive=True, group="open")
    async def open_one(self, session: Summary) -> None:
        """Read a session in a thread, then show it."""
        reel, complaint = reel_of(session.folder)
        if reel is None:
            self._complain(complaint)
            return
        if session.records > MANY:
            self.notify(
                f"{plural(session.records, 'record is', 'records are')} being read.",
                title="One moment",
                timeout=session.records / MANY,
            )
        try:
            await asyncio.to_thread(reel.wind, wanted_by(get_current_worker()))
            if not len(reel):
                self._complain(reel.fault or "There is no record.")
                return
            await self._look(session, reel)
        except Left:
            reel.close()

    async def _look(self, session: Summary, reel: Reel) -> None:
        self.face = self._client = face = Replay(session.folder, reel)
        await asyncio.to_thread(face.seek, len(reel) - 1)
        await self.push_screen_wait(Opened(session, reel, self._signers))
        await face.close()

    def _complain(self, words: str) -> None:
        self.notify(one_line(words), title="It cannot be opened", severity="warning", timeout=10, markup=False)

    def start_replay(self, seq: int) -> None:
        """From a record on; from the first, if that is the last."""
        self._replay(0 if seq + 1 >= len(self.face.reel) else seq)

    @work(exclusive=True, group="replay")
    async def _replay(self, seq: int) -> None:
        face = self.face
        await asyncio.to_thread(face.seek, seq)
        await self.push_screen_wait(ReplayScreen(face))
        await asyncio.to_thread(face.seek, len(face.reel) - 1)
        self.draw(anyhow=True)


def run_auditing(root: Path, wanted: Wanted, sort: Sort, signers: Signers) -> int:
    """Show the sessions until they are left. Returns the exit code."""
    go_with_the_terminal()
    app = Auditing(root, wanted, sort, signers)
    return app.run() or app.return_code or 0
