"""A series: one stage a session; what was done before is known from earlier ones, and the next one is a follow-up."""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pytest

from runbooks.document import read_runbook
from runbooks.faces.headless_told import HeadlessTold
from runbooks.history.left_open import left_open
from runbooks.history.sessions import create_folder, list_sessions
from runbooks.journal import Journal
from runbooks.reading.listing import Wanted, chosen
from runbooks.report.markdown import ticket_summary, transcript
from runbooks.session import events as e
from runbooks.session.follow_ups import owed_by
from runbooks.session.runbook import Runbook
from runbooks.session.series import Series
from runbooks.session.view import fold
from runbooks.steps.series_inspect import Result
from tests.runbooks.conftest import book_of, opening
from tests.runbooks.document.test_document import document
from tests.runbooks.steps_context import StepContext, _opened
from tests.runbooks.transcript_records import recorded
from tests.tui import recorded as r
from tui.widgets.band import Band

HEAD = '```toml runbook\nname = "x"\nowner = "platform"\n{}\n```\n\n'
INSPECT = '```toml step\nuses = "series.inspect"\n```\n'
GO, STOPPED = e.SessionEnded(outcome="go", exit_code=0), e.SessionEnded(outcome="no_go", exit_code=1)
PROJECT = "gonogo.toml"
Write = Callable[..., None]


def of_stage(stage: int, name: str = "split-name") -> Runbook:
    return book_of().model_copy(update={"series": Series(name=name, stage=stage), "owner": "platform"})


def test_it_is_read_and_the_next_stage_is_left_to_be_done() -> None:
    head = HEAD.format('series = "split-name"\nstage = 2')
    book = read_runbook(document(before=head, preflight=INSPECT), name="x.md")
    assert book.series == Series(name="split-name", stage=2)
    (owed,) = owed_by(book, (), "go", date(2026, 1, 31))
    assert owed.words == ("split-name, stage 3 of 5: fill in the rows that were there before (platform, next release)")
    assert owed_by(of_stage(5), (), "go", date(2026, 1, 31)) == ()


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        ('series = "split-name"', "`series` stands here without `stage`"),
        ("stage = 1", "`stage` stands here without `series`"),
        ('series = "split-name"\nstage = 6', "`stage` is not right; expected a number from 1 to 5"),
        ('series = "split-name"\nstage = "2"', "`stage` is not right"),
        ('series = "Split name"\nstage = 2', "`Split name` cannot name a series"),
        ('series = "split-name"\nstage = 2', "nothing looks whether it is its turn"),
    ],
)
def test_what_is_wrong_with_one_is_told(keys: str, fault: str) -> None:
    with pytest.raises(Exception, match="error") as caught:
        read_runbook(document(before=HEAD.format(keys)), name="x.md")
    assert fault in str(caught.value)


@pytest.fixture
def session(tmp_path: Path, clock: Callable[[], datetime]) -> Write:
    def write(
        day: int, book: Runbook, ended: e.SessionEnded = GO, environment: str = "staging", **over: object
    ) -> None:
        name = f"202601{day:02}T020304Z-{environment}-7f3a"
        journal = Journal.create(create_folder(tmp_path, name), clock)
        given = {"session": name, "environment": environment, "project": PROJECT, "runbook": book} | over
        for event in (opening(**given), ended):
            journal.append(event, sync=False)
        journal.close()

    return write


def at(tmp_path: Path, stage: int) -> StepContext:
    """A session of that stage, beside the others of the machine."""
    ctx = StepContext("postgresql://nobody@localhost:1/none", tmp_path)
    ctx.events[0] = _opened(of_stage(stage))
    return ctx


async def test_what_was_done_before_is_known_and_a_stage_out_of_its_turn_is_red(tmp_path: Path, session: Write) -> None:
    session(1, of_stage(1))
    session(2, of_stage(2), STOPPED)
    session(3, of_stage(2, "another"))
    session(4, of_stage(2), environment="production")
    session(5, of_stage(2), project="another.toml")
    result = await at(tmp_path, 2).run("series.inspect")
    assert isinstance(result, Result) and [one.stage for one in result.done] == [1]
    ctx = at(tmp_path, 3)
    await ctx.run("series.inspect")
    assert ctx.outcomes == {"stage": "ok", "order": "fail"}
    assert ctx.found("order").evidence == "no session here has done stage 2 of 5: let the application write both"
    session(6, of_stage(2))
    session(7, of_stage(3))
    await ctx.run("series.inspect")
    assert ctx.outcomes == {"stage": "ok", "order": "ok", "again": "warn"}
    assert "stage 1 of 5: add what is new, beside the old and not binding: done 2026-01-31 in 2026" in ctx.text()
    assert "stage 4 of 5: make it binding: not done yet" in ctx.text()


def test_the_next_stage_is_nobodys_to_do_once_a_session_has_done_it(tmp_path: Path, session: Write) -> None:
    session(1, of_stage(1))
    assert [one.id for _, one in left_open(tmp_path, PROJECT, "staging")] == ["next-stage"]
    session(2, of_stage(2), STOPPED)
    session(3, of_stage(2), environment="production")
    left = {one.id: one.to_do for one in chosen(list_sessions(tmp_path), Wanted(), "opened")}
    assert [len(left[name]) for name in sorted(left)] == [1, 0, 1]
    session(4, of_stage(3))
    (open_one,) = left_open(tmp_path, PROJECT, "staging")
    assert open_one[1].text == "split-name, stage 4 of 5: make it binding"


def test_it_is_shown_where_the_session_is() -> None:
    first = opening(runbook=of_stage(2))
    words = "split-name, stage 2 of 5: let the application write both"
    assert f"| Series | `{words}` [#0] |" in transcript(recorded([first, GO]))
    assert f"Series: {words}\n" in ticket_summary(recorded([first, GO]))
    assert HeadlessTold().lines(first)[0].endswith(words)
    view = fold([(0, "2026-01-31T02:03:04.000000Z", first)])
    assert "split-name 2/5" in Band(r.clock).parts(view)[1]
