"""The transcript as plain text of 80 columns, for mails and tickets."""

import re
from collections.abc import Iterable, Iterator

from runbooks.report import parts as p
from runbooks.report.escape import block, one_line, running
from runbooks.report.refs import refs_text
from runbooks.report.words import many
from runbooks.report.wrap import COLUMNS, broken, width, wrapped

NAMES = 13
"""Columns for the names in the summary, and for times in the timeline."""
_BARE = re.compile(r"[\w./:@+,%=~-]+")
_RULES = {1: "=", 2: "="}
_INDENT = " " * 4


def text(parts: Iterable[p.Part]) -> Iterator[str]:
    """The parts as text, piece by piece."""
    for number, part in enumerate(parts):
        gap = "\n" * (bool(number) + (isinstance(part, p.Heading) and part.level == 2))
        yield f"{gap}{chr(10).join(_lines(part))}\n"


def _lines(part: p.Part) -> Iterator[str]:
    match part:
        case p.Heading(level=level, words=words):
            lines = list(wrapped(_line(words)))
            yield from lines
            if level in _RULES:
                yield _RULES[level] * max(map(width, lines))
        case p.Paragraph(words=words, notice=notice):
            yield from wrapped(_line(words), "! " * notice, "! " * notice)
        case p.Points(points=points):
            for point in points:
                yield from wrapped(_line(point.words), "- ", "  ")
        case p.Pairs(rows=rows):
            for name, words in rows:
                yield from wrapped(_line(words), name.ljust(NAMES), " " * NAMES)
        case p.Table():
            yield from _table(part)
        case p.Verbatim(text=said, what=what):
            yield from wrapped(f"{_line(what)}:") if what else ()
            yield from _verbatim(said)
        case p.Script(sha256=sha256, file=file):
            yield from wrapped(f"Its text is no part of the journal; {file} was kept as scripts/{_value(sha256)}.sql")
        case p.Timeline(bars=bars, left_out=left_out):
            for bar in bars:
                result = f": {_line(bar.result)}" if bar.result else ""
                told = f"{_line(bar.words)}{result} {refs_text(bar.refs)}"
                yield from wrapped(told, f"{bar.at}  ", " " * (len(bar.at) + 2))
            yield from (
                (f"{many(left_out, 'more step or decision is', 'more steps and decisions are')} only told below.",)
                if left_out
                else ()
            )


def _table(part: p.Table) -> Iterator[str]:
    """A row is a point; what is empty is left out."""
    yield f"{part.what}:"
    for row in part.rows:
        told = ((name, _line(cell)) for name, cell in zip(part.head, row, strict=True))
        yield from wrapped("; ".join(f"{name}: {said}" for name, said in told if said), "- ", "  ")


def _verbatim(said: str) -> Iterator[str]:
    """As it is; what does not fit goes on behind a sign of ours, so that no line can pass for another."""
    for line in block(said).removesuffix("\n").expandtabs(8).split("\n"):
        yield from broken(line, _INDENT, f"{_INDENT}  … ", COLUMNS)


def _line(words: p.Words) -> str:
    return "".join(map(_span, words)).strip()


def _span(span: p.Span) -> str:
    match span:
        case p.Value(text=said) | p.File(text=said):
            return _value(said)
        case p.Strong(text=said):
            return one_line(said)
        case p.Refs():
            return refs_text(span)
        case str():
            return running(span)


def _value(said: str) -> str:
    """A word as it is; more than that in quotes, so that it cannot pass for words of ours."""
    shown = one_line(said)
    if not shown or _BARE.fullmatch(shown):
        return shown
    return '"' + shown.replace("\\", "\\\\").replace('"', '\\"') + '"'
