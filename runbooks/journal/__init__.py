"""The chain on disk: the append-only record of a session, and the only source of truth. See docs/journal.md."""

import fcntl
import hashlib
import os
import re
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from migrations.problem import Problem, Unavailable
from runbooks.journal.artefacts import mode_in
from runbooks.journal.files import open_file, open_folder, open_to_read, read_lines, whole, write_all
from runbooks.journal.named import Artefact
from runbooks.journal.records import ZEROS, BadRecord, Chain, Fault, Record, encode, stamp
from runbooks.journal.verify import Verdict, check_artefacts, verify
from runbooks.session.events import Event, JournalRepaired

__all__ = [
    "NAME",
    "Artefact",
    "BadRecord",
    "Fault",
    "Journal",
    "JournalBroken",
    "Record",
    "Verdict",
    "check_artefacts",
    "encode",
    "read",
    "verify",
]

NAME = "journal.jsonl"
_TORN = re.compile(r"journal\.torn-(\d+)")
_REPLACED = "\ufffd".encode()
_APPEND = os.O_RDWR | os.O_APPEND

Clock = Callable[[], datetime]


class JournalBroken(Unavailable):
    """The journal could not be written. Nothing may follow from what it does not hold."""


class Journal:
    """The append side: held by `flock` until `close`, one whole line per record."""

    def __init__(self, folder: Path, file: int, clock: Clock, seq: int, head: str, ended: bool) -> None:
        """Use `create` or `reopen`."""
        self._folder = folder
        self._file = file
        self._clock = clock
        self._seq = seq
        self._head = head
        self._broken = False
        self._ended = ended

    @classmethod
    def create(cls, folder: Path, clock: Clock) -> "Journal":
        """Begin a journal in a folder of ours, which is made (0700) if it is not there.

        Raises Problem for a folder already in use; Unavailable for a link, another owner's, one that cannot be written.
        """
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise Unavailable(f"{folder} cannot be made: {error.strerror}.") from None
        directory = open_folder(folder)
        try:
            if mode_in(directory) == 0o600:
                os.fchmod(directory, 0o700)
            file = open_file(directory, NAME, _APPEND | os.O_CREAT | os.O_EXCL, folder / NAME)
            _lock(file, folder)
            os.fsync(directory)
        finally:
            os.close(directory)
        return cls(folder, file, clock, 0, ZEROS, ended=False)

    @classmethod
    def reopen(
        cls, folder: Path, clock: Clock, keep: Callable[[Record], bool] = lambda record: True
    ) -> tuple["Journal", list[Record], JournalRepaired | None]:
        """Take up a journal whose runner has gone: lock it, verify the chain, set a torn last line aside.

        `keep` is given each record, and says whether it is to be returned: a long journal is not to be held in memory.
        The third is what was set aside and no record says yet: append it first. Raises Problem when another runner
        holds the journal, or it is damaged (`BadRecord`), or empty; Unavailable when it cannot be opened or repaired.
        """
        directory = open_folder(folder)
        try:
            file = open_file(directory, NAME, _APPEND, folder / NAME)
            try:
                _lock(file, folder)
                journal, records, repaired = cls._taken_up(folder, directory, file, clock, keep)
            except BaseException:
                os.close(file)
                raise
        finally:
            os.close(directory)
        return journal, records, repaired

    @classmethod
    def _taken_up(
        cls, folder: Path, directory: int, file: int, clock: Clock, keep: Callable[[Record], bool]
    ) -> tuple["Journal", list[Record], JournalRepaired | None]:
        chain, tail = Chain(), b""
        kept, told = list[Record](), set[str]()
        for line in read_lines(os.dup(file)):
            if not whole(line):
                tail = line
                break
            record = chain.take(line)
            if isinstance(record.event, JournalRepaired):
                told.add(record.event.file)
            if keep(record):
                kept.append(record)
        if not chain.seq:
            raise Problem(f"{folder} holds no record.", advice="Nothing was run from it. Begin a new session.")
        try:
            repaired = _set_aside(directory, file, tail) if tail else _unrecorded(folder, directory, told)
        except OSError as error:
            raise Unavailable(
                f"The journal's torn last line cannot be set aside: {error.strerror}.", advice="Make room, then resume."
            ) from None
        return cls(folder, file, clock, chain.seq, chain.head or ZEROS, chain.ended), kept, repaired

    @property
    def seq(self) -> int:
        """The number that the next record will have."""
        return self._seq

    @property
    def head(self) -> str:
        """The hash of the last record; 64 zeros before the first."""
        return self._head

    @property
    def folder(self) -> Path:
        """The session folder."""
        return self._folder

    def append(self, event: Event, *, sync: bool) -> Record:
        """Write a record whole; with `sync` it is on disk when this returns.

        Raises ValueError for what no journal holds (see `encode`; anything after session_ended), and `JournalBroken`
        if it cannot be written: from then on always.
        """
        if self._broken:
            raise JournalBroken(f"The journal in {self._folder} stopped at record {self._seq - 1}.")
        if self._ended:
            raise ValueError(f"{event.kind} after session_ended")
        if (self._seq == 0) != (event.kind == "session_opened"):
            raise ValueError("session_opened is the first record, and only that")
        at = stamp(self._clock())
        line, digest = encode(self._seq, at, event, self._head)
        self._write(line, sync=sync)
        record = Record(self._seq, at, event, self._head, digest)
        if _REPLACED in line:  # the event may hold what encode replaced: show what is on disk
            record = Chain(self._seq).take(line)
        self._seq += 1
        self._head = digest
        self._ended = event.kind == "session_ended"
        return record

    def _write(self, line: bytes, *, sync: bool) -> None:
        try:
            write_all(self._file, line)
            if sync:
                os.fsync(self._file)
        except OSError as error:
            self._broken = True
            raise JournalBroken(
                f"The journal in {self._folder} cannot be written: {error.strerror}.",
                advice="The session stops here. Make room or mend the disk, then resume it.",
            ) from None

    def close(self) -> None:
        """Let the journal go. Closing twice is fine."""
        if self._file >= 0:
            os.close(self._file)
        self._file = -1
        self._broken = True


