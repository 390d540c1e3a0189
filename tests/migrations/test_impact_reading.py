"""What a real database tells of the things that scripts touch, whoever asks and whoever holds a lock."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.pq import TransactionStatus

from migrations.impact.asked import asked_of
from migrations.impact.known import Column, Index, Known, Type
from migrations.impact.reading import look_up
from migrations.sql import read_script
from migrations.sql.names import Name

Connection = psycopg.AsyncConnection[Any]


@pytest.fixture
async def connection(database: str) -> AsyncIterator[Connection]:
    async with await psycopg.AsyncConnection.connect(database, autocommit=True, prepare_threshold=None) as connection:
        yield connection


async def known(connection: Connection, script: str, **bounds: timedelta) -> Known:
    return await look_up(connection, asked_of([read_script(script)]), **bounds)


async def run(connection: Connection, text: str) -> None:
    for statement in read_script(text).statements:
        await connection.execute(statement.text.encode())


async def test_rows_and_sizes_of_a_table_and_of_what_stands_beside_it(connection: Connection) -> None:
    await run(
        connection,
        "CREATE TABLE t (id int PRIMARY KEY, c text); CREATE INDEX half ON t (length(c), id) WHERE id > 50;"
        "ALTER TABLE t ALTER c SET STORAGE EXTERNAL;"
        "INSERT INTO t SELECT n, repeat('x', 9000) FROM generate_series(1, 40) n; ANALYZE t",
    )
    found = await known(connection, "ALTER TABLE t ADD COLUMN d int")
    table = found.relation(Name(None, "t"))
    assert table is not None and not found.missing
    assert table is found.relation(Name("public", "t"))
    assert (table.kind, table.shown, table.rows, table.sized) == ("table", "t", 40, "now")
    assert table.heap and table.toast > 40 * 9000 and table.indexes_size
    assert table.bytes == table.heap + table.toast + table.indexes_size
    assert table.indexes == (
        Index("t_pkey", ("id",), unique=True, constraint="t_pkey"),
        Index("half", ("", "id"), partial=True),
    )
    assert table.column("id") == Column("id", Type(Name("pg_catalog", "int4")), not_null=True, never_null=True)


async def test_never_analysed_is_unknown_and_never_written_is_empty(connection: Connection) -> None:
    await run(connection, "CREATE TABLE none (c int); CREATE TABLE used (c int); INSERT INTO used VALUES (1)")
    found = await known(connection, "ALTER TABLE none ADD d int; ALTER TABLE used ADD d int; ALTER TABLE no ADD d int")
    none, used = found.relation(Name(None, "none")), found.relation(Name(None, "used"))
    assert none is not None and used is not None
    assert (none.rows, used.rows) == (None, None)
    assert none.empty and not used.empty
    assert found.relation(Name(None, "no")) is None


async def test_names_lead_where_the_search_path_says(databases: Any) -> None:
    url = databases()
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await run(
            connection,
            'CREATE SCHEMA "Other"; CREATE TABLE "Other"."We ird" (c int); CREATE TABLE public."We ird" (c int);'
            "CREATE TABLE public.plain (c int)",
        )
        await connection.execute('SET search_path TO nowhere, "Other", public')
        found = await known(connection, 'ALTER TABLE "We ird" ADD d int; ALTER TABLE public."We ird" ADD d int')
        assert await connection.execute("SHOW search_path")
    here, there = found.relation(Name(None, "We ird")), found.relation(Name("public", "We ird"))
    assert here is not None and there is not None
    assert (here.name, here.shown) == (Name("Other", "We ird"), '"We ird"')
    assert (there.name, there.shown) == (Name("public", "We ird"), 'public."We ird"')
    assert found.relation(Name(None, "plain")) is None, "nobody asked"


async def test_partitions_count_together(connection: Connection) -> None:
    await run(
        connection,
        "CREATE TABLE p (k int, c text) PARTITION BY RANGE (k);"
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (50) PARTITION BY RANGE (k);"
        "CREATE TABLE p1a PARTITION OF p1 FOR VALUES FROM (0) TO (50);"
        "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (50) TO (100);"
        "CREATE INDEX ON p (k);"
        "INSERT INTO p SELECT n, 'x' FROM generate_series(0, 99) n; ANALYZE p1a; ANALYZE p2",
    )
    found = await known(connection, "CREATE INDEX ON p (c); CREATE INDEX ON p2 (c)")
    whole, part = found.relation(Name(None, "p")), found.relation(Name(None, "p2"))
    assert whole is not None and part is not None
    assert (whole.kind, whole.partitions, whole.rows) == ("partitioned table", 3, 100)
    assert (part.parent, part.rows) == (Name("public", "p"), 50)
    assert part.heap and whole.heap == 2 * part.heap
    assert whole.indexes_size == 2 * part.indexes_size


async def test_an_index_leads_to_its_table_and_keys_to_their_partners(connection: Connection) -> None:
    await run(
        connection,
        "CREATE TABLE o (id int PRIMARY KEY); CREATE TABLE t (id int PRIMARY KEY, o_id int REFERENCES o);"
        "CREATE TABLE l (t_id int CONSTRAINT back REFERENCES t); CREATE INDEX i ON t (o_id)",
    )
    found = await known(connection, "DROP INDEX i")
    index, table = found.relation(Name(None, "i")), found.relation(Name("public", "t"))
    assert index is not None and table is not None
    assert (index.kind, index.table, index.valid) == ("index", table.name, True)
    assert [(key.columns, key.partner.name) for key in table.keys_out] == [(("o_id",), "o")]
    assert [(key.name, key.columns, key.partner.name) for key in table.keys_in] == [("back", ("id",), "l")]
    assert found.relation(Name("public", "o")) and found.relation(Name("public", "l"))


@pytest.mark.parametrize(
    ("check", "proven"),
    [
        ("CHECK (a IS NOT NULL)", "a"),
        ("CHECK (a IS NOT NULL AND b IS NOT NULL AND c > 0)", "ab"),
        ("CHECK (a IS NOT NULL OR b IS NOT NULL)", ""),
        ("CHECK (a IS NOT NULL AND (b IS NOT NULL OR c IS NOT NULL))", "a"),
        ("CHECK (a IS NOT NULL AND coalesce(b, c) IS NOT NULL)", "a"),
        ("CHECK (coalesce(a, b) IS NOT NULL)", ""),
        ("CHECK (a IS NULL)", ""),
        ("CHECK (a > 0)", ""),
        ("CHECK (a IS NOT NULL) NOT VALID", ""),
    ],
)
async def test_only_a_validated_check_proves_that_nothing_is_null(
    connection: Connection, check: str, proven: str
) -> None:
    """What we call proven, the server sets NOT NULL on without reading the table: it says so at level DEBUG1."""
    await run(connection, f"CREATE TABLE t (a int, b int, c int); ALTER TABLE t ADD CONSTRAINT k {check}")
    table = (await known(connection, "ALTER TABLE t ALTER a SET NOT NULL")).relation(Name(None, "t"))
    assert table is not None
    assert "".join(column.name for column in table.columns if column.never_null) == proven
    said: list[str] = []
    connection.add_notice_handler(lambda notice: said.append(notice.message_primary or ""))
    await connection.execute("SET client_min_messages = debug1")
    for column in "abc":
        await connection.execute(f"ALTER TABLE t ALTER {column} SET NOT NULL".encode())
    assert sorted(proven) == [c for c in "abc" if any(f'"t.{c}" are sufficient to prove' in words for words in said)]


async def test_types_domains_functions_and_schemas(connection: Connection) -> None:
    await run(
        connection,
        "CREATE SCHEMA s; CREATE TABLE s.gone (c int); CREATE TYPE mood AS ENUM ('good');"
        "CREATE DOMAIN positive AS int CHECK (VALUE > 0); CREATE DOMAIN free AS varchar(7);"
        "CREATE DOMAIN made AS uuid DEFAULT gen_random_uuid(); CREATE DOMAIN again AS made;"
        "CREATE DOMAIN dated AS date DEFAULT now() + '1 day';"
        "CREATE TABLE t (m mood, ms mood[], f free);"
        "CREATE FUNCTION v() RETURNS int LANGUAGE sql AS 'SELECT 1';"
        "CREATE FUNCTION k() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1'",
    )
    found = await known(
        connection,
        "DROP SCHEMA s CASCADE; DROP TYPE mood; ALTER TABLE t ADD a positive DEFAULT v() + k(), ADD b free, ADD c text,"
        "ADD d made, ADD e again, ADD f dated",
    )
    types = {name.name: type for name, type in found.types.items()}
    assert found.schemas == {"s": (Name("s", "gone"),)}
    assert (types["mood"].kind, types["mood"].users) == ("enum", (Name("public", "t"),))
    assert (types["positive"].checked, types["free"].checked) == (True, False)
    assert [name for name, type in types.items() if type.volatile] == ["made", "again"]
    assert types["free"].base == Type(Name("pg_catalog", "varchar"), (7,))
    assert found.functions == {"v": "volatile", "k": "immutable"}
    table = found.relation(Name(None, "t"))
    assert table is not None and table.columns[2].type == Type(Name("pg_catalog", "varchar"), (7,))


async def test_what_depends_on_a_column_is_told_in_the_servers_words(connection: Connection) -> None:
    await run(
        connection,
        "CREATE TABLE t (id int PRIMARY KEY, a int, b int CHECK (b > 0)); CREATE VIEW shown AS SELECT a FROM t;"
        "CREATE TABLE l (t_id int REFERENCES t); CREATE POLICY p ON t USING (b > 1); CREATE INDEX ON t (a, b)",
    )
    table = (await known(connection, "DROP TABLE t")).relation(Name(None, "t"))
    assert table is not None
    told = {(d.column, d.words, str(d.name), str(d.of) if d.of else "") for d in table.dependents}
    assert told == {
        ("a", "view public.shown", "public.shown", ""),
        ("b", "policy p on table public.t", '""', "public.t"),
        ("id", "constraint l_t_id_fkey on table public.l", '""', "public.l"),
    }


async def test_publications_slots_and_who_is_there(connection: Connection, database: str) -> None:
    await run(
        connection,
        "CREATE TABLE one (c int); CREATE TABLE p (c int) PARTITION BY LIST (c);"
        "CREATE TABLE part PARTITION OF p DEFAULT; CREATE TABLE other (c int);"
        "CREATE PUBLICATION few FOR TABLE one, p; INSERT INTO one VALUES (1), (2)",
    )
    await connection.execute("SELECT pg_create_logical_replication_slot('impact', 'pgoutput')")
    await connection.execute("SELECT pg_stat_force_next_flush(), pg_stat_clear_snapshot()")
    with psycopg.connect(database) as other:
        other.execute("SELECT * FROM one")
        found = await known(connection, "DROP TABLE one, part, p, other")
    tables = {name.name: relation for name, relation in found.relations.items()}
    assert (found.slots, found.missing) == (("impact",), ())
    assert {name: relation.publications for name, relation in tables.items()} == {
        **dict.fromkeys(("one", "part", "p"), ("few",)),
        "other": (),
    }
    assert (tables["one"].sessions, tables["other"].sessions) == (1, 0)
    assert tables["one"].activity is not None and tables["one"].activity.writes == 2


@pytest.mark.parametrize("waits", [False, True], ids=["held", "waited for"])
async def test_nobody_is_waited_for(connection: Connection, database: str, waits: bool) -> None:
    """A relation's size cannot be read behind ACCESS EXCLUSIVE, nor behind who waits for it: pg_class tells then."""
    await run(
        connection,
        "CREATE TABLE t (c text UNIQUE) WITH (autovacuum_enabled = off);"
        "INSERT INTO t SELECT n FROM generate_series(1, 5000) n; ANALYZE t;"
        "UPDATE pg_class SET relpages = 300000, reltuples = 4e7 WHERE oid = 't'::regclass; CREATE TABLE free (c int)",
    )
    async with (
        await psycopg.AsyncConnection.connect(database) as holder,
        await psycopg.AsyncConnection.connect(database) as waiter,
    ):
        await holder.execute(f"LOCK TABLE t IN {'ACCESS SHARE' if waits else 'ACCESS EXCLUSIVE'} MODE".encode())
        if waits:
            await waiter.execute("SELECT set_config('lock_timeout', '60s', false)")
            async with waiter.pipeline() as pipeline:
                await waiter.execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
                await _until_waiting(connection)
                found = await known(connection, "ALTER TABLE t ADD d int; ALTER TABLE free ADD d int")
                await holder.rollback()
                await pipeline.sync()
        else:
            found = await known(connection, "ALTER TABLE t ADD d int; ALTER TABLE free ADD d int")
    table, free = found.relation(Name(None, "t")), found.relation(Name(None, "free"))
    assert table is not None and free is not None and not found.missing
    assert (table.sized, table.heap, table.rows) == ("analysed", 300000 * 8192, 40_000_000)
    assert free.sized == "now"


