"""The forms that a session can be read in, each a function of its folder: the journal, and for HTML its scripts."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Literal, get_args

from runbooks.journal import Record, read
from runbooks.report.build import session_parts
from runbooks.report.cast import cast
from runbooks.report.facts import gather
from runbooks.report.html import KeptScripts, Origin, page
from runbooks.report.markdown import markdown
from runbooks.report.parts import Part
from runbooks.report.text import text

Format = Literal["md", "html", "text", "cast"]
FORMATS: tuple[Format, ...] = get_args(Format)
KEPT: tuple[Format, ...] = ("md", "html")
"""Those that a session leaves in its folder."""


def render(form: Format, journal: Path) -> Iterator[str]:
    """A transcript, piece by piece; the journal is read and not held. Raises Problem, Unavailable, BadRecord."""
    match form:
        case "md":
            return markdown(_parts(journal))
        case "text":
            return text(_parts(journal))
        case "cast":
            return cast(read(journal))
        case "html":
            return html(journal)


def rendered(form: Format, journal: Path) -> bytes:
    """The same, whole."""
    return "".join(render(form, journal)).encode()


def _parts(journal: Path) -> Iterator[Part]:
    return session_parts(gather(read(journal)), lambda: read(journal))


def html(journal: Path, records: int | None = None, only: frozenset[str] | None = None) -> Iterator[str]:
    """The page of a journal, or of so many of its first records, with the scripts beside it, or only with some."""

    def reading() -> Iterator[Record]:
        return islice(read(journal), records)

    facts = gather(reading())
    origin = Origin(facts.opening.session, 1 + (facts.last.seq if facts.last else 0), facts.head)
    return page(session_parts(facts, reading), origin, KeptScripts(journal.parent, only))