def read(path: Path, from_seq: int = 0) -> Iterator[Record]:
    """The records from `from_seq` on, streaming. An unterminated last line is still being written, and ignored.

    Lines before `from_seq` are skipped unread. Raises `BadRecord`, Problem and Unavailable.
    """
    chain = Chain(from_seq)
    for number, line in enumerate(read_lines(open_to_read(path))):
        if number < from_seq:
            chain.offset += len(line)
        elif whole(line):
            yield chain.take(line)


def _lock(file: int, folder: Path) -> None:
    for _ in range(10):
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # a listing of sessions holds it for an instant, a runner for its life
            time.sleep(0.01)
        except OSError as error:
            raise Unavailable(f"The journal in {folder} cannot be locked: {error.strerror}.") from None
    raise Problem(
        f"Another gonogo holds the session {folder.name}.", advice=f"`gonogo resume {folder.name}` attaches to it."
    )


def _set_aside(directory: int, file: int, tail: bytes) -> JournalRepaired:
    """Keep the torn line in a file of its own, and cut it off. Raises OSError."""
    number = 1 + max(_torn_numbers(directory), default=0)
    name = f"journal.torn-{number}"
    aside = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=directory)
    try:
        write_all(aside, tail)
        os.fsync(aside)
    finally:
        os.close(aside)
    os.fsync(directory)
    os.ftruncate(file, os.fstat(file).st_size - len(tail))
    os.fsync(file)
    return JournalRepaired(file=name, size=len(tail), sha256=hashlib.sha256(tail).hexdigest())


def _torn_numbers(directory: int) -> list[int]:
    matches = (_TORN.fullmatch(name) for name in os.listdir(directory))
    return [int(match[1]) for match in matches if match]


def _unrecorded(folder: Path, directory: int, told: set[str]) -> JournalRepaired | None:
    """What an earlier repair set aside, if we died before its record was written."""
    untold = [n for n in _torn_numbers(directory) if f"journal.torn-{n}" not in told]
    if not untold:
        return None
    name = f"journal.torn-{max(untold)}"
    with os.fdopen(open_file(directory, name, os.O_RDONLY, folder / name), "rb") as aside:
        tail = aside.read()
    return JournalRepaired(file=name, size=len(tail), sha256=hashlib.sha256(tail).hexdigest())
