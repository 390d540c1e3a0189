"""`target.inspect` and `activity.inspect`, on a real server."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from migrations.server import ThrowawayServer
from tests.runbooks.steps_context import StepContext


@asynccontextmanager
async def connect(url: str, name: str = "") -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    connection = await psycopg.AsyncConnection.connect(url, autocommit=True, application_name=name)
    try:
        yield connection
    finally:
        await connection.close()


@pytest.fixture
def clerk(server: ThrowawayServer, database: str) -> Iterator[str]:
    """The URL of the test's database for a role that may do little."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE ROLE clerk LOGIN PASSWORD 'x'")
        yield server.url(connection.info.dbname, "clerk", "x")
        connection.execute("DROP OWNED BY clerk CASCADE; DROP ROLE clerk")


async def test_a_fit_target(database: str, tmp_path: Path) -> None:
    ctx = StepContext(database, tmp_path)
    result = await ctx.run("target.inspect")
    assert set(ctx.outcomes) == {
        "url", "pooling", "server-version", "recovery", "role", "may-create", "may-alter", "standbys", "prepared",
    }  # fmt: skip
    assert ctx.outcome == "ok"
    assert (result.pooling, result.superuser, result.prepared_transactions) == ("direct", True, 0)
    assert ctx.found("standbys").evidence == "none is connected"


async def test_a_role_that_may_not_do_it(database: str, clerk: str, tmp_path: Path) -> None:
    async with connect(database) as conn:
        await conn.execute("CREATE TABLE orders (id int)")
        await conn.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    ctx = StepContext(clerk, tmp_path)
    await ctx.run("target.inspect")
    assert ctx.outcomes["may-alter"] == "ok"
    ctx.plan("ALTER TABLE orders ADD x int")
    await ctx.run("target.inspect")
    assert (ctx.outcomes["may-create"], ctx.outcomes["may-alter"]) == ("fail", "warn")
    assert "public.orders" in ctx.found("may-alter").evidence
    assert "GRANT CREATE ON SCHEMA public TO clerk" in ctx.found("may-create").advice
    assert ":x@" not in str(ctx.checks)


async def test_a_schema_that_is_still_to_be_made(database: str, clerk: str, tmp_path: Path) -> None:
    ctx = StepContext(f"{database}&schema=shop", tmp_path)
    await ctx.run("target.inspect")
    assert ctx.found("may-create").evidence == "postgres may create the schema shop, which is not there yet"
    assert ctx.outcome == "ok"
    ctx = StepContext(f"{clerk}&schema=shop", tmp_path)
    await ctx.run("target.inspect")
    assert ctx.outcomes["may-create"] == "fail"


@pytest.mark.soak
async def test_a_standby_is_no_target_and_a_prepared_transaction_is_named(
    server: ThrowawayServer, tmp_path: Path
) -> None:
    folder = tmp_path / "server"
    settings = {"max_prepared_transactions": "2", "fsync": "off"}
    own = await ThrowawayServer.start(folder, bin=server.bin, settings=settings)
    try:
        async with connect(own.url()) as conn:
            await conn.execute("CREATE TABLE t (x int)")
            await conn.execute("BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION 'left behind'")
        ctx = StepContext(own.url(), tmp_path)
        await ctx.run("target.inspect")
        assert ctx.outcomes["prepared"] == "warn" and ctx.outcomes["recovery"] == "ok"
        assert "ROLLBACK PREPARED 'left behind';" in ctx.found("prepared").advice
        await ctx.run("activity.inspect")
        assert ctx.outcome == "ok"
        await own.stop()
        data = next(folder.rglob("PG_VERSION")).parent
        signal = data / "standby.signal"
        signal.touch()
        own = await ThrowawayServer.start(folder, bin=server.bin, settings=settings)
        ctx = StepContext(own.url(), tmp_path)
        await ctx.run("target.inspect")
        assert ctx.outcomes["recovery"] == "fail"
    finally:
        await own.stop()


async def test_nobody_else_at_work(database: str, tmp_path: Path) -> None:
    ctx = StepContext(database, tmp_path)
    async with connect(database, ctx.application_name) as mine:
        await mine.execute("CREATE TABLE t (x int)")
        await mine.execute("BEGIN; LOCK TABLE t IN SHARE MODE")
        await ctx.run("activity.inspect", older_than="0s", holding="0s")
    assert ctx.outcomes == {"sight": "ok", "long-transactions": "ok", "dumps": "ok", "blockers": "ok"}
    assert ctx.text() == ""


async def test_long_transactions_dumps_and_lock_holders(database: str, tmp_path: Path) -> None:
    ctx = StepContext(database, tmp_path)
    async with connect(database, "web") as web, connect(database, "pg_dump"):
        await web.execute("CREATE TABLE orders (id int)")
        await web.execute("BEGIN; SELECT * FROM orders WHERE id = 4711")
        result = await ctx.run("activity.inspect", older_than="0s", holding="0s")
        assert ctx.outcomes == {"sight": "ok", "long-transactions": "warn", "dumps": "fail", "blockers": "warn"}
        assert (result.long_transactions, result.dumps, result.blockers) == (1, 1, 1)
        assert f"WHERE pid = {web.info.backend_pid} AND backend_start = '20" in ctx.found("blockers").advice
        assert "web" in ctx.text() and "to end it: SELECT pg_terminate_backend(pid)" in ctx.text()
        assert "4711" not in ctx.text() + str(ctx.checks)
        ctx.plan("ALTER TABLE elsewhere ADD x int; CREATE TABLE notes (id int, o int REFERENCES orders)")
        await ctx.run("activity.inspect", older_than="1h", holding="0s")
        assert (ctx.outcomes["blockers"], ctx.outcomes["long-transactions"]) == ("fail", "ok")


async def test_who_holds_up_others_is_in_the_way(database: str, tmp_path: Path) -> None:
    ctx = StepContext(database, tmp_path)
    async with connect(database, "web") as web, connect(database) as ddl:
        await web.execute("CREATE TABLE orders (id int)")
        await web.execute("BEGIN; SELECT * FROM orders")
        waits = asyncio.ensure_future(ddl.execute("ALTER TABLE orders ADD x int"))
        async with asyncio.timeout(10):
            while (await ctx.run("activity.inspect")).lock_waiters == 0:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert ctx.outcomes["blockers"] == "fail"
        assert f"holds up pid {ddl.info.backend_pid}" in ctx.found("blockers").evidence
        assert f"pid {ddl.info.backend_pid} waits for AccessExclusiveLock on public.orders" in ctx.text()
        waits.cancel()
        await asyncio.gather(waits, return_exceptions=True)


async def test_what_the_role_may_not_see_is_never_green(database: str, clerk: str, tmp_path: Path) -> None:
    ctx = StepContext(clerk, tmp_path)
    async with connect(database, "web") as web:
        await web.execute("BEGIN; SELECT txid_current()")
        result = await ctx.run("activity.inspect", older_than="0s", holding="0s")
    assert ctx.outcomes["sight"] == "warn" and result.hidden == 2  # the fixture has one, too
    check = ctx.found("sight")
    assert "GRANT pg_read_all_stats TO clerk;" in check.advice and "its snapshot is 1 transaction old" in check.evidence
    assert "to end it" not in ctx.text()
