"""What took how long: each attempt of a step, and each decision, in the order of its beginning."""

from datetime import datetime

from runbooks.journal.records import Record
from runbooks.report.parts import Bar, Mark, Refs, Strong, Timeline, Words
from runbooks.report.words import DECISION, OUTCOME, by_whom, moment, took
from runbooks.session import events as e
from runbooks.settings.durations import microseconds

MOST = 300
"""A timeline has at most so many rows; the others are counted."""

Row = tuple[Record, Record | None]
"""The record that begins it and, of a step that ended, the record of that."""


class Timings:
    """Gathers what a timeline shows."""

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self._open: dict[tuple[str, int], int] = {}
        self._first = self._last = ""
        self._left_out = 0

    def take(self, record: Record) -> None:
        """One record; in order."""
        self._first, self._last = self._first or record.at, max(self._last, record.at)
        event = record.event
        match event:
            case e.StepStarted() | e.Decided() | e.PenTaken() | e.SessionParked() | e.SessionResumed():
                if len(self._rows) == MOST:
                    self._left_out += 1
                    return
                self._rows.append((record, None))
                if isinstance(event, e.StepStarted):
                    self._open[event.step, event.attempt] = len(self._rows) - 1
            case e.StepEnded() if (event.step, event.attempt) in self._open:
                number = self._open.pop((event.step, event.attempt))
                self._rows[number] = self._rows[number][0], record
            case _:
                pass

    def timeline(self, day: str) -> Timeline:
        """All of it, beside the length of the whole. `day` is not said again."""
        bars = tuple(self._bar(begun, ended, day) for begun, ended in self._rows)
        return Timeline(bars, max(0, between(self._first, self._last)) if self._first else 0, self._left_out)

    def _bar(self, begun: Record, ended: Record | None, day: str) -> Bar:
        event, end = begun.event, ended.event if ended else None
        start = max(0, between(self._first, begun.at))
        when, words = moment(begun.at, day), _words(event)
        if isinstance(event, e.StepStarted) and ended is not None and isinstance(end, e.StepEnded):
            said = f"{end.end}, {OUTCOME[end.outcome]}, {took(end.took)}"
            result: Words = (said if (end.end, end.outcome) == ("done", "ok") else Strong(said),)
            length = max(0, between(begun.at, ended.at))
            return Bar(when, words, result, Refs((begun.seq, ended.seq)), start, length, end.outcome)
        sort: Mark = "unknown" if isinstance(event, e.StepStarted) else "person"
        result = (Strong("no end recorded"),) if sort == "unknown" else _whose(event)
        return Bar(when, words, result, Refs((begun.seq,)), start, 0, sort)


def between(begin: str, end: str) -> int:
    """Microseconds from one record's time to another's; below zero if the clock was set back."""
    return microseconds(datetime.fromisoformat(end) - datetime.fromisoformat(begin))


def _whose(event: e.Event) -> Words:
    return by_whom(event.by) if isinstance(event, e.Decided | e.PenTaken | e.SessionResumed) else ()


def _words(event: e.Event) -> Words:
    match event:
        case e.StepStarted(step=step, title=title, attempt=attempt):
            return (title or step, f" · attempt {attempt}" if attempt > 1 else "")
        case e.Decided(what=what, phase=phase):
            return (Strong(f"{DECISION[what]} {phase}"),)
        case e.PenTaken():
            return (Strong("The pen changes hands"),)
        case e.SessionParked():
            return (Strong("Parked"),)
        case _:
            return (Strong("Resumed"),)
