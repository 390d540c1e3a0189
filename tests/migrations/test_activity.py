"""Who else is at work, on a real server."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from migrations import activity
from migrations.activity import Activity
from migrations.apply import lock_queue
from migrations.apply.guard import Behind
from migrations.apply.queue_tree import tree
from migrations.process import run
from migrations.server import ThrowawayServer

NOW = timedelta(0)
Connection = psycopg.AsyncConnection[Any]


@asynccontextmanager
async def connect(url: str, name: str = "") -> AsyncIterator[Connection]:
    connection = await psycopg.AsyncConnection.connect(url, autocommit=True, application_name=name)
    try:
        yield connection
    finally:
        await connection.close()


async def until(conn: Connection, holds: Callable[[Activity], bool], **how: Any) -> Activity:
    """Look until it holds, ten seconds at most."""
    async with asyncio.timeout(10):
        while not holds(found := await activity.look(conn, **how)):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    return found


@asynccontextmanager
async def waiting(work: Awaitable[Any]) -> AsyncIterator[None]:
    task = asyncio.ensure_future(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_blocker_and_what_would_end_it(database: str) -> None:
    async with connect(database) as me, connect(database, "web") as web, connect(database) as ddl:
        await me.execute("CREATE TABLE orders (id integer)")
        await web.execute("BEGIN; SELECT * FROM orders")
        async with waiting(ddl.execute("ALTER TABLE orders ADD note text")):
            found = await until(me, lambda a: bool(a.lock_waiters))
            blocker = found.blockers[0]
            assert blocker.session.pid == web.info.backend_pid
            assert blocker.blocks == (ddl.info.backend_pid,)
            assert blocker.tables == ("public.orders",)
            assert (blocker.session.application, blocker.session.state) == ("web", "idle in transaction")
            assert "idle in transaction (BEGIN) in a transaction since 20" in blocker.session.words
            waiter = found.lock_waiters[0]
            assert (waiter.on, waiter.mode, waiter.blocked_by) == (
                "public.orders",
                "AccessExclusiveLock",
                (web.info.backend_pid,),
            )
            end = blocker.session.sql_to_end
            assert await (await me.execute(end.replace("start = '20", "start = '19").encode())).fetchall() == []
            assert await (await me.execute(end.encode())).fetchall() == [(True,)]
            await until(me, lambda a: not a.lock_waiters)
        assert web.info.backend_pid not in [b.session.pid for b in (await activity.look(me, holding=NOW)).blockers]


async def test_a_lock_holder_counts_only_when_it_holds_for_long(database: str) -> None:
    async with connect(database) as me, connect(database) as web:
        await me.execute("CREATE TABLE orders (id integer)")
        await web.execute("BEGIN; SELECT * FROM orders")
        assert (await activity.look(me)).blockers == ()
        (blocker,) = (await activity.look(me, holding=NOW)).blockers
        assert (blocker.session.pid, blocker.blocks) == (web.info.backend_pid, ())


async def test_long_transactions_and_dumps(database: str) -> None:
    async with (
        connect(database) as me,
        connect(database, "web") as web,
        connect(database, "pg_dump") as dump,
    ):
        await web.execute("BEGIN; SELECT 1")
        await dump.execute("SELECT 1")
        assert (await activity.look(me)).long_transactions == ()
        found = await activity.look(me, older_than=NOW)
        assert [s.pid for s in found.long_transactions] == [web.info.backend_pid]
        assert [s.pid for s in found.dumps] == [dump.info.backend_pid]
        assert found.reads_all and found.hidden == () and found.advice_to_see == ""


@pytest.fixture
def often(admin: psycopg.Connection[Any]) -> Iterator[None]:
    """Autovacuum looks each second."""
    admin.execute("ALTER SYSTEM SET autovacuum_naptime = '1s'")
    admin.execute("SELECT pg_reload_conf()")
    yield
    admin.execute("ALTER SYSTEM RESET autovacuum_naptime")
    admin.execute("SELECT pg_reload_conf()")


async def test_an_autovacuum_that_gives_way_is_not_in_the_way(database: str, often: None) -> None:
    slow = "autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1"
    eager = "autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0"
    async with connect(database) as me:
        await me.execute(f"CREATE TABLE t WITH ({slow}, {eager}) AS SELECT generate_series(1, 50000) AS x".encode())
        await me.execute("DELETE FROM t WHERE x % 2 = 0")
        async with asyncio.timeout(30):
            while not await (await me.execute("SELECT 1 FROM pg_stat_progress_vacuum")).fetchone():  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        found = await activity.look(me, older_than=NOW, holding=NOW)
        assert (found.long_transactions, found.blockers) == ((), ())
        await me.execute("SET lock_timeout = '20s'; DROP TABLE t")


async def test_our_own_session_is_left_out(database: str) -> None:
    one = "gonogo 20260131T020304Z-production-eu-central-1-7f3a ana@example.org"
    shortened = "gonogo 20260131T020304Z-production-eu-ce~1-7f3a script"
    other = "gonogo 20260131T020305Z-production-eu-central-1-7f3a bob@example.org"
    async with (
        connect(database, one) as me,
        connect(database, shortened) as mine,
        connect(database, other) as others,
        connect(database, "") as nameless,
    ):
        for conn in (mine, others, nameless):
            await conn.execute("BEGIN; SELECT 1")
        found = await activity.look(me, older_than=NOW)
        assert {s.pid for s in found.long_transactions} == {others.info.backend_pid, nameless.info.backend_pid}
        await me.execute("SET application_name = ''")
        assert len((await activity.look(me, older_than=NOW)).long_transactions) == 3


async def test_what_the_role_may_not_see_is_hidden(database: str) -> None:
    async with connect(database) as me, connect(database, "web") as web:
        await me.execute("CREATE TABLE orders (id integer); CREATE ROLE clerk")
        await web.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT * FROM orders")
        try:
            await me.execute("SET ROLE clerk")
            found = await activity.look(me, older_than=NOW, holding=NOW)
            assert not found.reads_all
            assert found.advice_to_see == "As a superuser: GRANT pg_read_all_stats TO clerk;"
            (session,) = found.hidden
            assert (session.pid, session.application, session.client) == (web.info.backend_pid, "web", "")
            assert session.transactions == 0
            assert session.sql_to_end == "" and "since when is hidden" in session.words
            assert found.long_transactions == () and found.blockers == ()
            await me.execute("RESET ROLE; GRANT pg_read_all_stats TO clerk; SET ROLE clerk")
            assert (await activity.look(me)).hidden == ()
        finally:
            await me.execute("RESET ROLE; DROP ROLE clerk")


async def test_a_hidden_blocker_is_named_without_the_statement_to_end_it(database: str) -> None:
    async with connect(database) as me, connect(database) as web, connect(database) as ddl:
        await me.execute("CREATE TABLE orders (id integer); CREATE ROLE clerk2")
        await web.execute("BEGIN; SELECT * FROM orders")
        try:
            await me.execute("SET ROLE clerk2")
            async with waiting(ddl.execute("DROP TABLE orders")):
                found = await until(me, lambda a: bool(a.blockers))
            (blocker,) = found.blockers
            assert blocker.blocks == (ddl.info.backend_pid,) and blocker.session.sql_to_end == ""
        finally:
            await me.execute("RESET ROLE; DROP ROLE clerk2")


async def test_sizes(database: str) -> None:
    async with connect(database) as me:
        before, _ = await activity.sizes(me)
        await me.execute("CREATE TABLE t AS SELECT repeat('x', 100) FROM generate_series(1, 10000)")
        size, tables = await activity.sizes(me)
        assert tables == 1 and size - before > 1_000_000


async def test_prepared_transactions_and_standbys(server: ThrowawayServer, tmp_path: Path) -> None:
    settings = {"max_prepared_transactions": "2", "fsync": "off"}
    own = await ThrowawayServer.start(tmp_path / "server", bin=server.bin, settings=settings)
    try:
        async with connect(own.url()) as me, connect(own.url()) as ddl:
            await me.execute("CREATE TABLE orders (id integer)")
            await me.execute("BEGIN; INSERT INTO orders VALUES (1); PREPARE TRANSACTION 'it''s mine'")
            (prepared,) = (await activity.look(me)).prepared_transactions
            assert (prepared.gid, prepared.user) == ("it's mine", "postgres")
            assert prepared.sql_to_end == "ROLLBACK PREPARED 'it''s mine';"
            async with waiting(ddl.execute("DROP TABLE orders")):
                found = await until(me, lambda a: bool(a.lock_waiters))
                assert found.lock_waiters[0].blocked_by == (0,)
                queue = await lock_queue.look(me, ddl.info.backend_pid)
                assert (queue.holders, queue.behind) == ((0,), ())
                (words,) = queue.holders_words
                assert "the prepared transaction it's mine" in words and words.endswith(prepared.sql_to_end)
                assert [b.words for b in tree(queue, 0, Behind())] == [
                    "prepared transaction it's mine of postgres holds it",
                    "our statement waits for ACCESS EXCLUSIVE on orders",
                ]
            await me.execute(prepared.sql_to_end.encode())
            assert (await activity.look(me)).prepared_transactions == ()
            wal = tmp_path / "wal"
            wal.mkdir()
            receive = run([str(own.bin / "pg_receivewal"), "-D", str(wal)], env=own.environment())
            async with waiting(receive):
                (standby,) = (await until(me, lambda a: any(s.state == "streaming" for s in a.standbys))).standbys
            assert (standby.name, standby.client, standby.sync) == ("pg_receivewal", "local", "async")
    finally:
        await own.stop()
