"""The records of a session by chapter: the opening, each phase, a rollback; in each, step attempts and the rest."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from runbooks.journal.records import Record
from runbooks.report.output import Output
from runbooks.session import events as e


@dataclass
class Progress:
    """How far a step had got: its first and its last record of that sort, and how many there are."""

    first: int
    last: int
    event: e.StepProgress
    count: int


@dataclass(eq=False)
class Attempt:
    """One attempt of a step with everything that belongs to it. `ended` is None if nobody saw how it ended."""

    record: Record
    started: e.StepStarted
    output: Output = field(default_factory=Output)
    progress: Progress | None = None
    questions: list[tuple[Record, e.QuestionAsked | e.QuestionAnswered]] = field(default_factory=list)
    artefacts: list[tuple[int, e.ArtefactKept]] = field(default_factory=list)
    ended: tuple[Record, e.StepEnded] | None = None

    def owns(self, event: e.Event) -> bool:
        """Whether an event belongs to it."""
        if isinstance(event, e.QuestionAnswered):
            return any(asked.question == event.question for _, asked in self.questions)
        if not isinstance(event, e.StepOutput | e.StepProgress | e.StepEnded | e.QuestionAsked | e.ArtefactKept):
            return False
        return (event.step, event.attempt) == (self.started.step, self.started.attempt)

    def take(self, record: Record, event: e.Event) -> None:
        """Keep what belongs to it."""
        match event:
            case e.StepOutput():
                self.output.take(record.seq, event)
            case e.StepProgress():
                before = self.progress or Progress(record.seq, record.seq, event, 0)
                self.progress = Progress(before.first, record.seq, event, before.count + 1)
            case e.ArtefactKept():
                self.artefacts.append((record.seq, event))
            case e.StepEnded():
                self.ended = (record, event)
            case e.QuestionAsked() | e.QuestionAnswered():
                self.questions.append((record, event))
            case _:
                raise ValueError(f"{event.kind} belongs to no attempt")


@dataclass(frozen=True)
class Chapter:
    """A part of the session begins. `record` is the one that opened it."""

    record: Record
    name: str
    option: str | None = None


Entry = Chapter | Attempt | Record


def entries(records: Iterable[Record]) -> Iterator[Entry]:
    """Everything in the order of its beginning; an attempt comes when it is whole. The first is the opening's chapter.

    Only one step runs at a time: when another starts, what has not ended by then is given out as it stands.
    """
    book = _Book()
    for record in records:
        book.take(record)
        yield from book.whole()
    yield from book.rest()


class _Book:
    def __init__(self) -> None:
        self._waiting: deque[Entry] = deque()
        self._running: Attempt | None = None
        self._begun = False

    def take(self, record: Record) -> None:
        event = record.event
        if not self._begun:
            self._begun = True
            self._waiting.append(Chapter(record, "opening"))
        if isinstance(event, e.PhaseOpened):
            self._waiting.append(Chapter(record, event.phase, event.option))
        elif isinstance(event, e.StepStarted):
            self._running = Attempt(record, event)
            self._waiting.append(self._running)
        elif self._running is not None and self._running.owns(event):
            self._running.take(record, event)
            if isinstance(event, e.StepEnded):
                self._running = None
        elif not isinstance(event, e.SessionOpened):
            self._waiting.append(record)

    def whole(self) -> Iterator[Entry]:
        while self._waiting and self._waiting[0] is not self._running:
            yield self._waiting.popleft()

    def rest(self) -> Iterator[Entry]:
        yield from self._waiting
