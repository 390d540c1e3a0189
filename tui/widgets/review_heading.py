"""What stands above a script in the review."""

from collections.abc import Sequence

from textual.content import Content

from runbooks.session.events import Script
from runbooks.session.view import RunView
from tui.palette import OPEN, OUTCOMES, TICKED
from tui.printable import one_line
from tui.reviewing import Entry, Place
from tui.widgets.outline import how, reviewed
from tui.words import moment


def heading(
    view: RunView, peers: Sequence[Entry], entry: Entry, *, seen_end: bool, loaded: bool, said: tuple[str, str]
) -> Content:
    """Which script this is, whether it is reviewed, how much of it could be analysed, how it will be run."""
    place = f"{peers.index(entry) + 1} of {len(peers)}  "
    name = Content.assemble((place, "$quiet"), (one_line(entry.migration), "bold"))
    also = Content.styled(f"\n{one_line(said[0])}", said[1]) if said[0] else Content("")
    if entry.script is None:
        return Content.assemble(name, _applied(entry), also)
    words = f"\n{one_line(entry.coverage)} · {how(entry.script)}{_undone(entry.script)}"
    unread = "unknown" if entry.unread else "quiet"
    state = _state(view, entry, seen_end=seen_end, loaded=loaded)
    return Content.assemble(name, state, (words, f"${unread}"), also)


def _undone(script: Script) -> str:
    back = script.rollback
    files = (("rollback.md" if back.text_sha256 else ""), ("rollback.sql" if back.script else "")) if back else ()
    found = " and ".join(file for file in files if file)
    return f" · undone by {found}" if found else ""


def standing_words(entry: Entry, place: Place, number: tuple[int, int]) -> str:
    """`Statement 2 of 3 · line 4 · finding 1 of 7`."""
    if entry.script is None:
        return "Applied already"
    if place.statement is None:
        return "No statement"
    statement = f"Statement {place.statement + 1} of {entry.count}"
    line = f"line {entry.script.statements[place.statement].line}"
    finding = (f"finding {number[0]} of {number[1]}",) if number[0] else ()
    return " · ".join((statement, line, *finding))


def _state(view: RunView, entry: Entry, *, seen_end: bool, loaded: bool) -> Content:
    if not reviewed(view, entry):
        todo = "" if not loaded else ": m marks it" if seen_end else ": read on to its end"
        return Content.styled(f"  {OPEN.glyph} not reviewed{todo}", f"${OPEN.shade}")
    review = view.reviews[entry.migration]
    comment = f": {one_line(review.comment)}" if review.comment else ""
    return Content.styled(f"  {TICKED.glyph} reviewed by {one_line(review.by.name)}{comment}", f"${TICKED.shade}")


def _applied(entry: Entry) -> Content:
    at = moment(entry.applied.at) if entry.applied else None
    when = f" {at:%Y-%m-%d %H:%M} UTC" if at else ""
    mark = OUTCOMES["ok"]
    return Content.styled(f"  {mark.glyph} applied{when}", f"${mark.shade}")
