"""PostgreSQL's own parser, kept from harm."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from google.protobuf.message import DecodeError
from postgast import PgQueryError
from postgast import parse as _parse
from postgast import parse_plpgsql as _parse_code
from postgast import pg_query_pb2 as pb
from postgast import scan as _scan
from postgast import split as _split

from migrations.sql.depth import DEEPEST, certainly_shallow, depth_of
from migrations.sql.endless import endless_at

T = TypeVar("T")

SHORT = 2000
"""Characters of a statement that cannot nest more deeply than `depth.DEEPEST`."""
DEEPEST_BLOCKS = 300
"""Blocks of code in each other: the parser of code has no bound of its own, and 3 000 end the process."""

COMMENTS = (pb.SQL_COMMENT, pb.C_COMMENT)

_BLOCK = re.compile(r"\b(?:end(?:\s+(?:if|loop|case))?|begin|if|loop|case)\b", re.IGNORECASE)

# What stands in quotes may be a password.
_QUOTED = re.compile(r"""(?<=at or near )"(?:[eEbBxXnN]|[uU]&)?['$].*"$""", re.DOTALL)


class NotReadable(Exception):
    """PostgreSQL's grammar refuses the text, or the reader cannot hold it. `offset` in characters, None if unknown."""

    def __init__(self, message: str, offset: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


def parse_one(text: str) -> pb.Node:
    """The parse tree of a single statement. Raises NotReadable."""
    if len(text) > SHORT and not certainly_shallow(text) and depth_of(_tokens(text)) > DEEPEST:
        raise NotReadable("it nests too deeply to be looked through")
    return _first(text)


def code_tree(text: str, code: str) -> list[Any]:
    """The tree of a statement that holds PL/pgSQL `code`, as nested lists and dictionaries. Raises NotReadable."""
    if _blocks_of(code) > DEEPEST_BLOCKS or (not certainly_shallow(code) and depth_of(_tokens(code)) > DEEPEST):
        raise NotReadable("its code nests too deeply to be looked through")
    try:
        tree: list[Any] = _guarded(_parse_code, text)
    except (ValueError, RecursionError):  # what the parser writes of a trigger's code is not JSON
        raise NotReadable("its code cannot be looked through") from None
    return tree


def _blocks_of(code: str) -> int:
    """No less than the depth of the blocks of PL/pgSQL code; often more."""
    deepest = depth = 0
    for word in _BLOCK.finditer(code):
        depth = max(0, depth - 1) if word[0][:3].lower() == "end" else depth + 1
        deepest = max(deepest, depth)
    return deepest


def pieces(text: str) -> list[str]:
    """The statements of a script, in order, without what stands between them. Raises NotReadable."""
    return _guarded(lambda whole: list(_split(whole, method="parser")), text)


def placed(text: str) -> Iterator[tuple[int, int, pb.ScanToken]]:
    """Start and end, in characters, of each word and comment of a text. Raises NotReadable."""
    data = text.encode("utf-8", errors="replace")
    at = characters = 0
    for token in _tokens(text):
        characters += len(data[at : token.start].decode("utf-8"))
        at = token.start
        yield characters, characters + len(data[token.start : token.end].decode("utf-8")), token


def scanned(text: str) -> list[tuple[int, int, bool]]:
    """Start and end, in characters, of each word that is no comment; whether it is a keyword. Raises NotReadable."""
    return [(start, end, t.keyword_kind != pb.NO_KEYWORD) for start, end, t in placed(text) if t.token not in COMMENTS]


def line_comments(text: str) -> list[tuple[int, int]]:
    """Start and end, in characters, of each comment that begins with two dashes. Raises NotReadable."""
    return [(start, end) for start, end, token in placed(text) if token.token == pb.SQL_COMMENT]


def _first(text: str) -> pb.Node:
    stmts = _guarded(_parse, text).stmts
    if len(stmts) != 1:
        raise NotReadable("it is not one statement")
    return stmts[0].stmt


def _tokens(text: str) -> Iterable[pb.ScanToken]:
    tokens: Iterable[pb.ScanToken] = _guarded(_scan, text).tokens
    return tokens


def _guarded(work: Callable[[str], T], text: str) -> T:
    if (at := endless_at(text)) is not None:
        raise NotReadable("so many signs or names without a space are not looked through", at)
    try:
        return work(text)
    except PgQueryError as error:
        raise NotReadable(
            _QUOTED.sub("a quoted text", error.message), error.cursorpos - 1 if error.cursorpos > 0 else None
        ) from None
    except DecodeError:
        raise NotReadable("it nests too deeply to be looked through") from None
    except UnicodeError:
        raise NotReadable("it holds characters that are not Unicode text") from None
