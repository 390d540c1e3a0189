"""What `touches_of` tells of a statement, beside what the server did."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.locks.claims import Claim
from migrations.locks.lock import EFFORT
from proving.observed import Observed

_TABLES = "rpvmf"
_HEAVY = ("scan", "build", "rewrite")


def told(claim: Claim, seen: Observed) -> Iterator[str]:
    """Where what `touches_of` tells of the claim's statement is not what the server did."""
    if not seen.sqlstate:
        yield from told_locks(claim, seen)
        if not claim.holding:
            yield from _work(claim, seen)


def told_locks(claim: Claim, seen: Observed) -> Iterator[str]:
    """What `touches_of` tells: no lock that it does not name, and each that it names, where that blocks anybody."""
    most: dict[int, Lock] = {}
    least: dict[int, Lock] = {}
    for touch, meant in seen.told:
        certain = not claim.holding and (touch.through is None or touch.lock.blocks)
        for oid in meant:
            most[oid] = stronger(touch.lock, most.get(oid))
            if certain and seen.relations[oid].name not in claim.milder:
                least[oid] = stronger(touch.lock, least.get(oid))
    for oid, one in seen.relations.items():
        held, told = seen.held.get(oid), most.get(oid)
        if told is None:
            if held and counts(seen, oid, held):
                yield f"touches_of does not tell of {held} on {one.name}"
        elif one.table is not None and seen.held.get(one.table) is Lock.ACCESS_EXCLUSIVE:
            continue  # nobody gets as far as to its indexes
        elif stronger(told, held) is not told or (oid in least and stronger(least[oid], held) is not held):
            yield f"touches_of tells of {told} on {one.name}, the server of {held or 'none'}"


def stronger(lock: Lock, other: Lock | None) -> Lock:
    """The stronger one of two locks."""
    return lock if other is None or lock.strength >= other.strength else other


def _work(claim: Claim, seen: Observed) -> Iterator[str]:
    """What `touches_of` tells of the work: the server does no more; and no less, where it is certain."""
    most: dict[int, int] = {}
    direct = {oid for touch, meant in seen.told if touch.through is None for oid in meant}
    all_filled = all(seen.relations[oid].filled for oid in direct if seen.relations[oid].kind == "r")
    for touch, meant in seen.told:
        filled = [oid for oid in meant if seen.relations[oid].filled]
        effort = max(EFFORT[touch.work], EFFORT[touch.hinge.work] if touch.hinge else 0)
        if touch.lock.strength > Lock.ROW_SHARE.strength:
            most |= {oid: max(most.get(oid, 0), effort) for oid in filled}
        certain = all_filled and touch.through is None and touch.hinge is None and touch.work in _HEAVY
        done = {*claim.milder, *(seen.rewritten if touch.work == "rewrite" else seen.scanned)}
        for name in (seen.relations[oid].name for oid in filled if certain):
            if name not in done:
                yield f"touches_of tells of a {touch.work} of {name}, which the server does not do"
    for oid, effort in most.items():
        name = seen.relations[oid].name
        if name in seen.rewritten and effort < EFFORT["rewrite"]:
            yield f"touches_of does not tell that {name} is written anew"
        elif name in seen.scanned and not effort:
            yield f"touches_of does not tell that {name} is read"


def counts(seen: Observed, oid: int, lock: Lock) -> bool:
    """Whether a lock stands in somebody's way: on a table, or on an index where its table could be read."""
    one = seen.relations[oid]
    if one.table is not None:
        return lock is Lock.ACCESS_EXCLUSIVE and seen.held.get(one.table) is not lock
    return one.kind in _TABLES and lock is not Lock.ACCESS_SHARE
