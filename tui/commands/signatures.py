"""Signatures of a session that has been: `gonogo transcript sign`, and their part of `gonogo transcript verify`."""

import os
from pathlib import Path

import click

from migrations.problem import Misuse, Unavailable
from runbooks.approvals.judged import Paper, judge_papers
from runbooks.history.places import journal_of
from runbooks.journal.grade import Grade
from runbooks.journal.verify import Verdict
from runbooks.signing import AllowedSigners
from runbooks.signing.afterwards import sign_afterwards
from runbooks.signing.judged import Judged, judge
from tui.commands.common import project_option, talk
from tui.commands.signed import VARIABLE

signers_option = click.option(
    "--signers",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Who may sign, in OpenSSH's format of allowed signers: one name and key a line.",
)


def signatures_of(journal: Path | None, signers: Path | None, verdict: Verdict, at_least: Grade) -> list[Judged]:
    """The signatures beside a journal, judged. Raises Misuse, Unavailable; BadSigners for a file that is not taken."""
    if at_least == "signed" and signers is None:
        raise Misuse("Signed by whom? A key alone names nobody.", advice="Say who may sign: --signers FILE.")
    known = AllowedSigners.read(signers) if signers else None
    if journal is None and known is not None:
        raise Misuse(
            "Signatures lie beside a journal.jsonl, in the session's folder: of this one none can be looked at.",
            advice="Name the folder, or leave --signers out.",
        )
    if journal is None or verdict.fault is not None:
        return []
    try:
        return judge(journal, known)
    except Unavailable as missing:
        if known is not None:
            raise
        talk(f"The signatures are not looked at: {missing}")
        return []


def papers_of(journal: Path | None, signers: Path | None, verdict: Verdict) -> list[Paper]:
    """The approvals and the review beside a journal, judged. Raises as `signatures_of` does."""
    if journal is None or verdict.fault is not None:
        return []
    try:
        return judge_papers(journal.parent, verdict, AllowedSigners.read(signers) if signers else None)
    except Unavailable as missing:
        if signers is not None:
            raise
        talk(f"The approvals are not looked at: {missing}")
        return []


@click.command("sign", short_help="Sign a session that has ended.")
@click.argument("session")
@click.option("--key", type=click.Path(path_type=Path), metavar="KEY", help=f"The SSH key, as --sign; else {VARIABLE}.")
@project_option
def sign_transcript(session: str, key: Path | None, project_file: Path | None) -> None:
    """Sign the last record of SESSION, afterwards: nobody can change it any more without you.

    The signature stands in the session folder, beside those that were made before.
    """
    if key is None and not os.environ.get(VARIABLE):
        raise Misuse("With which key?", advice=f"Name it: --key KEY, or set {VARIABLE}.")
    head, path = sign_afterwards(journal_of(session, project_file), key or Path(os.environ[VARIABLE]))
    talk(f"Signed record {head.seq} of {head.session}, afterwards, at {head.signed}.")
    click.echo(path)
