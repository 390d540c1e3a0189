"""The session before this one on the same environment: its head, and how long the steps took that run again now."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from migrations.problem import Problem
from runbooks.history.sessions import Tail, folders
from runbooks.history.skimmed import begun
from runbooks.journal.records import opened
from runbooks.session.events import (
    EVENT,
    LeftOpen,
    Previous,
    SessionOpened,
    SessionResumed,
    StepEnded,
    StepStarted,
    Took,
)
from runbooks.session.pairs import Opened, pairs_after
from runbooks.session.runbook import Runbook


def previous(root: Path, project: str, environment: str, runbook: Runbook) -> Previous | None:
    """The newest session of this project on this environment that can be read, for the next one to name.

    One journal is read, by the ends of its lines; its own first record says what was known before it.
    """
    for folder in folders(root, environment):
        try:
            first, rest = begun(folder)
        except Problem:
            continue
        event = opened(first)
        if (event.project, event.environment) == (project, environment):
            return _previous(folder.name, event, first.hash, rest, runbook)
    return None


def _previous(
    session: str, event: SessionOpened, head: str, rest: Iterator[tuple[Tail, bytes]], runbook: Runbook
) -> Previous:
    took = dict(event.previous.took) if event.previous else {}
    settled = set[tuple[str, int]]()
    left = _Left(session, event)
    for tail, line in rest:
        head = tail.hash
        if tail.kind == "session_resumed":
            settled |= _unknown(line)
        if tail.kind in ("step_started", "step_ended"):
            left.take(line)
        if tail.kind == "step_ended" and (ended := _ended(line)) and (ended.step, ended.attempt) not in settled:
            took[ended.step] = Took(session=session, us=max(0, ended.took))
    same = _same_steps(event.runbook, runbook)
    known = {step: one for step, one in took.items() if step in same}
    return Previous(session=session, head=head, took=known, left_open=left.open)


class _Left:
    """What a session left open, or had found so and did not undo."""

    def __init__(self, session: str, event: SessionOpened) -> None:
        self._session = session
        self._book = event.runbook
        self._before = event.previous.left_open if event.previous else ()
        self._pairs: Mapping[str, Opened] = {}

    def take(self, line: bytes) -> None:
        """The start or the end of a step."""
        try:
            record = json.loads(line)
            event = EVENT.validate_python(record["data"] | {"kind": record["kind"]})
        except (ValueError, KeyError, TypeError):
            return
        if isinstance(event, StepStarted | StepEnded):
            self._pairs = pairs_after(self._pairs, self._book, str(record["at"]), event)
        if isinstance(event, StepEnded) and event.ended_well:
            self._before = tuple(one for one in self._before if one.undo != event.step)

    @property
    def open(self) -> tuple[LeftOpen, ...]:
        """The earlier ones first; what was opened anew is told once."""
        steps = {step.id: step for step in self._book.steps()}
        new = tuple(
            LeftOpen(
                session=self._session, step=name, title=steps[name].title, at=opened.at,
                undo=steps[name].undo, undo_title=steps[steps[name].undo].title,
            )
            for name, opened in self._pairs.items()
        )  # fmt: skip
        return (*(one for one in self._before if one.step not in self._pairs), *new)


def _same_steps(before: Runbook, now: Runbook) -> set[str]:
    """The ids of the steps that do the same, by what is written."""
    written = {step.id: (step.uses, step.params) for step in before.steps()}
    return {step.id for step in now.steps() if written.get(step.id) == (step.uses, step.params)}


def _unknown(line: bytes) -> set[tuple[str, int]]:
    """Attempts that a dead runner left: their end was written when it was looked up, long after it was over."""
    try:
        return set(SessionResumed.model_validate(json.loads(line)["data"]).unknown)
    except (ValueError, KeyError, TypeError):
        return set()


def _ended(line: bytes) -> StepEnded | None:
    """The end of an attempt that did what it was for."""
    try:
        ended = StepEnded.model_validate(json.loads(line)["data"])
    except (ValueError, KeyError, TypeError):
        return None
    return ended if ended.ended_well else None
