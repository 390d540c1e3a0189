"""`gonogo transcript verify`: whether a journal is as it was written, and how much of that is proven."""

import os
import sys
from pathlib import Path

import click

from migrations.problem import Misuse
from runbooks.history.places import journal_of
from runbooks.journal import NAME
from runbooks.journal.files import open_to_read, read_lines
from runbooks.journal.grade import Grade, reaches
from runbooks.journal.heads import parse_head
from runbooks.journal.named import compare
from runbooks.journal.verify import verify_lines
from runbooks.signing.judged import with_signatures
from tui.commands.common import json_option, project_option
from tui.commands.signatures import papers_of, signatures_of, signers_option
from tui.commands.verdict_told import verdict_json, verdict_text
from tui.commands.verify_pack import pack_of, verify_pack
from tui.commands.verify_page import compared, journal_of_page, page_of

STDIN = "-"
WANTED = ("open", "consistent", "anchored", "signed")


@click.command("verify", short_help="Verify a journal: exit 1 if it was changed.")
@click.argument("session", required=False)
@click.option("--head", "heads", multiple=True, metavar="HASH", help="A head noted elsewhere: HASH, or SEQ:HASH.")
@click.option("--at-least", type=click.Choice(WANTED), default="consistent", help="The grade that it must reach.")
@signers_option
@click.option("--database", metavar="ENVIRONMENT", help="Compare with the heads that this database's register has.")
@click.option("--journal", "given", metavar="SESSION", help="With a transcript.html: the session that it was made of.")
@json_option
@project_option
def verify_transcript(
    session: str | None,
    heads: tuple[str, ...],
    at_least: Grade,
    signers: Path | None,
    database: str | None,
    given: str | None,
    as_json: bool,
    project_file: Path | None,
) -> None:
    """Verify the journal of SESSION: a name, a session folder, or a journal file; `-` reads it from standard input.

    With a transcript.html, its journal is verified, and the page made again from it and compared byte by byte. With
    --database alone, every session that the database's register knows. A pack (PACK.zip) is verified by itself.

    Exit 0 when its grade is at least the one asked for, and no file that it names was altered, and no signature forged,
    and the page is the same.
    """
    wanted = [parse_head(head) for head in heads]
    if (pack := pack_of(session)) is not None:
        if database is not None or given is not None:
            raise Misuse("A pack has its own journal, and reaches no database.", advice="Leave the other options out.")
        return verify_pack(pack, wanted, at_least, signers, as_json)
    if database is not None and session is None:
        if wanted or at_least == "signed" or signers is not None or given is not None:
            what = "--head, --signers, --journal and --at-least signed are for one session."
            raise Misuse(what, advice="Name it, or leave them out.")
        return _all_of(database, at_least, as_json, project_file)
    page = page_of(session)
    if given is not None and page is None:
        raise Misuse("--journal goes with a transcript.html.", advice="Name that file, or leave --journal out.")
    journal = journal_of_page(page, given, project_file) if page else _journal(session, project_file)
    if database is not None:
        from tui.commands.verify_database import kept_of  # with what reaches a database: most verifying needs none

        wanted += kept_of(journal, database, project_file)
    verdict = verify_lines(read_lines(os.dup(0) if journal is None else open_to_read(journal)), wanted)
    in_session = journal is not None and journal.name == NAME
    artefacts = compare(journal.parent, verdict.named) if journal and in_session else []
    judged = signatures_of(journal if in_session else None, signers, verdict, at_least)
    papers = papers_of(journal if in_session else None, signers, verdict)
    verdict = with_signatures(verdict, judged)
    same = compared(page, journal, verdict.grade) if page and journal else None
    tell = verdict_json if as_json else verdict_text
    click.echo(tell(verdict, artefacts, judged, same, papers=papers))
    refused = any(one.refused for one in judged) or any(one.refused for one in papers)
    altered = refused or any(each.state == "altered" for each in artefacts)
    whole = verdict.records > 0 and not altered and (same is None or same.state == "same")
    sys.exit(0 if reaches(verdict.grade, at_least) and whole else 1)


def _all_of(database: str, at_least: Grade, as_json: bool, project_file: Path | None) -> None:
    from tui.commands.verify_database import verify_known

    verify_known(database, at_least, as_json, project_file)


def _journal(session: str | None, project_file: Path | None) -> Path | None:
    """The journal's file; None for standard input."""
    return None if session == STDIN else journal_of(session, project_file)
