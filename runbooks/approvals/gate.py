"""What a session accepts as approved, and what not. Each refusal says what is wrong with which approval."""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from migrations.listed import many
from runbooks.approvals.approval_document import Signed, misfit, other_answers
from runbooks.approvals.approving import PLAN
from runbooks.approvals.differences import differences
from runbooks.approvals.plan_document import LONGEST, moment, stamped
from runbooks.approvals.signers import Source
from runbooks.planning.identity import Stop
from runbooks.planning.planning import Covered
from runbooks.session import events as e
from runbooks.settings.project import Environment
from runbooks.signing import APPROVAL, BadSignature, Signer, check

ASK = (
    "A second engineer says yes to a plan: gonogo plan, then gonogo approve. Where that cannot be: --emergency REASON."
)
ANEW = "Ask for an approval of a new plan: gonogo plan."


@dataclass(frozen=True, slots=True)
class Case:
    """What approvals are held against. `now` is the server's time; `signer` who signed the session's first record."""

    project: str
    environment: str
    ticket: str
    covers: Covered
    operator: e.By
    signer: Signer | None
    now: datetime
    answers: e.AnswersFile | None = None


def needed(environment: Environment, plan: e.PlanMade) -> int:
    """How many people must have said yes: what loses data on a protected target takes one at the least."""
    loses = plan.protected and "destructive" in plan.conditions
    return max(environment.approvals, 1 if loses else 0)


def accepted(
    approvals: Sequence[Signed], case: Case, source: Source, need: int, environ: Mapping[str, str] = os.environ
) -> e.Approval:
    """The approvals as the plan holds them. Raises Stop with the reason why they are not accepted."""
    enough(approvals, need)
    one_plan(approvals)
    plan = approvals[0].document.plan
    _of_this(approvals[0], case)
    if case.signer is None:
        raise Stop("With approvals, who operates is proven and not claimed.", advice="Sign the session: --sign KEY.")
    operator = _name_of(case)
    approvers = tuple(_approver(one, case, source, environ) for one in approvals)
    requester_key = _requester(approvals[0], case, source, environ)
    for one, who in zip(approvals, approvers, strict=True):
        _another(one, who, {"operates": (operator, case.signer.fingerprint)})
        _another(one, who, {"asked for the plan": (plan.requester.name, requester_key)})
    for what, all_of in (("name", {_same(a.principal) for a in approvers}), ("key", {a.key for a in approvers})):
        if len(all_of) < len(approvers):
            raise Stop(f"Two of the approvals are by one person: they have the same {what}.", advice=ANEW)
    return e.Approval(
        needed=need,
        number=plan.number,
        document=plan.sha256,
        expires_at=plan.expires_at,
        requester=plan.requester.name,
        requester_key=requester_key,
        operator_key=case.signer.fingerprint,
        signers=source.signers.shown,
        signers_sha256=hashlib.sha256(source.signers.text).hexdigest(),
        commit=source.commit,
        approvers=approvers,
    )


def enough(approvals: Sequence[Signed], need: int) -> None:
    """Raises Stop where fewer are given than it takes."""
    if len(approvals) < need:
        given = f"{len(approvals)} given" if approvals else "none is given"
        raise Stop(f"This plan takes {many(need, 'approval')}, and {given}.", advice=ASK)


def one_plan(approvals: Sequence[Signed]) -> None:
    """Raises Stop unless all of them say yes to the same document."""
    other = next((a for a in approvals if a.document.plan != approvals[0].document.plan), None)
    if other is not None:
        raise Stop(f"{other.name} and {approvals[0].name} approve different plans.", advice="One plan, one session.")


def _of_this(one: Signed, case: Case) -> None:
    """Raises Stop: for another project, environment or ticket, expired, or the plan has changed since."""
    plan = one.document.plan
    if words := misfit(one, case.project, case.environment, case.ticket) or other_answers(one, case.answers):
        raise Stop(words, advice=ANEW)
    expires, created = moment(plan.expires_at), moment(plan.created_at)
    if expires is None or case.now >= expires:
        raise Stop(
            f"{one.name} has expired: the plan was good until {plan.expires_at}, and the server has {_at(case)}.",
            advice=ANEW,
        )
    if created is not None and expires - created > LONGEST:
        raise Stop(f"{one.name} holds for longer than {LONGEST.days} days: gonogo makes none like that.", advice=ANEW)
    if created is None or case.now < created:
        raise Stop(f"{one.name} is of {plan.created_at}, and the server has only {_at(case)}.", advice=ANEW)
    if plan.covers.hash != plan.plan or plan.covers != case.covers:
        changed = "; ".join(differences(plan.covers, case.covers, "now")) or "its hash is not that of what it covers"
        raise Stop(f"{one.name} approves another plan than this one. What changed since: {changed}.", advice=ANEW)


def _approver(one: Signed, case: Case, source: Source, environ: Mapping[str, str]) -> e.Approver:
    signer = _checked(one, one.text, one.signature, APPROVAL, case, source, environ)
    if signer.principal != one.document.approver:
        raise Stop(f"{one.name} is by {one.document.approver}, and {signer.principal} signed it.", advice=ANEW)
    return e.Approver(
        principal=signer.principal,
        key=signer.fingerprint,
        at=one.document.at,
        file=one.name,
        sha256=hashlib.sha256(one.text).hexdigest(),
        comment=one.document.comment,
    )


def _requester(one: Signed, case: Case, source: Source, environ: Mapping[str, str]) -> str:
    """The requester's key. A name that nobody proved could be the approver's other one."""
    plan = one.document.plan
    if not one.document.requested:
        raise Stop(
            f"{one.name}: {plan.requester.name} asked for this plan, and did not sign it.",
            advice="Ask for it anew with gonogo plan --sign KEY.",
        )
    signer = _checked(one, plan.text, one.document.requested, PLAN, case, source, environ)
    if _same(signer.principal) != _same(plan.requester.name):
        raise Stop(
            f"{one.name}: {plan.requester.name} asked for this plan, and {signer.principal} signed that.",
            advice="Ask for it anew, under the name that the file of signers has.",
        )
    return signer.fingerprint


def _checked(
    one: Signed, text: bytes, signature: str, namespace: str, case: Case, source: Source, environ: Mapping[str, str]
) -> Signer:
    try:
        return check(text, signature, namespace, source.signers, environ, at=case.now)
    except BadSignature as bad:
        raise Stop(f"{one.name} does not hold: {bad.what}", advice=bad.advice or ANEW) from None


def _name_of(case: Case) -> str:
    """The operator's name, as it is proven."""
    assert case.signer is not None
    if _same(case.signer.principal) != _same(case.operator.name):
        raise Stop(
            f"{case.operator.name} is said to operate, and {case.signer.principal} signed the session.",
            advice=f"Give your name as the file of signers has it: --operator {case.signer.principal}",
        )
    return case.signer.principal


def _another(one: Signed, who: e.Approver, others: Mapping[str, tuple[str, str]]) -> None:
    for does, (name, key) in others.items():
        if _same(who.principal) == _same(name) or who.key == key:
            raise Stop(f"{one.name} is by {who.principal}, who also {does}.", advice="It takes a second engineer.")


def _same(name: str) -> str:
    return name.casefold()


def _at(case: Case) -> str:
    return stamped(case.now)


def approval_words(approval: e.Approval) -> Iterator[str]:
    """Who said yes, each with the key."""
    yield from (f"{one.principal} ({one.key}) at {one.at}" for one in approval.approvers)
