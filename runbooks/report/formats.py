"""The forms that a session can be read in, each a function of its folder: the journal, and for HTML its scripts."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Literal, get_args

from runbooks.journal import Record, read
from runbooks.report.build import session_parts
from runbooks.report.facts import gather
from runbooks.report.html import KeptScripts, Origin, page
from runbooks.report.markdown import markdown

Format = Literal["md", "html"]
FORMATS: tuple[Format, ...] = get_args(Format)
KEPT: tuple[Format, ...] = ("md", "html")
"""Those that a session leaves in its folder."""


def render(form: Format, journal: Path) -> Iterator[str]:
    """A transcript, piece by piece; the journal is read twice and not held. Raises Problem, Unavailable, BadRecord."""
    match form:
        case "md":
            yield from markdown(session_parts(gather(read(journal)), lambda: read(journal)))
        case "html":
            yield from html(journal)


def rendered(form: Format, journal: Path) -> bytes:
    """The same, whole."""
    return "".join(render(form, journal)).encode()


def html(journal: Path, records: int | None = None, only: frozenset[str] | None = None) -> Iterator[str]:
    """The page of a journal, or of so many of its first records, with the scripts beside it, or only with some."""

    def reading() -> Iterator[Record]:
        return islice(read(journal), records)

    facts = gather(reading())
    origin = Origin(facts.opening.session, 1 + (facts.last.seq if facts.last else 0), facts.head)
    return page(session_parts(facts, reading), origin, KeptScripts(journal.parent, only))
