"""What happened since an operator last looked: from the journal alone, up to the moment when they attached again."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from runbooks.session import events as e
from runbooks.session.calls import CALL

Weight = Literal["plain", "good", "bad", "open"]
Person = tuple[str, str]
"""The claimed name, and the account that it came from."""

_NOT_GREEN = {"warn": "done, amber", "fail": "done, and red", "unknown": "done, and not known how"}
_WEIGHTS: dict[str, Weight] = {"ok": "good", "warn": "open", "fail": "bad", "unknown": "open"}


@dataclass(frozen=True, slots=True)
class Happening:
    """One line. `open`: it waits for somebody, or is not known.

    `about` is what it tells of; with a `?`, only until a later line does.
    """

    seq: int
    at: str
    words: str
    weight: Weight = "plain"
    about: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """What came after record `seq` (at `at`), when this operator last looked; `how` that is known."""

    seq: int
    at: str
    how: str
    lines: tuple[Happening, ...]

    @property
    def heading(self) -> str:
        """In one line; times are UTC."""
        return f"Since you last looked: {self.at[:10]} {self.at[11:19]} UTC, {self.how}"


class Meanwhile:
    """Takes the records in order. `told` is there once the face of that name has attached, if there is anything."""

    def __init__(self, face: str) -> None:
        self.told: Told | None = None
        self._face = face
        self._over = False
        self._lines: list[Happening] = []
        self._names: dict[str, str] = {}
        self._faces: dict[str, Person] = {}
        self._looked: dict[Person, tuple[int, str, str]] = {}
        self._spoke: dict[Person, tuple[int, str, str]] = {}
        self._last = (-1, "")

    def take(self, seq: int, at: str, event: e.Event) -> None:
        """The next record."""
        if self._over:
            return
        if isinstance(event, e.FaceAttached) and event.face == self._face:
            self._tell(_person(event.by))
            return
        self._follow(seq, at, event)
        self._lines.extend(
            Happening(seq, at, words, weight, about) for words, weight, about in _lines_of(event, self._names)
        )
        self._last = (seq, at)

    def _follow(self, seq: int, at: str, event: e.Event) -> None:
        """Who is here, and who was last seen when."""
        match event:
            case e.FaceAttached():
                self._faces[event.face] = _person(event.by)
            case e.FaceDetached() if event.face in self._faces:
                self._names[event.face] = self._faces[event.face][0]
                self._looked[self._faces.pop(event.face)] = (seq, at, "when you left")
            case e.SessionResumed():
                for person in self._faces.values():
                    self._looked[person] = (*self._last, "when its runner died")
                self._faces.clear()
            case e.StepStarted():
                self._names[event.step] = event.title
            case e.SessionOpened():
                for number, contact in enumerate(event.runbook.people, 1):
                    self._names[f"{CALL}{number}"] = f"{contact.who} was called"
            case _:
                pass
        by = getattr(event, "by", None)
        if isinstance(by, e.By) and not isinstance(event, e.SessionResumed):
            self._spoke[_person(by)] = (seq, at, "your last word; another face of yours is still attached")

    def _tell(self, person: Person) -> None:
        self._over = True
        seen = self._spoke if person in self._faces.values() else self._looked
        if person not in seen:
            return
        seq, at, how = seen[person]
        lines = tuple(_without_moot([line for line in self._lines if line.seq > seq]))
        if lines:
            self.told = Told(seq, at, how, lines)


def _person(by: e.By) -> Person:
    return by.name, by.os_user


def _without_moot(lines: list[Happening]) -> list[Happening]:
    """A start whose end follows, and a question whose answer follows, are told by what follows."""
    later = set[str]()
    kept = []
    for line in reversed(lines):
        about = line.about.removesuffix("?")
        if about == line.about or about not in later:
            kept.append(line)
        if about:
            later.add(about)
    return kept[::-1]


def _lines_of(event: e.Event, names: dict[str, str]) -> Iterator[tuple[str, Weight, str]]:
    match event:
        case e.StepStarted() | e.StepEnded() | e.QuestionAsked() | e.QuestionAnswered() | e.PhaseOpened():
            yield from _work(event, names)
        case e.Decided():
            reason = f": {event.reason}" if event.reason else ""
            yield f"{event.what.upper().replace('_', '-')} {event.phase}{reason}, {event.by.name}", "plain", ""
        case e.ItemTicked() if event.item.startswith(CALL):
            came = f": {event.evidence}" if event.evidence else ""
            yield f"{names.get(event.item, event.item)}{came}, {event.by.name}", "plain", ""
        case e.ItemTicked():
            reason = f": {event.reason}" if event.reason else ""
            yield f"{event.item}: {event.state.replace('_', ' ')}{reason}, {event.by.name}", "plain", ""
        case e.ItemUnticked():
            yield f"{event.item}: tick taken back, {event.by.name}", "plain", ""
        case e.ScriptReviewed():
            yield f"{event.migration} was reviewed, {event.by.name}", "plain", ""
        case e.Waived():
            yield f"{event.subject} was waived: {event.reason}, {event.by.name}", "plain", ""
        case e.CommandRefused():
            yield f"{event.command} {event.subject} was refused: {event.reason}, {event.by.name}", "plain", ""
        case _:
            yield from _session(event, names)


Work = e.StepStarted | e.StepEnded | e.QuestionAsked | e.QuestionAnswered | e.PhaseOpened


def _work(event: Work, names: dict[str, str]) -> Iterator[tuple[str, Weight, str]]:
    match event:
        case e.PhaseOpened():
            yield f"{event.phase.capitalize()} was opened", "plain", ""
        case e.StepStarted():
            yield f"{event.title}: started, not over yet", "open", f"{event.step} {event.attempt}?"
        case e.StepEnded():
            why = f": {event.failure.what}" if event.failure else ""
            end = _NOT_GREEN.get(event.outcome, event.end) if event.end == "done" else event.end
            words = f"{names.get(event.step, event.step)}: {end}{why}"
            yield words, _WEIGHTS[event.outcome], f"{event.step} {event.attempt}"
        case e.QuestionAsked():
            yield f"Asked, and not answered: {event.text}", "open", f"question {event.question}?"
        case e.QuestionAnswered():
            words = f"{event.question} was answered: {event.answer}, {event.by.name}"
            yield words, "plain", f"question {event.question}"


def _session(event: e.Event, names: dict[str, str]) -> Iterator[tuple[str, Weight, str]]:
    match event:
        case e.FaceAttached():
            yield f"{event.by.name} attached, {'with the pen' if event.pen else 'watching'}", "plain", ""
        case e.FaceDetached():
            yield f"{names.get(event.face, event.face)} left", "plain", ""
        case e.PenTaken():
            yield f"{event.by.name} took the pen: {event.reason}", "plain", ""
        case e.SessionParked():
            yield f"The session was parked: {event.reason}", "plain", ""
        case e.SessionResumed():
            yield f"Taken up again on {event.host}, {event.by.name}", "plain", ""
            for step, attempt in event.unknown:
                words = f"How {names.get(step, step)} ended was not known then: it is looked up"
                yield words, "open", f"{step} {attempt}?"
        case e.JournalRepaired():
            yield f"A torn last line of the journal was set aside, {event.size} bytes", "open", ""
        case e.SessionEnded():
            reason = f": {event.reason}" if event.reason else ""
            yield f"The session ended {event.outcome.replace('_', '-')}{reason}", "plain", ""
        case _:
            pass