async def _until_waiting(connection: Connection) -> None:
    for _ in range(10_000):
        row = await (await connection.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")).fetchone()
        if row and row[0]:
            return
    raise AssertionError("nobody waits")


async def test_a_role_without_rights_is_told_the_same(connection: Connection, database: str) -> None:
    await run(
        connection,
        "CREATE SCHEMA shut; CREATE TABLE shut.t (c int NOT NULL); INSERT INTO shut.t VALUES (1); ANALYZE shut.t;"
        "CREATE ROLE impact_nobody; SET ROLE impact_nobody",
    )
    try:
        found = await known(connection, "ALTER TABLE shut.t ADD d int")
    finally:
        await run(connection, "RESET ROLE; DROP ROLE impact_nobody")
    table = found.relation(Name("shut", "t"))
    assert table is not None and not found.missing
    assert (table.rows, table.heap, len(table.columns)) == (1, 8192, 1)


async def test_what_may_not_be_read_is_said_and_the_rest_is_read(connection: Connection) -> None:
    await run(
        connection,
        "CREATE TABLE t (c int); INSERT INTO t VALUES (1); ANALYZE t; CREATE ROLE impact_less;"
        "REVOKE SELECT ON pg_replication_slots FROM PUBLIC; SET ROLE impact_less",
    )
    try:
        found = await known(connection, "ALTER TABLE t ADD d int")
    finally:
        await run(connection, "RESET ROLE; DROP ROLE impact_less")
    (missing,) = found.missing
    assert (
        missing == "sizes, activity and replication could not be read: permission denied for view pg_replication_slots"
    )
    table = found.relation(Name(None, "t"))
    assert table is not None
    assert (table.rows, table.heap, table.sized, table.activity) == (1, 8192, "analysed", None)


async def test_a_server_that_takes_too_long_is_not_waited_for(connection: Connection) -> None:
    found = await known(connection, "ALTER TABLE pg_class ADD d int", time=timedelta(milliseconds=1))
    assert not found.relations
    assert [words.partition(": ")[2] for words in found.missing] == ["it took more than 0.001 s"] * 2
    assert (await known(connection, "ALTER TABLE pg_class ADD d int")).relations, "it may be asked again"


async def test_there_and_back_once(connection: Connection, tmp_path: Path) -> None:
    await run(connection, "CREATE TABLE t (c int); CREATE TABLE u (c int)")
    with (tmp_path / "trace").open("w") as trace:
        connection.pgconn.trace(trace.fileno())
        found = await known(connection, "DROP TABLE t; DROP INDEX i; ALTER TABLE u ADD d int")
        connection.pgconn.untrace()
    directions = re.findall(r"^\S+ \S+\t([FB])\t", (tmp_path / "trace").read_text(), re.MULTILINE)
    assert [direction for direction, _ in groupby(directions)] == ["F", "B"]
    assert found.relation(Name(None, "t")) and found.relation(Name(None, "u"))
    assert connection.info.transaction_status == TransactionStatus.IDLE


async def test_nothing_is_asked_of_nothing(connection: Connection) -> None:
    assert await known(connection, "SELECT 1") == Known()
