"""The command `gonogo`. Data to stdout, talk to stderr."""

import asyncio
import errno
import os
import resource
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import click

from migrations.problem import Misuse, Problem, Unavailable
from runbooks import launch, sessions
from runbooks.answers import Answers
from runbooks.client import LOG, Client
from runbooks.demo import shop
from runbooks.document import read_runbook
from runbooks.headless import Headless
from runbooks.journal import NAME, check_artefacts, read, verify
from runbooks.library import read_shipped, shipped
from runbooks.operator import who
from runbooks.places import Place, journal_of, place, root
from runbooks.redact import Redactor
from runbooks.report.markdown import transcript as render
from runbooks.status import status_of
from runbooks.steps import catalogue
from tui.printable import printable
from tui.printed import session_row, sessions_json, status_lines, verdict_lines

DETACHED = 130
BUG = 70
TIDY_SECONDS = 30.0
NOT_OURS = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EIO)


project_option = click.option(
    "--project", "project_file", type=click.Path(path_type=Path), help="gonogo.toml to use, instead of the nearest one."
)
operator_option = click.option("--operator", help="Your name for the record, if it is not git's user.email.")
answers_option = click.option(
    "--answers", type=click.Path(path_type=Path), help="TOML file with what a person decided beforehand."
)
headless_option = click.option("--headless", is_flag=True, help="No screen; whatever the answers lack is NO-GO.")
json_option = click.option("--json", "as_json", is_flag=True, help="For a program to read.")


def talk(text: str) -> None:
    """Say something that is not data."""
    click.echo(text, err=True)


def on_terminal() -> bool:
    """Whether somebody can see a screen and press keys."""
    return sys.stdin.isatty() and sys.stdout.isatty()


@click.group(
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 go; 1 no-go, or something is wrong; 2 wrong use; 3 the environment failed; 70 a bug; "
    "130 interrupted or detached.",
)
@click.version_option(package_name="gonogo")
@click.pass_context
def cli(context: click.Context) -> None:
    """Walk through a PostgreSQL migration: Backup, Preflight, Migrate, Verify, Deploy, Smoke."""
    if context.invoked_subcommand is None:
        if not on_terminal():
            click.echo(context.get_help())
            return
        home(context)


def home(context: click.Context) -> None:
    """The screen that opens without a command: environments, unfinished sessions, transcripts."""
    from tui.app import run_home

    here = place(None)
    known = sessions.list_sessions(sessions.sessions_root(here.project, os.environ))
    choice = run_home(here.project, known)
    match choice:
        case ("run", name):
            context.invoke(run, environment=name)
        case ("resume", session):
            context.invoke(resume, session=session)
        case ("transcript", session):
            context.invoke(show_transcript, session=session)


@cli.command()
@click.argument("environment")
@click.option("--ticket", help="The change ticket that the transcript is for.")
@operator_option
@headless_option
@answers_option
@project_option
def run(
    environment: str,
    ticket: str | None = None,
    operator: str | None = None,
    headless: bool = False,
    answers: Path | None = None,
    project_file: Path | None = None,
) -> None:
    """Walk ENVIRONMENT through its runbook."""
    walk(place(project_file), environment, ticket, operator, headless or not on_terminal(), answers, "walk")


@cli.command(short_help="The Backup phase alone, without a screen.")
@click.argument("environment")
@click.option("--ticket", help="The change ticket that the transcript is for.")
@operator_option
@project_option
def backup(environment: str, ticket: str | None, operator: str | None, project_file: Path | None) -> None:
    """Run the Backup phase of ENVIRONMENT alone, without a screen: for cron too."""
    walk(place(project_file), environment, ticket or "backup", operator, True, None, "backup")


