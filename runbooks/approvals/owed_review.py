"""The review that a run in the emergency lane owes: a second engineer reads the record, and signs its head."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from migrations.problem import Misuse, Problem
from runbooks.approvals.approval_document import SUFFIX
from runbooks.approvals.approving import Approver
from runbooks.approvals.kept import place_in
from runbooks.approvals.plan_document import canonical, stamped
from runbooks.history.sessions import REVIEW
from runbooks.journal import NAME, verify
from runbooks.journal.artefacts import write_private
from runbooks.session import events as e
from runbooks.session.frozen import Frozen
from runbooks.settings.project import Project
from runbooks.signing import AllowedSigners, ready, sign
from runbooks.signing.judged import judge, operator_proven

NAMESPACE = "gonogo-review"


class ReviewDocument(Frozen):
    """A review. `head` is the hash of the session's last record, so that it is of the whole record and no other."""

    format: Literal["gonogo review 1"] = "gonogo review 1"
    gonogo: str
    session: str
    head: str
    environment: str
    ticket: str
    reason: str
    review_by: str
    reviewer: str
    by: e.By
    at: str
    comment: str = ""


def owing(journal: Path, project: Project) -> tuple[e.SessionOpened, str]:
    """The first record and the head of a session that owes a review. Raises Misuse or Problem where none is owed."""
    verdict = verify(journal)
    if verdict.records == 0 and journal.name != NAME:
        raise Misuse(
            f"{journal} is neither a plan, whose name ends with .json, nor the record of a session.",
            advice="`gonogo plan` writes plans, and `gonogo sessions` lists sessions.",
        )
    if verdict.fault is not None or verdict.opened is None:
        raise Problem(
            f"The record of {journal.parent.name} does not hold.", advice="gonogo transcript verify says why."
        )
    opened = verdict.opened
    if opened.emergency is None:
        raise Misuse(f"{opened.session} owes no review: it did not run in the emergency lane.")
    if opened.project != project.name:
        raise Misuse(f"{opened.session} is of the project {opened.project}.", advice="Go to a checkout of that.")
    if not verdict.ended or verdict.torn:
        raise Problem(f"{opened.session} has not ended.", advice="What is not over cannot be reviewed.")
    return opened, verdict.head


def not_the_operator(
    who: Approver, opened: e.SessionOpened, journal: Path, signers: AllowedSigners, environ: Mapping[str, str]
) -> bool:
    """Whether it is proven who ran the session. Raises Problem: nobody reviews what they are known to have run."""
    key = operator_proven(judge(journal, signers, environ), opened)
    same_name = who.principal.casefold() == opened.operator.name.casefold()
    if same_name or (key is not None and key == ready(who.key, environ).fingerprint):
        raise Problem(f"{who.principal} ran this session: a second engineer reviews it.")
    return key is not None


def settle(
    journal: Path,
    opened: e.SessionOpened,
    head: str,
    who: Approver,
    by: e.By,
    comment: str,
    environ: Mapping[str, str] = os.environ,
) -> Path:
    """Sign the review and put it beside the journal. Returns where. Raises Misuse, Unavailable."""
    assert opened.emergency is not None
    review = ReviewDocument(
        gonogo=version("gonogo"),
        session=opened.session,
        head=head,
        environment=opened.environment,
        ticket=opened.ticket,
        reason=opened.emergency.reason,
        review_by=opened.emergency.review_by,
        reviewer=who.principal,
        by=by,
        at=stamped(datetime.now(UTC)),
        comment=comment,
    )
    text = canonical(review)
    signature = sign(text, NAMESPACE, who.key, environ).armour
    path = place_in(journal.parent) / Path(REVIEW).name
    write_private(path, text)
    write_private(path.with_name(path.name + SUFFIX), signature.encode())
    return path
