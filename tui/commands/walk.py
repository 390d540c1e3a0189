"""Commands that begin a session, or look at one: run, backup, demo, resume."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Literal

import click

from migrations.problem import Misuse, Problem
from runbooks.anchoring.noted import kept
from runbooks.demo import shop
from runbooks.faces import launch
from runbooks.faces.answers import Answers
from runbooks.faces.client import LOG, Client
from runbooks.faces.headless import Headless
from runbooks.faces.launch import USUAL, Lane
from runbooks.history import sessions
from runbooks.history.places import Place, place, root
from runbooks.host.operator import who
from runbooks.journal import NAME, read
from runbooks.planning.narrowed import WHOLE, Narrowing
from runbooks.report.markdown import transcript
from runbooks.session.pairs import open_pairs
from tui.commands.common import BUG, DETACHED, on_terminal, project_option, talk
from tui.commands.follow_ups import afterwards_lines
from tui.commands.signed import end_signed, sign_option, signing_again, signing_with
from tui.printable import printable

TIDY_SECONDS = 30.0
ALONE = "a demo: there is no second engineer to approve it"

operator_option = click.option("--operator", help="Your name for the record, if it is not git's user.email.")
answers_option = click.option(
    "--answers", type=click.Path(path_type=Path), help="TOML file with what a person decided beforehand."
)
headless_option = click.option("--headless", is_flag=True, help="No screen; whatever the answers lack is NO-GO.")


@click.command()
@click.argument("environment")
@click.option("--ticket", help="The change ticket that the transcript is for.")
@click.option("--to", default="", metavar="MIGRATION", help="The last migration to apply; later ones are held back.")
@click.option("--dry-run", is_flag=True, help="Print what would be sent, and change nothing; there is no session.")
@click.option("--step", "pause", is_flag=True, help="Ask between two transactions whether to go on.")
@click.option(
    "--approval",
    "approvals",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A second engineer's approval of this plan; once for each.",
)
@click.option("--emergency", metavar="REASON", help="Go without approvals: others are told, and a review is owed.")
@click.option("--unsigned", is_flag=True, help="With --emergency, where no key is at hand; it stands in the record.")
@click.option(
    "--window",
    "windows",
    multiple=True,
    metavar="WHEN",
    help="A maintenance window of this session; once for each. That of gonogo.toml must be open, too.",
)
@operator_option
@sign_option
@headless_option
@answers_option
@project_option
def run(
    environment: str,
    ticket: str | None = None,
    to: str = "",
    dry_run: bool = False,
    pause: bool = False,
    approvals: tuple[Path, ...] = (),
    emergency: str | None = None,
    unsigned: bool = False,
    windows: tuple[str, ...] = (),
    operator: str | None = None,
    key: Path | None = None,
    headless: bool = False,
    answers: Path | None = None,
    project_file: Path | None = None,
) -> None:
    """Walk ENVIRONMENT through its runbook."""
    unattended, lane = headless or not on_terminal(), launch.lane_of(approvals, emergency, unsigned=unsigned)
    if lane.approvals:  # what was approved is what is run
        plan = lane.approvals[0].document.plan
        ticket, to = ticket or plan.ticket, to or plan.to
    narrowing = Narrowing(to=to, pause=pause)
    if dry_run:
        return on_paper(place(project_file), environment, narrowing)
    here, given = place(project_file), launch.windows_of(windows)
    walk(here, environment, ticket, operator, unattended, answers, "walk", narrowing, key, lane, given)


def on_paper(here: Place, environment: str, narrowing: Narrowing) -> None:
    """Print what a run would send."""
    from runbooks.planning.dry_run import dry_run as paper  # it loads what otherwise only the runner needs

    wanted = launch.environment_of(here.project, environment)
    asyncio.run(paper(here.project, wanted, os.environ, narrowing, lambda text: click.echo(printable(text))))


@click.command(short_help="The Backup phase alone, without a screen.")
@click.argument("environment")
@click.option("--ticket", help="The change ticket that the transcript is for.")
@operator_option
@sign_option
@project_option
def backup(
    environment: str, ticket: str | None, operator: str | None, key: Path | None, project_file: Path | None
) -> None:
    """Run the Backup phase of ENVIRONMENT alone, without a screen: for cron too."""
    walk(place(project_file), environment, ticket or "backup", operator, True, None, "backup", key=key)


@click.command(short_help="A shop on a PostgreSQL of its own, to try it all.")
@click.option("--headless", is_flag=True, help="Walk staging by the shipped answers, without a screen.")
@operator_option
def demo(headless: bool, operator: str | None) -> None:
    """A shop on a throw-away PostgreSQL, with five pending migrations to walk through."""
    unattended = headless or not on_terminal()
    orders = f"{shop.orders_of(os.environ):,}".replace(",", " ")
    talk(f"Preparing the demo shop: a PostgreSQL of its own and {orders} orders. This takes some seconds.")
    made = shop.prepare(os.environ)
    environment = "staging" if unattended else "production"
    lane = USUAL if unattended else Lane(emergency=ALONE)
    answers = made.answers if unattended else None
    here = place(made.project_file)
    try:
        walk(here, environment, "DEMO-1", operator, unattended, answers, "walk", lane=lane)
    except (Problem, KeyboardInterrupt):
        if not launch.begun_on(here.project, here.file, os.environ):
            made.remove()
        raise


def walk(
    here: Place,
    environment: str,
    ticket: str | None,
    operator: str | None,
    headless: bool,
    answers: Path | None,
    mode: Literal["walk", "backup"],
    narrowing: Narrowing = WHOLE,
    key: Path | None = None,
    lane: Lane = USUAL,
    windows: tuple[str, ...] = (),
) -> None:
    """Begin a session and be its face until it ends, or until the face leaves."""
    wanted = launch.environment_of(here.project, environment)
    if headless:
        launch.may_run_headless(wanted, mode, lane)
    while not (ticket := launch.ticket_of(ticket or "")):
        if headless:
            raise Misuse("A session is for a change ticket.", advice="Name it with --ticket.")
        ticket = click.prompt("Change ticket", err=True)
    named, signing = ticket, signing_with(key)

    async def begin() -> int:
        client, given = await launch.begin(
            here.file,
            here.project,
            wanted,
            operator=await who(operator, os.environ),
            ticket=named,
            mode=mode,
            narrowing=narrowing,
            answers=answers,
            headless=headless,
            environ=os.environ,
            signing=signing,
            lane=lane,
            windows=windows,
        )
        return await face(client, given, headless)

    sys.exit(asyncio.run(begin()))


async def face(client: Client, answers: Answers, headless: bool) -> int:
    """Look at a session until it ends, or until the face is left. Returns the exit code."""
    try:
        if headless:
            await Headless(client, answers, lambda text: talk(printable(text))).walk()
        elif await show(client) == BUG:
            return BUG
        return await left(client)
    except asyncio.CancelledError:
        talk(way_on(client))
        raise


async def show(client: Client) -> int:
    """Look at a session on a screen. Returns the screen's exit code."""
    # Textual is half of the time that a start takes, and most commands have no screen.
    from tui.app import run_face

    return await run_face(client, transcript=lambda folder: transcript(read(folder / NAME)))


