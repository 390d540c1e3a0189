"""What a session left, to be read: `gonogo transcript`."""

from pathlib import Path

import click

from runbooks.history.places import journal_of
from runbooks.journal import read
from runbooks.report.markdown import transcript
from tui.commands.common import project_option
from tui.commands.export import export_transcript
from tui.commands.signatures import sign_transcript
from tui.commands.verify import verify_transcript


@click.group("transcript")
def transcripts() -> None:
    """Read, export and verify what a session recorded."""


@transcripts.command("show", short_help="Print a transcript, by default of the newest.")
@click.argument("session", required=False)
@project_option
def show_transcript(session: str | None, project_file: Path | None = None) -> None:
    """Print the transcript of SESSION as Markdown; by default of the newest."""
    click.echo(transcript(read(journal_of(session, project_file))), nl=False)


transcripts.add_command(export_transcript)
transcripts.add_command(sign_transcript)
transcripts.add_command(verify_transcript)
