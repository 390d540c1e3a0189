"""What became of a script when the line, the runner or the server died under it."""

import asyncio
import json
import os
import signal
import sys
import textwrap
from pathlib import Path

import psycopg
import pytest

from migrations.apply import ScriptFailed
from migrations.apply import events as e
from migrations.apply.orphans import let_go
from migrations.problem import Problem
from migrations.server import ThrowawayServer
from migrations.sql import Way
from tests.migrations.applying import Bench, until
from tests.migrations.proxy import cutting

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("pass_on", [True, False])
async def test_a_line_cut_in_the_middle_of_commit(database: str, pass_on: bool) -> None:
    async with cutting(database, b"COMMIT\0", pass_on=pass_on) as (through, _):
        bench = Bench(through)
        bench.plain = database
        with pytest.raises(ScriptFailed) as caught:
            await bench.apply({"1": "CREATE TABLE a ()", "2": "CREATE TABLE b ()"})
    assert not caught.value.known
    assert "is not known" in str(caught.value)
    (fate,) = await Bench.settle(_direct(bench, database))
    assert fate.state == ("applied" if pass_on else "nothing")
    assert await bench.rows() == [("1", "applied", 1) if pass_on else ("1", "failed", 0)]
    assert await bench.value("SELECT to_regclass('a') IS NOT NULL") is pass_on
    assert await bench.value("SELECT logs IS NULL FROM _prisma_migrations"), "nothing is claimed in the ledger"
    assert await bench.value("SELECT to_regclass('b')") is None


@pytest.mark.parametrize("pass_on", [True, False])
async def test_a_line_cut_in_the_commit_of_a_piece_is_asked_of_the_server(database: str, pass_on: bool) -> None:
    async with cutting(database, b"COMMIT\0", pass_on=pass_on) as (through, _):
        bench = Bench(through)
        bench.plain = database
        with pytest.raises(ScriptFailed):
            await bench.apply({"1": "BEGIN; CREATE TABLE a (); COMMIT; CREATE TABLE b ();"})
    (fate,) = await Bench.settle(_direct(bench, database))
    assert (fate.state, fate.through) == (("partly", 3) if pass_on else ("nothing", 0))
    assert await bench.value("SELECT to_regclass('a') IS NOT NULL") is pass_on


@pytest.mark.parametrize(
    ("way", "text", "through", "doubt"),
    [
        ("prisma-7.3", "CREATE TABLE a ();\nCREATE TABLE b ();", 0, 2),
        ("prisma-7.3", "CREATE TABLE b ();", 0, 1),
        ("prisma-7.4", "CREATE TABLE a ();\nCREATE TABLE b ();\nCREATE TABLE c ();", 1, 2),
    ],
)
@pytest.mark.parametrize("pass_on", [True, False])
async def test_a_line_cut_where_the_server_cannot_tell_leaves_a_doubt(
    database: str, way: Way, text: str, through: int, doubt: int, pass_on: bool
) -> None:
    async with cutting(database, b"CREATE TABLE b", pass_on=pass_on) as (line, _):
        bench = Bench(line)
        bench.plain = database
        with pytest.raises(ScriptFailed) as caught:
            await bench.apply({"1": text}, way)
    assert not caught.value.known and "no reply came" in str(caught.value)
    (fate,) = await Bench.settle(_direct(bench, database))
    assert (fate.state, fate.through, fate.doubt, fate.open_row) == ("unknown", through, doubt, True)
    assert await bench.value("SELECT logs IS NULL FROM _prisma_migrations"), "nothing is claimed in the ledger"


@pytest.mark.parametrize("pass_on", [True, False])
async def test_a_line_cut_in_a_concurrent_build_is_asked_of_the_catalog(database: str, pass_on: bool) -> None:
    async with cutting(database, b"CREATE INDEX CONC", pass_on=pass_on) as (through, _):
        bench = Bench(through)
        bench.plain = database
        with pytest.raises(ScriptFailed) as caught:
            await bench.apply({"1": "CREATE TABLE a (b int); CREATE INDEX CONCURRENTLY a_b ON a (b);"})
    assert (caught.value.known, caught.value.through) == (False, 1)
    (fate,) = await Bench.settle(_direct(bench, database))
    assert (fate.state, fate.through) == ("partly", 2 if pass_on else 1)


def _direct(bench: Bench, database: str) -> Bench:
    """The same records, without the proxy."""
    direct = Bench(database)
    direct.records = bench.records
    return direct


