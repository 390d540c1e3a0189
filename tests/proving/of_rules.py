"""A rule beside what the server did with its risky form, and with the safer one."""

from collections.abc import Iterator

import psycopg

from migrations.locks.claims import Claim
from migrations.rules import Rule
from migrations.sql import read_script
from proving.observed import Connection, Observed, Pair, observe, paired
from proving.told import told, told_locks
from proving.verdict import LACKING, Verdict, failures, in_words, is_lacking


def put_rule(url: str, rule: Rule) -> Verdict:
    """Put a rule to a server, in an empty database: that its risky form does what it says, and the safer one works.

    A rule speaks of the table `t` alone; whatever else its risky form does is left open.
    """
    with paired(url) as pair:
        risky = _risky(pair, rule)
        if risky.did == LACKING:
            return risky
        safer = _safer(pair, rule)
        return Verdict(f"{risky.did}. The safer form: {safer.did}", (*risky.against, *safer.against))


def _risky(pair: Pair, rule: Rule) -> Verdict:
    connection = pair.one
    claim = claim_of(rule)
    if not (rule.lock or rule.rewrites or rule.fails):
        connection.execute(rule.setup.encode())
        return Verdict("nothing is claimed of the server")
    if rule.fails:
        error = _run(connection, rule.setup, rule.risky)
        if is_lacking(error):
            return Verdict(LACKING)
        failed = (error and error.sqlstate) or "nothing"
        against = [] if failed == rule.fails else [f"it fails with {failed}, not {rule.fails}"]
        return Verdict(f"fails with {failed}", tuple(against))
    seen = observe(pair, claim)
    return Verdict(in_words(seen), (*failures(claim, seen), *_missing(rule, claim, seen), *told(claim, seen)))


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


def _run(connection: Connection, setup: str, risky: str) -> psycopg.Error | None:
    """How the risky form fails, if it does. By itself: in a transaction, some fail for that alone."""
    connection.execute(setup.encode())
    try:
        connection.execute(risky.encode())
    except psycopg.Error as error:
        connection.rollback()
        return error
    return None


def _safer(pair: Pair, rule: Rule) -> Verdict:
    """Statement by statement: what can be in a transaction is watched in one that is taken back, and then run."""
    connection = pair.one
    did: list[str] = []
    against: list[str] = []
    try:
        for statement in read_script(rule.safer).statements:
            if not (statement.facts.alone or statement.facts.control):
                claim = Claim(statement.text)
                seen = observe(pair, claim)
                did.append(in_words(seen))
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
