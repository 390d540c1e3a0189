"""What a statement touches, told by the relations of the target, with what only the target can tell."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from migrations.impact.known import Known, Relation
from migrations.impact.types import change, type_from
from migrations.locks import Hinge, HingeKind, Lock, Through, ThroughKind, Touch, Work
from migrations.locks.lock import EFFORT
from migrations.sql.names import Name

_ALWAYS: dict[ThroughKind, str] = {
    "table": "the table of",
    "users": "all tables that use type",
    "members": "all tables in schema",
    "owned": "all tables of role",
    "published": "all tables of publication",
    "everything": "all tables of the database",
    "depending": "what depends on",
    "truncated along": "all tables that reference",
}
"""Where no target tells which they are: what certainly is there. Of the rest, there may be none."""
_ALL_OF = {"type": _ALWAYS["users"], "domain": _ALWAYS["users"], "schema": _ALWAYS["members"]}
_SPARED: dict[HingeKind, str] = {
    "kept type": "its values stay on disk as they are",
    "never null": "a constraint proves already that nothing in it is null",
    "index never null": "a constraint proves already that nothing in it is null",
    "validated": "the constraint is valid already",
    "not volatile": "the default is the same for all rows",
}
_FAR = "its rows are on another server, which is not asked"


@dataclass(frozen=True, slots=True)
class Settled:
    """What a statement does to one relation, called as people know it. `relation` is None where it is not known.

    `spared`: in words, why it has less work than others of its kind.
    """

    shown: str
    lock: Lock
    work: Work
    relation: Relation | None = None
    spared: str = ""

    @property
    def blocks(self) -> str:
        """What others cannot do meanwhile, in words; empty where nobody waits."""
        return self.lock.blocks or ("writes of the same rows" if self.work == "data" else "")

    @property
    def matters(self) -> bool:
        """Whether others notice: a lock that lets everything else go on, on a row more or less, is no news."""
        return bool(self.blocks) or self.work != "brief"


def settled(touches: Iterable[Touch], known: Known | None, *, utc: bool | None = None) -> tuple[Settled, ...]:
    """One for each relation, the named ones first. `utc`: whether the script has set that, or another time zone."""
    touches = tuple(touches)
    whole = {touch.relation for touch in touches if touch.through and touch.through.kind == "descendants"}
    merged: dict[str, Settled] = {}
    for touch in sorted(touches, key=lambda touch: touch.through is not None):
        work = _work(touch, known, utc=utc)
        for one in _led_to(touch, known):
            alone = one.relation and one.relation.kind == "partitioned table" and touch.relation not in whole
            spared = _SPARED.get(touch.hinge.kind, "") if touch.hinge and EFFORT[work] < EFFORT[touch.work] else ""
            new = replace(one, work="brief" if alone and touch.through is None else work, spared=spared)
            if one.relation and one.relation.kind == "foreign table" and work not in ("brief", "data"):
                new = replace(one, work="brief", spared=_FAR)
            merged[new.shown] = _both(merged[new.shown], new) if new.shown in merged else new
    return tuple(merged.values())


def _both(one: Settled, other: Settled) -> Settled:
    lock = max(one.lock, other.lock, key=lambda lock: lock.strength)
    most = max(one, other, key=lambda touch: EFFORT[touch.work])
    return replace(one, lock=lock, work=most.work, spared=most.spared)


def _led_to(touch: Touch, known: Known | None) -> Iterator[Settled]:
    relation = known.relation(touch.relation) if known else None
    through = touch.through
    if through is None:
        yield Settled(relation.shown if relation else str(touch.relation), touch.lock, touch.work, relation)
    elif through.kind in ("descendants", "rows"):
        return  # counted with the table that they belong to; or locked as weakly as rows are
    elif through.kind == "indexes":
        if relation:
            yield Settled(f"the indexes of {relation.shown}", touch.lock, touch.work, relation)
    elif known is None or (found := _names(touch.relation, through, relation, known)) is None:
        if words := _ALL_OF.get(through.of) or _ALWAYS.get(through.kind):
            yield Settled(f"{words} {touch.relation}".removesuffix(' ""'), touch.lock, touch.work)
    else:
        for name in dict.fromkeys(found):
            other = known.relation(name)
            yield Settled(other.shown if other else str(name), touch.lock, touch.work, other)


def _names(name: Name, through: Through, relation: Relation | None, known: Known) -> tuple[Name, ...] | None:
    """The relations that a way leads to; None where the target was not asked."""
    match through.kind:
        case "users":
            type = known.type(name)
            return type.users if type else None
        case "members":
            return known.schemas.get(name.name)
        case "depending":
            return _depending(name, through, relation, known)
        case "owned" | "published" | "everything":
            return None
    return tuple(_of(relation, through, known)) if relation else None


def _of(relation: Relation, through: Through, known: Known) -> Iterator[Name]:
    wanted = set(through.columns)
    match through.kind:
        case "table" if relation.table:
            yield relation.table
        case "parent" if relation.parent:
            yield relation.parent
        case "default partition" if relation.default:
            yield relation.default
        case "default beside" if relation.parent and (parent := known.relation(relation.parent)) and parent.default:
            yield parent.default
        case "referenced":
            for key in relation.keys_out:
                if through.constraint in ("", key.name) and (not wanted or wanted & set(key.columns)):
                    yield key.partner
        case "referencing":
            yield from (key.partner for key in relation.keys_in if not wanted or wanted & set(key.columns))
        case "truncated along":
            yield from _along(relation, known)


def _along(relation: Relation, known: Known) -> Iterator[Name]:
    seen = {relation.name}
    ahead = [relation]
    while ahead:
        for key in ahead.pop().keys_in:
            if key.partner not in seen:
                seen.add(key.partner)
                yield key.partner
                if further := known.relation(key.partner):
                    ahead.append(further)


def _depending(name: Name, through: Through, relation: Relation | None, known: Known) -> tuple[Name, ...] | None:
    if through.of == "schema":
        return known.schemas.get(name.name)
    if through.of in ("type", "domain"):
        type = known.type(name)
        return type.users if type else None
    if relation is None:
        return None
    wanted = set(through.columns)
    found = [d for d in relation.dependents if not wanted or d.column in wanted]
    return tuple(name for d in found for name in (d.of, d.name) if name and name.name)


def _work(touch: Touch, known: Known | None, *, utc: bool | None) -> Work:
    if touch.hinge is None or known is None:
        return touch.work
    return _hinged(touch.hinge, touch, known.relation(touch.relation), known, utc=utc)


def _hinged(hinge: Hinge, touch: Touch, relation: Relation | None, known: Known, *, utc: bool | None) -> Work:
    holds = False
    match hinge.kind:
        case "kept type" if relation:
            return _kept(hinge, touch.work, relation, known, utc=utc)
        case "never null" if relation:
            holds = _never_null(relation, hinge.of)
        case "index never null" if relation:
            index = next((index for index in relation.indexes if index.name == hinge.of[0]), None)
            holds = index is not None and _never_null(relation, index.columns)
        case "validated" if relation and relation.columns:
            holds = hinge.of[0] not in relation.unvalidated
        case "checked domain" | "filling domain":
            type = type_from(hinge.of[0])
            if type is not None and (found := known.type(type.name)) is not None:
                holds = found.checked or (found.volatile and hinge.kind == "filling domain")
        case "not volatile":
            holds = all(known.functions.get(name, "volatile") != "volatile" for name in hinge.of)
    return hinge.work if holds else touch.work


def _never_null(relation: Relation, columns: Iterable[str]) -> bool:
    return all((column := relation.column(name)) is not None and column.never_null for name in columns)


def _kept(hinge: Hinge, work: Work, relation: Relation, known: Known, *, utc: bool | None) -> Work:
    column, new = relation.column(hinge.of[0]), type_from(hinge.of[1])
    if column is None or new is None:
        return work
    found = change(column.type, new, known, utc=known.utc if utc is None else utc)
    if found == "rewrite":
        return work
    indexed = any(hinge.of[0] in index.columns or "" in index.columns for index in relation.indexes)
    return max(found, hinge.work, key=EFFORT.__getitem__) if indexed else "brief"
