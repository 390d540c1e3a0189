"""The lock-queue guard: nobody waits long behind us, and what gave way is tried again, unless that costs as much."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import psycopg
import pytest

from migrations.apply import ScriptFailed
from migrations.apply import events as e
from migrations.apply.guard import Budgets
from migrations.apply.retrying import why_not_again
from migrations.apply.sending import GaveWay, Timeouts
from migrations.sql import Way, read_script
from tests.migrations.applying import BOUND, Bench, until

PATIENT = Timeouts(lock=60_000, statement=60_000)
"""Without the guard, nobody would come through before the test gives up."""
QUICK = Budgets(queue_wait=0.4, queue_total=0, held_wait=0, retry_for=60, first_pause=0.05, longest_pause=0.2)
OURS = "SELECT count(*) FROM pg_stat_activity WHERE application_name ~ 'script$' AND wait_event_type = 'Lock'"


@asynccontextmanager
async def holding(database: str, *queries: str, name: str = "nightly") -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    """A session that is idle in a transaction, with what it did in it."""
    async with await psycopg.AsyncConnection.connect(database, application_name=name) as holder:
        for query in queries:
            await holder.execute(query.encode())
        yield holder


async def bench_with(database: str, *queries: str) -> Bench:
    """A database in which something was applied, and then these were run."""
    bench = Bench(database)
    await bench.apply({"0": "CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2);"})
    for query in queries:
        await bench.query(query)
    return bench


async def test_twenty_readers_come_through_while_the_lock_is_still_held(database: str) -> None:
    bench = await bench_with(database)
    async with AsyncExitStack() as stack:
        holder = await stack.enter_async_context(holding(database, "SELECT * FROM t"))
        connecting = (psycopg.AsyncConnection.connect(database, autocommit=True) for _ in range(20))
        readers = [await stack.enter_async_context(await one) for one in connecting]
        task = asyncio.ensure_future(
            bench.apply({"1": "ALTER TABLE t ADD COLUMN b int"}, timeouts=PATIENT, budgets=QUICK)
        )
        await until(lambda: bench.value(OURS))
        read = await asyncio.wait_for(asyncio.gather(*(reader.execute("SELECT * FROM t") for reader in readers)), BOUND)
        assert len(read) == 20 and not task.done(), "they read what the holder holds, and we still wait"
        assert holder.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS
        await holder.rollback()
        await asyncio.wait_for(task, BOUND)
    assert await bench.rows() == [("0", "applied", 1), ("1", "applied", 1)]
    retried = bench.told(e.Retried)
    assert retried and "waited behind it" in retried[0].words
    assert "nightly" in retried[0].holders[0] and "pg_terminate_backend(pid)" in retried[0].holders[0]
    assert [record["event"] for record in bench.records].count("Retried") == len(retried)
    assert max(len(running.queue.behind) for running in bench.told(e.Running)) > 1


async def test_a_role_that_sees_nothing_of_others_still_gives_way_to_them(database: str) -> None:
    bench = await bench_with(
        database, "CREATE ROLE gonogo_blind LOGIN PASSWORD 'x'", "DROP TABLE _prisma_migrations, t"
    )
    try:
        await bench.query("GRANT ALL ON SCHEMA public TO gonogo_blind")
        blind = Bench(f"postgresql://gonogo_blind:x@{database.partition('@')[2]}")
        await blind.apply({"0": "CREATE TABLE t (a int)"})
        async with holding(database, "SELECT * FROM t") as holder, holding(database, name="reader") as reader:
            script = {"1": "ALTER TABLE t ADD COLUMN b int"}
            task = asyncio.ensure_future(blind.apply(script, timeouts=PATIENT, budgets=QUICK))
            await until(lambda: bench.value(OURS))
            await asyncio.wait_for(reader.execute("SELECT * FROM t"), BOUND)
            assert not task.done()
            await reader.rollback()
            await holder.rollback()
            await asyncio.wait_for(task, BOUND)
        (holder_words, *_) = blind.told(e.Retried)[0].holders
        assert "since when is hidden" in holder_words and "pg_terminate_backend" not in holder_words
    finally:
        await bench.query("DROP OWNED BY gonogo_blind; DROP ROLE gonogo_blind")


async def test_all_waits_together_have_a_budget_too(database: str) -> None:
    bench = await bench_with(database)
    together = Budgets(queue_wait=0, queue_total=0.5, held_wait=0, first_pause=0.05)
    async with holding(database, "SELECT * FROM t") as holder, holding(database, name="reader") as reader:
        task = asyncio.ensure_future(
            bench.apply({"1": "ALTER TABLE t ADD COLUMN b int"}, timeouts=PATIENT, budgets=together)
        )
        await until(lambda: bench.value(OURS))
        await asyncio.wait_for(reader.execute("SELECT * FROM t"), BOUND)
        await reader.rollback()
        await holder.rollback()
        await asyncio.wait_for(task, BOUND)


async def test_a_lock_timeout_is_a_try_too_and_the_transaction_begins_anew(database: str) -> None:
    bench = await bench_with(database, "CREATE TABLE log (n int)")
    script = "INSERT INTO log VALUES (1); ALTER TABLE t ADD COLUMN b int; INSERT INTO log VALUES (2);"
    async with holding(database, "SELECT * FROM t") as holder:
        task = asyncio.ensure_future(bench.apply({"1": script}, timeouts=Timeouts(lock=200), budgets=QUICK))
        await until(lambda: _told(bench, e.Retried, 2))
        await holder.rollback()
        await asyncio.wait_for(task, BOUND)
    assert await bench.query("SELECT n FROM log ORDER BY n") == [(1,), (2,)]
    assert [r.attempt for r in bench.told(e.Retried)][:2] == [1, 2]
    assert await bench.rows() == [("0", "applied", 1), ("1", "applied", 1)]


@pytest.mark.parametrize("way", ["safe", "prisma-7.3"])
async def test_the_loser_of_a_deadlock_begins_anew(database: str, way: Way) -> None:
    """Whoever of the two the server picks, in the end both are through, and each once."""
    bench = await bench_with(database, "CREATE TABLE log (n int)", "CREATE TABLE u (a int)")
    script = "INSERT INTO log VALUES (1); ALTER TABLE t ADD COLUMN b int; ALTER TABLE u ADD COLUMN b int;"
    polite = Budgets(queue_wait=0, queue_total=0, held_wait=0, first_pause=0.05)
    async with holding(database, "SET deadlock_timeout = '1h'", "SELECT * FROM u") as other:
        task = asyncio.ensure_future(bench.apply({"1": script}, way, timeouts=PATIENT, budgets=polite))
        await until(lambda: bench.value(OURS))
        await asyncio.wait_for(other.execute("SELECT * FROM t"), BOUND)
        await other.rollback()
        await asyncio.wait_for(task, BOUND)
    assert ["deadlock" in retried.words for retried in bench.told(e.Retried)] == [True]
    assert await bench.query("SELECT n FROM log") == [(1,)]
    assert await bench.rows() == [("0", "applied", 1), ("1", "applied", 1)]


@pytest.mark.parametrize("way", ["safe", "prisma-7.3", "prisma-7.4"])
async def test_the_files_own_transaction_begins_anew_with_its_begin(database: str, way: Way) -> None:
    bench = await bench_with(database, "CREATE TABLE log (n int)")
    script = (
        "BEGIN; INSERT INTO log VALUES (1); COMMIT;\n"
        "BEGIN; INSERT INTO log VALUES (2); ALTER TABLE t ADD COLUMN b int; COMMIT;"
    )
    async with holding(database, "SELECT * FROM t") as holder:
        task = asyncio.ensure_future(bench.apply({"1": script}, way, timeouts=Timeouts(lock=200), budgets=QUICK))
        await until(lambda: _told(bench, e.Retried, 1))
        await holder.rollback()
        await asyncio.wait_for(task, BOUND)
    assert await bench.query("SELECT n FROM log ORDER BY n") == [(1,), (2,)]


async def _told(bench: Bench, kind: type, count: int) -> bool:
    return len(bench.told(kind)) >= count


async def test_when_the_budget_is_used_up_the_holder_is_named_and_nothing_is_left(database: str) -> None:
    bench = await bench_with(database)
    budgets = Budgets(retry_for=1.0, first_pause=0.05, longest_pause=0.1)
    async with holding(database, "SELECT * FROM t") as holder:
        with pytest.raises(ScriptFailed) as caught:
            await bench.apply({"1": "ALTER TABLE t ADD COLUMN b int"}, timeouts=Timeouts(lock=200), budgets=budgets)
        advice = caught.value.advice
        assert (caught.value.code, caught.value.known, caught.value.through) == ("55P03", True, 0)
        assert f"pid {holder.info.backend_pid}" in advice and "(nightly)" in advice and "idle in transaction" in advice
        _, _, end = advice.partition("to end it: ")
        assert await bench.query(end.partition(";")[0]) == [(True,)], "what is advised, ends it"
        await until(lambda: _gone(bench, holder))
        await holder.close()
    (gave_up,) = bench.told(e.GaveUp)
    assert gave_up.timed_out and "used up" in gave_up.why
    assert bench.told(e.Retried)
    assert await bench.rows() == [("0", "applied", 1), ("1", "failed", 0)]
    assert await bench.value("SELECT count(*) FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'b'") == 0


async def _gone(bench: Bench, holder: psycopg.AsyncConnection[Any]) -> bool:
    pid = holder.info.backend_pid
    return not await bench.value(f"SELECT count(*) FROM pg_stat_activity WHERE pid = {pid}")


SLOW = "CREATE FUNCTION slow(int) RETURNS int LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(30); RETURN $1; END'"


async def test_at_work_under_its_lock_it_gives_way_and_is_not_tried_again(database: str) -> None:
    bench = await bench_with(database, SLOW)
    budgets = Budgets(held_wait=0.5, queue_wait=0.1, first_pause=0.05)
    text = "ALTER TABLE t ALTER COLUMN a TYPE int USING slow(a)"
    task = asyncio.ensure_future(bench.apply({"1": text}, timeouts=PATIENT, budgets=budgets))
    held = "SELECT count(*) FROM pg_locks WHERE granted AND mode = 'AccessExclusiveLock' AND relation = 't'::regclass"
    await until(lambda: bench.value(held))
    async with holding(database, name="reader") as reader:
        await asyncio.wait_for(reader.execute("SELECT * FROM t"), BOUND)
    with pytest.raises(ScriptFailed) as caught:
        await asyncio.wait_for(task, BOUND)
    assert "to give way: a session waited behind it" in str(caught.value)
    assert "would keep them waiting as long again" in caught.value.advice
    assert not bench.told(e.Retried)
    assert await bench.rows() == [("0", "applied", 1), ("1", "failed", 0)]


@pytest.mark.parametrize(
    "script",
    ["DO $$ BEGIN COMMIT; ALTER TABLE t ADD COLUMN b int; END $$", "SELECT 1; UPDATE t SET a = 3;"],
)
async def test_outside_a_transaction_nothing_is_tried_again(database: str, script: str) -> None:
    bench = await bench_with(database)
    async with holding(database, "LOCK TABLE t"):
        with pytest.raises(ScriptFailed) as caught:
            await bench.apply({"1": script}, "prisma-7.4", timeouts=Timeouts(lock=300), budgets=QUICK)
    assert caught.value.code == "55P03" and "nightly" in caught.value.advice
    assert not bench.told(e.Retried) and bench.told(e.GaveUp)


async def test_what_had_worked_for_long_is_not_done_again(database: str) -> None:
    bench = await bench_with(database, "CREATE TABLE u (a int)")
    async with holding(database, "LOCK TABLE t"):
        with pytest.raises(ScriptFailed) as caught:
            script = "ALTER TABLE u ADD COLUMN b int; SELECT pg_sleep(1.1); ALTER TABLE t ADD COLUMN b int"
            await bench.apply({"1": script}, timeouts=Timeouts(lock=300), budgets=QUICK)
    assert "had worked for" in caught.value.advice and "nightly" in caught.value.advice
    assert not bench.told(e.Retried)


SLOWLY = "SET vacuum_cost_delay = 100; SET vacuum_cost_limit = 1; "
FILLED = "CREATE TABLE filled AS SELECT g, repeat('x', 500) FROM generate_series(1, 80) g"
BARS = {
    "build": ("SELECT 1", "CREATE INDEX ON t (slow(a))", "building index", "blocks"),
    "vacuum": (FILLED, f"{SLOWLY} VACUUM filled", "scanning heap", "blocks"),
    "analyze": (FILLED, f"{SLOWLY} ANALYZE filled", "acquiring sample rows", "blocks"),
    "rewrite": ("CREATE INDEX ON t (slow(a))", "VACUUM FULL t", "rebuilding index", "blocks"),
    "copy": ("SELECT 1", "COPY t FROM PROGRAM 'echo 1; echo 2; sleep 1.5'", "copying", "rows"),
}


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=() if kind in ("build", "copy") else pytest.mark.soak) for kind in BARS]
)
async def test_the_servers_own_progress_makes_a_bar(database: str, kind: str) -> None:
    setup, script, label, unit = BARS[kind]
    slow = SLOW.replace("(30)", "(0.7)").replace("RETURNS int", "RETURNS int IMMUTABLE")
    bench = await bench_with(database, slow, setup)
    await bench.apply({"1": script})
    bars = [running.progress for running in bench.told(e.Running) if running.progress.unit]
    assert any(label in bar.label and bar.unit == unit and (bar.total or unit == "rows") for bar in bars), bars
    assert all(bar.done <= bar.total for bar in bars if bar.total)


async def test_a_cancel_ends_the_pause_at_once(database: str) -> None:
    bench = await bench_with(database)
    async with holding(database, "LOCK TABLE t"):
        budgets = Budgets(first_pause=3600, longest_pause=3600, retry_for=36_000)
        script = {"1": "ALTER TABLE t ADD COLUMN b int"}
        task = asyncio.ensure_future(bench.apply(script, timeouts=Timeouts(lock=200), budgets=budgets))
        await until(lambda: _told(bench, e.Retried, 1))
        idle = "SELECT count(*) FROM pg_stat_activity WHERE application_name ~ 'script$' AND state = 'idle'"
        assert await bench.value(idle) == 1, "no transaction is open in a pause"
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, BOUND)
    (broken,) = bench.told(e.ScriptBroken)
    assert (broken.cancelled, broken.known, broken.through) == (True, True, 0)


COSTS: list[tuple[str, list[float], str]] = [
    ("ALTER TABLE t ADD COLUMN a int; ALTER TABLE u ADD COLUMN a int", [0.15, 0.0], ""),
    ("ALTER TABLE t ALTER a TYPE bigint; ALTER TABLE u ADD COLUMN a int", [0.2, 0.0], "statement 1 went through"),
    ("ALTER TABLE t ALTER a TYPE bigint; ALTER TABLE u ADD COLUMN a int", [0.01, 0.2], ""),
    ("ALTER TABLE t ADD COLUMN a int; ALTER TABLE t ALTER b SET NOT NULL", [0.0, 0.3], "statement 2 went through"),
    ("CREATE TABLE n (a int); ALTER TABLE n ALTER a TYPE bigint", [2.0, 2.0], ""),
    ("CREATE TABLE n (a int); INSERT INTO n VALUES (1); ALTER TABLE t ADD COLUMN a int", [2.0, 2.0, 0.0], ""),
    ("UPDATE t SET a = 1", [0.9], ""),
    ("UPDATE t SET a = 1; CREATE TABLE n ()", [0.6, 0.9], "had worked for 1.5 s"),
    ("SELECT a FROM t; ALTER TABLE t ADD COLUMN a int", [2.0, 0.0], ""),
    ("SELECT backfill(); ALTER TABLE t ADD COLUMN a int", [2.0, 0.0], "had worked for 2.0 s"),
    ("DO $$ BEGIN NULL; END $$; ALTER TABLE t ADD COLUMN a int", [2.0, 0.0], "had worked for 2.0 s"),
]


@pytest.mark.parametrize(("text", "seconds", "words"), COSTS)
async def test_what_is_too_costly_to_be_done_again(text: str, seconds: list[float], words: str) -> None:
    work = [(range(index, index + 1), worked) for index, worked in enumerate(seconds)]
    why = await why_not_again(psycopg.errors.LockNotAvailable(), work, read_script(text).statements)
    assert words in why and bool(words) == bool(why)


async def test_what_went_out_as_one_query_is_judged_as_one() -> None:
    statements = read_script("CREATE TABLE n (); ALTER TABLE t ALTER a TYPE bigint").statements
    locked = psycopg.errors.LockNotAvailable()
    assert "went through a whole table" in await why_not_again(locked, [(range(2), 0.2)], statements)
    assert not await why_not_again(locked, [(range(2), 0.05)], statements)


async def test_a_long_script_is_judged_beside_the_event_loop() -> None:
    statements = read_script("UPDATE t SET a = 1;\n" * 2_000).statements
    judging = asyncio.ensure_future(why_not_again(psycopg.errors.LockNotAvailable(), [(range(1), 2.0)], statements))
    await asyncio.sleep(0)
    assert not judging.done(), "others have their turn meanwhile"
    assert "had worked for 2.0 s" in await judging


async def test_what_held_others_up_is_never_done_again() -> None:
    assert await why_not_again(GaveWay("x", held=True), [], ())
    assert not await why_not_again(GaveWay("x", held=False), [], ())
