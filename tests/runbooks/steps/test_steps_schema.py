"""`schema.record`, `schema.compare` and `rows.compare`, around a migration on a real server."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from migrations.problem import Misuse, Problem
from runbooks.session import events as e
from runbooks.session.runbook import PHASES, Phase, Runbook, Step
from tests.runbooks.steps_context import StepContext

BEFORE = """
CREATE TABLE orders (id int PRIMARY KEY, legacy_code text); INSERT INTO orders SELECT generate_series(1, 10);
CREATE TABLE coupons (id int); INSERT INTO coupons VALUES (1);
CREATE TABLE visits (id int); INSERT INTO visits VALUES (1), (2);
"""
SCRIPTS = [
    "CREATE TABLE loyalty (id int PRIMARY KEY, order_id int REFERENCES orders); ALTER TABLE orders ADD note text;",
    "ALTER TABLE orders DROP COLUMN legacy_code; DROP TABLE coupons;",
]


@asynccontextmanager
async def connect(url: str) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    connection = await psycopg.AsyncConnection.connect(url, autocommit=True)
    try:
        yield connection
    finally:
        await connection.close()


def book() -> Runbook:
    """Records in Preflight, applies, compares."""
    record = Step(id="before", title="Record", uses="schema.record", effect="reads")
    apply = Step(id="apply", title="Apply", uses="migrations.apply", effect="target")
    steps = {"preflight": (record,), "migrate": (apply,)}
    return Runbook(name="r", phases=tuple(Phase(name=n, title=n.capitalize(), steps=steps.get(n, ())) for n in PHASES))


def applying(ctx: StepContext) -> None:
    """The scripts are being applied from here on."""
    ctx.events.append(
        e.StepStarted(step="apply", attempt=1, title="A", uses="migrations.apply", effect="target", why="start")
    )


@pytest.fixture
async def ctx(database: str, tmp_path: Path) -> StepContext:
    """A session that has recorded, and applied its two scripts."""
    ctx = StepContext(database, tmp_path, runbook=book())
    ctx.plan(*SCRIPTS)
    async with connect(database) as conn:
        await conn.execute(BEFORE)
        result = await ctx.run("schema.record", "before")
        assert result.rows == {"public.coupons": 1, "public.orders": 10, "public.visits": 2}
        applying(ctx)
        for script in SCRIPTS:
            await conn.execute(script.encode())
    return ctx


async def test_the_difference_is_shown_and_kept(ctx: StepContext) -> None:
    result = await ctx.run("schema.compare", **{"from": "before"})
    lines = ctx.text().splitlines()
    assert lines[0] == "- table coupons"
    assert {"+ table loyalty", "- column orders.legacy_code text", "+ column orders.note text"} <= set(lines)
    assert (ctx.folder / result.artefact).read_text() == ctx.text()
    assert ctx.kept[-1].path == result.artefact
    assert ctx.outcomes == {"difference": "ok", "created": "ok"}
    assert ctx.found("created").evidence == "1 table, 3 columns"


async def test_no_secret_is_kept_with_the_schema_or_its_difference(database: str, tmp_path: Path) -> None:
    ctx = StepContext(database, tmp_path, runbook=book())
    ctx.plan()
    async with connect(database) as conn:
        await conn.execute("CREATE TABLE orders (token text DEFAULT 'hunter2-hunter2')")
        recorded = await ctx.run("schema.record", "before")
        assert (await ctx.run("schema.compare", **{"from": "before"})).lines == 0
        await conn.execute("ALTER TABLE orders ADD other text DEFAULT 'hunter2-hunter2'")
    result = await ctx.run("schema.compare", **{"from": "before"})
    kept = [(ctx.folder / path).read_text() for path in (recorded.artefact, result.artefact)]
    assert "hunter2" not in "".join(kept) and "orders.token" in kept[0] and "orders.other" in kept[1]


async def test_rows_before_and_after(ctx: StepContext, database: str) -> None:
    result = await ctx.run("rows.compare")
    assert ctx.outcomes == {"lost": "ok", "dropped": "ok"}
    assert result.before == {"public.coupons": 1, "public.orders": 10, "public.visits": 2}
    assert result.after == {"public.loyalty": 0, "public.orders": 10, "public.visits": 2}
    async with connect(database) as conn:
        await conn.execute("DELETE FROM visits WHERE id = 1; DELETE FROM orders WHERE id = 1")
    result = await ctx.run("rows.compare", may_shrink=("visits",))
    assert ctx.outcomes["lost"] == "fail" and result.lost == ("public.orders",)
    assert ctx.found("lost").evidence.startswith("orders: 1 fewer, and no script deletes from it; nobody deleted")
    assert "visits    2 → 1  1 fewer; the runbook says that it may shrink" in ctx.text().splitlines()


async def test_what_is_missing(ctx: StepContext, database: str) -> None:
    async with connect(database) as conn:
        await conn.execute("ALTER TABLE orders DROP COLUMN note")
    result = await ctx.run("schema.compare")
    assert result.missing == ("orders.note",)
    assert ctx.outcomes["created"] == "fail"


async def test_the_record_is_of_before_however_often_it_runs(ctx: StepContext) -> None:
    again = await ctx.run("schema.record", "before")
    assert again.rows == {"public.coupons": 1, "public.orders": 10, "public.visits": 2}
    assert "not read again" in ctx.found("recorded").evidence
    assert len(ctx.kept) == 1
    await ctx.run("rows.compare")
    assert ctx.outcome == "ok"
    assert json.loads((ctx.folder / again.artefact).read_text())["rows"]["public.orders"]["exact"] is True


async def test_nothing_recorded_before(database: str, tmp_path: Path) -> None:
    ctx = StepContext(database, tmp_path, runbook=book())
    ctx.plan(*SCRIPTS)
    with pytest.raises(Problem, match="before has recorded nothing"):
        await ctx.run("rows.compare")
    applying(ctx)
    with pytest.raises(Problem, match="recorded here before the target was changed"):
        await ctx.run("schema.record", "before")
    with pytest.raises(Misuse, match="No step of this runbook uses"):
        await StepContext(database, tmp_path).run("schema.compare")


async def test_a_session_folder_that_was_changed(ctx: StepContext) -> None:
    for script in (ctx.folder / "scripts").iterdir():
        script.unlink()
    with pytest.raises(Problem, match="cannot be read"):
        await ctx.run("schema.compare")
    (ctx.folder / ctx.kept[0].path).write_text("{}")
    with pytest.raises(Problem, match="What before recorded cannot be read"):
        await ctx.run("schema.compare")


LEFT_OPEN = """
ALTER TABLE orders ADD CONSTRAINT positive CHECK (id > 0) NOT VALID;
ALTER TABLE visits ADD CONSTRAINT old CHECK (id > 0) NOT VALID;
CREATE SEQUENCE numbers MAXVALUE 10; SELECT setval('numbers', 9);
"""


async def test_what_is_left_half_done_is_told_before_and_after(database: str, tmp_path: Path) -> None:
    ctx = StepContext(database, tmp_path, runbook=book())
    ctx.plan("ALTER TABLE orders ADD CONSTRAINT later CHECK (id > 0) NOT VALID; CREATE UNIQUE INDEX ON visits (id)")
    async with connect(database) as conn:
        await conn.execute(BEFORE + "INSERT INTO visits VALUES (2);" + LEFT_OPEN.replace("positive", "before"))
        with pytest.raises(psycopg.errors.UniqueViolation):
            await conn.execute("CREATE UNIQUE INDEX CONCURRENTLY once ON visits (id)")
        await ctx.run("schema.sweep", "left")
        assert ctx.outcomes == {
            "invalid-index/public.once": "warn",
            "sequence-end/public.numbers": "warn",
            "found": "ok",
        }, "what is in the way of the scripts is a matter for the hold point, all else is told"
        assert ctx.found("found").evidence.startswith(
            "constraint not validated: orders.before, visits.old; no statistics: "
        )
        applying(ctx)
        await conn.execute("ALTER TABLE orders ADD CONSTRAINT later CHECK (id > 0) NOT VALID; DROP INDEX once")
        await conn.execute("ALTER TABLE visits ADD CONSTRAINT new CHECK (id > 0) NOT VALID")
    again = await ctx.run("schema.sweep", "left")
    assert again.found == 4 + 3 and "not read again" in ctx.found("found").evidence
    result = await ctx.run("schema.sweep", "left-after", **{"from": "left"})
    judged = {id: outcome for id, outcome in ctx.outcomes.items() if "/" in id}
    assert judged == {"not-validated/public.orders.later": "warn", "not-validated/public.visits.new": "fail"}
    assert ctx.found("not-validated/public.visits.new").advice.endswith("VALIDATE CONSTRAINT new;")
    assert (result.new, result.mended) == (("public.orders.later", "public.visits.new"), ("public.once",))
    assert ctx.found("before").evidence.endswith("not this session's doing")
    assert ctx.found("mended").evidence == "invalid index: once"


async def test_statistics_are_gathered_where_the_scripts_left_none(database: str, tmp_path: Path) -> None:
    ctx = StepContext(database, tmp_path, runbook=book())
    ctx.plan("ALTER TABLE orders ADD COLUMN tier text DEFAULT 'a'")
    async with connect(database) as conn:
        await conn.execute(BEFORE + "INSERT INTO visits VALUES (2); INSERT INTO orders (id) VALUES (-1);")
        await conn.execute("ANALYZE orders; ALTER TABLE orders ADD COLUMN tier text DEFAULT 'a'")
        applying(ctx)
        async with connect(database) as other:
            await other.execute("BEGIN; LOCK TABLE orders IN SHARE UPDATE EXCLUSIVE MODE")
            assert (await ctx.run("statistics.gather", lock_timeout="100ms")).analysed == ()
            assert ctx.outcomes == {"not/public.orders": "warn"}
            assert ctx.found("not/public.orders").evidence.endswith("canceling statement due to lock timeout")
        assert (await ctx.run("statistics.gather")).analysed == ("public.orders",), "visits is not of this session"
        assert (await ctx.run("statistics.gather")).analysed == ()
        assert ctx.outcomes == {"analysed": "ok"}
        seen = await conn.execute("SELECT count(*) FROM pg_stats WHERE tablename = 'orders' AND attname = 'tier'")
        assert await seen.fetchone() == (1,)


async def test_what_verify_sql_asks_is_asked(ctx: StepContext) -> None:
    await ctx.run("migrations.verify")
    assert ctx.found("verify").evidence == "no script of this session has a verify.sql"
    good = "SELECT count(*) = 10 FROM orders;"
    ctx.plan("SELECT 1", "SELECT 2", "SELECT 3", verify={0: good, 2: f"{good}\n\nSELECT count(*) = 9 FROM orders;"})
    result = await ctx.run("migrations.verify")
    assert (result.asked, result.failed) == (3, ("m2/verify.sql:3",))
    assert ctx.outcomes == {"m2/verify.sql:3": "fail"}
    assert ctx.found("m2/verify.sql:3").evidence == "SELECT count(*) = 9 FROM orders must be true; instead came false"
    ctx.plan("SELECT 1", verify={0: "DELETE FROM orders"})
    await ctx.run("migrations.verify")
    assert ctx.outcomes == {"m0/verify.sql": "fail"}
    ctx.plan("SELECT 1", verify={0: good})
    await ctx.run("migrations.verify")
    assert ctx.found("verify").evidence == "1 of 1 statement is true"
    for script in (ctx.folder / "scripts").iterdir():
        script.write_text("SELECT true")
    with pytest.raises(Problem, match="not what was reviewed"):
        await ctx.run("migrations.verify")
