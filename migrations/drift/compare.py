"""Two catalogs held against each other: what drifted, and what differs without being drift."""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from migrations.catalog import Snapshot
from migrations.catalog.diff import KINDS, Difference, differences
from migrations.drift import Drift
from migrations.drift.folding import folded
from migrations.drift.naming import id_of, sides_of, title_of
from migrations.drift.privileges import alike, known_roles, strangers
from migrations.drift.sql import Undoing
from migrations.drift.sql.create import Make
from migrations.drift.sql.words import Attributes, Objects, identifier
from migrations.listed import many


@dataclass(frozen=True, slots=True)
class Terms:
    """What is known of a replay beside its catalog. `first`: what its database had before the first script.

    `pinned`: extensions of which a script names the version; `lacking`: those that its server does not have.
    `majors` are the replay's and the target's. `owner` applied the scripts.
    """

    first: Snapshot
    owner: str
    majors: tuple[int, int]
    pinned: frozenset[str] = frozenset()
    lacking: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Compared:
    """`drifts` by place; `notes` are what differs, or may, and is no drift or cannot be told."""

    drifts: tuple[Drift, ...]
    notes: tuple[str, ...]


def compare(folder: Snapshot, target: Snapshot, terms: Terms) -> Compared:
    """Hold the target against what the folder says."""
    said = _with_lacking(folder.objects, target.objects, terms.lacking)
    roles = known_roles(said, terms.owner)
    wanted, there, first = (alike(side, terms.majors) for side in (said, target.objects, terms.first.objects))
    there, by_stranger = strangers(wanted, there, roles)
    found, notes = _excused(list(folded(list(differences(wanted, there)), wanted, there)), terms, first)
    undoing = Undoing(wanted, there, terms.majors[1], Make.of(wanted, there, terms.owner))
    drifts = [_drift(each, wanted, there, undoing) for each in sorted(found, key=_place)]
    return Compared((*drifts, *by_stranger), tuple(notes))


def _place(each: Difference) -> tuple[str, int, str, str]:
    place = KINDS.index(each.kind) if each.kind in KINDS else len(KINDS)
    return each.of or each.name, place, each.name, each.attribute


def _drift(each: Difference, folder: Objects, target: Objects, undoing: Undoing) -> Drift:
    says, has = sides_of(each)
    remedy = undoing.remedy(each)
    id = id_of(each, folder, target)
    return Drift(id, title_of(each), says, has, remedy.statements, remedy.caution)


def _with_lacking(folder: Objects, target: Objects, lacking: frozenset[str]) -> dict[str, Attributes]:
    """With the extensions that the throw-away server lacks, as the target has them: the scripts make them."""
    said = dict(folder)
    for name in lacking:
        written = name if name.isidentifier() and name == name.lower() else identifier(name)
        said.setdefault(f"extension {written}", target.get(f"extension {written}", {"schema": "public"}))
    return said


def _excused(found: Sequence[Difference], terms: Terms, first: Objects) -> tuple[list[Difference], list[str]]:
    left: list[Difference] = []
    notes: list[str] = []
    partitions: dict[str, int] = {}
    for each in found:
        parent = (
            (each.after or {}).get("parents") if each.before is None and "partition" in (each.after or {}) else None
        )
        if parent:
            partitions[parent] = partitions.get(parent, 0) + 1
        elif note := _note(each, terms, first.get(f"{each.kind} {each.name}")):
            notes.append(note)
        else:
            left.append(each)
    notes += [
        f"{many(count, 'partition')} of {table} left out, which no script makes" for table, count in partitions.items()
    ]
    return left, notes


def _note(each: Difference, terms: Terms, first: Attributes | None) -> str:
    """Why it is no drift, in words; empty if it is."""
    if each.kind == "extension" and each.attribute == "version" and each.name.strip('"') not in terms.pinned:
        return f"{title_of(each)} {each.now} in the target, {each.was} in the replay: no script names one"
    if first is None or each.before is None:
        return ""
    if not each.attribute and first == each.before:
        return f"{title_of(each)} is not in the target: a new database has it, and no script speaks of it"
    if each.attribute and first.get(each.attribute) == (each.before or {}).get(each.attribute):
        return f"{title_of(each)} is not as in a new database: no script speaks of it"
    return ""


def ignored(drift: Drift, patterns: Sequence[str]) -> bool:
    """Whether it is known and meant."""
    return any(fnmatchcase(drift.id, pattern) for pattern in patterns)
