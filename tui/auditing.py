"""The app of whoever reads sessions afterwards: `gonogo sessions` on a terminal. It sends no command to any session."""

from collections.abc import Mapping
from pathlib import Path

from textual.binding import Binding

from runbooks.reading.listing import Sort, Wanted
from runbooks.sessions import Summary
from tui.app import Base, go_with_the_terminal
from tui.screens.sessions import Sessions


class Auditing(Base):
    """The list of sessions; from there, one session, and its replay."""

    BINDINGS = [
        Binding("ctrl+c,ctrl+q", "quit", "Leave", id="app.leave", priority=True, tooltip="Leave gonogo, from anywhere")
    ]

    def __init__(
        self, root: Path, wanted: Wanted, sort: Sort = "opened", keymap: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(keymap)
        self._place = root
        self._selection = wanted
        self._sort = sort

    def on_mount(self) -> None:
        """The list."""
        self.push_screen(Sessions(self._place, self._selection, self._sort, self.open_one), lambda _: self.exit(0))

    def open_one(self, session: Summary) -> None:
        """Look at one."""
        self.notify(session.id, markup=False)


def run_auditing(root: Path, wanted: Wanted, sort: Sort) -> int:
    """Show the sessions until they are left. Returns the exit code."""
    go_with_the_terminal()
    app = Auditing(root, wanted, sort)
    return app.run() or app.return_code or 0
