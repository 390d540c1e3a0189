"""The page of a pack: what an auditor asks, in that order, each answer with its records."""

from collections.abc import Iterator

from runbooks.history.sessions import REVIEW
from runbooks.journal.grade import MEANING, Grade
from runbooks.pack.answers import approved, ran, requested, tested, verified, who, why
from runbooks.pack.contents import Contents, LeftOut
from runbooks.pack.evidence import Evidence
from runbooks.report.parts import (
    File,
    Heading,
    Pairs,
    Paragraph,
    Part,
    Point,
    Points,
    Refs,
    Strong,
    Value,
    Verbatim,
    Words,
)
from runbooks.report.summary import deviation_points, outcome_words, title
from runbooks.report.words import many, size

MOST = 200
"""So many deviations of each sort are told; the transcript tells all."""


def page_parts(found: Evidence, contents: Contents, grade: Grade, verifier: str) -> Iterator[Part]:
    """The answers. `grade` is that of the journal without anything from outside; `verifier` the verifier's SHA-256."""
    facts = found.facts
    yield Heading(1, ("Evidence · ", title(facts)))
    if grade == "broken":
        broken = "The record is broken: what follows is told by the records before the first that does not hold."
        yield Paragraph((Strong(broken),), notice=True)
    for one in contents.left_out:
        if one.why == "altered":
            refs: Words = (" ", Refs((one.record,))) if one.record is not None else ()
            yield Paragraph(
                (Strong("Altered"), ": ", Value(one.name), ", and left out: ", one.what, *refs), notice=True
            )
    if facts.unattended:
        yield Paragraph((Strong(facts.unattended),), notice=True)
    proven: Words = (Strong(grade), f", by the chain alone: {MEANING[grade]}.")
    yield Pairs((("Outcome", outcome_words(facts)), ("Session", (Value(facts.opening.session),)), ("Grade", proven)))
    yield Paragraph(("The whole record, told in its order: ", File("transcript.html"), "."))
    review = REVIEW in contents.files
    for question, answer in (
        ("What was requested", requested),
        ("Who approved", approved),
        ("How it was tested", tested),
        ("What ran", ran),
        ("Who ran it, when and where", who),
        ("How it was verified", verified),
    ):
        yield Heading(2, (question,))
        yield from answer(found)
        if answer is approved and review:
            yield Paragraph(("A review was signed afterwards, so that no record can tell of it: ", File(REVIEW)))
    yield Heading(2, ("What deviated, and why",))
    points = deviation_points(facts, MOST, MOST)
    yield Points(tuple(points)) if points else Paragraph(("Nothing that these records tell of.",))
    yield from why(found)
    yield Heading(2, ("How anyone can check this",))
    yield from _check(found, contents, verifier)


def _check(found: Evidence, contents: Contents, verifier: str) -> Iterator[Part]:
    facts = found.facts
    last = facts.last.seq if facts.last else 0
    yield Paragraph(
        (
            "With Python 3.8 or newer, and nothing else, where this pack was unpacked. Whoever can change a pack can",
            " change its verifier too: take ",
            Value("verify.py"),
            " from a release of gonogo, or compare its SHA-256 with the one that was noted with it. Here it is",
        )
    )
    yield Verbatim(verifier)
    yield Verbatim("python3 verify.py .\npython3 verify.py . --head HASH --signers FILE\n")
    yield Paragraph(
        (
            "The head of this journal is ",
            Value(f"{last}:{facts.head}"),
            " ",
            Refs((last,)),
            ". It proves something only if it is met by one from where the operator could not write: the ticket, the",
            " server's log, the register. The file of signers, too, must come from there. With gonogo, ",
            Value("gonogo transcript verify PACK.zip"),
            " checks the same, and makes these pages again from the journal and compares every byte.",
        )
    )
    signed = [name for name in contents.files if name.startswith("signatures/") and name.endswith(".sig")]
    if signed:
        told = many(len(signed), "signature")
        yield Paragraph((f"{told} of this record's heads: ", Value("signatures/"), "; whose, a file of signers tells."))
    else:
        yield Paragraph(("Nobody signed this record: there are no signatures beside it.",))
    beside = (
        File("journal.jsonl"),
        ", ",
        File("manifest.json"),
        ", ",
        File("transcript.cast"),
        ", ",
        File("README.md"),
    )
    yield Paragraph(
        ("Beside this page: ", *beside, f", and {many(len(contents.files), 'file')} that the session kept.")
    )
    if contents.left_out:
        yield Paragraph(("What is not in this pack:",))
        yield Points(tuple(Point(_left(one)) for one in contents.left_out))
    else:
        yield Paragraph(("Nothing that the journal names is left out.",))


def _left(one: LeftOut) -> Words:
    counted = f", {size(one.size)}" if one.size is not None else ""
    digest: Words = (", SHA-256 ", Value(one.sha256)) if one.sha256 else ()
    refs: Words = (" ", Refs((one.record,))) if one.record is not None else ()
    return (Value(one.name), " (", Strong(one.why), f"): {one.what}{counted}", *digest, *refs)


def nothing_parts(fault: str) -> Iterator[Part]:
    """The page of a journal of which no record holds."""
    yield Heading(1, ("Evidence · nothing that holds",))
    yield Paragraph((Strong("The record is broken from its first line on"), ": ", fault), notice=True)
