"""How many waited for a migration elsewhere: from the session that applied it, however long ago that was."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from runbooks.history.sessions import create_folder
from runbooks.history.waited import Waited, waited
from runbooks.journal import Journal
from runbooks.session import events as e
from tests.runbooks.conftest import opening


def applied(root: Path, clock: Callable[[], datetime], second: int, row: str, behind: int) -> str:
    session = f"20260130T0203{second:02}Z-staging-1aaa"
    journal = Journal.create(create_folder(root, session), clock)
    queue = {"behind": behind, "longest_us": behind * 1000}
    told = ({"label": "applying  m", "row": row}, {"label": "applying  m", "queue": queue})
    progress = (e.StepProgress(step="apply", attempt=1, data=data) for data in told)
    for event in (opening(session=session, environment="staging"), *progress):
        journal.append(event, sync=False)
    journal.close()
    return session


def test_however_many_sessions_came_later(tmp_path: Path, clock: Callable[[], datetime]) -> None:
    first, second = applied(tmp_path, clock, 1, "r1", 2), applied(tmp_path, clock, 2, "r2", 0)
    for number in range(20):
        (tmp_path / f"20260130T04{number:04}Z-staging-1aaa").mkdir()
    assert waited(tmp_path, "staging", {"r1", "r2", "r3"}) == {"r1": Waited(first, 2, 2000), "r2": Waited(second)}
    assert waited(tmp_path, "staging", {"r2"}) == {"r2": Waited(second)}
