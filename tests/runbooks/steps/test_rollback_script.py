"""The script of a way back: read, reviewed, run, and what the ledger says of what it undid."""

from collections.abc import Callable
from pathlib import Path

import pytest

from migrations.ledger import Row
from migrations.ledger.reversing import ASIDE, GONE, STAYS, reversals
from migrations.plan import Applied
from migrations.problem import Misuse, Problem
from runbooks.journal.named import named_by
from runbooks.journal.records import Record
from runbooks.pack.verify import named_by as in_pack
from runbooks.session import events as e
from runbooks.session import gates
from runbooks.session.runbook import Option, Step
from runbooks.steps import rollback_script
from runbooks.steps.base import Doubt, Settled
from tests.runbooks.apply_session import APPLY, Session
from tests.runbooks.conftest import book_of
from tests.runbooks.steps_context import BY

FAILS = "CREATE TABLE a (id int);\nCOMMIT;\nBEGIN;\nSELECT 1 / 0;\nCOMMIT;"
READ = Step(id="read", title="Read", uses="rollback.read", effect="reads")
RUN = Step(id="run", title="Run", uses="rollback.script", effect="target")
BOOK = book_of(Option(id="undo", title="Undo", steps=(READ, RUN)))

Start = Callable[..., Session]


@pytest.fixture
def start(database: str, tmp_path: Path) -> Start:
    """A session whose scripts were begun, and that is on its way back."""

    async def start(scripts: dict[str, str]) -> Session:
        ctx = Session(database, tmp_path, scripts)
        opened = ctx.events[0]
        assert isinstance(opened, e.SessionOpened)
        ctx.events[0] = opened.model_copy(update={"runbook": BOOK})
        try:
            await ctx.run(APPLY)
        except Problem as problem:
            assert "division by zero" in str(problem)
        ctx.events.append(e.PhaseOpened(phase="rollback", option="undo"))
        return ctx

    return start  # type: ignore[return-value]


def review(ctx: Session) -> None:
    """A person reads what was brought."""
    (script,) = ctx.view.to_review
    assert [h.subject for h in gates.poll(ctx.view).holds if h.kind == "review"] == [script.migration]
    ctx.events.append(e.ScriptReviewed(migration=script.migration, sha256=script.sha256, by=BY))
    assert not [h for h in gates.poll(ctx.view).holds if h.kind == "review"]


async def undo(ctx: Session, script: str) -> None:
    """Bring a script of a way back, and have it read by a person."""
    (ctx.project.folder / "undo.sql").write_text(script)
    await ctx.run("rollback.read", id="read", file="undo.sql")
    review(ctx)


def tables(ctx: Session) -> set[str]:
    return {row[0] for row in ctx.query("SELECT relname::text FROM pg_class WHERE relname ~ '^[abc]$'")}


async def test_an_inverse_and_the_mark_are_committed_together(start: Start, tmp_path: Path) -> None:
    ctx = await start({"1_a": FAILS})
    assert (tables(ctx), ctx.rows()) == ({"a"}, [("1_a", "failed")])
    (tmp_path / "undo.sql").write_text("DROP TABLE a;")
    read = await ctx.run("rollback.read", id="read", file="undo.sql")
    assert read.proposed.findings and ctx.outcomes["runs"] == "ok" and ctx.outcomes["findings"] == "warn"
    ended = Record(9, "", ctx.events[-1], "", "")
    (named,) = named_by(ended)
    assert (named.path, named.size) == (f"scripts/{read.sha256}.sql", len("DROP TABLE a;"))
    assert in_pack("step_ended", ctx.events[-1].model_dump(mode="json")) == [(named.path, read.sha256)]
    with pytest.raises(Problem, match=r"undo\.sql is not reviewed"):
        await ctx.run("rollback.script", id="run")
    review(ctx)
    await ctx.run("rollback.script", id="run")
    assert (tables(ctx), ctx.rows()) == (set(), [("1_a", "rolled back")])
    assert "marked as rolled back" in ctx.found("ledger").evidence


async def test_a_failing_inverse_leaves_everything_as_it_was(start: Start) -> None:
    ctx = await start({"1_a": FAILS})
    await undo(ctx, "DROP TABLE a;\nSELECT 1 / 0;")
    with pytest.raises(Problem, match="division by zero"):
        await ctx.run("rollback.script", id="run")
    assert (tables(ctx), ctx.rows()) == ({"a"}, [("1_a", "failed")])
    settled = await rollback_script.reconcile(ctx, rollback_script.Params(), started())
    assert isinstance(settled, Settled) and settled.end == "stopped"


