"""A journal skimmed by the ends of its lines: quick, and without checking the chain."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from migrations.problem import Problem
from runbooks.history.sessions import Tail, folders, tail_of
from runbooks.journal import NAME
from runbooks.journal.files import open_to_read, read_lines, whole
from runbooks.journal.records import Chain, Record

_BACKUP = b'"mode":"backup"'


def walked(root: Path, environment: str, most: int) -> Iterator[Path]:
    """Where the newest sessions on an environment lie, without those that only took a backup: there is one each night.

    What cannot be read is passed over.
    """
    return islice((folder for folder in folders(root, environment) if not _backup_alone(folder)), most)


def _backup_alone(folder: Path) -> bool:
    try:
        return _BACKUP in next(read_lines(open_to_read(folder / NAME)), _BACKUP)
    except Problem:
        return True


def skim(folder: Path) -> Iterator[tuple[Tail, bytes]]:
    """What each record's line ends with, and the line, up to one that does not stand there. Raises Problem."""
    return _tails(read_lines(open_to_read(folder / NAME)), 0)


def begun(folder: Path, *, strict: bool = False) -> tuple[Record, Iterator[tuple[Tail, bytes]]]:
    """A session's first record, which is checked, and what `skim` says of those after it. Raises Problem.

    `strict`: also where one does not stand there, but for the torn or growing end.
    """
    lines = read_lines(open_to_read(folder / NAME))
    return Chain().take(next(lines, b"")), _tails(lines, 1, strict=strict)


def _tails(lines: Iterator[bytes], first: int, *, strict: bool = False) -> Iterator[tuple[Tail, bytes]]:
    for seq, line in enumerate(lines, first):
        if (tail := tail_of(line, seq)) is None:
            if strict and whole(line):
                raise Problem(f"Record {seq} does not stand in its line.")
            return
        yield tail, line
