"""Whether a transcript.html is what gonogo makes of a journal: it is made again, and compared byte by byte."""

from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from importlib.metadata import version
from itertools import islice, zip_longest
from pathlib import Path
from typing import Literal

from migrations.problem import Misuse, Problem
from runbooks.journal import read
from runbooks.journal.records import ZEROS
from runbooks.report.formats import html
from runbooks.report.words import many

MOST_RECORDS = 2**53
SHOWN = 120
"""So many characters of a line that differs are shown."""


@dataclass(frozen=True, slots=True)
class Made:
    """What a page says that it was made of: that many first records, a head, these scripts, by this gonogo."""

    session: str
    records: int
    head: str
    scripts: tuple[str, ...]
    by: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """`unknown`: it cannot be made again, for the reasons in `lines`."""

    state: Literal["same", "different", "unknown"]
    lines: tuple[str, ...] = ()


def made(page: Path) -> Made:
    """What the head of a page says. Raises Misuse for what is no transcript of ours, Problem if it is unreadable."""
    said = _said(_bytes(page))
    if said is None:
        raise Misuse(
            f"{page} is no transcript of gonogo.", advice="`gonogo transcript export --format html` makes one."
        )
    return said


def compare_page(page: Path, journal: Path) -> Comparison:
    """Make the page again from as many records as it says, with the scripts that it shows.

    Raises Problem, Misuse, Unavailable, BadRecord.
    """
    said, theirs = made(page), _bytes(page)
    if lacking := _lacking(said, journal):
        return Comparison("unknown", (lacking,))
    again = "".join(html(journal, records=said.records, only=frozenset(said.scripts))).encode()
    if theirs == again:
        return Comparison("same", tuple(_told(said, journal)))
    now = _said(again)
    missing = [one for one in said.scripts if now is None or one not in now.scripts]
    if missing:
        shown = (f"it shows the script {one}, which is not beside this journal, or was altered" for one in missing)
        return Comparison("unknown", tuple(shown))
    return Comparison("different", tuple(_difference(said, theirs, again)))


def _bytes(page: Path) -> bytes:
    try:
        return page.read_bytes()
    except OSError as error:
        raise Problem(f"{page} cannot be read: {error.strerror}.") from None


def _said(page: bytes) -> Made | None:
    named = _Head(page.decode("utf-8", "replace")).named
    try:
        records, scripts = int(named["gonogo-records"]), tuple(named["gonogo-scripts"].split())
        if not 0 < records < MOST_RECORDS:
            return None
        return Made(named["gonogo-session"], records, named["gonogo-head"], scripts, named["generator"])
    except (KeyError, ValueError):
        return None


def _lacking(said: Made, journal: Path) -> str:
    """Why it cannot be made again from this journal, or nothing."""
    count, head = 0, ZEROS
    for record in islice(read(journal), said.records):
        count, head = count + 1, record.hash
    if count < said.records:
        return f"it was made from {many(said.records, 'record')}, and this journal has {count}"
    if head != said.head:
        return f"it was made from another journal, whose record {count - 1} has the hash {said.head}; here it is {head}"
    return ""


def _told(said: Made, journal: Path) -> Iterator[str]:
    counts = f"{many(said.records, 'record')}, {many(len(said.scripts), 'script')} beside"
    yield f"it is what gonogo makes of {journal}: {counts}"
    later = sum(1 for _ in read(journal, said.records))
    if later:
        yield f"the journal has {many(later, 'more record')}, which came after it"


def _difference(said: Made, theirs: bytes, again: bytes) -> Iterator[str]:
    lines = zip_longest(theirs.split(b"\n"), again.split(b"\n"))
    number, (there, here) = next((n, pair) for n, pair in enumerate(lines, 1) if pair[0] != pair[1])
    at = next((n for n, (one, other) in enumerate(zip_longest(there or b"", here or b"")) if one != other), 0)
    yield f"first difference in line {number}, column {at + 1} (in bytes)"
    yield f"there: {_excerpt(there, at)}"
    yield f"made again: {_excerpt(here, at)}"
    if said.by != f"gonogo {version('gonogo')}":
        yield f"it was made by {said.by}, and this is gonogo {version('gonogo')}: they may render differently"


def _excerpt(line: bytes | None, at: int) -> str:
    if line is None:
        return "(no such line)"
    start = max(0, at - SHOWN // 3)
    return line[start : start + SHOWN].decode("utf-8", "replace")


class _Head(HTMLParser):
    """The named values in the head of a page; each name counts once."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.named: dict[str, str] = {}
        self.feed(text.partition("<style>")[0])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep a `meta`."""
        given = dict(attrs)
        if tag == "meta" and (name := given.get("name")):
            self.named.setdefault(name, given.get("content") or "")
