"""`gonogo transcript export`: a session in a form to hand on."""

from pathlib import Path

import click

from runbooks.artefacts import write_pieces
from runbooks.places import journal_of
from runbooks.report.formats import FORMATS, Format, render
from tui.commands.common import project_option, talk


@click.command("export", short_help="A transcript as Markdown, HTML, text or asciicast.")
@click.argument("session", required=False)
@click.option("--format", "form", type=click.Choice(FORMATS), default="md", show_default=True, help="What to make.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The file to write, instead of standard output.")
@project_option
def export_transcript(session: str | None, form: Format, output: Path | None, project_file: Path | None) -> None:
    """Write the transcript of SESSION, by default of the newest: Markdown (`md`), one self-contained HTML page
    (`html`), plain text of 80 columns (`text`), or a recording for asciinema's players (`cast`)."""
    pieces = (piece.encode() for piece in render(form, journal_of(session, project_file)))
    if output is None or str(output) == "-":
        for piece in pieces:
            click.echo(piece, nl=False)
    else:
        write_pieces(output, pieces)
        talk(f"Written to {output}.")
