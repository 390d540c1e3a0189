"""The session before: its head, and how long its steps took, from one journal and whatever that one knew."""

from pathlib import Path

import pytest
from fix_live import Live, shell, write

from runbooks.history.previous import previous
from runbooks.history.sessions import create_folder, summary
from runbooks.journal import NAME, Journal
from runbooks.session import commands as c
from runbooks.session import events as e
from runbooks.session.runbook import Option, Phase, Runbook, Step
from runbooks.session.view import fold
from tests.runbooks.conftest import ANA, opening

FIRST, SECOND, THIRD, STAGING = (
    "20260131T020304Z-production-1f3a",
    "20260132T020304Z-production-2f3a",
    "20260133T020304Z-production-3f3a",
    "20260134T020304Z-staging-4f3a",
)


def book(**scripts: str) -> Runbook:
    """A dump, and a shell block; a restore as the way back."""
    steps = [Step(id="dump", title="Dump", uses="backup.dump", effect="outside", params={"max_age": "4h"})]
    for name, script in {"deploy": "./deploy", **scripts}.items():
        steps.append(Step(id=name, title=name, uses="shell", effect="outside", params={"script": script}))
    side = Step(id="side", title="Restore", uses="restore.side", effect="outside")
    restore = Option(id="restore", title="Restore", steps=(side,))
    return Runbook(name="x", phases=(Phase(name="backup", title="Backup", steps=tuple(steps)),), options=(restore,))


BOOK = book()


def ended(step: str, seconds: int, attempt: int = 1, **over: object) -> e.StepEnded:
    values = {"end": "done", "outcome": "ok", "took": seconds * 1_000_000, **over}
    return e.StepEnded.model_validate({"step": step, "attempt": attempt, **values})


def took(**steps: tuple[str, int]) -> dict[str, e.Took]:
    return {step: e.Took(session=session, us=seconds * 1_000_000) for step, (session, seconds) in steps.items()}


class Root:
    """The sessions of a machine."""

    def __init__(self, folder: Path, clock) -> None:
        self.folder = folder
        self._clock = clock

    def session(self, name: str, *events: e.Event, **over: object) -> str:
        """Write a session; its head."""
        journal = Journal.create(create_folder(self.folder, name), self._clock)
        opened = {"session": name, "environment": name.split("-")[1], "project": "shop", "runbook": BOOK, **over}
        for event in (opening(**opened), *events):
            journal.append(event, sync=False)
        journal.close()
        return journal.head

    def previous(self, runbook: Runbook = BOOK, environment: str = "production") -> e.Previous | None:
        return previous(self.folder, "shop", environment, runbook)


@pytest.fixture
def root(tmp_path: Path, clock) -> Root:
    return Root(tmp_path / "sessions", clock)


def test_the_newest_session_of_the_same_project_on_the_same_environment(root: Root) -> None:
    assert root.previous() is None
    head = root.session(FIRST, ended("dump", 1))
    root.session(SECOND, ended("dump", 2), project="another shop")
    root.session(STAGING, ended("dump", 4))
    found = root.previous()
    assert found == e.Previous(session=FIRST, head=head, took=took(dump=(FIRST, 1)))
    assert found.head == summary(root.folder / FIRST).head
    assert root.previous(environment="elsewhere") is None


def test_what_cannot_be_read_is_passed_over_and_what_is_torn_is_read_as_far_as_it_goes(root: Root) -> None:
    head = root.session(FIRST, ended("dump", 1))
    with (root.folder / FIRST / NAME).open("ab") as file:
        file.write(b'{"at":')
    create_folder(root.folder, SECOND)
    (create_folder(root.folder, THIRD) / NAME).write_bytes(b'{"at":1}\n')
    assert root.previous() == e.Previous(session=FIRST, head=head, took=took(dump=(FIRST, 1)))


def test_the_last_attempt_that_ended_well_counts(root: Root) -> None:
    root.session(
        FIRST,
        ended("dump", 1),
        ended("dump", 2, 2, outcome="warn"),
        ended("dump", 3, 3, outcome="fail"),
        ended("dump", 4, 4, end="stopped", outcome="unknown"),
        ended("deploy", 5, end="failed", outcome="fail"),
    )
    found = root.previous()
    assert found is not None and found.took == took(dump=(FIRST, 2))


