"""The evidence pack of a session: everything that is needed to check it elsewhere, in one archive. See docs/pack.md."""

import hashlib
import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import rfc8785

from migrations.problem import Problem
from runbooks.journal.files import open_to_read
from runbooks.journal.grade import Grade
from runbooks.journal.records import MAX_LINE
from runbooks.journal.verify import Verdict, verify_lines
from runbooks.pack.archive import Archive, pieces_of, write_archive
from runbooks.pack.contents import Contents, LeftOut, Listed, choose
from runbooks.pack.evidence import Evidence, evidence
from runbooks.pack.pages import VERIFIER_SHA256, Pages
from runbooks.pack.verify import fits
from runbooks.session.frozen import Frozen

JOURNAL = "journal.jsonl"
MANIFEST = "manifest.json"
LARGE = 512 * 1024 * 1024
"""Of a larger journal, in bytes, a transcript could be larger than what every program for archives takes."""


class Manifest(Frozen):
    """What a pack holds, and what it does not. `grade` is the journal's, without anything from outside."""

    format: Literal["gonogo pack 1"] = "gonogo pack 1"
    gonogo: str
    session: str
    records: int
    head: str
    grade: Grade
    files: tuple[Listed, ...]
    left_out: tuple[LeftOut, ...] = ()

    @property
    def text(self) -> bytes:
        """Its RFC 8785 bytes."""
        return rfc8785.dumps(self.model_dump(mode="json"))


@dataclass(frozen=True, slots=True)
class Packed:
    """A pack that was made."""

    path: Path
    manifest: Manifest
    verifier_sha256: str = VERIFIER_SHA256

    @property
    def manifest_sha256(self) -> str:
        """What all files of the pack hang on."""
        return hashlib.sha256(self.manifest.text).hexdigest()


def pack(journal: Path, target: Path | None = None, *, overwrite: bool = False) -> Packed:
    """Make the pack of a session; by default SESSION.zip, here. A broken journal is packed too, and called that.

    Raises Problem: it is there already, or changed meanwhile; Unavailable: it cannot be read or written.
    """
    size = _size(journal)
    verdict = verify_lines(_lines(journal, size))
    top = _top(journal)
    found = _found(journal, verdict)
    contents = choose(journal.parent, verdict.named, found) if found else Contents({}, ())
    pages = Pages(journal, verdict, found, contents)
    made: list[Manifest] = []

    def fill(target: zipfile.ZipFile) -> None:
        archive = Archive(target, top, large=size > LARGE)
        archive.add(JOURNAL, pieces_of(open_to_read(journal), size))
        for name, sha256 in contents.files.items():
            _copy(archive, journal.parent, name, sha256)
        for name, pieces in pages.all():
            archive.add(name, pieces)
        made.append(_manifest(verdict, contents, archive.listed, found))
        archive.add(MANIFEST, [made[0].text])

    path = target or Path(f"{top}.zip")
    write_archive(path, fill, overwrite=overwrite)
    return Packed(path, made[0])


def _found(journal: Path, verdict: Verdict) -> Evidence | None:
    return evidence(Pages(journal, verdict, None, Contents({}, ())).records()) if verdict.records else None


def _size(journal: Path) -> int:
    """What is there now: a session that goes on writes more."""
    file = open_to_read(journal)
    try:
        return os.fstat(file).st_size
    finally:
        os.close(file)


def _lines(journal: Path, size: int) -> Iterator[bytes]:
    with os.fdopen(open_to_read(journal), "rb", buffering=1 << 20) as lines:
        while size and (line := lines.readline(min(size, MAX_LINE + 1))):
            size -= len(line)
            yield line
            if len(line) > MAX_LINE:
                return


def _top(journal: Path) -> str:
    """The one folder of the pack, named as the session's folder is."""
    name = journal.absolute().parent.name
    return name if fits(name) else "session"


def _copy(archive: Archive, folder: Path, name: str, sha256: str) -> None:
    file = open_to_read(folder / name)
    if archive.add(name, pieces_of(file, os.fstat(file).st_size)).sha256 != sha256:
        raise Problem(f"{folder / name} was changed while the pack was made.", advice="Make it anew.")


def _manifest(verdict: Verdict, contents: Contents, listed: list[Listed], found: Evidence | None) -> Manifest:
    return Manifest(
        gonogo=version("gonogo"),
        session=found.facts.opening.session if found else "",
        records=verdict.records,
        head=verdict.head,
        grade=verdict.grade,
        files=tuple(sorted(listed, key=lambda one: one.name)),
        left_out=contents.left_out,
    )
