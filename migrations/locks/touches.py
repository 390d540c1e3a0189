"""What each statement of a script locks of what was there before it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from migrations.locks import of_objects, of_parts, of_rows, of_tables
from migrations.locks.lock import EFFORT, Hinge, Lock, Through, ThroughKind, Touch
from migrations.sql import Script
from migrations.sql import actions as a
from migrations.sql.state import State
from migrations.sql.thing import Thing
from migrations.sql.volatility import unknown, volatile

Maker = Callable[[Any], Iterable[Touch]]

MAKERS: dict[type[Any], Maker] = {
    a.CreateTable: of_tables.create_table,
    a.AddColumn: of_tables.add_column,
    a.DropColumn: of_tables.drop_column,
    a.AlterType: of_tables.alter_type,
    a.SetNotNull: of_tables.set_not_null,
    a.DropNotNull: of_tables.of_column,
    a.SetDefault: of_tables.of_column,
    a.AddConstraint: of_tables.add_constraint,
    a.ValidateConstraint: of_tables.validate_constraint,
    a.DropConstraint: of_tables.drop_constraint,
    a.AttachPartition: of_tables.attach_partition,
    a.DetachPartition: of_tables.detach_partition,
    a.CreateIndex: of_tables.create_index,
    a.Reindex: of_tables.reindex,
    a.AlterTable: of_parts.alter_table,
    a.AlterRelation: of_parts.alter_relation,
    a.Create: of_objects.create,
    a.Drop: of_objects.drop,
    a.Rename: of_objects.rename,
    a.MoveToSchema: of_objects.move,
    a.Comment: of_objects.comment,
    a.Publish: of_objects.publish,
    a.CreateStatistics: of_objects.create_statistics,
    a.ReassignOwned: of_objects.reassign_owned,
    a.AlterDomain: of_objects.alter_domain,
    a.Insert: of_rows.writes,
    a.Update: of_rows.writes,
    a.Delete: of_rows.writes,
    a.Merge: of_rows.writes,
    a.Query: of_rows.query,
    a.Copy: of_rows.copy,
    a.Truncate: of_rows.truncate,
    a.LockTable: of_rows.lock_table,
    a.Maintain: of_rows.maintain,
}
LOCKLESS: tuple[type[Any], ...] = (
    *(a.AddEnumValue, a.Set, a.Transaction, a.SecretGiven, a.Other),
    *(a.RunCode, a.Call, a.Unknown),
)
"""These lock no relation that is known of: of the last three it is said that they are not analysed."""

_ALONG: dict[ThroughKind, tuple[str, ...]] = {
    "depending": ("referencing", "users", "members"),
    "truncated along": ("referencing",),
    "rows": ("descendants", "sources", "referenced", "referencing"),
}
"""The links that lead to where these do; any other is of the same kind."""

_KIND_OF = {
    "users": "type",
    "members": "schema",
    "owned": "role",
    "published": "publication",
    "everything": "database",
}


def touches_of(script: Script) -> tuple[tuple[Touch, ...], ...]:
    """For each statement of the script, what it touches; what the script made itself is left out."""
    state = State()
    return tuple(touched(statement.actions, state) for statement in script.statements)


def touched(actions: Iterable[a.Action], state: State) -> tuple[Touch, ...]:
    """What the actions of one statement touch, after all that came before; they are behind us then."""
    found: list[Touch] = []
    for action in actions:
        found += (touch for one in _of(action, state) for touch in _on_target(one, state))
        state.follow(action)
    return joined(found)


def _of(action: a.Action, state: State) -> Iterable[Touch]:
    """What an action touches. A constraint of a table that is still empty asks nothing of the rows elsewhere."""
    touches = MAKERS.get(type(action), _nothing)(action)
    if isinstance(action, a.AddConstraint) and state.thing(action.table).is_empty:
        return (replace(touch, work="brief", hinge=None) for touch in touches)
    return touches


def _nothing(action: a.Action) -> Iterable[Touch]:
    return ()


def joined(touches: Iterable[Touch]) -> tuple[Touch, ...]:
    """One touch for each relation and hinge: with the strongest lock on it, and the most work."""
    touches = tuple(touches)
    locks: dict[object, Lock] = {}
    merged: dict[object, Touch] = {}
    for touch in touches:
        where = (touch.relation, touch.through)
        locks[where] = max(locks.get(where, touch.lock), touch.lock, key=lambda lock: lock.strength)
        other = merged.get((*where, touch.hinge), touch)
        merged[*where, touch.hinge] = max(other, touch, key=lambda one: EFFORT[one.work])
    kept = tuple(_with_lock(touch, locks[touch.relation, touch.through]) for touch in merged.values())
    return tuple(_without_idle_hinges(kept)) if any(touch.hinge for touch in kept) else kept


def _with_lock(touch: Touch, lock: Lock) -> Touch:
    return touch if touch.lock is lock else replace(touch, lock=lock)


def _without_idle_hinges(touches: Sequence[Touch]) -> Iterator[Touch]:
    """A hinge on which nothing hangs, because as much work is there without it, says nothing."""
    certain = {(t.relation, t.through): EFFORT[t.work] for t in touches if t.hinge is None}
    for touch in touches:
        most = max(EFFORT[touch.work], EFFORT[touch.hinge.work]) if touch.hinge else None
        if most is None or most > certain.get((touch.relation, touch.through), -1):
            yield touch


def _on_target(touch: Touch, state: State) -> Iterator[Touch]:
    """The touch by the names that the target has, and what the script alone knows that it leads to."""
    through = touch.through
    thing = state.thing(touch.relation, _kind(through))
    touch = _settled(touch, thing, state)
    if through is None:
        if thing.before is not None:
            yield touch if touch.relation == thing.before else replace(touch, relation=thing.before)
        return
    for other in _led_to(thing, through):
        if other.before is not None:
            yield replace(touch, relation=other.before, through=None)
    if thing.before is not None and (known := _known(through, thing)):
        same = known is through and touch.relation == thing.before
        yield touch if same else replace(touch, relation=thing.before, through=known)


def _kind(through: Through | None) -> str:
    if through is None:
        return "table"
    return _KIND_OF.get(through.kind) or through.of or "table"


def _led_to(thing: Thing, through: Through) -> Iterator[Thing]:
    """What the script's own links lead to."""
    for link in (link for kind in _ALONG.get(through.kind, (through.kind,)) for link in thing.links.get(kind, ())):
        over = not (through.columns and link.columns) or not set(through.columns).isdisjoint(link.columns)
        if over and through.constraint in ("", link.constraint) and not link.to.gone:
            yield link.to