def started() -> e.StepStarted:
    return e.StepStarted(step="run", attempt=1, title="", uses="rollback.script", effect="target", why="resume")


async def test_after_a_crash_the_server_says_whether_it_was_committed(start: Start) -> None:
    """The runner died before the reply to its COMMIT was recorded."""
    ctx = await start({"1_a": FAILS})
    await undo(ctx, "DROP TABLE a;")
    await ctx.run("rollback.script", id="run")
    ctx.forget("Through")
    settled = await rollback_script.reconcile(ctx, rollback_script.Params(), started())
    assert isinstance(settled, Settled) and (settled.end, settled.outcome) == ("done", "ok"), settled
    again = await ctx.run("rollback.script", id="run")
    assert again.scripts[0].took == 0 and ctx.rows() == [("1_a", "rolled back")]


async def test_a_transaction_that_the_server_forgot_is_for_a_person(start: Start) -> None:
    ctx = await start({"1_a": FAILS})
    await undo(ctx, "DROP TABLE a;")
    await ctx.run("rollback.script", id="run")
    ctx.forget("Through")
    next(data for _, data in ctx.recorded if data["event"] == "Committing" and data["name"] == "undo.sql")["xid"] = (
        "9" * 9
    )
    assert isinstance(await rollback_script.reconcile(ctx, rollback_script.Params(), started()), Doubt)
    ctx.answers["effect"] = "all of it"
    with pytest.raises(Problem, match="not run again"):
        await ctx.run("rollback.script", id="run")


async def test_a_compensating_migration_is_applied_with_its_row(start: Start) -> None:
    ctx = await start({"1_a": "CREATE TABLE a (id int);"})
    for name, text in {"2_b": "CREATE TABLE b ();", "3_rollback_a": "DROP TABLE a;"}.items():
        (ctx.project.migrations / name).mkdir()
        (ctx.project.migrations / name / "migration.sql").write_text(text)
    ctx.answers["script"] = "3_rollback_a"
    await ctx.run("rollback.read", id="read")
    assert "2_b" in ctx.found("ledger").evidence and ctx.outcomes["ledger"] == "warn"
    review(ctx)
    await ctx.run("rollback.script", id="run")
    assert (tables(ctx), ctx.rows()) == (set(), [("1_a", "applied"), ("3_rollback_a", "applied")])
    ctx.answers.clear()  # it is not asked for again at the GO
    assert (await ctx.run("rollback.read", id="read")).name == "3_rollback_a"
    assert ctx.found("ledger").evidence == "this way back has applied it"


async def test_what_an_inverse_of_an_applied_migration_leaves_in_the_ledger(start: Start) -> None:
    ctx = await start({"1_a": "CREATE TABLE a (id int);"})
    await undo(ctx, "DROP TABLE a;")
    await ctx.run("rollback.script", id="run", reverses=["1_a", "0_gone"])
    assert (tables(ctx), ctx.rows()) == (set(), [("1_a", "applied")])
    assert "P3012" in ctx.found("ledger").evidence and "P3011" in ctx.found("ledger").evidence


async def test_what_cannot_be_read_or_run(start: Start, tmp_path: Path) -> None:
    ctx = await start({"1_a": "CREATE TABLE a (id int);"})
    for wrong in ({"file": "none.sql"}, {"migration": "9_none"}, {"migration": "1_a"}):
        with pytest.raises(Misuse):
            await ctx.run("rollback.read", id="read", **wrong)
    (tmp_path / "slow.sql").write_text("CREATE INDEX CONCURRENTLY i ON a (id);\nSELECT 1;")
    await ctx.run("rollback.read", id="read", file="slow.sql")
    assert ctx.outcomes["runs"] == "fail"
    review(ctx)
    with pytest.raises(Problem, match="cannot run in one transaction"):
        await ctx.run("rollback.script", id="run")


def row(id: str, name: str, *, failed: bool = False, aside: bool = False) -> Row:
    done = None if failed or aside else "2026-01-01T00:00:00Z"
    return Row(
        id,
        0,
        Applied(name=name, checksum="", failed=failed, rolled_back=aside, started_at="", finished_at=done, logs=""),
    )


def test_only_what_prisma_would_mark_is_marked() -> None:
    rows = [row("1", "a", failed=True), row("2", "a", aside=True), row("3", "b"), row("4", "c", aside=True)]
    found = reversals(rows, ["a", "b", "c", "d"])
    assert [one.rows for one in found] == [("1",), (), (), ()]
    assert [one.words for one in found[1:]] == [STAYS, ASIDE, GONE]
    assert reversals(None, ["a"])[0].words == GONE
