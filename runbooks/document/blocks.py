"""What a Markdown text is made of, as far as a runbook needs it: headings, blocks, items, tables, with their lines."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token

_TASK = re.compile(r"\[([ xX])\](?:\s+|$)")
_COMMENT = re.compile(r"<!--(.*?)-->", re.DOTALL)
_CLOSING = re.compile(r"[\s>]*(`{3,}|~{3,})\s*")
_NEARLY_TASK = re.compile(r"\s*(?:(?:[-*+•]|\d+[.)])\s*\[[ xX]?\](?![(\[:])|\[ ?\](?![(\[:]))")
_NEARLY_BLOCK = re.compile(r"\s*(?:`{3,}|~{3,})\s*(?:toml|sh)\s+(?:runbook|step|option|run)\b")


@dataclass(frozen=True, slots=True)
class Heading:
    """`level` counts the number signs. Lines count from 1; `end` is the line after the last one."""

    line: int
    end: int
    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Fence:
    """A fenced block. `quoted`: it stands inside a quotation; `closed`: its closing line is there."""

    line: int
    end: int
    info: str
    text: str
    quoted: bool
    closed: bool


@dataclass(frozen=True, slots=True)
class Task:
    """A checkbox. `comment` is what stood in `<!-- … -->` beside its text."""

    line: int
    end: int
    text: str
    ticked: bool
    comment: str | None
    quoted: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table, its cells without formatting and as they are written."""

    line: int
    plain: tuple[str, ...]
    cells: tuple[str, ...]
    written: int


@dataclass(frozen=True, slots=True)
class Table:
    """A table; the first row holds its headings."""

    line: int
    end: int
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Comment:
    """`<!-- … -->` on lines of its own: for those who write the document, never shown."""

    line: int
    end: int


@dataclass(frozen=True, slots=True)
class Lost:
    """Something that looks like a part of a runbook, and is not one as Markdown reads it."""

    line: int
    end: int
    what: str
    expected: str


Block = Heading | Fence | Task | Table | Comment | Lost


def read_blocks(text: str) -> list[Block]:
    """The blocks of a Markdown text whose line ends are `\\n`, in order."""
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    return list(_Blocks(text.split("\n"), tokens))


class _Blocks:
    def __init__(self, lines: list[str], tokens: list[Token]) -> None:
        self.lines = lines
        self.tokens = tokens

    def __iter__(self) -> Iterator[Block]:
        quotes, containers, taken = 0, list[str](), set[int]()
        for at, token in enumerate(self.tokens):
            quotes += {"blockquote_open": 1, "blockquote_close": -1}.get(token.type, 0)
            if token.type.endswith("_open"):
                containers.append(token.type)
            elif token.type.endswith("_close"):
                containers.pop()
            if at not in taken:
                yield from self._block(at, token, containers, bool(quotes), taken)

    def _block(self, at: int, token: Token, inside: list[str], quoted: bool, taken: set[int]) -> Iterator[Block]:
        line, end = _lines(token)
        match token.type:
            case "heading_open" if token.level == 0:
                yield Heading(line, end, int(token.tag[1:]), _plain(self.tokens[at + 1]))
            case "fence":
                yield Fence(line, end, token.info.strip(), token.content, quoted, self._closed(line, end))
            case "table_open":
                yield self._table(at)
            case "code_block":
                yield from self._lost(line, end, "is indented by four spaces or more, so it is plain code")
            case "html_block":
                yield from self._html(token)
            case "inline" if inside[-1] == "paragraph_open":
                yield from self._paragraph(at, token, "list_item_open" in inside[-2:-1], quoted, taken)
            case _:
                pass

    def _paragraph(self, at: int, token: Token, in_list: bool, quoted: bool, taken: set[int]) -> Iterator[Block]:
        line, end = _lines(token)
        box = _TASK.match(token.content) if in_list and self.tokens[at - 2].type == "list_item_open" else None
        if box is None:
            yield from self._lost(line, end, "is read as plain text")
            return
        comments = [c.content for c in token.children or () if c.type == "html_inline" and c.content.startswith("<!--")]
        after = self.tokens[at + 2]
        if after.type == "html_block" and _COMMENT.fullmatch(after.content.strip()) and _lines(after)[0] == end:
            comments.append(after.content.strip())
            taken.add(at + 2)
            end = _lines(after)[1]
        comment = " ".join(found for text in comments for found in _COMMENT.findall(text)) if comments else None
        yield Task(line, end, _TASK.sub("", _plain(token), count=1), box[1] != " ", comment, quoted)
        yield from self._lost(line + 1, _lines(token)[1], "is read as a part of the item above it")

    def _html(self, token: Token) -> Iterator[Block]:
        line, end = _lines(token)
        rest = _COMMENT.sub("", token.content)
        if "<!--" in rest:
            yield Lost(line, end, "this comment is never closed", "`-->`")
        elif not rest.strip():
            yield Comment(line, end)
        else:
            yield from self._lost(line, end, "stands inside HTML")

    def _lost(self, line: int, end: int, why: str) -> Iterator[Lost]:
        for number in range(line, end):
            text = self.lines[number - 1] if number <= len(self.lines) else ""
            if _NEARLY_TASK.match(text):
                yield Lost(number, number + 1, f"this looks like an item, but it {why}", "`- [ ] text` in a list")
            elif _NEARLY_BLOCK.match(text):
                expected = "the block at the start of a line, and no ` in its first line"
                yield Lost(number, number + 1, f"this looks like a block that runs, but it {why}", expected)

    def _closed(self, line: int, end: int) -> bool:
        return end - line >= 2 and end - 2 < len(self.lines) and bool(_CLOSING.fullmatch(self.lines[end - 2]))

    def _table(self, at: int) -> Table:
        rows, row = list[Row](), list[Token]()
        start = at
        while self.tokens[at].type != "table_close":
            token = self.tokens[at]
            if token.type == "inline":
                row.append(token)
            elif token.type == "tr_close":
                rows.append(self._row(row))
                row = []
            at += 1
        return Table(*_lines(self.tokens[start]), tuple(rows))

    def _row(self, cells: list[Token]) -> Row:
        line = _lines(cells[0])[0]
        bars = re.split(r"(?<!\\)\|", self.lines[line - 1].strip().removeprefix("|").removesuffix("|"))
        plain = tuple(_plain(cell, code="").strip() for cell in cells)
        return Row(line, plain, tuple(_plain(cell).strip() for cell in cells), len(bars))


def _lines(token: Token) -> tuple[int, int]:
    first, end = token.map or (0, 1)
    return first + 1, end + 1


def _plain(inline: Token, code: str = "`") -> str:
    """The text of a line without emphasis and comments; code keeps its ticks, a link its address."""
    parts, addresses = list[str](), list[str]()
    for token in inline.children or ():
        match token.type:
            case "text" | "text_special":
                parts.append(token.content)
            case "code_inline":
                parts.append(f"{code}{token.content}{code}")
            case "softbreak" | "hardbreak":
                parts.append(" ")
            case "image":
                parts.append(token.content)
            case "link_open":
                addresses.append(str(token.attrs.get("href", "")))
            case "link_close":
                address = addresses.pop()
                if address and address not in parts[-1:]:
                    parts.append(f" ({address})")
            case "html_inline" if not token.content.startswith("<!--"):
                parts.append(token.content)
            case _:
                pass
    return " ".join("".join(parts).split())
