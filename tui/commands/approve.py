"""`gonogo approve`: a second engineer's yes to a plan, in their own checkout, signed with their own key."""

import asyncio
import os
import re
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click

from migrations.problem import Problem, Unavailable
from runbooks.approvals import approving
from runbooks.approvals.approval_document import SUFFIX, Acknowledged, ApprovalDocument
from runbooks.approvals.approving import Approver, Differs
from runbooks.approvals.on_paper import opened_on_paper
from runbooks.approvals.plan_document import PlanDocument
from runbooks.history.places import Place, journal_of, place
from runbooks.host.operator import who
from runbooks.session import events as e
from runbooks.session.runbook import Runbook
from runbooks.settings.project import Environment
from tui.commands.common import on_terminal, project_option, talk
from tui.commands.owed import review_owed
from tui.commands.plan_printed import plan_lines
from tui.commands.signed import VARIABLE
from tui.printable import printable
from tui.script_files import read_pending

NOTHING = "Nothing was signed."


@click.command(short_help="A second engineer's yes to a plan, signed.")
@click.argument("what", metavar="PLAN")
@click.option("--key", required=True, type=click.Path(path_type=Path), envvar=VARIABLE,
              help=f"Your SSH key, or your agent's where it is a .pub; else {VARIABLE}.")  # fmt: skip
@click.option("--as", "principal", metavar="PRINCIPAL", help="Your name in the file of signers, to be sure of it.")
@click.option("--comment", default="", help="What is to be read beside the approval.")
@project_option
def approve(what: str, key: Path, principal: str | None, comment: str, project_file: Path | None) -> None:
    """Compute PLAN again from this checkout, review it, and sign that it may be run.

    In the place of PLAN a session that ran in the emergency lane, by its name or folder: the review that it owes.
    """
    here, plan = place(project_file), Path(what)
    if plan.suffix != ".json":
        return review_owed(here, journal_of(what, project_file), key, principal, comment)
    document, requested = PlanDocument.read(plan), approving.requested_beside(plan)
    environment = approving.fitting(here.project, document, datetime.now(UTC))
    approver = approving.approver(here.project, environment, key, principal)
    approving.not_the_requester(approver, document, requested, os.environ)
    runbook, made = _compared(here, environment, document)
    for line in plan_lines(document, made):
        click.echo(printable(line))
    by = asyncio.run(who(approver.principal, os.environ))
    if on_terminal():
        comment = "\n".join(filter(None, (comment, *_review(here, environment, runbook, document, made, by))))
    else:
        _read_through(here, made)
    acknowledged = tuple(_acknowledged(made))
    _typed(document, approver)
    approval, signature = asyncio.run(
        approving.approved(here.project, document, requested, approver, by, acknowledged, comment)
    )
    path = plan.with_name(f"{plan.stem}.approval-{_word(approver.principal)}.json")
    _write(path, approval, signature)
    talk(f"Written to {path} and {path.name}{SUFFIX}. It is used by:")
    talk(f"  gonogo run {environment.name} --approval {path.name} --sign KEY")


def _compared(here: Place, environment: Environment, document: PlanDocument) -> tuple[Runbook, e.PlanMade]:
    try:
        return approving.compared(here.project, environment, document)
    except Differs as differs:
        for line in differs.lines:
            click.echo(printable(f"✘ {line}"))
        raise


def _review(
    here: Place, environment: Environment, runbook: Runbook, document: PlanDocument, plan: e.PlanMade, by: e.By
) -> tuple[str, ...]:
    """Show the review screen. Returns the comments. Raises Problem unless every script was marked there."""
    from tui.approving import PaperFace, missing, remarks, review  # Textual is needed here only

    with tempfile.TemporaryDirectory(prefix="gonogo-approve-") as folder:
        approving.keep_scripts(here.project, plan, Path(folder))
        opened = opened_on_paper(here.project, environment, runbook, document.requester, document.ticket)
        face = PaperFace(Path(folder), opened, plan, by)
        left = review(face)
    if (unmarked := missing(face.view)) or not left:
        raise Problem(f"Not marked as reviewed: {', '.join(unmarked) or 'the review was broken off'}.", advice=NOTHING)
    return remarks(face.view)


def _read_through(here: Place, plan: e.PlanMade) -> None:
    """Without a screen: print each script, and ask whether it was read. Raises Problem."""
    with tempfile.TemporaryDirectory(prefix="gonogo-approve-") as folder:
        approving.keep_scripts(here.project, plan, Path(folder))
        for script in plan.to_review:
            click.echo(printable(f"\n-- {script.migration}, SHA-256 {script.sha256}"))
            for line in read_pending(Path(folder), script).text.splitlines():
                click.echo(printable(line))
            if not click.confirm(f"Have you read {script.migration} to its end?", err=True):
                raise Problem(f"{script.migration} was not read.", advice=NOTHING)


def _acknowledged(plan: e.PlanMade) -> Iterator[Acknowledged]:
    """Each rule that says stop, said yes to by itself. Raises Problem."""
    for script in plan.to_review:
        stops = [finding for finding in script.findings if finding.severity == "stop"]
        for rule in dict.fromkeys(finding.rule for finding in stops):
            lines = [finding.line for finding in stops if finding.rule == rule]
            first = next(finding for finding in stops if finding.rule == rule)
            talk(printable(f"✘ {script.migration}, line {', '.join(map(str, lines))}: {rule}: {first.message}"))
            if not click.confirm("Is that meant?", err=True):
                raise Problem(f"{rule} in {script.migration} is not meant.", advice=NOTHING)
            yield Acknowledged(migration=script.migration, rule=rule)


def _typed(document: PlanDocument, approver: Approver) -> None:
    """Raises Problem."""
    where = f"{document.environment}, {document.address}"
    talk(printable(f"You approve this plan for {where}, ticket {document.ticket}, as {approver.principal}."))
    if click.prompt(f"Type the first 8 characters of its hash ({document.short})", err=True) != document.short:
        raise Problem("That is not how the plan's hash begins.", advice=NOTHING)


def _word(principal: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.@+-]", "_", principal)


def _write(path: Path, approval: ApprovalDocument, signature: str) -> None:
    """Raises Unavailable."""
    try:
        path.write_bytes(approval.text)
        path.with_name(path.name + SUFFIX).write_text(signature)
    except OSError as error:
        raise Unavailable(f"{path} cannot be written: {error.strerror}.", advice="Copy the plan elsewhere.") from None
