"""The parts of a transcript in HTML: header, chapters, tables, folded texts."""

import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from runbooks.report import parts as p
from runbooks.report.escape import block, one_line, running
from runbooks.report.html.scripts import KeptScripts
from runbooks.report.html.sql import lines_of, sql
from runbooks.report.html.timeline import timeline
from runbooks.report.refs import pieces, refs_text
from runbooks.report.words import many

FOLDED_ROWS = 12
FOLDED_LINES = 10

_TONES = {
    **dict.fromkeys(
        ("stop", "✘ fail", "NO-GO", "failed", "crashed", "loses data", "It failed", "NOT ENDED", "ROLLED BACK"), "fail"
    ),
    **dict.fromkeys(("warn", "⚠ warn", "Waived", "protected", "declined", "stopped", "not analysed"), "warn"),
    **dict.fromkeys(("GO", "done"), "ok"),
}
"""Which strong words have a colour. None says by its colour alone what it means."""


@dataclass(frozen=True, slots=True)
class Beside:
    """Another page that tells the records, by its name beside this one, and which records it has a place for."""

    page: str
    records: frozenset[int]


class Body:
    """Everything between the body's tags. `shown` are the hashes of the scripts whose text is in it.

    With `beside`, records are told there, and every reference leads to it.
    """

    def __init__(self, parts: Sequence[p.Part], scripts: KeptScripts, beside: Beside | None = None) -> None:
        self._parts = parts
        self._beside = beside
        self._targets = _targets(parts)
        self._links = True
        names = dict.fromkeys((part.sha256, part.copy_sha256) for part in parts if isinstance(part, p.Script))
        self._scripts = {sha256: scripts.read(sha256, copy) for sha256, copy in names}
        self.shown = [sha256 for sha256, (state, _) in self._scripts.items() if state == "kept"]

    def pieces(self) -> Iterator[str]:
        """The header, the list of chapters, and the record."""
        first = next((n for n, part in enumerate(self._parts) if _level(part) == 2), len(self._parts))
        yield "<header>\n"
        title = [part for part in self._parts[:first] if _level(part) == 1]
        yield from (f"<h1>{self._words(part.words)}</h1>\n" for part in title if isinstance(part, p.Heading))
        yield "</header>\n"
        yield from self._chapters()
        yield '<main id="main" tabindex="-1">\n<section class="summary" aria-label="Summary">\n'
        yield from (self._part(part) for part in self._parts[:first] if _level(part) != 1)
        for number, part in enumerate(self._parts[first:]):
            if isinstance(part, p.Heading) and part.level == 2:
                self._links = number == 0 or self._beside is not None
                yield f'</section>\n<section aria-labelledby="{self._id(part)}">\n'
            yield self._part(part)
        yield "</section>\n</main>\n"

    def _chapters(self) -> Iterator[str]:
        yield '<nav aria-label="Chapters">\n<ul>\n'
        for part in self._parts:
            if isinstance(part, p.Heading) and part.level == 2:
                said = html.escape(words_text(tuple(w for w in part.words if not isinstance(w, p.Refs))))
                yield f'<li><a href="#{self._id(part)}">{said}</a></li>\n'
        yield "</ul>\n</nav>\n"

    def _id(self, part: p.Heading) -> str:
        """`r12` where it is about record 12, else its words."""
        if part.seq is not None:
            return f"r{part.seq}"
        return "".join(c for c in words_text(part.words).lower().replace(" ", "-") if c.isascii() and c != '"')

    def _part(self, part: p.Part) -> str:
        match part:
            case p.Heading(level=level, words=words, seq=seq, mark=mark):
                name = f' id="{self._id(part)}"' if level == 2 else self._target(part, seq)
                return f"<h{level}{name}{_class(mark)}>{self._words(words)}</h{level}>\n"
            case p.Paragraph(words=words, notice=notice):
                return f"<p{_class('notice' * notice)}>{self._words(words)}</p>\n"
            case p.Points(points=points):
                items = (f"<li{self._target(point, point.seq)}>{self._words(point.words)}</li>\n" for point in points)
                return f"<ul>\n{''.join(items)}</ul>\n"
            case p.Pairs(rows=rows):
                return f'<table class="pairs">\n{"".join(map(self._pair, rows))}</table>\n'
            case p.Table():
                return self._table(part)
            case p.Verbatim(text=text, language=language, what=what):
                return self._verbatim(text, language, what)
            case p.Script():
                return self._script(part)
            case p.Timeline():
                return f"{timeline(part, self._words)}\n"

    def _target(self, part: object, seq: int | None) -> str:
        return f' id="r{seq}"' if seq is not None and self._targets.get(seq) is part else ""

    def _pair(self, row: tuple[str, p.Words]) -> str:
        return f'<tr><th scope="row">{html.escape(row[0])}</th><td>{self._words(row[1])}</td></tr>\n'

    def _table(self, part: p.Table) -> str:
        head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in part.head)
        rows = "".join(f"<tr>{''.join(f'<td>{self._words(cell)}</td>' for cell in row)}</tr>\n" for row in part.rows)
        body = f"<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody></table></div>\n"
        if len(part.rows) > FOLDED_ROWS:
            return _folded(html.escape(part.what), f'<div class="scroll"><table>{body}')
        return f'<div class="scroll"><table><caption>{html.escape(part.what)}</caption>{body}'

    def _verbatim(self, text: str, language: str, what: p.Words) -> str:
        shown = f"<pre><code>{html.escape(block(text).removesuffix(chr(10)))}</code></pre>\n"
        folded = what and (language == "json" or text.count("\n") >= FOLDED_LINES)
        return _folded(self._words(what), shown) if folded else shown

    def _script(self, part: p.Script) -> str:
        state, text = self._scripts[part.sha256]
        place = f"<code>scripts/{html.escape(one_line(part.sha256))}.sql</code>"
        if state == "kept":
            return _folded(f"{html.escape(part.file)}, {many(lines_of(text), 'line')}", f"{sql(text)}\n")
        if state == "altered":
            return f"<p><strong{_class('fail')}>Altered</strong>: {place} has another hash than in the journal.</p>\n"
        return f"<p>Its text was not beside the journal when this page was made: {place}.</p>\n"

    def _words(self, words: p.Words) -> str:
        return "".join(map(self._span, words)).strip()

    def _span(self, span: p.Span) -> str:
        match span:
            case p.Value(text=text):
                return f"<code>{html.escape(one_line(text))}</code>" if text else ""
            case p.Strong(text=text):
                return f"<strong{_class(_TONES.get(text))}>{html.escape(one_line(text))}</strong>"
            case p.Refs():
                return f'<span class="refs">{self._refs(span)}</span>'
            case p.File(text=text):
                to = html.escape(quote(text))
                return f'<a href="{to}"><code>{html.escape(one_line(text))}</code></a>'
            case str():
                return html.escape(running(span))

    def _refs(self, refs: p.Refs) -> str:
        """Links only where one looks for the place: in the summary and the timeline."""
        if not self._links:
            return html.escape(refs_text(refs))
        page, known = (self._beside.page, self._beside.records) if self._beside else ("", self._targets.keys())
        linked = (f'<a href="{page}#r{seq}">#{seq}</a>' if seq in known else f"#{seq}" for seq, _ in pieces(refs))
        said = (
            html.escape(text) if seq is None else link for (seq, text), link in zip(pieces(refs), linked, strict=True)
        )
        return f"[{' '.join(said)}]"


def words_text(words: p.Words) -> str:
    """Words without any form, on one line."""
    said = (refs_text(s) if isinstance(s, p.Refs) else s if isinstance(s, str) else s.text for s in words)
    return one_line("".join(said))


def _class(name: str | None) -> str:
    return f' class="{name}"' if name else ""


def _folded(what: str, body: str) -> str:
    return f"<details><summary>{what}</summary>\n{body}</details>\n"


def _level(part: p.Part) -> int | None:
    return part.level if isinstance(part, p.Heading) else None


def _targets(parts: Sequence[p.Part]) -> dict[int, object]:
    """What tells each record, where several do the first: chapters before all."""
    headings = [part for part in parts if isinstance(part, p.Heading)]
    points = [point for part in parts if isinstance(part, p.Points) for point in part.points]
    chapters = [heading for heading in headings if heading.level == 2]
    found = dict[int, object]()
    tellers: list[p.Heading | p.Point] = [*chapters, *headings, *points]
    for each in tellers:
        if each.seq is not None:
            found.setdefault(each.seq, each)
    return found
