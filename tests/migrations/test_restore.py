"""Restoring beside the live database, and taking its place."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from dumping import MIGRATE, connector, dumped, environment, fill, pinned, restored
from psycopg import sql

from migrations import backup, restore
from migrations.backup.beside import derived_name, maintenance
from migrations.problem import Problem
from migrations.restore import Restoring, swap
from migrations.restore.carry import properties
from migrations.server import ThrowawayServer, embedded_bin
from migrations.target import Pinned

NAME = 'Shop "of" ana\'s \\ things'


@pytest.fixture
def database(databases: Callable[..., str]) -> str:
    """Named, as statements below name it."""
    return databases("live")


@pytest.fixture
def swept(server: ThrowawayServer) -> Iterator[None]:
    """Afterwards the databases that a walk back has made are dropped."""
    yield
    with psycopg.connect(server.url(), autocommit=True) as connection:
        made = "SELECT datname FROM pg_database WHERE datname ~ '_(gonogo|before_rollback)_'"
        for (name,) in connection.execute(made).fetchall():
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def execute(url: str, statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statements.encode())


def one(url: str, query: str) -> Any:
    with psycopg.connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
        return row[0] if row else None


@pytest.mark.parametrize("name", [None, NAME])
async def test_the_walk_back_leaves_what_was_dumped(
    server: ThrowawayServer, databases: Callable[..., str], tmp_path: Path, swept: None, name: str | None
) -> None:
    url = databases(name)
    fill(url)
    target = pinned(url)
    dump = await dumped(target, tmp_path, server.bin)
    execute(url, MIGRATE)
    side = await restored(target, dump, server.bin)
    assert (side.differences, side.rows, side.counted, side.left) == ((), (), 2, ())
    assert one(url, "SELECT count(*) FROM shipments") == 4000, "the live one is untouched"
    with psycopg.connect(url) as app:
        app.execute("SELECT 1")
        done = await swap.swap(target, side.database, side.oid, datetime.now(UTC), "gonogo test")
        with pytest.raises(psycopg.OperationalError):
            app.execute("SELECT 1")
    assert done.ended >= 1
    assert int(one(url, "SELECT oid FROM pg_database WHERE datname = current_database()")) == side.oid == done.oid
    async with connector(pinned(url))() as connection:
        after = await restore.compare(connection, dump.state)
    assert (after.differences, after.rows) == ((), ())
    assert one(server.url(done.kept), "SELECT count(*) FROM shipments") == 4000, "the old one is kept"
    with pytest.raises(Problem, match="another database"):
        await target.open("read", application_name="gonogo test")


async def test_what_belongs_to_the_database_is_carried_over(
    server: ThrowawayServer, database: str, tmp_path: Path, swept: None
) -> None:
    fill(database)
    execute(
        database,
        """
        CREATE ROLE "App user";
        ALTER DATABASE live SET search_path = "$user", public, "a,b ""c";
        ALTER DATABASE live SET gonogo.environment = 'it''s \\ production';
        ALTER DATABASE live SET statement_timeout = '30s';
        ALTER ROLE "App user" IN DATABASE live SET work_mem = '7MB';
        ALTER ROLE "App user" IN DATABASE live SET search_path = '';
        REVOKE ALL ON DATABASE live FROM PUBLIC;
        GRANT CONNECT ON DATABASE live TO "App user" WITH GRANT OPTION;
        GRANT TEMPORARY ON DATABASE live TO PUBLIC;
        COMMENT ON DATABASE live IS 'the shop''s';
        ALTER DATABASE live CONNECTION LIMIT 77;
        """,
    )
    try:
        target = pinned(database)
        dump = await dumped(target, tmp_path, server.bin)
        side = await restored(target, dump, server.bin)
        assert side.left == ()
        async with maintenance(target, "gonogo test") as connection:
            was, is_ = await properties(connection, "live"), await properties(connection, side.database)
        assert was is not None and is_ is not None
        assert len(was.settings) == 5 and was.grants is not None and was.limit == 77
        for what in ("owner", "encoding", "tablespace", "locale", "limit", "comment", "grants", "settings"):
            assert getattr(is_, what) == getattr(was, what), what
    finally:
        execute(server.url(), "DROP DATABASE live WITH (FORCE)")
        with psycopg.connect(server.url(), autocommit=True) as connection:
            for (made,) in connection.execute("SELECT datname FROM pg_database WHERE datname ~ '_gonogo_'").fetchall():
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(made)))
            connection.execute('DROP ROLE "App user"')


async def test_a_difference_is_seen(server: ThrowawayServer, database: str, tmp_path: Path, swept: None) -> None:
    fill(database)
    target = pinned(database)
    dump = await dumped(target, tmp_path, server.bin)
    side = await restored(target, dump, server.bin)
    execute(server.url(side.database), 'DELETE FROM "Ord""ers 26" WHERE id < 10; ALTER TABLE customers ADD x int')
    async with connector(pinned(server.url(side.database)))() as connection:
        found = await restore.compare(connection, dump.state)
    assert found.rows == (('public."Ord""ers 26"', 5000, 4991),)
    assert any("x" in line and "customers" in line for line in found.differences)


async def test_the_first_error_ends_a_restore(server: ThrowawayServer, database: str, tmp_path: Path) -> None:
    fill(database)
    target = pinned(database)
    dump = await dumped(target, tmp_path, server.bin)
    tools = await backup.tools(server.major, bin=server.bin, env={})
    with pytest.raises(Problem, match="already exists") as caught:
        await restore.fill(Restoring(tools, environment(target), dump.path, target.url.database))
    assert 'type "state" already exists' in caught.value.detail
    assert caught.value.detail.count("error:") == 1


async def test_another_file_than_was_recorded(tmp_path: Path) -> None:
    file = tmp_path / "x.dump"
    with pytest.raises(Problem, match="cannot be read"):
        await restore.check_file(file, "0" * 64)
    file.write_bytes(b"PGDMP")
    with pytest.raises(Problem, match="is not the dump that was taken"):
        await restore.check_file(file, "0" * 64)


async def test_what_stands_in_the_way_is_said_before(server: ThrowawayServer, database: str) -> None:
    execute(database, "CREATE ROLE small LOGIN PASSWORD 'small'; GRANT CONNECT ON DATABASE live TO small")
    try:
        async with connector(pinned(server.url("live", "small", "small")))() as connection:
            found = await restore.obstacles(connection, ("plpgsql", "pageinspect", "nowhere", "pg_trgm"))
        async with connector(pinned(database))() as connection:
            assert await restore.obstacles(connection, ("plpgsql", "pageinspect", "pg_trgm")) == ()
            assert await restore.in_the_way(connection) == ()
    finally:
        execute(database, "DROP OWNED BY small; DROP ROLE small")
    words = "\n".join(found)
    assert "may not create databases" in words and "cannot rename" in words
    assert "small may not create the extension pageinspect" in words
    assert "nowhere is not installed" in words
    assert "pg_trgm" not in words and "plpgsql" not in words


@pytest.fixture
def owner(server: ThrowawayServer) -> Iterator[str]:
    """A database that an ordinary role owns, who may create databases."""
    execute(server.url(), "CREATE ROLE keeper LOGIN PASSWORD 'keeper' CREATEDB")
    execute(server.url(), "CREATE DATABASE kept OWNER keeper")
    yield server.url("kept", "keeper", "keeper")
    with psycopg.connect(server.url(), autocommit=True) as connection:
        owned = "SELECT datname FROM pg_database WHERE pg_get_userbyid(datdba) = 'keeper'"
        for (name,) in connection.execute(owned).fetchall():
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
        connection.execute("DROP ROLE keeper")


async def prepared_swap(server: ThrowawayServer, url: str, folder: Path) -> tuple[Pinned, restore.Side]:
    fill(url)
    target = pinned(url)
    dump = await dumped(target, folder, server.bin)
    return target, await restored(target, dump, server.bin)


async def test_an_ordinary_owner_walks_back(server: ThrowawayServer, owner: str, tmp_path: Path) -> None:
    target, side = await prepared_swap(server, owner, tmp_path)
    done = await swap.swap(target, side.database, side.oid, datetime.now(UTC), "gonogo test")
    assert one(owner, "SELECT count(*) FROM customers") == 200
    assert await swap.look(target, "gonogo test") == (side.oid, True)
    assert target.pin is not None
    assert await swap.name_of(target, int(target.pin.oid), "gonogo test") == done.kept


async def test_a_session_that_cannot_be_ended_leaves_all_as_it_was(
    server: ThrowawayServer, owner: str, tmp_path: Path
) -> None:
    target, side = await prepared_swap(server, owner, tmp_path)
    with psycopg.connect(server.url("kept")) as superuser:
        with pytest.raises(Problem, match=r"could not be ended: \d+ \(postgres, ") as caught:
            await swap.swap(target, side.database, side.oid, datetime.now(UTC), "gonogo test")
        assert superuser.execute("SELECT 1").fetchone() == (1,)
    assert "pg_signal_backend" in caught.value.advice
    assert target.pin is not None
    assert await swap.look(target, "gonogo test") == (int(target.pin.oid), True)
    assert one(owner, "SELECT count(*) FROM customers") == 200


async def test_cancelled_in_the_middle_of_a_swap(server: ThrowawayServer, owner: str, tmp_path: Path) -> None:
    """The live database takes connections again."""
    target, side = await prepared_swap(server, owner, tmp_path)
    with psycopg.connect(server.url("kept")) as superuser:
        task = asyncio.create_task(swap.swap(target, side.database, side.oid, datetime.now(UTC), "gonogo test"))
        allowed = "SELECT datallowconn FROM pg_database WHERE datname = 'kept'"
        for _ in range(500):
            if superuser.execute(allowed).fetchone() == (False,):
                break
            superuser.rollback()
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises((asyncio.CancelledError, Problem)):
            await task
        superuser.rollback()
        assert superuser.execute(allowed).fetchone() == (True,)


@asynccontextmanager
async def another_server(folder: Path, bin: Path, **settings: str) -> AsyncIterator[ThrowawayServer]:
    server = await ThrowawayServer.start(folder, bin=bin, settings={"fsync": "off", **settings})
    try:
        yield server
    finally:
        await server.stop()


@pytest.mark.soak
async def test_a_prepared_transaction_stands_in_the_way(server: ThrowawayServer, tmp_path: Path) -> None:
    async with another_server(tmp_path / "pg", server.bin, max_prepared_transactions="5") as other:
        execute(other.url(), "CREATE DATABASE kept")
        target, side = await prepared_swap(other, other.url("kept"), tmp_path)
        execute(other.url("kept"), "BEGIN; INSERT INTO customers VALUES (999, 'x'); PREPARE TRANSACTION 'stuck'")
        with pytest.raises(Problem, match="prepared transaction stuck"):
            await swap.swap(target, side.database, side.oid, datetime.now(UTC), "gonogo test")


@pytest.mark.soak
async def test_newer_programs_on_a_server_before_17(tmp_path: Path) -> None:
    """pg_restore 18 sets `transaction_timeout`, which 15 does not know: that one error does not count."""
    old = Path("/usr/lib/postgresql/15/bin")
    if not old.is_dir():
        pytest.skip(f"no PostgreSQL 15 in {old}")
    async with another_server(tmp_path / "pg", old) as server:
        execute(server.url(), "CREATE DATABASE kept")
        fill(server.url("kept"))
        target = pinned(server.url("kept"))
        dump = await dumped(target, tmp_path, embedded_bin())
        side = await restored(target, dump, embedded_bin())
        assert (side.differences, side.rows) == ((), ())
        tools = await backup.tools(15, bin=embedded_bin(), env={})
        with pytest.raises(Problem, match="pg_restore failed"):
            await restore.fill(Restoring(tools, environment(target), dump.path, "kept"))


async def test_a_side_database_that_is_not_the_one_that_was_compared(
    server: ThrowawayServer, owner: str, tmp_path: Path
) -> None:
    target, side = await prepared_swap(server, owner, tmp_path)
    with pytest.raises(Problem, match="is not there any more"):
        await swap.swap(target, side.database, side.oid + 1, datetime.now(UTC), "gonogo test")
    async with maintenance(target, "gonogo test") as connection:
        await restore.drop_side(connection, side.database, side.oid + 1)
        assert await properties(connection, side.database) is not None, "not ours: not dropped"
        await restore.drop_side(connection, side.database, side.oid)
        assert await properties(connection, side.database) is None


def test_derived_names_fit_into_63_bytes() -> None:
    at = datetime(2026, 1, 31, 2, 3, 4, tzinfo=UTC)
    assert derived_name("shop", "gonogo", at) == "shop_gonogo_20260131T020304Z"
    long = derived_name("ä" * 31, "before_rollback", at)
    assert len(long.encode()) <= 63 and long.endswith("ä_before_rollback_20260131T020304Z")
