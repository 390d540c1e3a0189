"""PostgreSQL's own parser, kept from harm."""

import re
import threading
from collections.abc import Callable
from typing import TypeVar

from google.protobuf.message import DecodeError
from postgast import PgQueryError
from postgast import parse as _parse
from postgast import pg_query_pb2 as pb
from postgast import scan as _scan
from postgast import split as _split

T = TypeVar("T")

SHALLOW = 2000
"""Characters of a statement that cannot nest deep enough to overflow any thread's stack."""
STACK_EACH = 600
"""Bytes of stack for one more level of nesting: measured 390, on x86-64."""
STACK_MOST = 1 << 30

# Only these make a tree that is deep without a limit of the grammar's own: operators and joins that chain to the left.
_LINK = re.compile(
    r"[-+*/%^<>=|&!#~?@:`(\[]|\b(?:and|at|between|collate|except|ilike|in|intersect|is|isnull|join|like|not|notnull|or"
    r"|similar|union)\b",
    re.IGNORECASE,
)


class NotReadable(Exception):
    """PostgreSQL's grammar refuses the text, or the reader cannot hold it. `offset` in characters, None if unknown."""

    def __init__(self, message: str, offset: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


def parse_one(text: str) -> pb.Node:
    """The parse tree of a single statement. Raises NotReadable."""
    if len(text) <= SHALLOW:
        return _first(text)
    stack = STACK_EACH * len(_LINK.findall(text)) + (1 << 20)
    if stack > STACK_MOST:
        raise NotReadable("it nests too deeply, or is too long, to be looked through")
    return _on_a_stack_of(stack, lambda: _first(text))


def pieces(text: str) -> list[str]:
    """The statements of a script, in order, without what stands between them. Raises NotReadable."""
    return _guarded(lambda: list(_split(text, method="parser")))


def rough_pieces(text: str) -> list[str]:
    """Like `pieces`, cut at every semicolon: for text that the grammar refuses. Raises NotReadable."""
    data = text.encode("utf-8", errors="replace")
    found: list[str] = []
    start = end = -1
    for token in _guarded(lambda: _scan(text)).tokens:
        if token.token == pb.ASCII_59:
            found += [data[start:end].decode()] * (start >= 0)
            start = -1
        elif token.token not in (pb.SQL_COMMENT, pb.C_COMMENT):
            start, end = (token.start if start < 0 else start), token.end
    return found + [data[start:end].decode()] * (start >= 0)


def _first(text: str) -> pb.Node:
    stmts = _guarded(lambda: _parse(text)).stmts
    if len(stmts) != 1:
        raise NotReadable("it is not one statement")
    return stmts[0].stmt


def _guarded(work: Callable[[], T]) -> T:
    try:
        return work()
    except PgQueryError as error:
        raise NotReadable(error.message, error.cursorpos - 1 if error.cursorpos > 0 else None) from None
    except DecodeError:
        raise NotReadable("it nests too deeply to be looked through") from None
    except UnicodeError:
        raise NotReadable("it holds characters that are not Unicode text") from None


def _on_a_stack_of(size: int, work: Callable[[], T]) -> T:
    """The grammar's writer recurses once for each link of a chain, and an overflow would end the whole process."""
    done: list[T] = []
    failed: list[NotReadable] = []

    def run() -> None:
        try:
            done.append(work())
        except NotReadable as error:
            failed.append(error)

    with _STACK_SIZE:
        before = threading.stack_size(-(-size // 4096) * 4096)
        try:
            thread = threading.Thread(target=run)
            thread.start()
        except RuntimeError:
            raise NotReadable("there is not enough memory to look through it") from None
        finally:
            threading.stack_size(before)
    thread.join()
    if failed:
        raise failed[0]
    return done[0]


_STACK_SIZE = threading.Lock()
