"""What the signatures beside a journal prove of it."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from migrations.problem import Problem, Unavailable
from runbooks.history.sessions import tail_of
from runbooks.journal.files import open_to_read, read_lines
from runbooks.journal.records import Chain
from runbooks.journal.verify import Verdict
from runbooks.session.events import SessionOpened
from runbooks.signing import HEAD, AllowedSigners, NotNamed, check, genuine
from runbooks.signing.kept import Kept, kept
from runbooks.signing.signed_head import SignedHead, read_signed_head


@dataclass(frozen=True, slots=True)
class Judged:
    """One signature. `head` and `key` are what it says, once it is known to be right; `principal`: who signed.

    `refused`: why it proves nothing. `against`: whoever signed had another journal of this session before them.
    """

    name: str
    head: SignedHead | None = None
    key: str = ""
    principal: str = ""
    refused: str = ""
    against: bool = False


def judge(journal: Path, signers: AllowedSigners | None, environ: Mapping[str, str] = os.environ) -> list[Judged]:
    """The signatures beside a journal whose chain holds, in the order of their records.

    Without `signers`, whether each is right is told, and not whose it is. Raises Unavailable without ssh-keygen.
    """
    found = [_signature(each, signers, environ) for each in kept(journal.parent)]
    wanted = {one.head.seq for one in found if one.head is not None}
    if not wanted:
        return found
    opened, hashes = _hashes(journal, wanted)
    return [_of_this(one, opened, hashes) for one in found]


def signed_up_to(judged: Iterable[Judged]) -> Judged | None:
    """The signature that reaches the furthest, of those by a known person."""
    named = [one for one in judged if one.principal and one.head is not None and not one.refused]
    return max(named, key=lambda one: one.head.seq if one.head else -1, default=None)


def with_signatures(verdict: Verdict, judged: Iterable[Judged]) -> Verdict:
    """A verdict, with what the signatures add to it: never more than is proven."""
    found = list(judged)
    furthest = signed_up_to(found)
    reached = furthest.head.seq if furthest is not None and furthest.head is not None else None
    return replace(verdict, signed=reached, denied=any(one.against for one in found))


def operator_proven(judged: Iterable[Judged], opened: SessionOpened) -> str | None:
    """The key with which the operator whom the first record names signed that record, if so."""
    return next((one.key for one in judged if _is_first(one) and one.principal == opened.operator.name), None)


def first_signed(judged: Iterable[Judged]) -> Judged | None:
    """A signature of the first record that holds; by a known person, if there is one."""
    return max(filter(_is_first, judged), key=lambda one: bool(one.principal), default=None)


def _is_first(one: Judged) -> bool:
    return one.head is not None and one.head.seq == 0 and not one.refused


def _signature(given: Kept | Problem, signers: AllowedSigners | None, environ: Mapping[str, str]) -> Judged:
    if isinstance(given, Problem):
        return Judged("?", refused=given.what)
    key = ""
    try:
        head = read_signed_head(given.text)
        key = genuine(given.text, given.armour, HEAD, environ).fingerprint
        at = datetime.fromisoformat(head.signed)
        who = check(given.text, given.armour, HEAD, signers, environ, at=at).principal if signers else ""
    except Unavailable:
        raise
    except NotNamed:
        who = ""
    except Problem as problem:
        return Judged(given.name, key=key, refused=problem.what)
    return Judged(given.name, head, key, who)


def _hashes(journal: Path, wanted: set[int]) -> tuple[SessionOpened | None, dict[int, str]]:
    """The first record's event, and the hashes of some records, by the ends of their lines."""
    opened, hashes = None, dict[int, str]()
    for seq, line in enumerate(read_lines(open_to_read(journal))):
        if seq == 0 and isinstance(event := Chain().take(line).event, SessionOpened):
            opened = event
        if seq in wanted and (tail := tail_of(line, seq)) is not None:
            hashes[seq] = tail.hash
    return opened, hashes


def _of_this(one: Judged, opened: SessionOpened | None, hashes: Mapping[int, str]) -> Judged:
    """A right signature may be of another session, or of another journal of this one."""
    head = one.head
    if head is None or one.refused:
        return one
    mine = opened is not None and head == SignedHead.of(opened, head.seq, head.head, head.why, head.signed)
    if not mine:
        return Judged(one.name, head, one.key, one.principal, f"it is of the session {head.session}")
    if hashes.get(head.seq) != head.head:
        then = "had another hash" if head.seq in hashes else "is missing here, and was there"
        what = f"record {head.seq} {then} when it was signed: this is another journal, or it was changed since"
        return Judged(one.name, head, one.key, one.principal, what, against=bool(one.principal))
    return one
