"""Lines of so many columns, as a terminal or a mail shows them: a wide character takes two, a combining one none."""

import unicodedata
from collections.abc import Iterator

COLUMNS = 80


def width(text: str) -> int:
    """How many columns a text takes."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def wrapped(text: str, first: str = "", rest: str = "", columns: int = COLUMNS) -> Iterator[str]:
    """The text in lines of at most `columns`, behind `first` and, from the second line on, behind `rest`."""
    line, empty = first, True
    for word in text.split(" "):
        if not empty and width(line) + 1 + width(word) > columns:
            yield line.rstrip()
            line, empty = rest, True
        line, empty = (line + word, False) if empty else (f"{line} {word}", False)
        while width(line) > columns:
            cut = _cut(line, columns)
            yield line[:cut]
            line = rest + line[cut:]
    yield line.rstrip()


def broken(text: str, first: str = "", rest: str = "", columns: int = COLUMNS) -> Iterator[str]:
    """The same for a text whose spaces count: it is broken at the last column."""
    line = first + text
    while width(line) > columns:
        cut = _cut(line, columns)
        yield line[:cut]
        line = rest + line[cut:]
    yield line.rstrip()


def _cut(line: str, columns: int) -> int:
    """After which character the last one that fits stands."""
    taken = 0
    for at, char in enumerate(line):
        taken += _columns(char)
        if taken > columns:
            return at
    return len(line)


def _columns(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
