"""What an approver signs: the whole plan, and who said yes to it, when, and to which findings."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from migrations.problem import Misuse
from runbooks.approvals.plan_document import PlanDocument, canonical, moment, parsed, read_file
from runbooks.session import events as e
from runbooks.session.frozen import Frozen

SUFFIX = ".sig"


class Acknowledged(Frozen):
    """A rule that says stop in a script, and which the approver said yes to by name."""

    migration: str
    rule: str


class ApprovalDocument(Frozen):
    """One approval. `requested` is the requester's own signature of the plan, empty without one.

    `at` is the approver's clock; `git` the approver's own checkout.
    """

    format: Literal["gonogo approval 1"] = "gonogo approval 1"
    gonogo: str
    plan: PlanDocument
    requested: str = ""
    approver: str
    by: e.By
    at: str
    git: e.Git | None = None
    acknowledged: tuple[Acknowledged, ...] = ()
    comment: str = ""

    @property
    def text(self) -> bytes:
        """Its RFC 8785 bytes: what is signed."""
        return canonical(self)


@dataclass(frozen=True, slots=True)
class Signed:
    """An approval and its signature, as they came in a file and the one beside it. `name` is for people."""

    name: str
    document: ApprovalDocument
    signature: str

    @property
    def text(self) -> bytes:
        """The bytes that were signed."""
        return self.document.text


def misfit(one: Signed, project: str, environment: str, ticket: str) -> str:
    """Why an approval is not for this session; empty where it is. The plan itself is compared elsewhere."""
    plan = one.document.plan
    for what, its, ours in (
        ("project", plan.project, project),
        ("environment", plan.environment, environment),
        ("ticket", plan.ticket, ticket),
    ):
        if its != ours:
            return f"{one.name} approves a plan for the {what} {its}, and this is {ours}."
    return ""


def other_answers(one: Signed, answers: e.AnswersFile | None) -> str:
    """Why an approval is not for a run by these answers; empty where it is."""
    approved = one.document.plan.answers
    if answers is None or (approved is not None and approved.sha256 == answers.sha256):
        return ""
    meant = f"{approved.file}, SHA-256 {approved.sha256[:12]}…" if approved else "no answers file"
    return f"{one.name} approves a run by {meant}, and {answers.file} has SHA-256 {answers.sha256[:12]}…."


def read_approval(path: Path) -> Signed:
    """An approval and the signature beside it. Nothing is proven by that. Raises Misuse."""
    text = read_file(path)
    document = parsed(ApprovalDocument, text, path.name)
    PlanDocument.of(document.plan.text, path.name)
    if moment(document.at) is None:
        raise Misuse(f"{path.name}: its time is not RFC 3339.", advice="Ask for the file anew.")
    return Signed(path.name, document, read_signature_beside(path))


def read_signature_beside(path: Path) -> str:
    """The armoured signature in `path`.sig. Raises Misuse."""
    beside = path.with_name(path.name + SUFFIX)
    try:
        return read_file(beside).decode("ascii")
    except UnicodeDecodeError:
        raise Misuse(f"{beside} is no SSH signature.", advice="Ask for the file anew.") from None
