"""The records of a session by chapter: the opening, each phase, a rollback; in each, step attempts and the rest."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from runbooks import events as e
from runbooks.journal.records import Record


@dataclass
class Attempt:
    """One attempt of a step with everything that belongs to it. `ended` is None if nobody saw how it ended."""

    record: Record
    started: e.StepStarted
    outputs: list[tuple[int, e.StepOutput]] = field(default_factory=list)
    progress: list[tuple[int, e.StepProgress]] = field(default_factory=list)
    questions: list[tuple[Record, e.QuestionAsked | e.QuestionAnswered]] = field(default_factory=list)
    artefacts: list[tuple[int, e.ArtefactKept]] = field(default_factory=list)
    ended: tuple[Record, e.StepEnded] | None = None


@dataclass
class Chapter:
    """A part of the session. `record` is the one that opened it; entries are in the order of the journal."""

    record: Record
    name: str
    option: str | None = None
    entries: list[Attempt | Record] = field(default_factory=list)


def chapters(records: Iterable[Record]) -> list[Chapter]:
    """The chapters, in order; the first is the opening."""
    book = _Book()
    for record in records:
        book.take(record)
    return book.chapters


class _Book:
    def __init__(self) -> None:
        self.chapters: list[Chapter] = []
        self._attempts: dict[tuple[str, int], Attempt] = {}
        self._asked: dict[str, Attempt] = {}

    def take(self, record: Record) -> None:
        event = record.event
        if not self.chapters:
            self.chapters.append(Chapter(record, "opening"))
        if isinstance(event, e.PhaseOpened):
            self.chapters.append(Chapter(record, event.phase, event.option))
        elif isinstance(event, e.StepStarted):
            attempt = self._attempts[event.step, event.attempt] = Attempt(record, event)
            self.chapters[-1].entries.append(attempt)
        elif not isinstance(event, e.SessionOpened) and not self._belongs(record, event):
            self.chapters[-1].entries.append(record)

    def _belongs(self, record: Record, event: e.Event) -> bool:
        """Whether it was put with the attempt that it belongs to."""
        if isinstance(event, e.QuestionAnswered):
            attempt = self._asked.get(event.question)
        elif isinstance(event, e.StepOutput | e.StepProgress | e.StepEnded | e.QuestionAsked | e.ArtefactKept):
            attempt = self._attempts.get((event.step, event.attempt))
        else:
            return False
        if attempt is None:
            return False
        match event:
            case e.StepOutput():
                attempt.outputs.append((record.seq, event))
            case e.StepProgress():
                attempt.progress.append((record.seq, event))
            case e.ArtefactKept():
                attempt.artefacts.append((record.seq, event))
            case e.StepEnded():
                attempt.ended = (record, event)
            case e.QuestionAsked() | e.QuestionAnswered():
                self._asked[event.question] = attempt
                attempt.questions.append((record, event))
        return True


def lines_of(attempt: Attempt) -> Iterator[tuple[int, str, str]]:
    """Its output line by line: record, stream, text."""
    for seq, event in attempt.outputs:
        for line in event.text.replace("\r\n", "\n").removesuffix("\n").split("\n"):
            yield seq, event.stream, line