@cli.command(short_help="A shop on a PostgreSQL of its own, to try it all.")
@click.option("--headless", is_flag=True, help="Walk staging by the shipped answers, without a screen.")
@operator_option
def demo(headless: bool, operator: str | None) -> None:
    """A shop on a throw-away PostgreSQL, with five pending migrations to walk through."""
    unattended = headless or not on_terminal()
    orders = f"{shop.orders_of(os.environ):,}".replace(",", " ")
    talk(f"Preparing the demo shop: a PostgreSQL of its own and {orders} orders. This takes some seconds.")
    made = shop.prepare(os.environ)
    environment = "staging" if unattended else "production"
    answers = made.answers if unattended else None
    here = place(made.project_file)
    try:
        walk(here, environment, "DEMO-1", operator, unattended, answers, "walk")
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
) -> None:
    """Begin a session and be its face until it ends, or until the face leaves."""
    wanted = launch.environment_of(here.project, environment)
    if headless:
        launch.may_run_headless(wanted, mode)
    while not (ticket := launch.ticket_of(ticket or "")):
        if headless:
            raise Misuse("A session is for a change ticket.", advice="Name it with --ticket.")
        ticket = click.prompt("Change ticket", err=True)
    named = ticket

    async def begin() -> int:
        client, given = await launch.begin(
            here.file,
            here.project,
            wanted,
            operator=await who(operator, os.environ),
            ticket=named,
            mode=mode,
            answers=answers,
            headless=headless,
            environ=os.environ,
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

    return await run_face(client, transcript=lambda folder: render(read(folder / NAME)))


async def left(client: Client) -> int:
    """Say how a session ended, or how to go on with it. Returns the exit code."""
    view, over = client.view, client.gone or client.view.ended is not None
    if over and not await client.until_gone(TIDY_SECONDS):
        talk("The runner is still tidying up.")
    bye = client.bye
    await client.close()
    if view.ended is not None:
        talk(f"Head {view.head}")
        talk(f"Transcript {client.folder / 'transcript.md'}")
        return view.ended.exit_code
    if bye is not None and bye.reason:
        talk(printable(bye.reason))
    elif over:
        talk(f"The runner has died. Look at {client.folder / LOG}.")
    talk(way_on(client))
    return bye.exit_code if bye is not None else DETACHED


def way_on(client: Client) -> str:
    """The line that resumes."""
    return f"The session has not ended. Take it up again with: gonogo resume {client.folder.name}"


@cli.command(short_help="Take up a session again, by default the newest.")
@click.argument("session", required=False)
@operator_option
@headless_option
@answers_option
@project_option
def resume(
    session: str | None,
    operator: str | None = None,
    headless: bool = False,
    answers: Path | None = None,
    project_file: Path | None = None,
) -> None:
    """Take up SESSION again, by default the newest that has not ended."""
    folder = sessions.find(root(project_file), session)
    unattended = headless or not on_terminal()

    async def take_up() -> int:
        operating = await who(operator, os.environ)
        client, given = await launch.take_up(
            folder, operator=operating, answers=answers, headless=unattended, environ=os.environ
        )
        return await face(client, given, unattended)

    sys.exit(asyncio.run(take_up()))


@cli.command(short_help="What is pending, what is wrong; changes nothing.")
@click.argument("environment")
@json_option
@project_option
def status(environment: str, as_json: bool, project_file: Path | None) -> None:
    """Tell what is pending on ENVIRONMENT, and what is wrong. Changes nothing; exit 1 if anything is."""
    here = place(project_file)
    found = asyncio.run(status_of(here.project, launch.environment_of(here.project, environment), os.environ))
    click.echo(found.model_dump_json(indent=2) if as_json else "\n".join(status_lines(found)))
    sys.exit(0 if found.clean else 1)


@cli.command("sessions")
@json_option
@project_option
def list_sessions(as_json: bool, project_file: Path | None) -> None:
    """List the sessions on this machine, newest first."""
    known = sessions.list_sessions(root(project_file))
    click.echo(sessions_json(known) if as_json else "\n".join(session_row(s) for s in known) or "no sessions")


@cli.group("transcript")
def transcripts() -> None:
    """Read and verify what a session recorded."""


@transcripts.command("show", short_help="Print a transcript, by default of the newest.")
@click.argument("session", required=False)
@project_option
def show_transcript(session: str | None, project_file: Path | None = None) -> None:
    """Print the transcript of SESSION as Markdown; by default of the newest."""
    click.echo(render(read(journal_of(session, project_file))), nl=False)


@transcripts.command("verify", short_help="Verify a journal: exit 1 if it was changed.")
@click.argument("session", required=False)
@project_option
def verify_transcript(session: str | None, project_file: Path | None) -> None:
    """Verify the journal of SESSION: a name, a session folder, or a journal file."""
    journal = journal_of(session, project_file)
    verdict = verify(journal)
    click.echo("\n".join(verdict_lines(verdict)))
    in_session = journal.name == NAME and verdict.fault is None
    altered = [a for a in check_artefacts(journal.parent) if a.state == "altered"] if in_session else []
    for artefact in altered:
        click.echo(f"altered: {artefact.path}")
    sys.exit(0 if verdict.grade == "consistent" and not altered else 1)


@cli.group("runbook")
def runbooks_group() -> None:
    """Look at runbook documents."""


@runbooks_group.command("check")
@click.argument("document", type=click.Path(path_type=Path))
def check_runbook(document: Path) -> None:
    """Check DOCUMENT: every fault with its line."""
    book = read_runbook(document, catalogue=catalogue())
    steps = sum(1 for _ in book.steps())
    click.echo(f"{document}: in order, {steps} steps, {len(book.options)} ways back")


@runbooks_group.command("list")
def list_runbooks() -> None:
    """List the runbooks that ship with gonogo."""
    for name in shipped():
        click.echo(name)


@runbooks_group.command("show")
@click.argument("name")
def show_runbook(name: str) -> None:
    """Print the shipped runbook NAME, to begin your own from."""
    if name not in shipped():
        raise Misuse(f"No runbook {name} ships; these do: {', '.join(shipped())}.")
    click.echo(read_shipped(name), nl=False)


def guarded(work: Callable[[], Any]) -> int:
    """Run a command; every error that a person can act on in words, each kind with its exit code."""
    try:
        work()
    except Problem as problem:
        talk(f"gonogo: {problem.what}")
        if problem.advice:
            talk(f"  {problem.advice}")
        return problem.exit_code
    except click.ClickException as error:
        error.show()
        return 2
    except (click.Abort, KeyboardInterrupt):
        return DETACHED
    except OSError as error:
        if error.errno not in NOT_OURS:
            raise
        talk(f"gonogo: {error.filename or 'The output'}: {error.strerror}.")
        return Unavailable.exit_code
    except SystemExit as exit:
        return exit.code if isinstance(exit.code, int) else 0
    return 0


def main() -> None:
    """The console script. What nobody has foreseen is a bug of ours: exit 70."""
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        sys.exit(guarded(lambda: cli(standalone_mode=False)))
    except Exception as error:
        talk(Redactor({}).text("".join(traceback.format_exception(error))))
        talk("gonogo failed: this is a bug in it.")
        raise SystemExit(BUG) from error
