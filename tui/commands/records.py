"""What sessions left: `gonogo sessions`, `gonogo transcript`."""

import sys
from pathlib import Path

import click

from runbooks import sessions
from runbooks.journal import NAME, check_artefacts, read, verify
from runbooks.places import journal_of, root
from runbooks.report.markdown import transcript
from tui.commands.common import json_option, project_option
from tui.printed import session_row, sessions_json, verdict_lines


@click.command("sessions")
@json_option
@project_option
def list_sessions(as_json: bool, project_file: Path | None) -> None:
    """List the sessions on this machine, newest first."""
    known = sessions.list_sessions(root(project_file))
    click.echo(sessions_json(known) if as_json else "\n".join(session_row(s) for s in known) or "no sessions")


@click.group("transcript")
def transcripts() -> None:
    """Read and verify what a session recorded."""


@transcripts.command("show", short_help="Print a transcript, by default of the newest.")
@click.argument("session", required=False)
@project_option
def show_transcript(session: str | None, project_file: Path | None = None) -> None:
    """Print the transcript of SESSION as Markdown; by default of the newest."""
    click.echo(transcript(read(journal_of(session, project_file))), nl=False)


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
