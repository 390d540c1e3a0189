"""The files beside a journal whose hashes stand in it, compared with what lies there."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from migrations.problem import Problem
from runbooks.journal.files import open_to_read
from runbooks.journal.records import Record
from runbooks.session.event_parts import Verify
from runbooks.session.events import ArtefactKept, PlanMade, Script, SessionOpened, StepEnded

PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Named:
    """A file as record `seq` names it; `path` is absolute, or starts at the session folder. `size` in bytes."""

    seq: int
    name: str
    path: str
    sha256: str
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Artefact:
    """A file that the journal names (record `seq`), compared with its hash."""

    seq: int
    name: str
    path: str
    state: Literal["same", "altered", "absent"]
    what: str = ""


def named_by(record: Record) -> Iterator[Named]:
    """The files that one record names: the runbook, the scripts, what a step kept."""
    match record.event:
        case SessionOpened(runbook=book) if book.sha256:
            yield Named(record.seq, "runbook", "runbook.md", book.sha256)
            for one in (one for one in book.documents if one.sha256):
                yield Named(record.seq, one.path, f"documents/{one.sha256}.md", one.sha256, one.size)
        case PlanMade(to_review=scripts):
            yield from (_script(record.seq, script) for script in scripts if script.sha256)
            yield from (_verify(record.seq, script, script.verify) for script in scripts if script.verify)
        case StepEnded(proposed=Script() as script):
            yield _script(record.seq, script)
        case ArtefactKept(name=name, path=path, sha256=sha256, size=size):
            yield Named(record.seq, name, path, sha256, size)


def _script(seq: int, script: Script) -> Named:
    where = f"scripts/{script.sha256}.sql"
    if script.copy_sha256:
        return Named(seq, script.migration, where, script.copy_sha256)
    return Named(seq, script.migration, where, script.sha256, script.size)


def _verify(seq: int, script: Script, beside: Verify) -> Named:
    where = f"scripts/{beside.sha256}.sql"
    return Named(seq, f"{script.migration}/verify.sql", where, beside.copy_sha256 or beside.sha256)


def compare(folder: Path, named: Iterable[Named]) -> list[Artefact]:
    """Each file, as it lies in the session folder now.

    Absent is not altered: a dump lies elsewhere, and is deleted in time.
    """
    return [_compare(folder, each) for each in named]


def _compare(folder: Path, named: Named) -> Artefact:
    def found(state: Literal["same", "altered", "absent"], what: str = "") -> Artefact:
        return Artefact(named.seq, named.name, named.path, state, what)

    if not Path(named.path).is_absolute() and ".." in Path(named.path).parts:
        return found("altered", "its path leads out of the session folder")
    if not os.path.lexists(folder / named.path):
        return found("absent")
    try:
        with os.fdopen(open_to_read(folder / named.path), "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if named.size is not None and size != named.size:
                return found("altered", f"it is not {named.size} bytes long")
            digest = _sha256(file, size)
    except Problem as problem:
        return found("altered", problem.what)
    except OSError as error:
        return found("altered", f"it cannot be read: {error.strerror}")
    return found("same") if digest == named.sha256 else found("altered", "its hash")


def _sha256(file: BinaryIO, size: int) -> str:
    """Of so many bytes: what the system makes up as it is read, such as /proc/kmsg, need not have an end."""
    digest = hashlib.sha256()
    while size > 0 and (piece := file.read(min(size, PIECE))):
        digest.update(piece)
        size -= len(piece)
    return digest.hexdigest()
