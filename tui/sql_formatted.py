"""A statement laid out anew for reading. Nothing but white space may differ, or it is shown as it was written."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

import sqlparse
from sqlparse.exceptions import SQLParseError

MOST = 50_000
"""Longer statements, in characters, are not laid out: sqlparse gives up at 10 000 tokens, and takes long before it."""

WIDTH = 72
"""A list that fits into so many characters stays on one line."""

QUERIES = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH", "VALUES"})


_WORD = re.compile(
    r"""(?P<gap>\s+)
    | --[^\n]* | /\*.*?(?:\*/|\Z)
    | \$(?P<tag>(?:[^\W\d]\w*)?)\$.*?(?:\$(?P=tag)\$|\Z)
    | [eE]'(?:[^'\\]|\\.|'')*(?:'|\Z) | '(?:[^']|'')*(?:'|\Z) | "(?:[^"]|"")*(?:"|\Z)
    | [^\W\d][\w$]* | (?:(?!--|/\*)[-+*/<>=~!@\#%^&|`?:])+ | .""",
    re.VERBOSE | re.DOTALL,
)


class Word(NamedTuple):
    """A word, a text in quotes, an operator, a comment, or a single character. `apart`: white space is before it."""

    text: str
    apart: bool

    @property
    def comments(self) -> bool:
        """It is a comment."""
        return self.text.startswith(("--", "/*"))


def formatted(source: str) -> str | None:
    """The statement with a line for each part, or None where it cannot be had without changing what it says."""
    if len(source) > MOST:
        return None
    words = list(_words(source))
    try:
        text = _query(source) if _is_query(words) else _lists(words)
    except (SQLParseError, RecursionError):
        return None
    return text if _said(_words(text)) == _said(words) else None


def _said(words: Iterable[Word]) -> list[str]:
    """What may not differ. In comments, white space does not count either."""
    return [" ".join(word.text.split()) if word.comments else word.text for word in words]


def _words(text: str) -> Iterator[Word]:
    apart = False
    for found in _WORD.finditer(text):
        if found["gap"] is None:
            yield Word(found[0], apart)
        apart = found["gap"] is not None


def _is_query(words: Sequence[Word]) -> bool:
    """It begins as one, or has one outside brackets, as a view does."""
    first = next((word.text.upper() for word in words if not word.comments), "")
    depths = accumulate((word.text == "(") - (word.text == ")") for word in words)
    return first in QUERIES or any(
        word.text.upper() == "SELECT" and depth == 0 for word, depth in zip(words, depths, strict=True)
    )


def _query(source: str) -> str:
    text: str = sqlparse.format(source, reindent=True, indent_width=2)
    return re.sub(r" +$", "", text, flags=re.MULTILINE).strip()


def _lists(words: Sequence[Word]) -> str:
    """What defines things: sqlparse breaks that at odd places. Only what a long list holds gets lines of its own."""
    long = _long_lists(words)
    broken = [sum(len(word.text) + word.apart for word in words) > WIDTH]
    text = ""
    for number, word in enumerate(words):
        if word.text == ")" and len(broken) > 1:
            text += _line(sum(broken[1:]) - 1) if broken.pop() else ""
        elif word.apart and not text.endswith((" ", "\n")):
            text += " "
        text += word.text + "\n" * word.text.startswith("--")
        if word.text == "(":
            broken.append(number in long)
        if word.text in ("(", ",") and broken[-1]:
            text += _line(max(1, sum(broken[1:])))
    return text.strip()


def _line(depth: int) -> str:
    return "\n" + "  " * depth


def _long_lists(words: Sequence[Word]) -> set[int]:
    """Where the brackets open that hold more than fits into a line."""
    opened: list[tuple[int, int]] = []
    found, length = set(), 0
    for number, word in enumerate(words):
        length += len(word.text) + word.apart
        if word.text == "(":
            opened.append((number, length))
        elif word.text == ")" and opened:
            begin, before = opened.pop()
            if length - before > WIDTH:
                found.add(begin)
    return found
