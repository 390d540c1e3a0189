"""A claim beside what the server did: every difference is a contradiction."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import psycopg

from migrations.locks import Lock
from migrations.locks.claims import Claim
from proving.observed import Observed, Pair, observe
from proving.told import counts, told

LACKING = "comes without that extension"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the server did, in words, and in what it contradicts the claim, or what is told of the statement."""

    did: str
    against: tuple[str, ...] = ()


def put(pair: Pair, claim: Claim) -> Verdict:
    """Put a claim to a server, in a database that holds the world of the claims."""
    seen = observe(pair, claim)
    if is_lacking(seen.failure):
        return Verdict(LACKING)
    against = [*failures(claim, seen), *_locks(claim, seen), *_work(claim, seen), *_blocks(claim, seen)]
    return Verdict(in_words(seen), (*against, *_shows(claim, seen), *told(claim, seen)))


def is_lacking(error: psycopg.Error | None) -> bool:
    """The server was built without something: that says nothing of the claim."""
    return error is not None and re.search("extension .* is not available", str(error)) is not None


def in_words(seen: Observed) -> str:
    """What the server did."""
    if seen.sqlstate:
        return f"fails with {seen.sqlstate}"
    locks = ", ".join(f"{name} {lock}" for name, lock in _notable(seen).items())
    reads = [f"reads {', '.join(sorted(seen.scanned))}"] if seen.scanned else []
    writes = [f"writes {', '.join(sorted(seen.rewritten))} anew"] if seen.rewritten else []
    return "; ".join([locks or "no table above ACCESS SHARE", *reads, *writes])


def _notable(seen: Observed) -> dict[str, Lock]:
    """The locks that stand in somebody's way: on tables, and on indexes where their tables could be read."""
    return {seen.relations[oid].name: lock for oid, lock in sorted(seen.held.items()) if counts(seen, oid, lock)}


def failures(claim: Claim, seen: Observed) -> Iterator[str]:
    """Whether it ended as it is claimed to."""
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
