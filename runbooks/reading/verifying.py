"""What is proven of a session, for as long as somebody wants to know; and what that means, in words."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from migrations.problem import Problem, Unavailable
from runbooks.history.sessions import Summary
from runbooks.journal import NAME
from runbooks.journal.files import open_to_read, read_lines
from runbooks.journal.grade import MEANING, Grade
from runbooks.journal.named import compare
from runbooks.journal.verify import Verdict, verify_lines
from runbooks.report.words import many, took
from runbooks.signing import AllowedSigners
from runbooks.signing.judged import Judged, judge, with_signatures
from runbooks.signing.kept import FOLDER

Needed = Callable[[], bool]
Signers = AllowedSigners | None


class Left(Exception):
    """Nobody waits any longer for what was being read."""


@dataclass(frozen=True, slots=True)
class Proof:
    """`grade` is None where there is no journal to be read; `meaning` is a sentence, `lines` say what else there is."""

    grade: Grade | None
    meaning: str
    lines: tuple[str, ...] = ()


def always() -> bool:
    """It is needed whatever happens."""
    return True


def while_needed(lines: Iterable[bytes], needed: Needed) -> Iterator[bytes]:
    """The lines, for as long as somebody waits for them. Raises Left."""
    for line in lines:
        if not needed():
            raise Left
        yield line


def verified(session: Summary, needed: Needed = always, signers: Signers = None) -> Summary:
    """The session with its grade, and with what is wrong; without a grade where there is no journal to be read.

    Without `signers` nobody is known, and none is signed. Raises Left when it is no longer needed.
    """
    return _read(session, needed, signers)[0]


def proof(session: Summary, needed: Needed = always, signers: Signers = None) -> Proof:
    """The same in words, and the files that it names are compared; slow. Raises Left when it is no longer needed."""
    found, verdict, judged = _read(session, needed, signers)
    if verdict is None or found.grade is None:
        return Proof(None, found.fault)
    lines = (*_lines(found, verdict), *_signatures(judged, known=signers is not None))
    return Proof(found.grade, MEANING[found.grade].replace("stands above", "stands below"), lines)


def _read(session: Summary, needed: Needed, signers: Signers) -> tuple[Summary, Verdict | None, Sequence[Judged]]:
    journal = session.folder / NAME
    try:
        lines = read_lines(open_to_read(journal))
    except Problem as problem:
        return replace(session, fault=session.fault or problem.what), None, ()
    verdict = verify_lines(while_needed(lines, needed))
    if fault := verdict.fault:
        return replace(session, grade="broken", fault=f"record {fault.seq}: {fault.what}"), verdict, ()
    try:
        judged = judge(journal, signers, os.environ)
    except Unavailable as missing:
        judged = [Judged(FOLDER, refused=missing.what)]
    verdict = with_signatures(verdict, judged)
    against = next((one.refused for one in judged if one.against), "")
    return replace(session, grade=verdict.grade, fault=against or session.fault), verdict, judged


def _lines(session: Summary, verdict: Verdict) -> Iterator[str]:
    if fault := verdict.fault:
        where = f"Record {fault.seq} (line {fault.line}, byte {fault.offset})"
        yield f"{where} is the first that does not hold: {fault.what}."
    if verdict.torn:
        yield "The last line is unfinished, and not counted."
    yield f"{many(verdict.records, 'record')} hold; the head is {verdict.records - 1}:{verdict.head}"
    if clocks := verdict.clocks.steps_back:
        yield f"The clock went back {many(clocks, 'time')}, by {took(verdict.clocks.back)} at the most."
    for each in compare(session.folder, verdict.named) if verdict.named else ():
        if each.state == "altered":
            yield f"{each.path} was altered (record {each.seq}): {each.what}"


def _signatures(judged: Sequence[Judged], *, known: bool) -> Iterator[str]:
    for one in judged:
        if one.refused:
            yield f"The signature {one.name} proves nothing: {one.refused}"
        elif one.head is not None and one.principal:
            yield f"Record {one.head.seq} is signed by {one.principal}, at {one.head.signed}."
    if not known and any(not one.refused for one in judged):
        yield "Signatures lie beside it; `gonogo sessions --signers FILE` says whose they are."
