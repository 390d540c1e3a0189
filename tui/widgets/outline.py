"""The scripts as a tree in rows: each script; of the open one its statements; of each statement its findings."""

from collections.abc import Iterator, Sequence

from textual.content import Content

from runbooks.report.plan_words import HOW
from runbooks.session.events import Script
from runbooks.session.view import RunView
from tui.palette import NOT_ANALYSED, OPEN, OUTCOMES, TICKED, WAIVED, Mark, of_finding
from tui.printable import one_line
from tui.reviewing import Entry, Place, badness
from tui.widgets.choices import Choice
from tui.widgets.row import Row, row
from tui.words import moment, plural

MOST = 400
"""Of a script with more statements, only those that are spoken of are listed, and no more than these."""

APPLIED = "applied"


def outline(
    view: RunView, pending: Sequence[Entry], done: Sequence[Entry], opened: str, *, unfolded: bool
) -> list[Choice]:
    """All rows. `opened` is the entry whose statements are shown; `unfolded`: what is applied already is shown, too."""
    choices = [choice for entry in pending for choice in _pending(view, entry, is_open=entry.id == opened)]
    if done:
        sign = "▾" if unfolded else "▸"
        words = f"{plural(len(done), 'script')} applied already"
        key = f"  enter {'hides' if unfolded else 'shows'} {'it' if len(done) == 1 else 'them'}"
        choices.append(Choice(APPLIED, row(Content.styled(f"{sign} ", "bold $busy"), (words, "bold"), (key, "$quiet"))))
    if unfolded:
        choices += [Choice(entry.id, _applied_row(entry)) for entry in done]
    return choices


def id_of(place: Place) -> str:
    """The row that stands for a place."""
    parts = (place.entry, place.statement, place.finding)
    return ".".join(str(part) for part in parts if part is not None)


def place_of(id: str) -> Place:
    """The place that a row stands for."""
    entry, *numbers = id.split(".")
    return Place(entry, *map(int, numbers))


def reviewed(view: RunView, entry: Entry) -> bool:
    """A person has marked these very bytes as reviewed."""
    review = view.reviews.get(entry.migration)
    return review is not None and review.sha256 == entry.sha256


def how(script: Script) -> str:
    """How a script will be run, in a few words."""
    return HOW.get(script.model, one_line(script.model))


def _pending(view: RunView, entry: Entry, *, is_open: bool) -> Iterator[Choice]:
    script = entry.script
    assert script is not None
    mark = TICKED if reviewed(view, entry) else OPEN
    body = Content.assemble(
        (_name(script), "bold" if is_open else ""),
        (f"\n{plural(len(script.statements), 'statement')}", "$quiet"),
        (f", {len(entry.unread)} not analysed", "$unknown") if entry.unread else "",
        (f", {how(script)}", "$quiet") if script.model != "transaction" else "",
        _tally(entry, script),
    )
    yield Choice(entry.id, Row(Content.assemble(mark.sign, " "), body))
    if is_open:
        yield from _statements(entry, script)


def _name(script: Script) -> str:
    """What undoes a script stands behind it: its folder's name is seen there."""
    folder, _, file = one_line(script.migration).rpartition("/")
    return f"└ {file}" if folder else file


def _tally(entry: Entry, script: Script) -> Content:
    """How many findings of each kind, on a line of its own; nothing where there are none."""
    counts: dict[tuple[str, str, str], int] = {}
    for finding in sorted(script.findings, key=badness):
        mark = of_finding(finding)
        key = (mark.glyph, mark.word, mark.shade)
        counts[key] = counts.get(key, 0) + 1
    pieces = [Content.styled(f"{glyph} {count} {word}", f"${shade}") for (glyph, word, shade), count in counts.items()]
    if entry.allowed:
        pieces.append(Content.styled(f"{WAIVED.glyph} {len(entry.allowed)} allowed", "$quiet"))
    return Content.assemble("\n", Content("  ").join(pieces)) if pieces else Content("")


def _statements(entry: Entry, script: Script) -> Iterator[Choice]:
    every = range(len(script.statements))
    many = len(every) > MOST
    listed = entry.spoken_of[:MOST] if many else every
    width = len(str(script.statements[-1].line)) if script.statements else 1
    for number in listed:
        yield _statement(entry, script, number, width)
        for finding in entry.findings(number):
            yield _finding(entry, script, number, finding, width)
    if many:
        words = f"and {plural(len(every) - len(listed), 'more statement')}; f goes from finding to finding"
        yield Choice(f"{entry.id}.more", row(" " * (width + 4), (words, "$quiet")), heading=True)


def _statement(entry: Entry, script: Script, number: int, width: int) -> Choice:
    statement = script.statements[number]
    findings = entry.findings(number)
    mark = _mark(script, findings) if findings else OUTCOMES["ok"]
    if not statement.analysed and not any(script.findings[n].loses_data for n in findings):
        mark = NOT_ANALYSED
    head = Content.assemble((f"  {statement.line:>{width}} ", "$quiet"), mark.sign, " ")
    return Choice(f"{entry.id}.{number}", Row(head, Content(one_line(statement.summary))))


def _mark(script: Script, findings: Sequence[int]) -> Mark:
    return of_finding(script.findings[findings[0]])


def _finding(entry: Entry, script: Script, number: int, finding: int, width: int) -> Choice:
    found = script.findings[finding]
    mark = of_finding(found)
    allowed = ", allowed" if found.allowed else ""
    head = Content.assemble(" " * (width + 5), mark.sign, " ")
    words = Content.assemble((one_line(found.rule), f"${mark.shade}"), (allowed, "$quiet"))
    return Choice(f"{entry.id}.{number}.{finding}", Row(head, words))


def _applied_row(entry: Entry) -> Row:
    at = moment(entry.applied.at) if entry.applied else None
    when = (f"\napplied {at:%Y-%m-%d %H:%M} UTC", "$quiet") if at else ("", "")
    return row(Content.assemble(OUTCOMES["ok"].sign, " "), one_line(entry.migration), when)
