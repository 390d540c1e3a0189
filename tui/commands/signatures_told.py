"""What `gonogo transcript verify` says of the signatures beside a journal."""

from collections.abc import Iterator, Sequence

from runbooks.journal.verify import Verdict
from runbooks.signing.judged import Judged, operator_proven, signed_up_to
from runbooks.signing.signed_head import SignedHead


def signature_lines(verdict: Verdict, judged: Sequence[Judged]) -> Iterator[str]:
    """One line for each who signed and for each signature that proves nothing, then how far they reach."""
    signers: dict[tuple[str, str], list[SignedHead]] = {}
    for one in judged:
        if one.refused or one.head is None:
            yield f"signature: {one.name} proves nothing: {one.refused}"
        else:
            signers.setdefault((one.principal, one.key), []).append(one.head)
    for (principal, key), heads in signers.items():
        who = f"{principal}, key {key}" if principal else f"the key {key}, which no signers' file names"
        which = ", ".join(f"{head.seq} ({head.why})" for head in heads)
        yield f"signature: by {who}: record {which}; the last at {max(head.signed for head in heads)} as claimed"
    yield from _reach(verdict, judged)


def _reach(verdict: Verdict, judged: Sequence[Judged]) -> Iterator[str]:
    furthest, last = signed_up_to(judged), verdict.records - 1
    if furthest is None:
        if any(not one.refused for one in judged):
            yield "signed: by nobody who is known here, so the grade is none the higher; --signers FILE says who is"
        return
    reached = furthest.head.seq if furthest.head else 0
    yield f"signed: the records up to {reached} are as {furthest.principal} signed them"
    if reached < last:
        yield f"signed: records {reached + 1} to {last} came after that, and could have been made anew"
    if verdict.opened is not None and operator_proven(judged, verdict.opened):
        yield f"operator: {verdict.opened.operator.name} signed the first record: proven, and not claimed"


def signatures_json(judged: Sequence[Judged]) -> list[dict[str, object]]:
    """One object for each."""
    return [
        {
            "name": one.name,
            "record": one.head.seq if one.head else None,
            "why": one.head.why if one.head else None,
            "signed": one.head.signed if one.head else None,
            "principal": one.principal or None,
            "key": one.key or None,
            "refused": one.refused or None,
        }
        for one in judged
    ]
