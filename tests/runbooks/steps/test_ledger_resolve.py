"""`ledger.resolve` as a step: it writes what was seen, or nothing, and says after a crash which of the two."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from migrations import ledger
from migrations.doctor.reading import read_facts
from migrations.doctor.wish import seen
from migrations.problem import Problem
from runbooks.history.earlier import known_before
from runbooks.session import events as e
from runbooks.steps import catalogue
from runbooks.steps.base import Doubt, Settled
from tests.runbooks.steps.test_steps_migrations import Session

RESOLVE = "ledger.resolve"
SCRIPTS = {"1": "CREATE TABLE a ()", "2": "CREATE TABLE b ()"}


class Resolving(Session):
    """A session on a database where script 1 was applied, and script 2 begun."""

    def __init__(self, url: str, folder: Path) -> None:
        super().__init__(url, folder, SCRIPTS)
        self.query(ledger.TABLE.format(ledger.NAME))
        self.query("CREATE TABLE a ()")
        sums = {script.migration: script.sha256 for script in self.view.plan.scripts} if self.view.plan else {}
        self.query(
            "INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at) "
            f"VALUES ('x', '{sums['1']}', '1', now()), ('y', '{sums['2']}', '2', NULL)"
        )

    async def seen(self) -> str:
        async with self.connect("read") as conn:
            return seen(await read_facts(conn, self.project.migrations))

    async def settled(self, **params: Any) -> Settled | Doubt | None:
        kind = catalogue()[RESOLVE]
        assert kind.reconcile is not None
        start = e.StepStarted(step="r", attempt=1, title="", uses=RESOLVE, effect="target", why="resume")
        return await kind.reconcile(self, kind.params.model_validate(params), start)


@pytest.fixture
def ctx(database: str, tmp_path: Path) -> Resolving:
    return Resolving(database, tmp_path)


@pytest.mark.parametrize("change", ["row", "script"])
async def test_what_was_changed_after_it_was_seen_is_not_written_over(ctx: Resolving, change: str) -> None:
    before = await ctx.seen()
    if change == "row":
        ctx.query("UPDATE _prisma_migrations SET logs = 'other' WHERE id = 'y'")
    else:
        (ctx.project.migrations / "2" / "migration.sql").write_text("SELECT 1")
    with pytest.raises(Problem, match="not as it was when this was decided"):
        await ctx.run(RESOLVE, rolled_back="2", seen=before)
    assert ctx.rows() == [("1", "applied"), ("2", "failed")]
    await ctx.run(RESOLVE, rolled_back="2", seen=await ctx.seen())
    assert ctx.rows() == [("1", "applied"), ("2", "rolled back")]


async def test_what_the_catalog_says_is_refused_or_passed_over_knowingly(ctx: Resolving) -> None:
    with pytest.raises(Problem, match="Do the rest first"):
        await ctx.run(RESOLVE, applied=["2"], anyway=False)
    assert ctx.rows() == [("1", "applied"), ("2", "failed")]
    result = await ctx.run(RESOLVE, applied=["2"])
    assert (result.marked, result.applied, ctx.found("effects").outcome) == (1, ("2",), "warn")
    assert [name for name, _, _ in result.reading] == ["1", "2"]


async def test_after_a_crash_the_ledger_says_whether_it_was_written(ctx: Resolving) -> None:
    wishes: tuple[Mapping[str, Any], ...] = ({"rolled_back": "2"}, {"applied": ["2"]}, {"baseline": "2"})
    assert [await ctx.settled(**wish) for wish in wishes[:2]] == [
        Settled("stopped", "unknown", "nothing was written. Start the step again")
    ] * 2
    assert isinstance(await ctx.settled(baseline="2"), Doubt), "one of them has failed: a person decides"
    await ctx.run(RESOLVE, applied=["2"])
    assert [await ctx.settled(**wish) for wish in wishes[1:]] == [Settled("done", "ok", "the ledger says so")] * 2


@pytest.mark.parametrize("anew", ["SELECT 1", "UPDATE _prisma_migrations SET rolled_back_at = now()"])
async def test_what_somebody_else_wrote_is_not_taken_for_all_of_it(ctx: Resolving, anew: str) -> None:
    ctx.query(anew)
    doubt = await ctx.settled(applied=["1", "2"])
    assert isinstance(doubt, Doubt) and "gonogo status" in doubt.look, "a person decides, and is told where to look"
    ctx.query("UPDATE _prisma_migrations SET finished_at = now(), rolled_back_at = NULL")
    assert await ctx.settled(applied=["1", "2"]) == Settled("done", "ok", "the ledger says so")


async def test_a_person_says_why_before_the_lock_is_taken(ctx: Resolving) -> None:
    ctx.answers["reason"] = "it was done by hand"
    await ctx.run(RESOLVE, rolled_back="2", ask=True)
    assert len(ctx.asked) == 1 and ctx.rows()[1] == ("2", "rolled back")


async def test_each_mark_is_in_the_register(ctx: Resolving) -> None:
    ctx.environment = replace(ctx.environment, register=True)
    await ctx.run(RESOLVE, applied=["2"])
    lines = ctx.query("SELECT migration, event FROM gonogo.register ORDER BY id")
    assert lines == [("2", "marked as rolled back"), ("2", "marked as applied")]


async def test_what_the_ledger_says_is_said_where_the_register_cannot_be_written(ctx: Resolving) -> None:
    ctx.environment = replace(ctx.environment, register=True)
    ctx.query("CREATE SCHEMA gonogo; CREATE TABLE gonogo.register (id int)")
    result = await ctx.run(RESOLVE, applied=["2"])
    assert (result.applied, ctx.found("marked").outcome) == (("2",), "ok")
    assert ctx.found("register").outcome == "warn" and "gonogo.register" in ctx.found("register").evidence


def test_sessions_that_cannot_be_read_know_nothing(tmp_path: Path) -> None:
    for name in ("20260101T000000Z-here-aaaa", "20260102T000000Z-here-bbbb"):
        (tmp_path / name).mkdir(mode=0o700)
    (tmp_path / "20260101T000000Z-here-aaaa" / "journal.jsonl").write_bytes(b"\xff{}\n")
    known = known_before(tmp_path, "here", "1/shop", ("x",))
    assert (known.reading, known.open) == ((), {})
