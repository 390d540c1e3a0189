"""Where passwords and their like stand in SQL: also in comments, in code, and in texts that are executed."""

import re
from collections.abc import Iterator, Sequence

from migrations.sql.parse import COMMENTS, NotReadable, placed
from migrations.sql.secret_words import PASSWORD, in_words, inside
from migrations.sql.veil import Hidden

DEEPEST = 4
"""Texts in texts that are looked into."""

_LIKELY = re.compile(r"passw|://|\.\s*\"?\w*(?:secret|token|key|credential)", re.IGNORECASE)
_NAMED = re.compile(r"\w*passw\w*", re.IGNORECASE)
_SETTING = re.compile(r"[\w.]*\.\w*(?:passw|secret|token|key|credential)\w*", re.IGNORECASE)
_GIVES = ("=", ":=", "=>", "to")

Place = tuple[int, int, str]


def given_in(text: str, base: int = 0, depth: int = 0) -> Iterator[Hidden]:
    """The secrets of a piece of SQL that begins at `base`."""
    if depth > DEEPEST or not _LIKELY.search(text):
        return
    try:
        words = [(start, end, text[start:end], token.token in COMMENTS) for start, end, token in placed(text)]
    except NotReadable:
        yield from in_words(text, base)
        return
    for start, _, word, comment in words:
        if comment:
            yield from in_words(word, base + start)
        elif inner := inside(word):
            yield from _in_constant(word, inner, base + start, depth)
    yield from _named([(start, end, word) for start, end, word, comment in words if not comment], base)


def _in_constant(word: str, inner: tuple[int, int], base: int, depth: int) -> Iterator[Hidden]:
    text = word[inner[0] : inner[1]]
    if word.startswith("$") and "\n" in text:
        yield from given_in(text, base + inner[0], depth + 1)
    elif _LIKELY.search(text):
        yield from in_words(text, base + inner[0])
        if word.startswith("$"):
            yield from given_in(text, base + inner[0], depth + 1)


def _named(words: Sequence[Place], base: int) -> Iterator[Hidden]:
    """A constant behind the name of a password, or of a setting that is called like a secret."""
    for at, (start, _, word) in enumerate(words):
        inner = inside(word)
        if inner and inner[0] < inner[1] and (name := _name_before(words, at)):
            yield Hidden(base + start + inner[0], base + start + inner[1], name, given=True)
        elif inner is None and (name := _set_to(words, at)):
            yield Hidden(base + start, base + start + len(word), name, given=True, bare=True)


def _name_before(words: Sequence[Place], at: int) -> str | None:
    if at >= 2 and words[at - 1][2] == ",":  # set_config('app.secret', '…', …)
        word = words[at - 2][2]
        start, end = inside(word) or (0, 0)
        return word[start:end] if _SETTING.fullmatch(word[start:end]) else None
    given = at >= 1 and words[at - 1][2].lower() in _GIVES
    name = _dotted(words, at - 2 if given else at - 1)
    if given and _SETTING.fullmatch(name):
        return name
    return PASSWORD if _NAMED.fullmatch(name.rpartition(".")[2]) else None


def _set_to(words: Sequence[Place], at: int) -> str | None:
    """`SET app.secret TO word`: the value needs no quotes."""
    name = _dotted(words, at - 2) if at >= 2 and words[at - 1][2].lower() in ("=", "to") else ""
    before = at - 2 - 2 * name.count(".") - 1
    said = words[before][2].lower() if before >= 0 else ""
    return name if said in ("set", "local", "session") and _SETTING.fullmatch(name) else None


def _dotted(words: Sequence[Place], last: int) -> str:
    if last < 0:
        return ""
    parts = [words[last][2].strip('"')]
    while last >= 2 and words[last - 1][2] == ".":
        last -= 2
        parts.insert(0, words[last][2].strip('"'))
    return ".".join(parts)
