"""Parts of a transcript as rows of a screen: the same words, in its own looks."""

from collections.abc import Iterable, Iterator

from textual.content import Content

from runbooks.report import parts as p
from runbooks.report.refs import refs_text
from tui.printable import one_line, printable
from tui.widgets.row import Row, row

COLUMN = 12


def words_content(words: p.Words, *, refs: bool = True) -> Content:
    """Running text on one line. What came from outside is plain, as our own words are; nothing in it is markup."""
    pieces: list[tuple[str, str]] = []
    for span in words:
        match span:
            case p.Strong(text=text):
                pieces.append((_shown(text), "bold"))
            case p.Refs():
                pieces.append((refs_text(span) if refs else "", "$quiet"))
            case p.Value(text=text):
                pieces.append((_shown(text), ""))
            case str():
                pieces.append((_shown(span), ""))
    return Content.assemble(*pieces)


def part_rows(parts: Iterable[p.Part]) -> Iterator[Row]:
    """Headings, sentences, points and pairs; a summary has no others."""
    for part in parts:
        match part:
            case p.Heading(words=words):
                yield from heading(words_content(words).plain)
            case p.Paragraph(words=words):
                yield Row(Content(""), words_content(words))
            case p.Points(points=points):
                yield from (Row(Content("- "), words_content(point.words)) for point in points)
            case p.Pairs(rows=rows):
                yield row("", "")
                for name, words in rows:
                    yield Row(Content.styled(f"{one_line(name):<{COLUMN}}", "$quiet"), words_content(words))
            case _:
                pass


def heading(words: str) -> Iterator[Row]:
    """A heading, apart from what stands before it."""
    yield row("", "")
    yield row("", (one_line(words), "bold $busy"))


def _shown(text: str) -> str:
    return printable(text).replace("\n", " ").replace("\t", "    ")
