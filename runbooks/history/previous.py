"""The session before this one on the same environment: its head, and how long the steps took that run again now."""

import json
from collections.abc import Iterator
from pathlib import Path

from migrations.problem import Problem
from runbooks.history.sessions import folders, tail_of
from runbooks.journal import NAME
from runbooks.journal.files import open_to_read, read_lines
from runbooks.journal.records import Chain, opened
from runbooks.session.events import Previous, SessionOpened, SessionResumed, StepEnded, Took
from runbooks.session.runbook import Runbook


def previous(root: Path, project: str, environment: str, runbook: Runbook) -> Previous | None:
    """The newest session of this project on this environment that can be read, for the next one to name.

    One journal is read, by the ends of its lines; its own first record says what was known before it.
    """
    for folder in folders(root, environment):
        try:
            lines = read_lines(open_to_read(folder / NAME))
            first = Chain().take(next(lines, b""))
        except Problem:
            continue
        event = opened(first)
        if (event.project, event.environment) == (project, environment):
            return _previous(folder.name, event, first.hash, lines, runbook)
    return None


def _previous(session: str, event: SessionOpened, head: str, lines: Iterator[bytes], runbook: Runbook) -> Previous:
    took = dict(event.previous.took) if event.previous else {}
    settled = set[tuple[str, int]]()
    for seq, line in enumerate(lines, 1):
        tail = tail_of(line, seq)
        if tail is None:
            break
        head = tail.hash
        if tail.kind == "session_resumed":
            settled |= _unknown(line)
        elif tail.kind == "step_ended" and (ended := _ended(line)) and (ended.step, ended.attempt) not in settled:
            took[ended.step] = Took(session=session, us=max(0, ended.took))
    same = _same_steps(event.runbook, runbook)
    return Previous(session=session, head=head, took={step: one for step, one in took.items() if step in same})


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
    return ended if ended.end == "done" and ended.outcome in ("ok", "warn") else None
