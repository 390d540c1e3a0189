"""What earlier sessions know of a ledger: the newest one that has read it, and those that left a row open."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from migrations.doctor import Earlier
from runbooks.history.earlier import MOST, READING, identity, known_before
from runbooks.history.own_before import own_before
from runbooks.history.sessions import create_folder
from runbooks.journal import Journal
from runbooks.session import events as e
from runbooks.session.runbook import Phase, Runbook, Step
from tests.runbooks.conftest import opening, the_plan

OLD, NEW, NEWEST = (f"2026010{n}T000000Z-production-{n}aaa" for n in (1, 2, 3))
HERE = identity(the_plan().target)
ROW = "3c7f6b1e-0000-4000-8000-000000000001"
ENDED = e.SessionEnded(outcome="no_go", exit_code=1)


def plan(*applied: tuple[str, str], **target: str) -> e.PlanMade:
    rows = tuple(e.Applied(migration=name, sha256=sha256, at="then") for name, sha256 in applied)
    made = the_plan()
    return made.model_copy(update={"applied": rows, "target": made.target.model_copy(update=target)})


def resolved(*reading: tuple[str, str, str]) -> e.StepEnded:
    result = {READING: [list(row) for row in reading]}
    return e.StepEnded(step="resolve", attempt=1, end="done", outcome="ok", result=result)  # type: ignore[arg-type]


def began() -> e.StepProgress:
    return e.StepProgress(step="apply", attempt=1, data={"event": "ScriptStarted", "row": ROW})


@pytest.fixture
def session(tmp_path: Path, clock: Callable[[], datetime]) -> Callable[..., None]:
    def write(name: str, *events: e.Event, **over: object) -> None:
        journal = Journal.create(create_folder(tmp_path / "sessions", name), clock)
        for event in (opening(session=name, environment="production", **over), *events):
            journal.append(event, sync=False)
        journal.close()

    return write


def known(tmp_path: Path, besides: str = "") -> tuple[tuple[Earlier, ...], dict[str, str]]:
    found = known_before(tmp_path / "sessions", "production", HERE, (ROW,), besides=besides)
    return found.reading, dict(found.open)


def test_the_newest_reading_of_this_database_counts(tmp_path: Path, session: Callable[..., None]) -> None:
    assert known(tmp_path) == ((), {})
    session(OLD, plan(("1", "a")), ENDED)
    session(NEW, plan(("1", "b")), resolved(("1", "b", "then"), ("2", "c", "now")), ENDED)
    session(NEWEST, plan(("1", "z"), database="another"), ENDED)
    assert known(tmp_path)[0] == (Earlier("1", "b", "then"), Earlier("2", "c", "now"))
    assert known(tmp_path, besides=NEW)[0] == (Earlier("1", "a", "then"),)


def test_a_database_that_was_made_anew_has_no_past(tmp_path: Path, session: Callable[..., None]) -> None:
    session(OLD, plan(("1", "a"), oid="99999"), ENDED)
    assert known(tmp_path)[0] == ()


def test_backups_of_many_nights_hide_no_session_before_them(tmp_path: Path, session: Callable[..., None]) -> None:
    session(OLD, plan(("1", "a")), ENDED)
    for night in range(MOST + 1):
        session(f"202602{night:02}T000000Z-production-1aaa", plan(), ENDED, mode="backup")
    assert known(tmp_path)[0] == (Earlier("1", "a", "then"),)


def test_a_session_that_left_a_row_and_can_go_on_is_named(tmp_path: Path, session: Callable[..., None]) -> None:
    session(OLD, plan(), began())
    assert known(tmp_path)[1] == {ROW: OLD}
    session(NEW, plan(), ENDED)
    session(NEWEST, plan(database="another"), began(), ENDED)
    assert known(tmp_path)[1] == {ROW: OLD}


def test_what_journals_know_to_have_written(tmp_path: Path, session: Callable[..., None]) -> None:
    started = {"event": "ScriptStarted", "row": ROW, "name": "1_a", "checksum": "ab" * 32}
    ended = {"event": "ScriptEnded", "row": ROW, "name": "1_a"}
    wrote = [e.StepProgress(step="apply", attempt=1, data=data) for data in (started, ended)]
    resolve = Step(id="mark", title="x", uses="ledger.resolve", effect="target", params={"rolled_back": "2_b"})
    phase = Phase(name="migrate", title="Migrate", steps=(resolve,))
    marks = e.StepEnded(step="mark", attempt=1, end="done", outcome="ok", result={"marked": 1, "applied": ["3_c"]})
    session(OLD, plan(), *wrote, ENDED)
    session(NEW, plan(), marks, ENDED, runbook=Runbook(name="resolve", phases=(phase,)))
    session(NEWEST, plan(oid="99999"), began(), ENDED)
    own = own_before(tmp_path / "sessions", "production", HERE)
    assert own.began == {ROW: ("1_a", "ab" * 32)} and own.applied == {ROW}
    assert own.marked == {("2_b", "rolled back"), ("3_c", "applied")}
