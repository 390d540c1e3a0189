"""A claim beside what the server did: every difference is a contradiction."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import psycopg

from migrations.locks import Lock
from migrations.locks.claims import Claim
from migrations.locks.lock import EFFORT
from migrations.rules import Rule
from migrations.sql import read_script
from proving.observed import Connection, Observed, connected, observe

_TABLES = "rpvmf"
_HEAVY = ("scan", "build", "rewrite")
LACKING = "comes without that extension"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the server did, in words, and in what it contradicts the claim, or what is told of the statement."""

    did: str
    against: tuple[str, ...] = ()


def put(url: str, claim: Claim) -> Verdict:
    """Put a claim to a server. `url` is of a database that holds the world of the claims."""
    with connected(url) as connection:
        seen = observe(url, connection, claim)
    if _is_lacking(seen.failure):
        return Verdict(LACKING)
    against = [*_failure(claim, seen), *_locks(claim, seen), *_work(claim, seen), *_blocks(claim, seen)]
    return Verdict(_words(seen), (*against, *_shows(claim, seen), *_told(claim, seen)))


def put_rule(url: str, rule: Rule) -> Verdict:
    """Put a rule to a server, in an empty database: that its risky form does what it says, and the safer one works.

    A rule speaks of the table `t` alone; whatever else its risky form does is left open.
    """
    with connected(url) as connection:
        risky = _risky(url, connection, rule)
        if risky.did == LACKING:
            return risky
        safer = _safer(url, connection, rule)
        return Verdict(f"{risky.did}. The safer form: {safer.did}", (*risky.against, *safer.against))


def _risky(url: str, connection: Connection, rule: Rule) -> Verdict:
    claim = claim_of(rule)
    if not (rule.lock or rule.rewrites or rule.fails):
        connection.execute(rule.setup.encode())
        return Verdict("nothing is claimed of the server")
    if rule.fails:
        error = _run(connection, rule.setup, rule.risky)
        if _is_lacking(error):
            return Verdict(LACKING)
        failed = (error and error.sqlstate) or "nothing"
        against = [] if failed == rule.fails else [f"it fails with {failed}, not {rule.fails}"]
        return Verdict(f"fails with {failed}", tuple(against))
    seen = observe(url, connection, claim)
    return Verdict(_words(seen), (*_failure(claim, seen), *_missing(rule, claim, seen), *_told(claim, seen)))


def claim_of(rule: Rule) -> Claim:
    """What a rule claims, put as the other claims are."""
    alone = any(statement.facts.alone for statement in read_script(rule.risky).statements)
    return Claim(
        rule.risky,
        {"t": rule.lock} if rule.lock else {},
        setup=rule.setup,
        rewrites=("t",) if rule.rewrites else (),
        holding="LOCK TABLE t IN ACCESS SHARE MODE" if alone else "",
    )


def _is_lacking(error: psycopg.Error | None) -> bool:
    """The server was built without something: that says nothing of the claim."""
    return error is not None and re.search("extension .* is not available", str(error)) is not None


def _run(connection: Connection, setup: str, risky: str) -> psycopg.Error | None:
    """How the risky form fails, if it does. By itself: in a transaction, some fail for that alone."""
    connection.execute(setup.encode())
    try:
        connection.execute(risky.encode())
    except psycopg.Error as error:
        connection.rollback()
        return error
    return None


def _safer(url: str, connection: Connection, rule: Rule) -> Verdict:
    """Statement by statement: what can be in a transaction is watched in one that is taken back, and then run."""
    did: list[str] = []
    against: list[str] = []
    try:
        for statement in read_script(rule.safer).statements:
            if not (statement.facts.alone or statement.facts.control):
                claim = Claim(statement.text)
                seen = observe(url, connection, claim)
                did.append(_words(seen))
                against += told_locks(claim, seen) if not seen.sqlstate else ()
            connection.execute(statement.text.encode())
    except psycopg.Error as error:
        against.append(f"the safer form fails: {error}")
    return Verdict(", then ".join(did) or "works", tuple(against))


