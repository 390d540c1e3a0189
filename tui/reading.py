"""Markdown as rows for a terminal: what is stressed is bold, a table is lines, and no mark is left over."""

import html
import re
from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token
from textual.content import Content

from tui.printable import printable
from tui.widgets.row import Row, row

COLUMN = 14
"""The first column of a table is at most this wide; what is longer pushes the rest on."""

_MARKDOWN = MarkdownIt("commonmark").enable("table")
_FOLDED = re.compile("</?(?:details|summary)>|<!--.*?-->", re.DOTALL)
_STRESS = {"strong": "bold", "em": "italic", "a": "underline"}
_BAR = "│ "


def reading_rows(text: str) -> list[Row]:
    """The rows of a text in Markdown. Nothing in it is markup of the terminal's, and no control code is left."""
    return list(_Reader(_MARKDOWN.parse(text)).rows())


class _Reader:
    """Goes through the tokens once. `heads` is what stands before the next row, the outermost list first."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = iter(tokens)
        self._heads: list[str] = []

    def rows(self) -> Iterator[Row]:
        """All rows; a blank one between what stands apart."""
        begun = False
        for token in self._tokens:
            rows = list(self._block(token))
            if token.level == 0 and token.nesting >= 0:
                if begun and token.type != "html_block":
                    yield row("", "")
                begun = True
            yield from rows

    def _block(self, token: Token) -> Iterator[Row]:
        match token.type:
            case "heading_open":
                yield self._row(_inline(next(self._tokens)).stylize("bold $busy"))
            case "inline":
                yield from (self._row(line) for line in _inline(token).split("\n"))
            case "list_item_open":
                self._heads.append(f"{token.info}{token.markup} ")
            case "blockquote_open":
                self._heads.append(_BAR)
            case "list_item_close" | "blockquote_close":
                self._heads.pop()
            case "fence" | "code_block":
                yield from (self._row(Content.styled(_shown(line), "$quiet")) for line in token.content.splitlines())
            case "html_block":
                words = html.unescape(_FOLDED.sub("", token.content)).strip()
                yield from (self._row(Content.styled(_shown(line), "bold $quiet")) for line in words.splitlines())
            case "table_open":
                yield from self._table()

    def _row(self, body: Content) -> Row:
        """A row below what it belongs to. The mark of a list stands before its first row only."""
        head = "".join(self._heads)
        self._heads = [mark if mark == _BAR else " " * len(mark) for mark in self._heads]
        return row(head, body)

    def _table(self) -> Iterator[Row]:
        """A row for each line: the first cell in a column of its own, the others one after the other."""
        heading, *lines = self._cells()
        width = min(COLUMN, max(line[0].cell_length for line in (heading, *lines)))
        titled = any(heading)
        if titled:
            yield _line(heading, width, "bold $quiet", "bold $quiet")
        yield from (_line(line, width, "" if titled else "$quiet") for line in lines)

    def _cells(self) -> list[list[Content]]:
        """The cells of the table that has been begun, line by line; its heading first."""
        lines: list[list[Content]] = []
        for token in self._tokens:
            if token.type == "tr_open":
                lines.append([])
            elif token.type == "inline":
                lines[-1].append(_inline(token, cell=True))
            elif token.type == "table_close":
                break
        return lines


def _line(cells: Sequence[Content], width: int, first: str, others: str = "") -> Row:
    head = cells[0].pad_right(max(0, width - cells[0].cell_length) + 2).stylize_before(first)
    return Row(head, Content(" · ").join([cell for cell in cells[1:] if cell]).stylize_before(others))


def _inline(token: Token, *, cell: bool = False) -> Content:
    """The text of a row. Code keeps its ticks, so that its end is seen, except where it is all that a cell holds."""
    alone = cell and len(token.children or ()) == 1
    return Content.assemble(*(piece for piece in _pieces(token.children or ()) if not alone or piece[1] != "$quiet"))


def _pieces(children: Sequence[Token]) -> Iterator[tuple[str, str]]:
    """Texts and their styles, none of them empty."""
    stress: list[str] = []
    address = ""
    for child in children:
        match child.type:
            case "strong_open" | "em_open" | "link_open":
                stress.append(_STRESS[child.tag])
                address = str(child.attrs.get("href", address)) if child.markup != "autolink" else ""
            case "strong_close" | "em_close" | "link_close":
                stress.pop()
                if child.tag == "a" and address:
                    yield f" ({_shown(address)})", "$quiet"
            case "code_inline":
                yield child.markup, "$quiet"
                yield _shown(child.content), " ".join(stress)
                yield child.markup, "$quiet"
            case "hardbreak":
                yield "\n", ""
            case "softbreak":
                yield " ", ""
            case _:
                if text := _shown(_FOLDED.sub("", child.content)):
                    yield text, " ".join(stress)


def _shown(text: str) -> str:
    """On one line, whatever an entity stood for."""
    return printable(text).replace("\n", " ").replace("\t", "    ")
