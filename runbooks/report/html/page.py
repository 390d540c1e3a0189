"""The page around a transcript's parts: what it may load (nothing), where its chapters are, what it was made of."""

import base64
import hashlib
import html
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files

from runbooks.report import parts as p
from runbooks.report.escape import one_line
from runbooks.report.html.body import Beside, Body, words_text
from runbooks.report.html.scripts import KeptScripts

STYLE = files("runbooks.report.html").joinpath("style.css").read_text(encoding="utf-8")
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'"

_FOOT = (
    "This page loads nothing and runs nothing. <code>gonogo transcript verify transcript.html</code> makes it again"
    " from the journal, and compares every byte."
)


@dataclass(frozen=True, slots=True)
class Origin:
    """What a page is made of: the first `records` of a session's journal, whose chain ends in `head`."""

    session: str
    records: int
    head: str


def page(parts: Iterable[p.Part], origin: Origin, scripts: KeptScripts) -> Iterator[str]:
    """The whole page, piece by piece. It is a function of the records and of those scripts, and of this gonogo."""
    kept = list(parts)
    body = Body(kept, scripts)
    yield from _head(_title(kept), {**_named(origin), "gonogo-scripts": " ".join(body.shown)})
    yield from _body(body, _FOOT)


def page_beside(parts: Iterable[p.Part], origin: Origin, scripts: KeptScripts, beside: Beside) -> Iterator[str]:
    """A page about a session, in the same form, whose records are told by another page beside it."""
    kept = list(parts)
    yield from _head(_title(kept), _named(origin))
    yield from _body(Body(kept, scripts, beside), "This page loads nothing and runs nothing.")


def _title(parts: Iterable[p.Part]) -> str:
    return next((words_text(part.words) for part in parts if isinstance(part, p.Heading) and part.level == 1), "")


def _named(origin: Origin) -> dict[str, str]:
    return {
        "viewport": "width=device-width, initial-scale=1",
        "color-scheme": "light dark",
        "referrer": "no-referrer",
        "generator": f"gonogo {version('gonogo')}",
        "gonogo-session": origin.session,
        "gonogo-records": str(origin.records),
        "gonogo-head": origin.head,
    }


def _body(body: Body, foot: str) -> Iterator[str]:
    yield '<body>\n<a class="skip" href="#main">Skip to the record</a>\n'
    yield from body.pieces()
    yield f"<footer>{foot}</footer>\n</body>\n</html>\n"


def _head(title: str, named: dict[str, str]) -> Iterator[str]:
    yield '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    yield f'<meta http-equiv="Content-Security-Policy" content="{html.escape(POLICY)}">\n'
    for name, value in named.items():
        yield f'<meta name="{name}" content="{html.escape(one_line(value))}">\n'
    yield f"<title>{html.escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n"
