"""What is looked at before an approver is asked: the plan against the approver's own checkout, and who approves."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from migrations.folder import read_folder, with_reverse
from migrations.problem import Misuse, Problem
from migrations.sql import read_script
from runbooks.approvals.approval_document import SUFFIX, Acknowledged, ApprovalDocument, read_signature_beside
from runbooks.approvals.checkout import covered_here, plan_here, runbook_here, with_the_target
from runbooks.approvals.differences import differences
from runbooks.approvals.plan_document import PlanDocument, moment, stamped
from runbooks.approvals.signers import principal_of, read_signers
from runbooks.journal.artefacts import write_private
from runbooks.planning.git import head_of
from runbooks.redact.scripts import Hiding
from runbooks.session import events as e
from runbooks.session.runbook import Runbook
from runbooks.settings.project import Environment, Project
from runbooks.signing import APPROVAL, BadSignature, genuine, ready, sign

PLAN = "gonogo-plan"
"""The namespace of a requester's signature."""


class Differs(Problem):
    """The approver's checkout is not what the plan was made from; `lines` says in what."""

    def __init__(self, lines: tuple[str, ...]) -> None:
        super().__init__(
            f"The plan and this checkout differ in what is listed above ({len(lines)}).",
            advice="Nothing was signed. Check out what the plan was made from, or ask for a new plan.",
        )
        self.lines = lines


@dataclass(frozen=True, slots=True)
class Approver:
    """Who approves: the name that the file of signers gives to the key."""

    principal: str
    key: Path


def fitting(project: Project, document: PlanDocument, now: datetime) -> Environment:
    """The environment that a plan is for. Raises Misuse or Problem: another project's, expired, or of nothing."""
    if document.project != project.name:
        raise Misuse(
            f"The plan is of the project {document.project}, and this is {project.name}.",
            advice="Go to a checkout of that project.",
        )
    environment = project.environment(document.environment)
    expires = moment(document.expires_at)
    if expires is None or now >= expires:
        raise Problem(f"The plan has expired: it was good until {document.expires_at}.", advice="Ask for a new one.")
    if not document.covers.scripts:
        raise Problem("The plan applies nothing: there is nothing to approve.")
    return environment


def approver(
    project: Project, environment: Environment, key: Path, claimed: str | None, environ: Mapping[str, str] = os.environ
) -> Approver:
    """Whose key it is, tried once before anything is read. Raises Misuse, Problem, Unavailable."""
    public = ready(key, environ).key
    return Approver(principal_of(read_signers(project, environment, environ, writes=True), public, claimed), key)


def not_the_requester(who: Approver, document: PlanDocument, requested: str, environ: Mapping[str, str]) -> None:
    """Raises Problem: nobody approves what they asked for themselves, under whichever name; who asked is proven."""
    if not requested:
        raise Problem(
            f"{document.requester.name} did not sign this plan: who asks for it is not known.",
            advice="Ask for it with `gonogo plan --sign KEY`, and keep the .sig beside it.",
        )
    same_name = who.principal.casefold() == document.requester.name.casefold()
    same_key = _key_of(document, requested, environ) == ready(who.key, environ).key
    if same_name or same_key:
        how = "by its key" if same_key and not same_name else "by name"
        raise Problem(f"{who.principal} asked for this plan, {how}: a second engineer approves it.")


def _key_of(document: PlanDocument, requested: str, environ: Mapping[str, str]) -> object:
    try:
        return genuine(document.text, requested, PLAN, environ).key
    except BadSignature as bad:
        raise Problem(
            f"The signature beside the plan does not hold. {bad.what}",
            advice="Take both files as `gonogo plan --sign` wrote them, or ask for new ones.",
        ) from None


def compared(project: Project, environment: Environment, document: PlanDocument) -> tuple[Runbook, e.PlanMade]:
    """The runbook and the plan as this checkout has them, once nothing differs. Raises Differs, Problem, Misuse."""
    runbook = runbook_here(project, environment, document)
    plan = plan_here(project, environment, runbook, document)
    lines = tuple(differences(document.covers, covered_here(project, runbook, plan, document), "here"))
    if lines:
        raise Differs(lines)
    return runbook, with_the_target(plan, document)


def keep_scripts(project: Project, plan: e.PlanMade, folder: Path) -> None:
    """Put the scripts where the review screen reads them, as a session shows them. Raises Unavailable."""
    wanted, hide = {script.migration for script in plan.to_review}, Hiding(project)
    (folder / "scripts").mkdir(mode=0o700, exist_ok=True)
    for migration in with_reverse(read_folder(project.migrations)):
        if migration.name in wanted and migration.data is not None:
            veil = hide(read_script(migration.text))
            shown = veil.text.encode() if veil else migration.data
            write_private(folder / "scripts" / f"{migration.checksum}.sql", shown)


def requested_beside(path: Path) -> str:
    """The requester's signature beside a plan; empty where there is none. Raises Misuse."""
    return read_signature_beside(path) if path.with_name(path.name + SUFFIX).exists() else ""


async def approved(
    project: Project,
    document: PlanDocument,
    requested: str,
    who: Approver,
    by: e.By,
    acknowledged: tuple[Acknowledged, ...],
    comment: str,
    environ: Mapping[str, str] = os.environ,
) -> tuple[ApprovalDocument, str]:
    """The approval, and the approver's signature of it. Raises Misuse, Unavailable."""
    approval = ApprovalDocument(
        gonogo=version("gonogo"),
        plan=document,
        requested=requested,
        approver=who.principal,
        by=by,
        at=stamped(datetime.now(UTC)),
        git=await head_of(project.folder),
        acknowledged=acknowledged,
        comment=comment,
    )
    return approval, sign(approval.text, APPROVAL, who.key, environ).armour
