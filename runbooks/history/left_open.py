"""What earlier sessions of a project left to be done on an environment, and nobody has done yet."""

from pathlib import Path

from migrations.problem import Problem
from runbooks.history.sessions import summary
from runbooks.history.skimmed import begun, walked
from runbooks.history.stages import without_passed
from runbooks.journal.records import opened
from runbooks.session.follow_ups import Owed

MOST = 100
"""So many sessions are looked at, the newest first."""


def left_open(root: Path, project: str, environment: str) -> list[tuple[str, Owed]]:
    """The session and the follow-up, of each; what cannot be read is passed over."""
    looked = walked(root, environment, MOST)
    known = without_passed(summary(folder) for folder in looked if _has_any(folder, project, environment))
    return [(session.id, one) for session in known for one in session.to_do]


def _has_any(folder: Path, project: str, environment: str) -> bool:
    """By its first record alone: the rest of a journal may be long."""
    try:
        event = opened(begun(folder)[0])
    except Problem:
        return False
    book, same = event.runbook, (event.project, event.environment) == (project, environment)
    return same and (bool(book.follow_ups) or book.series is not None)