def _missing(rule: Rule, claim: Claim, seen: Observed) -> Iterator[str]:
    for name, lock in claim.locks.items():
        if seen.lock(name) is not lock:
            yield f"{name}: {seen.lock(name)}, not {lock}"
    yield from (f"it does not write {name} anew" for name in set(claim.rewrites) - seen.rewritten)
    for name, blocked in seen.blocked.items():
        # Rows are locked one by one: the table's own lock keeps nobody out.
        if blocked != ("" if rule.blocks == "writes of the same rows" else rule.blocks):
            yield f"{name}: others cannot do {blocked or 'nothing'}, not {rule.blocks or 'nothing'}"
    if claim.holding and rule.lock and rule.blocks != rule.lock.blocks:
        yield f"{rule.lock} blocks {rule.lock.blocks}, not {rule.blocks}"


def _words(seen: Observed) -> str:
    if seen.sqlstate:
        return f"fails with {seen.sqlstate}"
    locks = ", ".join(f"{name} {lock}" for name, lock in _notable(seen).items())
    reads = [f"reads {', '.join(sorted(seen.scanned))}"] if seen.scanned else []
    writes = [f"writes {', '.join(sorted(seen.rewritten))} anew"] if seen.rewritten else []
    return "; ".join([locks or "no table above ACCESS SHARE", *reads, *writes])


def _notable(seen: Observed) -> dict[str, Lock]:
    """The locks that stand in somebody's way: on tables, and on indexes where their tables could be read."""
    return {seen.relations[oid].name: lock for oid, lock in sorted(seen.held.items()) if _counts(seen, oid, lock)}


def _counts(seen: Observed, oid: int, lock: Lock) -> bool:
    one = seen.relations[oid]
    if one.table is not None:
        return lock is Lock.ACCESS_EXCLUSIVE and seen.held.get(one.table) is not lock
    return one.kind in _TABLES and lock is not Lock.ACCESS_SHARE


def _failure(claim: Claim, seen: Observed) -> Iterator[str]:
    if claim.fails != seen.sqlstate:
        yield f"it fails: {seen.sqlstate} {seen.failure}" if seen.sqlstate else "it succeeds"


def _locks(claim: Claim, seen: Observed) -> Iterator[str]:
    if seen.sqlstate and not claim.holding:
        return
    for name in sorted({*claim.locks, *_notable(seen)}):
        claimed, held = claim.locks.get(name), seen.lock(name)
        if claimed is not held:
            yield f"{name}: {held or 'no lock'}, not {claimed or 'none'}"


def _work(claim: Claim, seen: Observed) -> Iterator[str]:
    if not seen.sqlstate:
        yield from _differences("writes anew", claim.rewrites, seen.rewritten)
        if not claim.holding:
            yield from _differences("reads", claim.scans, seen.scanned)


def _differences(word: str, claimed: Iterable[str], found: frozenset[str]) -> Iterator[str]:
    for name in sorted(found.symmetric_difference(claimed)):
        yield f"it {word} {name}" if name in found else f"it never {word} {name}"


def _blocks(claim: Claim, seen: Observed) -> Iterator[str]:
    for name, blocked in seen.blocked.items():
        words = claim.locks[name].blocks
        if any(one.kind == "m" for _, one in seen.named(name)):  # to which nobody writes
            words = "reads" if "reads" in words else ""
        if blocked != words:
            yield f"{name}: others cannot do {blocked or 'nothing'}, not {words or 'nothing'}"


def _shows(claim: Claim, seen: Observed) -> Iterator[str]:
    if seen.showed is not True:
        yield f"afterwards, {claim.shows} gives {seen.showed}"


def _told(claim: Claim, seen: Observed) -> Iterator[str]:
    if not seen.sqlstate:
        yield from told_locks(claim, seen)
        if not claim.holding:
            yield from _told_work(claim, seen)


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
            if held and _counts(seen, oid, held):
                yield f"touches_of does not tell of {held} on {one.name}"
        elif one.table is not None and seen.held.get(one.table) is Lock.ACCESS_EXCLUSIVE:
            continue  # nobody gets as far as to its indexes
        elif stronger(told, held) is not told or (oid in least and stronger(least[oid], held) is not held):
            yield f"touches_of tells of {told} on {one.name}, the server of {held or 'none'}"


def stronger(lock: Lock, other: Lock | None) -> Lock:
    """The stronger one of two locks."""
    return lock if other is None or lock.strength >= other.strength else other


def _told_work(claim: Claim, seen: Observed) -> Iterator[str]:
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
