"""`gonogo transcript export`: a session in a form to hand on."""

from pathlib import Path

import click

from migrations.problem import Misuse
from runbooks.history.places import journal_of
from runbooks.journal import NAME
from runbooks.journal.artefacts import write_pieces
from runbooks.report.formats import FORMATS, Format, render
from tui.commands.common import project_option, talk
from tui.printable import one_line
from tui.words import plural


@click.command("export", short_help="A transcript as Markdown, HTML, text or asciicast.")
@click.argument("session", required=False)
@click.option("--format", "form", type=click.Choice(FORMATS), default="md", show_default=True, help="What to make.")
@click.option("--pack", is_flag=True, help="The evidence pack instead: one archive that is checked elsewhere.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The file to write, instead of standard output.")
@click.option("--overwrite", is_flag=True, help="With --pack: also where a file of that name is already.")
@project_option
def export_transcript(
    session: str | None, form: Format, pack: bool, output: Path | None, overwrite: bool, project_file: Path | None
) -> None:
    """Write the transcript of SESSION, by default of the newest: Markdown (`md`), one self-contained HTML page
    (`html`), plain text of 80 columns (`text`), or a recording for asciinema's players (`cast`).

    With --pack, all of them in one archive, with the journal, what the session kept except data, and a verifier that
    needs Python alone; by default SESSION.zip in this folder.
    """
    if pack:
        return _pack(journal_of(session, project_file), output, overwrite)
    if overwrite:
        raise Misuse("--overwrite goes with --pack.", advice="Leave it out: a transcript takes the place of another.")
    pieces = (piece.encode() for piece in render(form, journal_of(session, project_file)))
    if output is None or str(output) == "-":
        for piece in pieces:
            click.echo(piece, nl=False)
    else:
        write_pieces(output, pieces)
        talk(f"Written to {output}.")


def _pack(journal: Path, output: Path | None, overwrite: bool) -> None:
    from runbooks.pack.make import pack

    if str(output) == "-":
        raise Misuse("A pack is not written to standard output.", advice="Name a file: -o FILE.")
    if journal.name != NAME:
        raise Misuse(f"{journal} is not in a session's folder.", advice=f"A pack is made of a folder with a {NAME}.")
    made = pack(journal, output, overwrite=overwrite)
    manifest = made.manifest
    talk(f"{plural(len(manifest.files), 'file')}, {len(manifest.left_out)} left out; the journal is {manifest.grade}.")
    for one in manifest.left_out:
        talk(one_line(f"left out: {one.name} ({one.why}): {one.what}"))
    talk(f"SHA-256 of its verify.py: {made.verifier_sha256}")
    talk(f"SHA-256 of its manifest.json: {made.manifest_sha256}")
    click.echo(made.path)