CHILD = textwrap.dedent(
    """
    import asyncio, json, sys
    sys.path.insert(0, sys.argv[1])
    from tests.migrations.applying import Bench

    async def on(event):
        if event.durable:
            print(json.dumps(bench.records[-1]), flush=True)

    bench = Bench(sys.argv[2])
    bench.on = on
    asyncio.run(bench.apply({"1": sys.argv[3]}))
    """
)


async def _killed_in(database: str, text: str, sleeping: str) -> Bench:
    """A runner of its own, killed by SIGKILL while its statement works in the server."""
    bench = Bench(database)
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CHILD, str(ROOT), database, text, stdout=asyncio.subprocess.PIPE, env=dict(os.environ)
    )
    assert child.stdout is not None
    try:
        await until(lambda: bench.value(f"SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND {sleeping}"))
    finally:
        child.send_signal(signal.SIGKILL)
        said = await child.stdout.read()
        await child.wait()
    bench.records = [json.loads(line) for line in said.splitlines()]
    return bench


async def test_kill_9_inside_a_statement_leaves_nothing_that_commits_unseen(database: str) -> None:
    text = "CREATE TABLE a (); SELECT pg_sleep(60);"
    bench = await _killed_in(database, text, "query ~ '^SELECT pg_sleep'")
    (fate,) = await bench.settle()
    assert (fate.state, fate.open_row) == ("nothing", True)
    assert await bench.backends() == 0
    assert await bench.value("SELECT to_regclass('a')") is None


async def test_kill_9_inside_a_concurrent_build(database: str) -> None:
    """The build waits for an older transaction; the runner dies; the orphan must be gone before the catalog is read."""
    await Bench(database).query("CREATE TABLE old (a int)")
    async with await psycopg.AsyncConnection.connect(database) as holder:
        await holder.execute("INSERT INTO old VALUES (1)")
        await Bench(database).query("CREATE SCHEMA app")
        bench = await _killed_in(
            f"{database}&schema=app",
            "CREATE TABLE b (); CREATE INDEX CONCURRENTLY old_a ON public.old (a);",
            "query ~ '^CREATE INDEX CONC' AND wait_event_type = 'Lock'",
        )
        (fate,) = await bench.settle()
    assert (fate.state, fate.through) == ("partly", 1)
    assert await bench.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 'public.old_a'::regclass") is False


async def test_a_commit_under_way_is_waited_for(database: str) -> None:
    bench = Bench(database)
    slow = (
        "CREATE TABLE t (a int);"
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(2); RETURN NULL; END';"
        "CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION slow();"
    )
    await bench.apply({"0": slow})
    killed = await _killed_in(database, "INSERT INTO t VALUES (1)", "query = 'COMMIT'")
    (fate,) = await killed.settle()
    assert fate.state == "applied"
    assert await bench.value("SELECT count(*) FROM t") == 1


async def test_the_server_dies_and_comes_back(tmp_path: Path, server: ThrowawayServer) -> None:
    own = await ThrowawayServer.start(tmp_path / "pg", bin=server.bin)
    try:
        bench = Bench(own.url())
        task = asyncio.ensure_future(
            bench.apply({"1": "CREATE TABLE a ()", "2": "CREATE TABLE b (); SELECT pg_sleep(60)"})
        )
        await until(lambda: bench.value("SELECT count(*) FROM pg_stat_activity WHERE query ~ '^SELECT pg_sleep'"))
        await own.stop()
        with pytest.raises(ScriptFailed) as caught:
            await task
        assert (caught.value.known, caught.value.through) == (True, 0)
        own = await ThrowawayServer.start(tmp_path / "pg", bin=server.bin)
        again = Bench(own.url())
        again.target.pin, again.records = bench.target.pin, bench.records
        assert [fate.state for fate in await again.settle()] == ["applied", "nothing"]
        fate = (await again.settle())[1]
        await again.apply({"2": "CREATE TABLE b ()"}, roll_back_rows=((fate.name, fate.row),))
        assert await again.rows() == [("1", "applied", 1), ("2", "rolled back", 0), ("2", "applied", 1)]
    finally:
        await own.stop()


async def test_a_ledger_that_somebody_changed_is_noticed(database: str) -> None:
    bench = Bench(database)
    await bench.apply({"1": "SELECT 1", "2": "SELECT 2"})
    await bench.query("DELETE FROM _prisma_migrations WHERE migration_name = '1'")
    await bench.query("UPDATE _prisma_migrations SET finished_at = NULL")
    assert [fate.state for fate in await bench.settle()] == ["changed", "changed"]


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
