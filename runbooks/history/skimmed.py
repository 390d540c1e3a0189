"""A journal skimmed by the ends of its lines: quick, and without checking the chain."""

from collections.abc import Iterator
from pathlib import Path

from runbooks.history.sessions import Tail, tail_of
from runbooks.journal import NAME
from runbooks.journal.files import open_to_read, read_lines
from runbooks.journal.records import Chain, Record


def skim(folder: Path) -> Iterator[tuple[Tail, bytes]]:
    """What each record's line ends with, and the line, up to one that does not stand there. Raises Problem."""
    return _tails(read_lines(open_to_read(folder / NAME)), 0)


def begun(folder: Path) -> tuple[Record, Iterator[tuple[Tail, bytes]]]:
    """A session's first record, which is checked, and what `skim` says of those after it. Raises Problem."""
    lines = read_lines(open_to_read(folder / NAME))
    return Chain().take(next(lines, b"")), _tails(lines, 1)


def _tails(lines: Iterator[bytes], first: int) -> Iterator[tuple[Tail, bytes]]:
    for seq, line in enumerate(lines, first):
        if (tail := tail_of(line, seq)) is None:
            return
        yield tail, line
