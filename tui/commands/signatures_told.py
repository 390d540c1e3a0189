"""What `gonogo transcript verify` says of the signatures beside a journal."""

from collections.abc import Iterator, Sequence

from runbooks.journal.verify import Verdict
from runbooks.signing.judged import Judged, operator_proven, signed_up_to
from runbooks.signing.signed_head import AFTERWARDS


def signature_lines(verdict: Verdict, judged: Sequence[Judged]) -> Iterator[str]:
    """One line for each, then how far they reach."""
    yield from (f"signature: {_words(one)}" for one in judged)
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


def _words(one: Judged) -> str:
    if one.refused or one.head is None:
        return f"{one.name} proves nothing: {one.refused}"
    who = f"{one.principal}, key {one.key}" if one.principal else f"the key {one.key}, which no signers' file names"
    when = "signed afterwards, at" if one.head.why == AFTERWARDS else f"{one.head.why}, at"
    return f"record {one.head.seq} by {who}; {when} {one.head.signed} as claimed"
