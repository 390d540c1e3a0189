"""What a session left, to be read: `gonogo transcript`."""

from pathlib import Path

import click

from migrations.problem import Misuse, Problem
from runbooks.history.places import journal_of
from runbooks.journal import read
from runbooks.report.afterwards import release_note
from runbooks.report.facts import Facts, gather
from runbooks.report.markdown import ticket_summary, transcript
from tui.commands.common import project_option
from tui.commands.export import export_transcript
from tui.commands.signatures import sign_transcript
from tui.commands.verify import verify_transcript
from tui.printable import printable


@click.group("transcript")
def transcripts() -> None:
    """Read, export and verify what a session recorded."""


@transcripts.command("show", short_help="Print a transcript, by default of the newest.")
@click.argument("session", required=False)
@click.option("--ticket", "ticket", is_flag=True, help="Only the few lines for the change ticket.")
@click.option("--release-note", "note", is_flag=True, help="Only the line for the release notes.")
@project_option
def show_transcript(
    session: str | None, ticket: bool = False, note: bool = False, project_file: Path | None = None
) -> None:
    """Print the transcript of SESSION as Markdown; by default of the newest."""
    records = read(journal_of(session, project_file))
    if ticket and note:
        raise Misuse("The lines for the ticket have the one for the release notes among them.", advice="Leave one out.")
    if ticket:
        click.echo(printable(ticket_summary(records)), nl=False)
    elif note:
        click.echo(printable(the_note(gather(records))))
    else:
        click.echo(transcript(records), nl=False)


def the_note(facts: Facts) -> str:
    """The line for the release notes. Raises Problem where there is nothing to note."""
    if not (line := release_note(facts)):
        raise Problem("This session applied nothing that stayed: there is nothing for the release notes.")
    return line


transcripts.add_command(export_transcript)
transcripts.add_command(sign_transcript)
transcripts.add_command(verify_transcript)
