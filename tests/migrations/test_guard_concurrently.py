"""What runs CONCURRENTLY, cut short while it waits: what it leaves is cleared away, and it is tried again."""

import asyncio

import psycopg
import pytest

from migrations.apply import ScriptFailed
from migrations.apply import events as e
from migrations.apply.guard import Budgets
from migrations.apply.sending import Timeouts
from tests.migrations.applying import BOUND, Bench, until
from tests.migrations.test_guard import bench_with, holding

SHORT = Timeouts(lock=60_000, concurrent=700)
QUICK = Budgets(retry_for=60, first_pause=0.05, longest_pause=0.2)
PARTITIONED = (
    "CREATE TABLE p (a int) PARTITION BY RANGE (a); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9);"
)
# What has to be there, the statement, what is true in the end, and what is said of it.
CUT_SHORT: dict[str, tuple[str, str, str, str]] = {
    "build": (
        "SELECT 1",
        "CREATE INDEX CONCURRENTLY t_a ON t (a)",
        "SELECT indisvalid FROM pg_index WHERE indexrelid = 't_a'::regclass",
        "dropped the INVALID index public.t_a",
    ),
    "rebuild an index": (
        "CREATE INDEX t_a ON t (a)",
        "REINDEX INDEX CONCURRENTLY t_a",
        "SELECT count(*) = 1 FROM pg_index WHERE indrelid = 't'::regclass AND indisvalid",
        "dropped the INVALID index public.t_a_ccnew",
    ),
    "rebuild a table": (
        "CREATE INDEX t_a ON t (a)",
        "REINDEX TABLE CONCURRENTLY t",
        "SELECT count(*) = 1 FROM pg_index WHERE indrelid = 't'::regclass AND indisvalid",
        "dropped the INVALID index public.t_a_ccnew",
    ),
    "drop": (
        "CREATE INDEX t_a ON t (a)",
        "DROP INDEX CONCURRENTLY t_a",
        "SELECT to_regclass('t_a') IS NULL",
        "",
    ),
    "detach": (
        PARTITIONED,
        "ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY",
        "SELECT count(*) = 0 FROM pg_inherits WHERE inhrelid = 'p1'::regclass",
        "public.p1 is half detached by the earlier attempt: it is completed (FINALIZE)",
    ),
}


@pytest.mark.parametrize("kind", CUT_SHORT)
async def test_what_waits_for_old_transactions_is_tried_again(database: str, kind: str) -> None:
    setup, statement, expected, said = CUT_SHORT[kind]
    bench = await bench_with(database, *setup.split(";"))
    touched = "SELECT * FROM p" if kind == "detach" else "INSERT INTO t VALUES (3)"
    async with holding(database, touched) as holder:
        task = asyncio.ensure_future(bench.apply({"1": statement}, timeouts=SHORT, budgets=QUICK))
        await until(lambda: _retried(bench, task))
        await holder.rollback()
        await asyncio.wait_for(task, BOUND)
    assert await bench.value(expected)
    assert await bench.query("SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid") == []
    assert said in "\n".join(notice.text for notice in bench.told(e.Notice))
    assert "nightly" in bench.told(e.Retried)[0].holders[0]
    assert await bench.rows() == [("0", "applied", 1), ("1", "applied", 1)]


async def _retried(bench: Bench, task: "asyncio.Task[object]") -> bool:
    assert not task.done(), task.exception()
    return len(bench.told(e.Retried)) > 1


async def test_those_behind_another_change_count_and_the_other_change_alone_does_not(database: str) -> None:
    bench = await bench_with(database)
    quick = Budgets(held_wait=0.4, retry_for=60, first_pause=0.05, longest_pause=0.2)
    async with (
        holding(database, "INSERT INTO t VALUES (3)") as holder,
        holding(database, name="other change") as other,
        holding(database, name="reader") as reader,
    ):
        script = {"1": "CREATE INDEX CONCURRENTLY t_a ON t (a)"}
        task = asyncio.ensure_future(bench.apply(script, timeouts=Timeouts(), budgets=quick))
        ours = "SELECT count(*) FROM pg_stat_activity WHERE application_name ~ 'script$' AND wait_event_type = 'Lock'"
        await until(lambda: bench.value(ours))
        change = asyncio.ensure_future(other.execute("ALTER TABLE t ADD COLUMN b int"))
        await until(lambda: _seen(bench))
        assert not bench.told(e.Retried)
        read = asyncio.ensure_future(reader.execute("SELECT * FROM t"))
        await until(lambda: _retried_once(bench))
        await holder.rollback()
        await asyncio.wait_for(change, BOUND)
        await other.rollback()
        await asyncio.wait_for(read, BOUND)
        await reader.rollback()
        await asyncio.wait_for(task, BOUND)
    assert await bench.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 't_a'::regclass")


async def _seen(bench: Bench) -> bool:
    """The other change was behind us for several looks."""
    return sum(len(running.queue.behind) == 1 for running in bench.told(e.Running)) > 6


async def _retried_once(bench: Bench) -> bool:
    return bool(bench.told(e.Retried))


@pytest.mark.parametrize(
    "script",
    [
        "REINDEX INDEX CONCURRENTLY i",
        "REINDEX TABLE CONCURRENTLY u;\nREINDEX INDEX CONCURRENTLY i",
    ],
)
async def test_what_others_began_is_not_cleared_away(database: str, script: str) -> None:
    bench = await bench_with(database, "INSERT INTO t VALUES (1)", "CREATE INDEX i ON t (a)", "CREATE TABLE u (a int)")
    with psycopg.connect(database, autocommit=True) as conn, pytest.raises(psycopg.errors.UniqueViolation):
        conn.execute("CREATE UNIQUE INDEX CONCURRENTLY t_ccnew ON t (a)")
    await bench.apply({"1": script}, budgets=QUICK)
    assert await bench.value("SELECT NOT indisvalid FROM pg_index WHERE indexrelid = 't_ccnew'::regclass")


async def test_what_did_not_break_at_a_lock_is_not_tried_again(database: str) -> None:
    bench = await bench_with(database, "INSERT INTO t VALUES (1)")
    with pytest.raises(ScriptFailed) as caught:
        await bench.apply({"1": "CREATE UNIQUE INDEX CONCURRENTLY t_a ON t (a)"}, budgets=QUICK)
    assert caught.value.code == "23505"
    assert not bench.told(e.Retried)


async def test_a_detach_cut_short_is_known_from_the_catalog(database: str) -> None:
    bench = await bench_with(database, *PARTITIONED.split(";"))
    async with holding(database, "SELECT * FROM p"):
        with pytest.raises(ScriptFailed) as caught:
            statement = "ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY"
            await bench.apply({"1": statement}, timeouts=SHORT, budgets=Budgets(retry_for=0))
        assert caught.value.known and "retry_for is 0" in caught.value.advice
        del bench.records[-2:]  # The runner was killed before it could say so.
        fates = {fate.name: fate for fate in await bench.settle()}
    assert (fates["1"].state, fates["1"].words) == ("nothing", "public.p1 is still attached")
