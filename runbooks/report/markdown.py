"""The transcript in Markdown."""

import html
from collections.abc import Iterable, Iterator

from runbooks.journal.records import Record
from runbooks.report import parts as p
from runbooks.report.build import session_parts
from runbooks.report.escape import code, fenced, inline, one_line, running, unmarked
from runbooks.report.facts import gather
from runbooks.report.refs import refs_text
from runbooks.report.summary import ticket_summary
from runbooks.report.words import many

__all__ = ["markdown", "ticket_summary", "transcript"]

FOLDED_ROWS = 12
"""A table of more rows than this is folded."""
FOLDED_LINES = 10
"""And a text of more lines."""


def transcript(records: Iterable[Record]) -> str:
    """The whole session of these records in Markdown. Raises ValueError if they do not begin with session_opened."""
    kept = list(records)
    return "".join(markdown(session_parts(gather(kept), lambda: kept)))


def markdown(parts: Iterable[p.Part]) -> Iterator[str]:
    """The parts in Markdown, piece by piece."""
    for number, block in enumerate(block for part in parts for block in _blocks(part)):
        yield f"{chr(10) if number else ''}{block}\n"


def _blocks(part: p.Part) -> Iterator[str]:
    match part:
        case p.Heading(level=level, words=words):
            yield f"{'#' * level} {_line(words)}"
        case p.Paragraph(words=words):
            yield _line(words)
        case p.Points(points=points):
            yield "\n".join(f"- {_line(point.words)}" for point in points)
        case p.Pairs(rows=rows):
            body = "\n".join(f"| {name} | {_cell(words)} |" for name, words in rows)
            yield f"| | |\n|---|---|\n{body}"
        case p.Table(head=head, rows=rows, what=what):
            yield from _table(head, rows, what)
        case p.Verbatim(text=text, language=language, what=what):
            yield from _verbatim(text, language, what)
        case p.Script(sha256=sha256, file=file):
            yield f"Its text is no part of the journal; {file} was kept as {code(f'scripts/{sha256}.sql')}."
        case p.Timeline():
            yield from _timeline(part)


def _verbatim(text: str, language: str, what: p.Words) -> Iterator[str]:
    if what and (language == "json" or text.count("\n") >= FOLDED_LINES):
        yield from _folded(_bare(what), fenced(text, language))
    else:
        yield fenced(text, language)


def _table(head: tuple[str, ...], rows: Iterable[tuple[p.Words, ...]], what: str) -> Iterator[str]:
    lines = [f"| {' | '.join(map(_cell, row))} |" for row in rows]
    table = "\n".join([f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *lines])
    if len(lines) <= FOLDED_ROWS:
        yield table
    else:
        yield from _folded(what, table)


def _timeline(part: p.Timeline) -> Iterator[str]:
    rows = [((bar.at,), bar.words, bar.result, (bar.refs,)) for bar in part.bars]
    yield from _table(
        ("At", "What", "Result", "Records"),
        rows,
        f"{many(len(rows), 'step or decision', 'steps and decisions')}, in their order",
    )
    if part.left_out:
        yield f"{many(part.left_out, 'more step or decision is', 'more steps and decisions are')} only told below."


def _folded(what: str, body: str) -> Iterator[str]:
    yield f"<details><summary>{what}</summary>"
    yield body
    yield "</details>"


def _line(words: p.Words) -> str:
    return "".join(map(_span, words)).strip()


def _cell(words: p.Words) -> str:
    """In a table a value with a pipe is no code span, since parsers differ about pipes in those."""
    return "".join(
        inline(span.text) if isinstance(span, p.Value) and ("|" in span.text or "\\" in span.text) else _span(span)
        for span in words
    ).strip()


def _span(span: p.Span) -> str:
    match span:
        case p.Value(text=""):
            return ""
        case p.Value(text=text) | p.File(text=text):
            return code(text)
        case p.Strong(text=text):
            return f"**{inline(text)}**"
        case p.Refs():
            return refs_text(span)
        case str():
            return unmarked(running(span))


def _bare(words: p.Words) -> str:
    """Inside of HTML, where Markdown is not read."""
    said = "".join(refs_text(s) if isinstance(s, p.Refs) else s if isinstance(s, str) else s.text for s in words)
    return html.escape(one_line(said))
