"""The ledger: read as Prisma leaves it, marked as Prisma's resolve marks it, one at a time."""

import asyncio
from collections.abc import AsyncIterator

import psycopg
import pytest

from migrations import ledger
from migrations.ledger.lock import KEY, Lock, holders, locked
from migrations.problem import Problem
from migrations.target import Connection, Pinned, Url


@pytest.fixture
async def conn(database: str) -> AsyncIterator[Connection]:
    """A connection as the ledger's."""
    opened = await Pinned(Url.parse(database, variable="D")).open("ledger", application_name="gonogo s ana@here")
    yield opened
    await opened.close()


async def test_no_ledger_is_told_apart_from_an_empty_one(conn: Connection) -> None:
    assert await ledger.read(conn) is None
    await ledger.create(conn)
    assert await ledger.read(conn) == ()


async def test_rows_are_read_as_they_stand(conn: Connection) -> None:
    await ledger.create(conn)
    await conn.execute(
        "INSERT INTO _prisma_migrations VALUES "
        "('a', 'x', '2026-01-02 03:04:05+02', '1', NULL, NULL, '2026-01-02 03:04:04.5+02', 1), "
        "('b', 'y', NULL, '2', 'why', NULL, '2026-01-03 00:00+00', 0), "
        "('c', 'z', NULL, '3', NULL, '2026-01-04 00:00+00', '2026-01-01 00:00+00', 0)"
    )
    read = await ledger.read(conn)
    assert read is not None
    assert [(r.name, r.failed, r.rolled_back, r.started_at, r.finished_at, r.logs) for r in read] == [
        ("3", False, True, "2026-01-01T00:00:00.000000Z", None, None),
        ("1", False, False, "2026-01-02T01:04:04.500000Z", "2026-01-02T01:04:05.000000Z", None),
        ("2", True, False, "2026-01-03T00:00:00.000000Z", None, "why"),
    ]


async def test_the_schema_decides_which_ledger_is_meant(conn: Connection) -> None:
    assert await ledger.create(conn, 'Odd "one') == '"Odd ""one"._prisma_migrations'
    assert await ledger.read(conn) is None
    id = await ledger.start(conn, "1", "x", schema='Odd "one')
    await ledger.finish(conn, id, schema='Odd "one')
    assert [row.applied.finished_at is not None for row in await ledger.rows(conn, 'Odd "one') or ()] == [True]


async def test_a_ledger_that_may_not_be_read_or_is_no_ledger(conn: Connection) -> None:
    await conn.execute("CREATE TABLE _prisma_migrations (id text)")
    with pytest.raises(Problem, match="not the table that Prisma makes"):
        await ledger.read(conn)
    await conn.execute("DROP TABLE _prisma_migrations")
    await ledger.create(conn)
    await conn.execute("CREATE ROLE gonogo_blind NOLOGIN; SET ROLE gonogo_blind")
    try:
        with pytest.raises(Problem, match="may not read"):
            await ledger.read(conn)
    finally:
        await conn.execute("RESET ROLE; DROP ROLE gonogo_blind")


async def test_only_ordinary_tables_make_a_database_full(conn: Connection) -> None:
    await conn.execute(
        "CREATE VIEW v AS SELECT 1; CREATE TABLE p (a int) PARTITION BY LIST (a); CREATE TABLE spatial_ref_sys ();"
        "CREATE SCHEMA app; CREATE TABLE app.t ()"
    )
    assert (await ledger.other_tables(conn), await ledger.other_tables(conn, ["app"])) == (0, 1)


async def test_a_row_that_is_gone_is_not_written_over(conn: Connection) -> None:
    await ledger.create(conn)
    with pytest.raises(Problem, match="no longer"):
        await ledger.finish(conn, ledger.new_id())


async def test_the_lock_is_prismas_and_is_not_waited_for_inside_the_server(conn: Connection, database: str) -> None:
    async with await psycopg.AsyncConnection.connect(database, autocommit=True, application_name="prisma") as other:
        await other.execute("SELECT pg_advisory_lock(%s)", (KEY,))
        taking = asyncio.ensure_future(Lock(conn).take(patience=20))
        (holder,) = await holders(conn)
        assert (holder.application, holder.granted, holder.user) == ("prisma", True, "postgres")
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        cur = await other.execute(waiting)
        assert await cur.fetchone() == (0,)
        await other.execute("SELECT pg_advisory_unlock(%s)", (KEY,))
        await taking
        assert await Lock(conn).held()
        with pytest.raises(Problem) as caught:
            async with locked(other, patience=0.1):
                pass
        assert caught.value.code == "P1002"
        assert "gonogo s ana@here" in str(caught.value)
        assert f"pid = {conn.info.backend_pid}" in str(caught.value)
        await Lock(conn).release()
        assert not await Lock(conn).held()
