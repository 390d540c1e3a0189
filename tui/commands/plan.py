"""`gonogo plan`: what would run, as a file for a second engineer to approve."""

import asyncio
import os
from datetime import timedelta
from pathlib import Path

import click

from migrations.problem import Misuse, Unavailable
from runbooks.approvals.approval_document import SUFFIX
from runbooks.approvals.approving import PLAN
from runbooks.approvals.plan_document import LONGEST, PlanDocument, given_answers
from runbooks.approvals.requesting import request
from runbooks.faces import launch
from runbooks.history.places import Place, place
from runbooks.host.operator import who
from runbooks.session.events import PlanMade
from runbooks.settings.durations import duration
from runbooks.settings.project import Environment
from runbooks.signing import ready
from runbooks.signing import sign as signed
from tui.commands.common import json_option, on_terminal, project_option, talk
from tui.commands.plan_printed import plan_lines
from tui.commands.signed import VARIABLE
from tui.commands.walk import operator_option
from tui.printable import printable


@click.command(short_help="What would run, as a file to approve.")
@click.argument("environment")
@click.option("--ticket", help="The change ticket that it is for.")
@click.option("--to", default="", metavar="MIGRATION", help="The last migration to apply; later ones are held back.")
@click.option("--expires", default="24h", help="For how long it can be run, such as 8h or 3d.", show_default=True)
@click.option(
    "--sign",
    type=click.Path(path_type=Path),
    metavar="KEY",
    envvar=VARIABLE,
    help=f"Your SSH key, to prove who asks; else {VARIABLE}.",
)
@click.option(
    "--answers", type=click.Path(path_type=Path), help="The answers of an unattended run, to be approved with the plan."
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The file, if not plan-ENVIRONMENT-HASH.json.")
@operator_option
@json_option
@project_option
def plan(
    environment: str,
    ticket: str | None,
    to: str,
    expires: str,
    sign: Path | None,
    answers: Path | None,
    output: Path | None,
    operator: str | None,
    as_json: bool,
    project_file: Path | None,
) -> None:
    """Read ENVIRONMENT's database, show what would run there, and write it into a file to be approved."""
    here = place(project_file)
    if sign is not None:
        ready(sign)
    wanted, lasting = launch.environment_of(here.project, environment), _lasting(expires)
    document, made = asyncio.run(_request(here, wanted, to, _ticket(ticket), operator, lasting, answers))
    if as_json:
        click.echo(document.text)
    else:
        for line in plan_lines(document, made):
            click.echo(printable(line))
    if not made.scripts:
        return talk("Nothing was written: there is nothing to approve.")
    path = output or Path(f"plan-{environment}-{document.short}.json")
    _write(path, document.text)
    if sign is not None:
        _write(path.with_name(path.name + SUFFIX), signed(document.text, PLAN, sign).armour.encode())
        talk(f"Written to {path} and {path.name}{SUFFIX}. A second engineer says yes to it by:")
        talk(f"  gonogo approve {path.name} --key KEY")
    else:
        path.with_name(path.name + SUFFIX).unlink(missing_ok=True)  # of another plan under this name
        talk(f"Written to {path}. It can be approved only if it is signed by who asks for it: --sign KEY.")


async def _request(
    here: Place,
    environment: Environment,
    to: str,
    ticket: str,
    operator: str | None,
    expires: timedelta,
    answers: Path | None,
) -> tuple[PlanDocument, PlanMade]:
    requester, given = await who(operator, os.environ), given_answers(answers) if answers else None
    return await request(
        here.project, environment, os.environ, to=to, ticket=ticket, requester=requester, expires=expires, answers=given
    )


def _lasting(text: str) -> timedelta:
    try:
        length = duration(text)
    except ValueError as error:
        raise Misuse(f"--expires: {error}.") from None
    if not timedelta(minutes=1) <= length <= LONGEST:
        raise Misuse("A plan can be run for a minute at the least, and for 30 days at the most.")
    return length


def _ticket(said: str | None) -> str:
    while not (ticket := launch.ticket_of(said or "")):
        if not on_terminal():
            raise Misuse("A plan is for a change ticket.", advice="Name it with --ticket.")
        said = click.prompt("Change ticket", err=True)
    return ticket


def _write(path: Path, data: bytes) -> None:
    """Raises Unavailable."""
    try:
        path.write_bytes(data)
    except OSError as error:
        raise Unavailable(f"{path} cannot be written: {error.strerror}.", advice="Name another with -o.") from None
