"""Passwords in a text that is no SQL: in a comment, in a connection string, in a text that is executed."""

import re
from collections.abc import Iterator

from migrations.sql.veil import Hidden

PASSWORD = "password"

_URL = re.compile(r"://[^\s:/@'\"]{0,256}:([^\s/@'\"]{1,4096})@")
_PAIR = re.compile(r"passw\w{0,40}\s{0,20}=\s{0,20}(?!['\"%$|\s])([^\s'\"]{1,4096})", re.IGNORECASE)
_QUOTED = re.compile(r"passw\w{0,40}\s{0,20}=?\s{0,20}('{1,8})(?!')((?:(?!\1).){1,4096})\1", re.IGNORECASE | re.DOTALL)
_CONSTANT = re.compile(r"(?:[eEnN]|[uU]&)?'(.*)'|(\$[^$]*\$)(.*)\2", re.DOTALL)


def in_words(text: str, base: int) -> Iterator[Hidden]:
    """Where they stand; the text begins at `base`."""
    for pattern, group in ((_URL, 1), (_PAIR, 1), (_QUOTED, 2)):
        for found in pattern.finditer(text):
            yield Hidden(base + found.start(group), base + found.end(group), PASSWORD, given=True)


def inside(word: str) -> tuple[int, int] | None:
    """Where the text of a constant begins and ends, within its quotes; None of another word."""
    found = _CONSTANT.fullmatch(word)
    return found.span(1 if found[2] is None else 3) if found else None
