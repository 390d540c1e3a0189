"""`gonogo sessions`: the sessions of this machine, as a screen, as rows, as JSON."""

import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from migrations.problem import Misuse
from runbooks.history import sessions
from runbooks.history.places import root
from runbooks.reading.listing import SORTS, Sort, Wanted, chosen, ordered, since
from runbooks.reading.verifying import verified
from runbooks.signing import AllowedSigners
from tui.commands.common import json_option, on_terminal, project_option
from tui.commands.signatures import signers_option
from tui.listed_rows import sessions_json, sessions_text

OUTCOMES = ("go", "no-go", "rolled-back", "unavailable", "crashed", "running", "unfinished", "unreadable")
Command = Callable[..., Any]


def filters(command: Command) -> Command:
    """The options that say which sessions are wanted, and in what order."""
    pattern = "PATTERN"
    options = (
        click.option("--environment", default="", metavar=pattern, help="Only on these environments, such as prod*."),
        click.option("--ticket", default="", metavar=pattern, help="Only for these tickets."),
        click.option("--operator", default="", metavar=pattern, help="Only by these operators."),
        click.option("--outcome", "outcomes", multiple=True, type=click.Choice(OUTCOMES), help="Only these."),
        click.option("--since", "since_text", metavar="WHEN", help="Only since a date (2026-01-31), or for 30d."),
        click.option("--sort", type=click.Choice(SORTS), default="opened", show_default=True, help="In this order."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command("sessions", short_help="The sessions on this machine: a screen, rows, JSON.")
@filters
@click.option("--verify", "verify", is_flag=True, help="Rows, with the grade of each; exit 1 if one is broken.")
@signers_option
@click.option("--plain", is_flag=True, help="Rows, on a terminal too.")
@json_option
@project_option
def list_sessions(
    environment: str,
    ticket: str,
    operator: str,
    outcomes: tuple[str, ...],
    since_text: str | None,
    sort: Sort,
    verify: bool,
    signers: Path | None,
    plain: bool,
    as_json: bool,
    project_file: Path | None,
) -> None:
    """The sessions on this machine. On a terminal a screen to filter, sort, open and replay them; else rows."""
    states = tuple(outcome.replace("-", "_") for outcome in outcomes)
    wanted = Wanted(environment, ticket, operator, states, _moment(since_text))
    where, known = root(project_file), AllowedSigners.read(signers) if signers else None
    if on_terminal() and not (plain or as_json or verify):
        from tui.auditing import run_auditing  # Textual takes its time, and rows need none of it

        sys.exit(run_auditing(where, wanted, sort, known))
    listed = chosen(sessions.list_sessions(where), wanted, sort)
    if verify:
        listed = ordered((verified(session, signers=known) for session in listed), sort)
    click.echo(sessions_json(listed) if as_json else sessions_text(listed))
    sys.exit(1 if _broken(listed) else 0)


def _broken(listed: Sequence[sessions.Summary]) -> bool:
    """Somebody asked for the grades, and one is of no use."""
    return any(session.grade == "broken" for session in listed)


def _moment(text: str | None) -> datetime | None:
    try:
        return since(text, datetime.now(UTC)) if text else None
    except ValueError as error:
        raise Misuse(f"--since: {error}.") from None