def test_an_end_that_was_looked_up_after_a_crash_tells_no_time(root: Root) -> None:
    resumed = e.SessionResumed(gonogo="0.1.0", host="b", pid=1, by=ANA, unknown=(("dump", 1), ("deploy", 1)))
    root.session(FIRST, resumed, ended("dump", 0), ended("deploy", 0), ended("deploy", 7, 2))
    found = root.previous()
    assert found is not None and found.took == took(deploy=(FIRST, 7))


def test_what_was_known_before_is_handed_on_without_reading_further_back(root: Root) -> None:
    root.session(FIRST, ended("dump", 1), ended("deploy", 2), ended("side", 3))
    root.session(SECOND, ended("dump", 9), previous=root.previous())
    (root.folder / FIRST / NAME).unlink()
    found = root.previous()
    assert found is not None and found.session == SECOND
    assert found.took == took(dump=(SECOND, 9), deploy=(FIRST, 2), side=(FIRST, 3))


def test_a_step_that_was_written_anew_has_no_time_of_before(root: Root) -> None:
    root.session(FIRST, ended("dump", 1), ended("deploy", 2), ended("opening", 3))
    found = root.previous(book(deploy="./deploy --slowly"))
    assert found is not None and set(found.took) == {"dump"}
    moved = BOOK.model_copy(update={"phases": (), "options": (BOOK.options[0].model_copy(update={"steps": ()}),)})
    found = root.previous(moved)
    assert found is not None and found.took == {}


def test_a_journal_of_before_there_were_times_still_folds(root: Root) -> None:
    data = opening().model_dump(mode="json") | {"previous": {"session": FIRST, "head": "ab" * 32}}
    view = fold([(0, "2026-01-31T02:03:04.000000Z", e.EVENT.validate_python(data))])
    assert view.took_before("dump") is None


async def test_a_session_knows_how_long_the_steps_of_the_one_before_took(live: Live) -> None:
    write(live, backup=shell("one", "sleep 0.05") + shell("two", "exit 1"))
    await live.start()
    for step in ("one", "two"):
        await live.until(lambda view: view.next_start)
        await live.do(c.Start(step=step))
        await live.until(lambda view, step=step: view.step(step).status == "ended")
    await live.do(c.EndSession(reason="that was the first"))
    assert await live.over() == 1
    head, first = live.client.view.head, live.client.view.step("one").took
    await live.client.close()

    again = Live(live.small, live.folder.with_name("20260131T030304Z-here-8f3a"))
    try:
        await again.start()
        view = await again.until(lambda view: view.phase == "backup")
        assert view.opened is not None and view.opened.previous is not None
        assert (view.opened.previous.session, view.opened.previous.head) == (live.folder.name, head)
        assert view.took_before("one") == e.Took(session=live.folder.name, us=first) and first >= 50_000
        assert view.took_before("two") is None
    finally:
        await again.drop()


def paired() -> Runbook:
    steps = tuple(
        step.model_copy(update={"undo": "deploy"} if step.id == "dump" else {}) for step in BOOK.phases[0].steps
    )
    return BOOK.model_copy(update={"phases": (BOOK.phases[0].model_copy(update={"steps": steps}),)})


def test_what_was_left_open_is_told_until_it_has_been_undone(root: Root) -> None:
    start = e.StepStarted(step="dump", attempt=1, title="Dump", uses="backup.dump", effect="outside", why="start")
    root.session(FIRST, start, ended("dump", 1), runbook=paired())
    found = root.previous()
    assert found is not None and [(one.step, one.undo, one.session) for one in found.left_open] == [
        ("dump", "deploy", FIRST)
    ]
    root.session(SECOND, ended("deploy", 1, end="failed", outcome="fail"), previous=found)
    found = root.previous()
    assert found is not None and [one.session for one in found.left_open] == [FIRST]
    root.session(THIRD, ended("deploy", 1), previous=found)
    found = root.previous()
    assert found is not None and found.left_open == ()
