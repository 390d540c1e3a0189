"""The words of a statement, and the statement with others put in: what its author wrote stays as it is."""

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple


class Word(NamedTuple):
    """Where a word stands, in characters; `text` is a keyword in upper case, or what stands there.

    `depth` is how many brackets are open around it.
    """

    start: int
    end: int
    text: str
    depth: int


def words_of(text: str) -> tuple[Word, ...]:
    """The words of a text without its comments; none of a text that cannot be cut into words."""
    from migrations.sql.parse import NotReadable, scanned  # rules are loaded where its grammar is not to be had, too

    try:
        return tuple(_nested(text, scanned(text)))
    except NotReadable:
        return ()


def _nested(text: str, places: list[tuple[int, int, bool]]) -> Iterator[Word]:
    depth = 0
    for start, end, keyword in places:
        word = text[start:end]
        depth -= word == ")"
        yield Word(start, end, word.upper() if keyword else word, depth)
        depth += word == "("


def find(words: Sequence[Word], *phrase: str) -> int:
    """Where these words follow each other for the first time, outside of brackets; -1 if nowhere."""
    for at in range(len(words) - len(phrase) + 1):
        if words[at].depth == 0 and all(word.text == wanted for word, wanted in zip(words[at:], phrase, strict=False)):
            return at
    return -1


def put_after(text: str, keywords: Collection[str], more: str) -> str:
    """The statement with `more` behind the first of these keywords outside of brackets; empty where none is."""
    words = words_of(text)
    for word in words:
        if word.depth == 0 and word.text in keywords:
            return f"{text[: word.end]} {more}{text[word.end : words[-1].end]}"
    return ""


def bare(text: str) -> str:
    """The statement without the comments behind it; empty if it cannot be cut into words."""
    words = words_of(text)
    return text[: words[-1].end] if words else ""


def put_last(text: str, kind: str, more: str) -> str:
    """The statement with `more` behind its last word; empty if its first word is not `kind`."""
    words = words_of(text)
    return f"{text[: words[-1].end]} {more}" if words and words[0].text == kind else ""


def without(text: str, *phrase: str) -> str:
    """The statement without the first place where these words follow each other; empty where they nowhere do."""
    words = words_of(text)
    at = find(words, *phrase)
    if at < 0:
        return ""
    after = text[words[at + len(phrase) - 1].end : words[-1].end]
    return text[: words[at].start] + after.lstrip()
