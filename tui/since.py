"""What happened since the operator last looked, as rows of a dialog."""

from textual.content import Content

from runbooks.faces.meanwhile import Told, Weight
from tui.printable import one_line
from tui.widgets.row import Row, row
from tui.words import plural

SHOWN = 200
_LOOKS: dict[Weight, tuple[str, str]] = {
    "plain": ("·", "$quiet"),
    "good": ("✔", "$ok"),
    "bad": ("✖", "$fail"),
    "open": ("?", "$warn"),
}


def rows_of(told: Told) -> list[Row]:
    """A line each, oldest first; of very many the newest."""
    left = len(told.lines) - SHOWN
    rows = [row("", (f"{plural(left, 'line')} before these: see the transcript (p)", "$quiet"))] if left > 0 else []
    for line in told.lines[-SHOWN:]:
        sign, shade = _LOOKS[line.weight]
        head = Content.assemble((f"{line.at[11:19]} ", "$quiet"), (f"{sign} ", shade))
        rows.append(row(head, one_line(line.words)))
    return rows
