"""Whether a journal holds: needs no database, no project and, streaming, no memory to speak of."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from migrations.problem import Problem
from runbooks.events import ArtefactKept, PlanMade, SessionOpened
from runbooks.journal.files import open_to_read, read_lines, whole
from runbooks.journal.records import ZEROS, BadRecord, Chain, Fault

Grade = Literal["broken", "open", "consistent"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found. `records` hold; `head` is the hash of the last of them; `torn`: the last line is unterminated.

    `steps_back` counts the records whose time is before that of the record before: the clock was set.
    """

    records: int
    head: str
    ended: bool
    torn: bool
    fault: Fault | None
    steps_back: int = 0

    @property
    def grade(self) -> Grade:
        """`open`: no end, so a cut tail cannot be excluded. `consistent`: whole, yet anyone could have rebuilt it."""
        if self.fault:
            return "broken"
        return "consistent" if self.ended and not self.torn else "open"


@dataclass(frozen=True, slots=True)
class Artefact:
    """A file that the journal names (record `seq`), compared with its hash."""

    seq: int
    name: str
    path: str
    state: Literal["same", "altered", "absent"]
    what: str = ""


def verify(path: Path) -> Verdict:
    """Read a journal from end to end, in constant memory. Raises Problem or Unavailable if it cannot be opened."""
    chain, torn, back, last = Chain(), False, 0, ""
    fault: Fault | None = None
    try:
        for line in read_lines(open_to_read(path)):
            if not whole(line) and not chain.ended:
                torn = True
                break
            at = chain.take(line).at
            back += at < last
            last = at
    except BadRecord as bad:
        fault = bad.fault
    return Verdict(chain.seq, chain.head or ZEROS, chain.ended, torn, fault, back)


def check_artefacts(folder: Path) -> list[Artefact]:
    """Every file that the journal in `folder` names, in its order: the runbook, the scripts, what steps kept.

    Absent is not altered: a dump lies elsewhere, and is deleted in time. Raises BadRecord, Problem, Unavailable.
    """
    chain, found = Chain(), list[Artefact]()
    for line in read_lines(open_to_read(folder / "journal.jsonl")):
        if not whole(line):
            break
        record = chain.take(line)
        match record.event:
            case SessionOpened(runbook=book) if book.sha256:
                found.append(_compare(folder, record.seq, "runbook", "runbook.md", book.sha256))
            case PlanMade(scripts=scripts):
                for script in scripts:
                    where = f"scripts/{script.sha256}.sql"
                    found.append(_compare(folder, record.seq, script.migration, where, script.sha256, script.size))
            case ArtefactKept(name=name, path=path, sha256=sha256, size=size):
                found.append(_compare(folder, record.seq, name, path, sha256, size))
    return found


def _compare(folder: Path, seq: int, name: str, path: str, sha256: str, size: int | None = None) -> Artefact:
    if not Path(path).is_absolute() and ".." in Path(path).parts:
        return Artefact(seq, name, path, "altered", "its path leads out of the session folder")
    if not os.path.lexists(folder / path):
        return Artefact(seq, name, path, "absent")
    try:
        with os.fdopen(open_to_read(folder / path), "rb") as file:
            if size is not None and os.fstat(file.fileno()).st_size != size:
                return Artefact(seq, name, path, "altered", f"it is not {size} bytes long")
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except Problem as problem:
        return Artefact(seq, name, path, "altered", problem.what)
    return Artefact(seq, name, path, "same" if digest == sha256 else "altered", "" if digest == sha256 else "its hash")
