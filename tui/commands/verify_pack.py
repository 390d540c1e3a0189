"""`gonogo transcript verify PACK.zip`: an evidence pack, by itself."""

import sys
from dataclasses import replace
from pathlib import Path

import click

from migrations.problem import Misuse, Problem
from runbooks.journal import NAME
from runbooks.journal.files import open_to_read, read_lines
from runbooks.journal.grade import Grade, reaches
from runbooks.journal.heads import Head
from runbooks.journal.named import Artefact, Named, compare
from runbooks.journal.verify import verify_lines
from runbooks.signing import AllowedSigners
from runbooks.signing.judged import with_signatures
from tui.commands.signatures import signatures_of
from tui.commands.verdict_told import verdict_json, verdict_text


def pack_of(session: str | None) -> Path | None:
    """The pack that was meant, if one was."""
    pack = Path(session) if session and session.lower().endswith(".zip") else None
    return pack if pack and pack.is_file() else None


def verify_pack(pack: Path, heads: list[Head], at_least: Grade, signers: Path | None, as_json: bool) -> None:
    """Verify a pack and end. Raises Problem, Misuse, Unavailable."""
    from runbooks.pack.check import check_pack
    from runbooks.pack.unpack import unpacked

    if at_least == "signed" and signers is None:
        raise Misuse("Signed by whom? A key alone names nobody.", advice="Say who may sign: --signers FILE.")
    known = AllowedSigners.read(signers) if signers else None
    with unpacked(pack) as folder:
        journal = folder / NAME
        if not journal.is_file():
            raise Problem(f"{pack} has no {NAME} that can be read.", advice="It is no pack, or it was damaged.")
        verdict = verify_lines(read_lines(open_to_read(journal)), heads)
        artefacts = [_compared(folder, named) for named in verdict.named]
        checked = check_pack(folder, replace(verdict, strangers=(), reached=None), known)
        judged = signatures_of(journal, signers, verdict, at_least)
    verdict = with_signatures(verdict, judged)
    tell = verdict_json if as_json else verdict_text
    click.echo(tell(verdict, artefacts, judged, None, checked))
    altered = any(each.state == "altered" for each in artefacts) or any(one.refused for one in judged)
    sys.exit(0 if reaches(verdict.grade, at_least) and not altered and not checked.wrong else 1)


def _compared(folder: Path, named: Named) -> Artefact:
    """A file of the pack; what the session kept elsewhere is looked for nowhere on this machine."""
    if Path(named.path).is_absolute():
        return Artefact(named.seq, named.name, named.path, "absent")
    return compare(folder, [named])[0]
