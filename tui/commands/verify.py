"""`gonogo transcript verify`: whether a journal is as it was written, and how much of that is proven."""

import os
import sys
from pathlib import Path

import click

from runbooks.journal import NAME
from runbooks.journal.files import open_to_read, read_lines
from runbooks.journal.grade import Grade, reaches
from runbooks.journal.heads import parse_head
from runbooks.journal.named import compare
from runbooks.journal.verify import verify_lines
from runbooks.places import journal_of
from tui.commands.common import json_option, project_option
from tui.verdict_told import verdict_json, verdict_lines

STDIN = "-"
WANTED = ("open", "consistent", "anchored")


@click.command("verify", short_help="Verify a journal: exit 1 if it was changed.")
@click.argument("session", required=False)
@click.option("--head", "heads", multiple=True, metavar="HASH", help="A head noted elsewhere: HASH, or SEQ:HASH.")
@click.option("--at-least", type=click.Choice(WANTED), default="consistent", help="The grade that it must reach.")
@json_option
@project_option
def verify_transcript(
    session: str | None, heads: tuple[str, ...], at_least: Grade, as_json: bool, project_file: Path | None
) -> None:
    """Verify the journal of SESSION: a name, a session folder, or a journal file; `-` reads it from standard input.

    Exit 0 when its grade is at least the one asked for, and no file that it names was altered.
    """
    wanted = [parse_head(head) for head in heads]
    journal = None if session == STDIN else journal_of(session, project_file)
    verdict = verify_lines(read_lines(os.dup(0) if journal is None else open_to_read(journal)), wanted)
    artefacts = compare(journal.parent, verdict.named) if journal and journal.name == NAME else []
    told = verdict_json(verdict, artefacts) if as_json else "\n".join(verdict_lines(verdict, artefacts))
    click.echo(told)
    altered = any(artefact.state == "altered" for artefact in artefacts)
    sys.exit(0 if reaches(verdict.grade, at_least) and not altered else 1)
