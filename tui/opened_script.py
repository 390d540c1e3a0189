"""A script that is opened for review: read, held against its hash, its beginning at once, all of it a moment later."""

from bisect import bisect_left
from dataclasses import dataclass
from pathlib import Path

from runbooks.session.view import RunView
from runbooks.settings.project import migrations_folder
from tui.palette import NOT_ANALYSED, of_finding
from tui.reviewing import Entry, badness
from tui.script_files import Read, WrongBytes, read_applied, read_pending
from tui.sql_text import SqlText, head_of
from tui.widgets.sql_pane import Marked

UNREAD = (True, False, 0, 0)
"""What could not be analysed may be as bad as anything but a certain loss."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A script, or its beginning. `edited`: it is no longer what was applied, in words."""

    source: str
    edited: str
    shown: SqlText
    marks: tuple[Marked, ...]


def open_entry(entry: Entry, folder: Path, view: RunView) -> Opened:
    """Read a script and lay out its beginning. Raises WrongBytes with words for a person."""
    read = _read(entry, folder, view)
    head = head_of(read.text, entry.spans())
    return Opened(read.text, read.edited, head, marks_of(entry, head))


def complete(entry: Entry, opened: Opened) -> Opened:
    """Lay out all of it."""
    shown = SqlText(opened.source, tuple(entry.spans()))
    return Opened(opened.source, opened.edited, shown, marks_of(entry, shown))


def _read(entry: Entry, folder: Path, view: RunView) -> Read:
    if entry.script is not None:
        return read_pending(folder, entry.script)
    if entry.applied is None or view.opened is None or not view.opened.project_file:
        raise WrongBytes("The session does not say where the project is.")
    migrations = migrations_folder(Path(view.opened.project_file))
    if migrations is None:
        raise WrongBytes(f"{view.opened.project_file} cannot be read any more: the file is somewhere else, or broken.")
    return read_applied(migrations, entry.applied)


def marks_of(entry: Entry, text: SqlText) -> tuple[Marked, ...]:
    """Which places of a text, as far as it goes, are spoken of."""
    if entry.script is None:
        return ()
    statements = text.statements
    places = ((entry.place(number), entry.script.findings[number]) for number in entry.order)
    found = [
        Marked(text.place(place.statement, finding.line - 1), badness(finding), of_finding(finding))
        for place, finding in places
        if place.statement is not None and place.statement < statements
    ]
    unread = [
        Marked(text.extent(number)[0], UNREAD, NOT_ANALYSED)
        for number in entry.unread[: bisect_left(entry.unread, statements)]
    ]
    return tuple(sorted([*found, *unread], key=lambda marked: marked.offset))
