"""Who said yes to what a session ran, or that nobody did: for the transcript, each with its records."""

from collections.abc import Iterator

from runbooks.report.facts import Facts
from runbooks.report.parts import Refs, Strong, Value, Words, listed
from runbooks.session import events as e


def approved_rows(facts: Facts) -> Iterator[tuple[str, Words]]:
    """A row of the summary; none where nobody was asked."""
    emergency, plan = facts.opening.emergency, facts.plan
    if emergency is not None:
        due = f"; a review is owed by {emergency.review_by} "
        yield "Approved", (Strong("no, in the emergency lane"), ": ", Value(emergency.reason), due, Refs((0,)))
    elif plan is not None and plan.approval is not None:
        yield "Approved", (*_approvers(plan.approval), " ", Refs((facts.plan_seq,)))


def approval_points(approval: e.Approval) -> Iterator[Words]:
    """The same in full, as it stands beside the plan."""
    yield ("approved by ", *_approvers(approval))
    for one in approval.approvers:
        yield ("approval ", Value(one.file), ", SHA-256 ", Value(one.sha256))
        if one.comment:
            yield (Value(one.principal), " says: ", Value(one.comment))
    yield ("of the plan document ", Value(approval.document), ", number ", Value(approval.number))
    key: Words = (" with the key ", Value(approval.requester_key)) if approval.requester_key else ()
    yield ("asked for by ", Value(approval.requester), *key, f"; good until {approval.expires_at}")
    yield ("signers ", Value(approval.signers), ", SHA-256 ", Value(approval.signers_sha256))


def _approvers(approval: e.Approval) -> Words:
    people = [(Value(a.principal), " with the key ", Value(a.key), f" at {a.at}") for a in approval.approvers]
    return listed(people, "; ")
