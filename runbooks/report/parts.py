"""What a transcript is made of, whatever it is rendered as. A renderer decides how a part looks, never what it says."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Value:
    """A text that came from outside, told apart from our own words."""

    text: str


@dataclass(frozen=True, slots=True)
class Strong:
    """Words that must not be missed."""

    text: str


@dataclass(frozen=True, slots=True)
class Refs:
    """The records that say so. `run`: all those from the first to the last."""

    seqs: tuple[int, ...]
    run: bool = False


@dataclass(frozen=True, slots=True)
class File:
    """A file beside what is being read, by its name there."""

    text: str


Span = str | Value | Strong | Refs | File
Words = tuple[Span, ...]
"""Running text. Every renderer escapes all of it, our own words too."""


Mark = Literal["ok", "warn", "fail", "unknown", "person"]
"""The outcome of a step; or that a person did it."""


@dataclass(frozen=True, slots=True)
class Heading:
    """`level` 1 is the title of the whole, 2 a chapter. `seq` is the record that the part is about."""

    level: int
    words: Words
    seq: int | None = None
    mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class Paragraph:
    """`notice`: it stands out."""

    words: Words
    notice: bool = False


@dataclass(frozen=True, slots=True)
class Point:
    """One line of a list. `seq` is the record that it tells."""

    words: Words
    seq: int | None = None


@dataclass(frozen=True, slots=True)
class Points:
    """A list."""

    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Names, and what is to be said of each."""

    rows: tuple[tuple[str, Words], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """`what` says what the rows are, where a renderer folds them."""

    head: tuple[str, ...]
    rows: tuple[tuple[Words, ...], ...]
    what: str


@dataclass(frozen=True, slots=True)
class Verbatim:
    """A text kept as it is. With `what` it may be folded under that."""

    text: str
    language: Literal["text", "json"] = "text"
    what: Words = ()


@dataclass(frozen=True, slots=True)
class Script:
    """The text of a script, which is no part of the journal: only its hash is.

    `copy_sha256`: of the copy that was kept, where secrets were taken out of it.
    """

    migration: str
    sha256: str
    file: str = "migration.sql"
    copy_sha256: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of a timeline. `start` and `length` are microseconds from the session's first record on."""

    at: str
    words: Words
    result: Words
    refs: Refs
    start: int
    length: int
    mark: Mark


@dataclass(frozen=True, slots=True)
class Timeline:
    """What took how long, in the order of its beginning. `left_out` more are only told below."""

    bars: tuple[Bar, ...]
    whole: int
    left_out: int = 0


Part = Heading | Paragraph | Points | Pairs | Table | Verbatim | Script | Timeline


def table(head: tuple[str, ...], rows: Sequence[tuple[Words, ...]], what: str) -> Table:
    """A table without the columns that have nothing in any row."""
    kept = [n for n in range(len(head)) if any(span not in ("", Value("")) for row in rows for span in row[n])]
    return Table(tuple(head[n] for n in kept), tuple(tuple(row[n] for n in kept) for row in rows), what)


def sentence(*spans: Span) -> Words:
    """Words without the empty ones."""
    return tuple(span for span in spans if span != "")


def listed(groups: Sequence[Words], between: str = ", ") -> Words:
    """Groups of words, one after the other."""
    spans: list[Span] = []
    for number, group in enumerate(groups):
        spans += [between, *group] if number else group
    return tuple(spans)
