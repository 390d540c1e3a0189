"""What is proven of a session, in words: its grade, what that means, and what else was found on the way."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from runbooks.journal import NAME
from runbooks.journal.grade import MEANING, Grade
from runbooks.journal.named import compare
from runbooks.journal.verify import Verdict
from runbooks.reading.listing import verified
from runbooks.report.words import many, took
from runbooks.sessions import Summary


@dataclass(frozen=True, slots=True)
class Proof:
    """`grade` is None where there is no journal to be read; `meaning` is a sentence, `lines` say what else there is."""

    grade: Grade | None
    meaning: str
    lines: tuple[str, ...] = ()


def proof(session: Summary, needed: Callable[[], bool] = lambda: True) -> Proof:
    """Read all of it; slow. Raises Left when it is no longer needed."""
    found, verdict = verified(session, needed)
    if verdict is None or found.grade is None:
        return Proof(None, found.fault)
    return Proof(
        found.grade, MEANING[found.grade].replace("stands above", "stands below"), tuple(_lines(found, verdict))
    )


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
    if (session.folder / NAME).parent.joinpath("signatures").is_dir():
        yield "Signatures lie beside it; `gonogo transcript verify --signers FILE` says whose."