def _known(through: Through, thing: Thing) -> Through | None:
    """The same with columns and constraints as they were called before; None if the script made them all."""
    if not through.columns and not through.constraint:
        return through
    columns = tuple(old for name in through.columns if (old := thing.column(name)))
    constraint = thing.constraint(through.constraint)
    if (through.columns and not columns) or constraint is None:
        return None
    return replace(through, columns=columns, constraint=constraint)


def _settled(touch: Touch, thing: Thing, state: State) -> Touch:
    """The touch without its hinge, where the script itself tells what hangs on it."""
    hinge = touch.hinge
    if hinge is None:
        return touch
    match hinge.kind:
        case "index never null" if (index := state.thing(touch.relation._replace(name=hinge.of[0]))).before is None:
            return _settled(replace(touch, hinge=Hinge("never null", hinge.work, index.index_columns)), thing, state)
        case "never null":
            if thing.never_null.issuperset(hinge.of):
                return replace(touch, work=hinge.work, hinge=None)
            old = [thing.column(column) for column in hinge.of]
            return replace(touch, hinge=None if None in old else replace(hinge, of=tuple(filter(None, old))))
        case "kept type":
            column = thing.column(hinge.of[0])
            return replace(touch, hinge=replace(hinge, of=(column, hinge.of[1])) if column else None)
        case "validated":
            constraint = thing.constraint(hinge.of[0])
            return replace(touch, hinge=replace(hinge, of=(constraint,)) if constraint else None)
        case "checked domain" | "filling domain" if (type := state.type(hinge.of[0])).before is None:
            filled = hinge.kind == "filling domain" and (volatile(type.default) or unknown(type.default))
            return replace(touch, work=hinge.work if type.checked or filled else touch.work, hinge=None)
    return touch
