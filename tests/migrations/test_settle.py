"""What became of a script when the line, the runner or the server died under it."""

import asyncio

import psycopg
import pytest

from migrations.apply import ScriptFailed
from migrations.apply import events as e
from migrations.apply.orphans import let_go
from migrations.problem import Problem
from tests.matrix.killed import Runner
from tests.migrations.applying import Bench, until


async def test_a_commit_under_way_is_waited_for(database: str) -> None:
    bench = Bench(database)
    slow = (
        "CREATE TABLE t (a int);"
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(2); RETURN NULL; END';"
        "CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION slow();"
    )
    await bench.apply({"0": slow})
    runner = Runner(database, {"1": "INSERT INTO t VALUES (1)"})
    await until(
        lambda: bench.value("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query = 'COMMIT'")
    )
    runner.kill()
    assert await runner.dead()
    bench.records = [record for durable, record in runner.events if durable]
    assert [fate.state for fate in await bench.settle()] == ["applied"]
    assert await bench.value("SELECT count(*) FROM t") == 1


async def test_a_ledger_that_somebody_changed_is_noticed(database: str) -> None:
    bench = Bench(database)
    await bench.apply({"1": "SELECT 1", "2": "SELECT 2"})
    await bench.query("DELETE FROM _prisma_migrations WHERE migration_name = '1'")
    await bench.query("UPDATE _prisma_migrations SET finished_at = NULL")
    assert [fate.state for fate in await bench.settle()] == ["changed", "changed"]


async def test_a_transaction_that_the_server_has_never_seen_is_not_known(database: str) -> None:
    bench = Bench(database)
    with pytest.raises(ScriptFailed):
        await bench.apply({"1": "BEGIN; CREATE TABLE a (); COMMIT; SELECT 1/0;"})
    del bench.records[[record["event"] for record in bench.records].index("Committing") + 1 :]
    bench.records[-1]["xid"] = "999999999999"
    (fate,) = await bench.settle()
    assert (fate.state, fate.through, fate.doubt) == ("unknown", 0, 3)
    assert "no longer knows what became of transaction 999999999999" in fate.words


async def test_a_row_that_vanishes_under_a_script_takes_the_script_with_it(database: str) -> None:
    bench = Bench(database)
    with pytest.raises(ScriptFailed, match="is no longer in") as caught:
        await bench.apply({"1": "CREATE TABLE a (); DELETE FROM _prisma_migrations;"})
    assert caught.value.known
    assert await bench.rows() == [("1", "failed", 0)], "the DELETE was rolled back too"


async def test_a_record_that_cannot_be_written_stops_before_the_commit(database: str) -> None:
    bench = Bench(database)

    async def on(event: e.ApplyEvent) -> None:
        if isinstance(event, e.Committing):
            raise OSError(28, "No space left on device")

    bench.on = on
    with pytest.raises(OSError, match="No space"):
        await bench.apply({"1": "CREATE TABLE a ()"})
    assert await bench.backends() == 0
    assert await bench.value("SELECT to_regclass('a')") is None
    bench.on = None
    (fate,) = await bench.settle()
    assert fate.state == "nothing"


async def test_a_deferred_constraint_fails_in_commit_and_that_is_known(database: str) -> None:
    bench = Bench(database)
    text = (
        "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p int REFERENCES p DEFERRABLE INITIALLY DEFERRED);"
        "INSERT INTO c VALUES (1);"
    )
    with pytest.raises(ScriptFailed) as caught:
        await bench.apply({"1": text})
    assert (caught.value.code, caught.value.known, caught.value.through) == ("23503", True, 0)
    (fate,) = await bench.settle()
    assert fate.state == "nothing"


async def test_a_backend_that_will_not_go_is_named(database: str) -> None:
    bench = Bench(database)
    await bench.query("CREATE TABLE t (a int)")
    conn = await bench.target.open("ledger", application_name="gonogo test")
    async with await psycopg.AsyncConnection.connect(database, application_name="gonogo x script") as orphan:
        task = asyncio.ensure_future(orphan.execute("/* not a commit */ SELECT pg_sleep(60)"))
        await until(lambda: bench.value("SELECT count(*) FROM pg_stat_activity WHERE query ~ 'not a commit'"))
        await conn.execute("SET ROLE pg_monitor")
        with pytest.raises(Problem, match=f"pid {orphan.info.backend_pid}.*still works in the server"):
            await let_go(conn, "gonogo x script", [], patience=0.3)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await conn.close()
