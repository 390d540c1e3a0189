"""What the approvals beside a journal prove of the plan that was run; and a review, of its record."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from migrations.problem import Problem, Unavailable
from runbooks.approvals.approval_document import SUFFIX, ApprovalDocument
from runbooks.approvals.kept import FOLDER, kept
from runbooks.approvals.owed_review import NAMESPACE, ReviewDocument
from runbooks.approvals.plan_document import LARGEST, moment, parsed
from runbooks.history.sessions import REVIEW
from runbooks.journal.files import open_to_read
from runbooks.journal.verify import Verdict
from runbooks.signing import APPROVAL, AllowedSigners, NotNamed, check, genuine

Document = ApprovalDocument | ReviewDocument


@dataclass(frozen=True, slots=True)
class Paper:
    """One document and its signature. `principal`: who signed, if known; `refused`: why it proves nothing.

    `comment`: what the signer wrote beside it.
    """

    name: str
    key: str = ""
    principal: str = ""
    refused: str = ""
    comment: str = ""

    @property
    def words(self) -> str:
        """In one line."""
        if self.refused:
            return f"the signature of {FOLDER}/{self.name} proves nothing: {self.refused}"
        what = "review" if self.name == Path(REVIEW).name else "approval"
        nobody = f"the key {self.key}, which no signers' file names"
        by = f"{self.principal}, key {self.key}" if self.principal else nobody
        said = f", who says: {self.comment}" if self.comment else ""
        return f"{what} of {FOLDER}/{self.name}: signed by {by}{said}"


def judge_papers(
    folder: Path, verdict: Verdict, signers: AllowedSigners | None, environ: Mapping[str, str] = os.environ
) -> list[Paper]:
    """The approvals of the plan and the review of the record, beside a journal whose chain holds.

    What was given to a session that never made a plan approves nothing. Raises Unavailable without ssh-keygen.
    """
    given = kept(folder) if verdict.plan is not None else ()
    found = [_paper(path, ApprovalDocument, verdict, signers, environ) for path in given]
    if os.path.lexists(folder / REVIEW):
        found.append(_paper(folder / REVIEW, ReviewDocument, verdict, signers, environ))
    return found


def _paper(
    path: Path, kind: type[Document], verdict: Verdict, signers: AllowedSigners | None, environ: Mapping[str, str]
) -> Paper:
    key = who = comment = ""
    try:
        text, armour = _read(path), _read(path.with_name(path.name + SUFFIX)).decode("ascii", "replace")
        document = parsed(kind, text, path.name)
        comment = document.comment
        space = APPROVAL if isinstance(document, ApprovalDocument) else NAMESPACE
        key = genuine(text, armour, space, environ).fingerprint
        who = _who(text, armour, space, signers, environ, moment(document.at)) if signers else ""
        refused = next(_against(document, text, key, who, verdict), "")
    except Unavailable:
        raise
    except Problem as problem:
        refused = problem.what
    return Paper(path.name, key, who, refused, comment)


def _who(
    text: bytes, armour: str, space: str, signers: AllowedSigners, environ: Mapping[str, str], at: datetime | None
) -> str:
    """By the time that the signer claims; empty for a key that nobody names."""
    try:
        return check(text, armour, space, signers, environ, at=at).principal
    except NotNamed:
        return ""


def _against(document: Document, text: bytes, key: str, who: str, verdict: Verdict) -> Iterator[str]:
    """Why a right signature proves nothing here: of another plan, of another record, in another's name."""
    claimed = document.approver if isinstance(document, ApprovalDocument) else document.reviewer
    opened, plan = verdict.opened, verdict.plan
    if who and who != claimed:
        yield f"it is in the name of {claimed}, and {who} signed it"
    if opened is not None and claimed.casefold() == opened.operator.name.casefold():
        yield f"it is by {claimed}, who ran the session"
    if isinstance(document, ReviewDocument):
        if document.head != verdict.head:
            yield "it is of another record than this one"
        return
    if plan is None or opened is None:
        return
    named = plan.approval.approvers if plan.approval else ()
    if (claimed, key, sha256(text).hexdigest()) not in {(one.principal, one.key, one.sha256) for one in named}:
        yield "the journal names no such approval"
    mine = (plan.hash, opened.project, opened.environment, opened.ticket)
    its = document.plan
    if (its.covers.hash, its.project, its.environment, its.ticket) != mine:
        yield "it is of another plan than the one that was run"


def _read(path: Path) -> bytes:
    """Raises Problem."""
    try:
        with os.fdopen(open_to_read(path), "rb") as file:
            text = file.read(LARGEST + 1)
    except Unavailable as missing:
        raise Problem(missing.what) from None
    except OSError as error:
        raise Problem(f"{path} cannot be read: {error.strerror}.") from None
    if len(text) > LARGEST:
        raise Problem(f"{path} is larger than any such document.")
    return text
