"""`gonogo resolve`: leads a ledger out of what it is in, one step at a time, and shows what it will write first."""

import asyncio
import os
import sys
from pathlib import Path

import click

from migrations.doctor.wish import Wish
from migrations.problem import Misuse, Problem
from runbooks.faces import launch
from runbooks.faces.answers import Answers
from runbooks.history.places import Place, place
from runbooks.host.operator import who
from runbooks.ledger import resolving
from runbooks.ledger.resolving import Looked, Proposal
from runbooks.ledger.status import Status, status_from
from runbooks.settings.project import Environment
from runbooks.signing.signatory import Signing
from tui.commands.common import on_terminal, project_option, talk
from tui.commands.resolve_choice import choose
from tui.commands.signed import sign_option, signing_with
from tui.commands.walk import face, operator_option
from tui.printable import printable
from tui.printed import status_lines

many = {"multiple": True, "metavar": "NAME"}


@click.command(short_help="Lead the ledger out of a failed, edited or missing migration.")
@click.argument("environment")
@click.option("--applied", help="Note it as applied: somebody did it by hand.", **many)  # type: ignore[arg-type]
@click.option("--rolled-back", help="Mark its failed row: what it did is undone.", **many)  # type: ignore[arg-type]
@click.option("--baseline", metavar="NAME", help="Note every migration up to and with it as applied.")
@click.option("--one-row", help="Of several rows that say applied, keep one.", **many)  # type: ignore[arg-type]
@click.option("--accept", is_flag=True, help="The ledger was changed by others, and is right as it is.")
@click.option("--anyway", is_flag=True, help="Even where the catalog does not look like it.")
@click.option("--reason", help="Why; it goes into the record.")
@click.option("--yes", is_flag=True, help="Do not ask again. A protected environment's name is typed all the same.")
@click.option("--ticket", default="resolve", help="The change ticket that the transcript is for.")
@operator_option
@sign_option
@project_option
def resolve(
    environment: str,
    applied: tuple[str, ...],
    rolled_back: tuple[str, ...],
    baseline: str | None,
    one_row: tuple[str, ...],
    accept: bool,
    anyway: bool,
    reason: str | None,
    yes: bool,
    ticket: str,
    operator: str | None,
    key: Path | None,
    project_file: Path | None,
) -> None:
    """Mark migrations in ENVIRONMENT's ledger, as Prisma's `migrate resolve` would; without a wish, choose.

    Revert or complete what a migration did first, then mark it.
    """
    here, terminal, signing = place(project_file), on_terminal(), signing_with(key)
    wanted = launch.environment_of(here.project, environment)
    ticket = launch.ticket_of(ticket) or "resolve"
    looked = asyncio.run(resolving.look(here.project, wanted, os.environ))
    _tell(looked, wanted)
    wish: Wish | None = Wish(applied, rolled_back, baseline, one_row)
    if wish == Wish() and not accept:
        wish = choose(looked) if terminal else None
        if wish is None:
            raise _nothing_wished(terminal)
        accept = wish == Wish()
    assert wish is not None
    proposal = asyncio.run(resolving.propose(looked, wish))
    if not (proposal.changes or accept):
        talk("The ledger says so already: there is nothing to write.")
        return
    anyway = _shown(proposal, anyway, terminal)
    answers = _decided(looked, wanted, reason, yes, terminal)
    sys.exit(asyncio.run(_carry_out(here, wanted, proposal, answers, anyway, ticket, operator, signing)))


def _tell(looked: Looked, environment: Environment) -> Status:
    status = status_from(looked.found, looked.target, environment)
    for line in status_lines(status):
        talk(line)
    return status


def _nothing_wished(terminal: bool) -> Problem:
    if terminal:
        return Problem("Nothing was chosen, and nothing was written.", advice="What is told above has its way out.")
    return Misuse(
        "Without a terminal, say what to mark. Nothing was written.",
        advice="--applied, --rolled-back, --baseline, --one-row or --accept, with --reason and --yes.",
    )


def _shown(proposal: Proposal, anyway: bool, terminal: bool) -> bool:
    """Show what would be written, and what stands against it. Returns whether that is to be passed over."""
    talk("")
    talk("This would be written, under the migration lock, in one transaction; no SQL of a migration is run:")
    for change in proposal.changes:
        talk(printable(f"  {change.words}"))
    if not proposal.changes:
        talk("  nothing: the ledger is taken for right as it is")
    for words in proposal.against:
        talk(printable(f"  ✘ {words}"))
    if not proposal.against or anyway:
        return anyway
    if terminal and click.confirm("The catalog does not look like it. Write it all the same?", err=True):
        return True
    raise Problem(
        "Nothing was written: the catalog does not look like it.",
        advice="Revert or complete it first, then mark it; --anyway if you know better.",
    )


def _decided(looked: Looked, environment: Environment, reason: str | None, yes: bool, terminal: bool) -> Answers:
    """What a person says before anything is written: why, and that it is meant. Raises Misuse."""
    if not terminal and (looked.protected or not yes or not (reason or "").strip()):
        if looked.protected:
            what = f"{environment.name} is protected: its ledger is changed by a person on a terminal."
        else:
            what = "Without a terminal, --reason and --yes must be given."
        raise Misuse(f"{what} Nothing was written.")
    while not (reason := (reason or "").strip()):
        reason = click.prompt("Why (it goes into the record)", err=True)
    answers = {"resolve/reason": reason}
    if looked.protected:
        typed = click.prompt(f"{looked.target.url.shown} is protected. Type the environment's name", err=True)
        if typed != environment.name:
            raise Problem("That is not its name. Nothing was written.")
        answers["opening/environment"] = typed
    elif not yes and not click.confirm(f"Write this to {looked.target.url.shown}?", err=True):
        raise Problem("Nothing was written.")
    return Answers(answers=answers)


async def _carry_out(
    here: Place,
    environment: Environment,
    proposal: Proposal,
    answers: Answers,
    anyway: bool,
    ticket: str,
    operator: str | None,
    signing: Signing | None,
) -> int:
    """The session that does it, and then how the ledger stands. Returns the exit code."""
    client, _ = await launch.begin(
        here.file,
        here.project,
        environment,
        operator=await who(operator, os.environ),
        ticket=ticket,
        mode="resolve",
        headless=True,
        environ=os.environ,
        document=(resolving.NAME, resolving.document(environment, proposal, anyway=anyway)),
        signing=signing,
    )
    code = await face(client, answers, True)
    if code == 0:
        talk("")
        _tell(await resolving.look(here.project, environment, os.environ), environment)
    return code
