"""The command `gonogo`. Data to stdout, talk to stderr."""

import errno
import os
import resource
import sys
import traceback
from collections.abc import Callable
from importlib import import_module
from typing import Any

import click

from migrations.problem import Problem, Unavailable
from tui.commands.common import BUG, DETACHED, on_terminal, talk

NOT_OURS = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EIO)
COMMANDS = {
    "approve": "approve:approve",
    "backup": "walk:backup",
    "check": "check:check",
    "demo": "walk:demo",
    "follow-ups": "follow_ups:follow_ups",
    "new": "new:new",
    "plan": "plan:plan",
    "resolve": "resolve:resolve",
    "resume": "walk:resume",
    "run": "walk:run",
    "runbook": "runbook:runbooks_group",
    "sessions": "sessions:list_sessions",
    "status": "status:status",
    "transcript": "records:transcripts",
}


class Commands(click.Group):
    """The commands of `COMMANDS`. A module is imported when its command is called for: most need little of gonogo."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(f"tui.commands.{module}"), attribute)
        return command


@click.group(
    cls=Commands,
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
    from runbooks.history import sessions
    from runbooks.history.places import place
    from tui.app import run_home
    from tui.commands.records import show_transcript
    from tui.commands.walk import resume, run

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
        from runbooks.redact import Redactor

        talk(Redactor({}).text("".join(traceback.format_exception(error))))
        talk("gonogo failed: this is a bug in it.")
        raise SystemExit(BUG) from error
