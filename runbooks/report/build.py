"""A session as the parts of a transcript, for every renderer: a pure function of its records."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from runbooks.journal.records import Record
from runbooks.report.afterwards import afterwards
from runbooks.report.chapters import Attempt, Chapter, entries
from runbooks.report.entries import Entries
from runbooks.report.facts import Facts
from runbooks.report.parts import Heading, Paragraph, Part, Point, Points, Refs, Strong, Value, Verbatim, Words
from runbooks.report.plan import plan_parts
from runbooks.report.steps import attempt_parts
from runbooks.report.summary import summary
from runbooks.report.way_back import way_back_parts
from runbooks.report.words import many, moment
from runbooks.session import events as e
from runbooks.session.proven import Proven

Reading = Callable[[], Iterable[Record]]
"""Begins to read the journal: once for the facts, once for the rest. It is never held."""


def session_parts(facts: Facts, reading: Reading) -> Iterator[Part]:
    """The session of these facts, for a person to read: as far as they go, whatever was recorded meanwhile."""
    yield from summary(facts)
    yield Heading(2, ("Timeline",))
    yield facts.timings.timeline(facts.opened.at[:10] if facts.opened else "")
    yield from _Teller(facts).tell(islice(reading(), 1 + (facts.last.seq if facts.last else 0)))
    yield from _never_opened(facts)
    yield from afterwards(facts)
    yield from _how_to_check(facts)


class _Teller:
    """Tells chapters; remembers the plan, so that a plan read again is one line."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._entries = Entries(facts.opening.runbook, facts.opening.operator)
        self._day = facts.opened.at[:10] if facts.opened else ""
        self._plan = ""
        self._proven = Proven()
        self._proven.take(facts.opening)

    def tell(self, records: Iterable[Record]) -> Iterator[Part]:
        """Entries in order; those of one line each stand together in a list."""
        points: list[Point] = []
        for entry in entries(records):
            if isinstance(entry, Record) and not self._new_plan(entry.event):
                words = self._entries.words(entry.event)
                points.append(Point((f"{self._when(entry)} ", *words, " ", Refs((entry.seq,))), entry.seq))
                continue
            if points:
                yield Points(tuple(points))
                points = []
            yield from self._parts(entry)
        if points:
            yield Points(tuple(points))

    def _parts(self, entry: Chapter | Attempt | Record) -> Iterator[Part]:
        if isinstance(entry, Chapter):
            yield Heading(2, (*self._title(entry), " ", Refs((entry.record.seq,))), entry.record.seq)
            yield from way_back_parts(self._facts.opening, entry.option)
        elif isinstance(entry, Attempt):
            ended_later = self._facts.ends.get((entry.started.step, entry.started.attempt))
            yield from attempt_parts(entry, self._day, ended_later)
            yield from self._proofs(entry)
        elif isinstance(entry.event, e.PlanMade):
            self._plan = entry.event.hash
            self._proven.take(entry.event)
            yield from plan_parts(entry.event, self._when(entry), entry.seq)

    def _proofs(self, attempt: Attempt) -> Iterator[Part]:
        """The items that the step has proven, or not any more; no person ticked them."""
        if attempt.ended is None:
            return
        record, ended = attempt.ended
        proven, lost = self._proven.take(ended)
        told = [
            *(("☑ proven by this step: ", item) for item in proven),
            *(("☐ not proven any more: ", i) for i in lost),
        ]
        if told:
            seq = Refs((record.seq,))
            points = ((sign, item.text, " (", Value(item.id), ") ", seq) for sign, item in told)
            yield Points(tuple(Point(words, record.seq) for words in points))

    def _new_plan(self, event: e.Event) -> bool:
        return isinstance(event, e.PlanMade) and event.hash != self._plan

    def _title(self, chapter: Chapter) -> Words:
        book = self._facts.opening.runbook
        if chapter.name == "rollback":
            option = next((o.title for o in book.options if o.id == chapter.option), chapter.option or "")
            return ("Rollback: ", option)
        title = next((phase.title for phase in book.phases if phase.name == chapter.name), "")
        return (title or chapter.name.capitalize(),)

    def _when(self, record: Record) -> str:
        return moment(record.at, self._day)


def _never_opened(facts: Facts) -> Iterator[Part]:
    missed = [phase.title or phase.name for phase in facts.opening.runbook.phases if phase.name not in facts.phases]
    if missed:
        yield Paragraph((Strong("Never opened"), f": {', '.join(missed)}."))


def _how_to_check(facts: Facts) -> Iterator[Part]:
    last = facts.last.seq if facts.last else 0
    open_end = "The session had not ended: that a tail was cut off cannot be excluded."
    yield Heading(2, ("How to check this",))
    yield Paragraph(
        (
            f"Made from {many(last + 1, 'record')}; the hash of the last one ",
            Refs((last,)),
            ", the head of the chain, is",
        )
    )
    yield Verbatim(facts.head)
    yield Paragraph(
        (
            f"{'The session had ended.' if facts.ended else open_end} ",
            *(Value("gonogo transcript verify"), " on the session folder checks every record and shows the head that"),
            *(" it finds; it needs no database. ", Value("docs/journal.md"), " of gonogo says how to check it without"),
            " gonogo, and against whom a chain does not help. Compare the head with the one in the ticket.",
        )
    )
