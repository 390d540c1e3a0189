"""What goes into a pack and what does not: only what a record names and gonogo knows to be no data, never a dump."""

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from migrations.problem import Problem
from runbooks.anchoring import noted
from runbooks.approvals.kept import FOLDER as APPROVALS
from runbooks.history.done import PLACE as FOLLOW_UPS
from runbooks.journal.files import open_to_read
from runbooks.journal.named import Artefact, Named, compare
from runbooks.pack.evidence import Evidence
from runbooks.pack.verify import fits
from runbooks.session.frozen import Frozen
from runbooks.signing.kept import FOLDER as SIGNATURES

LARGEST = 256 * 1024 * 1024
"""A larger file, the journal apart, is left where it is, in bytes."""
LARGEST_PAPER = 16 * 1024 * 1024
_KNOWN = frozenset(
    {
        ("schema.record", "schema.json"),
        ("schema.compare", "schema-difference.txt"),
        ("schema.sweep", "sweep.json"),
        ("schema.drift", "drift.sql"),
        ("prisma.diff", "prisma-diff.sql"),
        ("backup.dump", "state"),
        ("backup.dump", "dump-files"),
        ("backup.read", "state"),
        ("backup.proof", "state"),
        ("migrations.apply", "before-prisma.json"),
    }
)
"""What steps keep of a schema, by the kind of the step and the name of the file: no rows of anybody's."""
_PAPERS = {
    SIGNATURES: re.compile(r"[0-9]{6,}-[a-z0-9-]+\.(sig|txt)"),
    FOLLOW_UPS: re.compile(r"[a-z][a-z0-9-]{0,63}\.json"),
    APPROVALS: re.compile(r"signers(-[0-9a-f]{16})?|review\.json(\.sig)?|[0-9]-[^/]+\.json(\.sig)?"),
}
_PLACES = ("scripts", "artefacts", "documents")
_DUMP = b"PGDMP"
Why = Literal["absent", "altered", "dump", "too large", "not known"]


class LeftOut(Frozen):
    """A file that is not in the pack. `what` says more; `record` names it, with this hash and size."""

    name: str
    why: Why
    what: str
    record: int | None = None
    sha256: str = ""
    size: int | None = None


class Listed(Frozen):
    """A file of the pack."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Contents:
    """The files of a session's folder that go in, each with its SHA-256, and those that do not."""

    files: dict[str, str]
    left_out: tuple[LeftOut, ...]

    @property
    def scripts(self) -> frozenset[str]:
        """The hashes of the scripts that go in."""
        return frozenset(name[8:-4] for name in self.files if name.startswith("scripts/"))


def choose(folder: Path, named: Iterable[Named], found: Evidence) -> Contents:
    """What a session's folder has for a pack. Raises Unavailable."""
    files, left = dict[str, str](), list[LeftOut]()
    uses = {(seq, kept.path): (step, kept.name) for seq, kept, step in found.kept}
    torn = (Named(seq, "torn line", one.file, one.sha256, one.size) for seq, one in found.torn)
    wanted = [*named, *torn]
    for each in dict.fromkeys(wanted):
        refused = _refused(folder, each, uses.get((each.seq, each.path)))
        if refused is None:
            files[each.path] = each.sha256
        else:
            left.append(refused)
    papers = {name: sha for name, sha in _papers(folder, left) if name not in files}
    altered = {one.name for one in left}
    files |= {name: sha for name, sha in papers.items() if name not in altered}
    left += _others(folder, files, {one.name for one in left})
    return Contents(dict(sorted(files.items())), tuple(left))


def _refused(folder: Path, named: Named, kept: tuple[str, str] | None) -> LeftOut | None:
    """Why a file that a record names does not go in."""

    def out(why: Why, what: str) -> LeftOut:
        return LeftOut(
            name=named.path, why=why, what=what, record=named.seq, sha256=named.sha256, size=named.size
        )  # fmt: skip

    if kept is not None and kept not in _KNOWN and named.path.split("/")[0] not in _PAPERS:
        place = "kept elsewhere" if Path(named.path).is_absolute() else "kept in the session's folder"
        whose = f" of a step {kept[0]}" if kept[0] else ", from the environment's logs"
        return out("dump", f"{kept[1]}{whose}, {place}; no data goes into a pack")
    if not fits(named.path) or Path(named.path).is_absolute():
        return out("not known", "its name is not one that every computer can hold")
    [artefact] = compare(folder, [named])
    if artefact.state == "absent":
        return out("absent", "it was not there when the pack was made")
    if artefact.state == "altered":
        return out("altered", _how(folder, artefact))
    return _too_large(folder, out, named)


def _too_large(folder: Path, out: Callable[[Why, str], LeftOut], named: Named) -> LeftOut | None:
    path = folder / named.path
    if path.stat().st_size > LARGEST:
        return out("too large", f"it is larger than {LARGEST} bytes")
    with path.open("rb") as file:
        return out("dump", "it is a dump, by its first bytes") if file.read(len(_DUMP)) == _DUMP else None


def _how(folder: Path, artefact: Artefact) -> str:
    try:
        found = _sha256(folder / artefact.path)
    except Problem as problem:
        return problem.what
    return f"{artefact.what}; its SHA-256 is {found} now"


def _papers(folder: Path, left: list[LeftOut]) -> Iterator[tuple[str, str]]:
    """Signatures, approvals, where the end was noted: some come after the last record, which can name none of them."""
    for shown, known in _candidates(folder):
        if not known or not fits(shown):
            left.append(LeftOut(name=shown, why="not known", what="no gonogo puts such a file there"))
            continue
        try:
            if (folder / shown).lstat().st_size <= LARGEST_PAPER:
                yield shown, _sha256(folder / shown)
            else:
                left.append(LeftOut(name=shown, why="too large", what=f"it is larger than {LARGEST_PAPER} bytes"))
        except Problem as problem:
            left.append(LeftOut(name=shown, why="not known", what=problem.what))


def _candidates(folder: Path) -> Iterator[tuple[str, bool]]:
    for place, pattern in _PAPERS.items():
        yield from ((f"{place}/{name}", bool(pattern.fullmatch(name))) for name in _names(folder / place))
    if os.path.lexists(folder / noted.NAME):
        yield noted.NAME, True


def _others(folder: Path, files: Iterable[str], told: set[str]) -> Iterator[LeftOut]:
    """What else lies there: nobody can say whether it is what it was."""
    made = {"journal.jsonl", "transcript.md", "transcript.html"}
    seen = {*files, *told, *made, *_PAPERS, *_PLACES}
    names = [*_names(folder), *(f"{place}/{name}" for place in _PLACES for name in _names(folder / place))]
    for name in names:
        if name not in seen:
            yield LeftOut(name=name, why="not known", what="no record names it")


def _names(folder: Path) -> list[str]:
    try:
        return sorted(each.name for each in folder.iterdir())
    except OSError:
        return []


def _sha256(path: Path) -> str:
    with os.fdopen(open_to_read(path), "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