async def left(client: Client) -> int:
    """Say how a session ended, or how to go on with it. Returns the exit code."""
    view, over = client.view, client.gone or client.view.ended is not None
    if over and not await client.until_gone(TIDY_SECONDS):
        talk("The runner is still tidying up.")
    bye = client.bye
    await client.close()
    if view.ended is not None:
        for line in _head(client):
            talk(printable(line))
        for line in afterwards_lines(client.folder, view):
            talk(printable(line))
        talk(f"Transcript {client.folder / 'transcript.md'}")
        if words := end_signed(client.folder, view):
            talk(words)
        return view.ended.exit_code
    if bye is not None and bye.reason:
        talk(printable(bye.reason))
    elif over:
        talk(f"The runner has died. Look at {client.folder / LOG}.")
    for pair in open_pairs(view):
        if bye is None or pair.words not in bye.reason:
            talk(printable(f"! {pair.words}."))
    talk(way_on(client))
    return bye.exit_code if bye is not None else DETACHED


def _head(client: Client) -> list[str]:
    """The head of the last record, and where it was noted."""
    late = kept(client.folder)
    return [line for noted in late for line in noted.words] or [f"Head {client.view.seq}:{client.view.head}"]


def way_on(client: Client) -> str:
    """The line that resumes."""
    return f"The session has not ended. Take it up again with: gonogo resume {client.folder.name}"


@click.command(short_help="Take up a session again, by default the newest.")
@click.argument("session", required=False)
@operator_option
@sign_option
@headless_option
@answers_option
@project_option
def resume(
    session: str | None,
    operator: str | None = None,
    key: Path | None = None,
    headless: bool = False,
    answers: Path | None = None,
    project_file: Path | None = None,
) -> None:
    """Take up SESSION again, by default the newest that has not ended."""
    folder = sessions.find(root(project_file), session)
    unattended, signing = headless or not on_terminal(), signing_again(key, folder)

    async def take_up() -> int:
        operating = await who(operator, os.environ)
        client, given = await launch.take_up(
            folder, operator=operating, answers=answers, headless=unattended, environ=os.environ, signing=signing
        )
        return await face(client, given, unattended)

    sys.exit(asyncio.run(take_up()))
