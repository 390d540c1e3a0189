"""Catalog snapshots, differences and row counts, on a real server."""

import json
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from psycopg.pq import TransactionStatus

from migrations import catalog
from migrations.catalog import RowCount, Snapshot
from migrations.catalog.reading import reading
from migrations.catalog.row_counts import Table, counted
from migrations.problem import Problem
from migrations.process import capture
from migrations.server import ThrowawayServer

SHOP = """
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE TYPE pair AS (a integer, b text);
CREATE TABLE customers (id serial PRIMARY KEY, name text NOT NULL DEFAULT 'public.x', m mood);
CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer_id integer REFERENCES customers,
    total integer, legacy_code text, twice integer GENERATED ALWAYS AS (total * 2) STORED,
    CONSTRAINT positive_total CHECK (total > 0));
CREATE INDEX orders_total ON orders (total) WHERE total > 10;
CREATE VIEW big AS SELECT id FROM orders WHERE total > 1000;
CREATE MATERIALIZED VIEW names AS SELECT name FROM customers;
CREATE FUNCTION f(a integer) RETURNS integer LANGUAGE sql AS 'SELECT a + 1';
CREATE FUNCTION tick() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE AGGREGATE total_of(integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '0');
CREATE TRIGGER tick BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION tick();
ALTER TABLE customers ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON customers USING (name = current_user);
CREATE TABLE events (at date NOT NULL, "Weird name" text) PARTITION BY RANGE (at);
CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE STATISTICS spread ON total, customer_id FROM orders;
CREATE EXTENSION hstore;
CREATE TABLE _prisma_migrations (id text PRIMARY KEY);
CREATE SCHEMA gonogo; CREATE TABLE gonogo.notes (x integer);
COMMENT ON COLUMN orders.total IS 'in cents';
"""

CHANGES = [
    ("CREATE TABLE loyalty_accounts (id integer PRIMARY KEY, points integer NOT NULL DEFAULT 0)",
     ["+ table loyalty_accounts",
      "+ column loyalty_accounts.id integer not null",
      "+ column loyalty_accounts.points integer not null default 0",
      "+ constraint loyalty_accounts.loyalty_accounts_pkey PRIMARY KEY (id)"]),
    ("ALTER TABLE orders DROP COLUMN legacy_code", ["- column orders.legacy_code text"]),
    ("DROP VIEW big; ALTER TABLE orders DROP COLUMN twice; DROP INDEX orders_total; DROP STATISTICS spread;"
     "ALTER TABLE orders ALTER total TYPE bigint",
     ["- view big", "- column orders.twice integer generated (total * 2) stored",
      "- index orders_total ON orders USING btree (total) WHERE (total > 10)", "- statistics spread",
      "~ column orders.total integer → bigint"]),
    ("DROP TABLE events", ["- table events", "- table events_2026"]),
    ("ALTER TABLE orders ALTER total SET NOT NULL", ["~ column orders.total not null: none → yes"]),
    ("ALTER TABLE orders ALTER total SET DEFAULT 7", ["~ column orders.total default: none → 7"]),
    ("ALTER TABLE customers ALTER name SET DEFAULT 'public.y'",
     ["~ column customers.name default: 'public.x'::text → 'public.y'::text"]),
    ("ALTER TABLE orders ADD CONSTRAINT small CHECK (total < 9) NOT VALID",
     ["+ constraint orders.small CHECK ((total < 9)) NOT VALID"]),
    ("ALTER TABLE orders DROP CONSTRAINT orders_customer_id_fkey",
     ["- constraint orders.orders_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers(id)"]),
    ("CREATE UNIQUE INDEX \"an index\" ON orders (lower(legacy_code))",
     ['+ index "an index" UNIQUE ON orders USING btree (lower(legacy_code))']),
    ("ALTER TYPE mood ADD VALUE 'happy' AFTER 'sad'", ["~ enum mood 'sad', 'ok' → 'sad', 'happy', 'ok'"]),
    ("ALTER DOMAIN positive SET DEFAULT 1", ["~ domain positive default: none → 1"]),
    ("ALTER TYPE pair ADD ATTRIBUTE c date", ["~ composite type pair a integer, b text → a integer, b text, c date"]),
    ("CREATE OR REPLACE FUNCTION f(a integer) RETURNS integer LANGUAGE sql AS 'SELECT a + 2'",
     ["~ function f(a integer): its body changed"]),
    ("CREATE OR REPLACE VIEW big AS SELECT id FROM orders", ["~ view big: its definition changed"]),
    ("ALTER TABLE orders DISABLE TRIGGER tick", ["~ trigger orders.tick state: none → disabled"]),
    ("ALTER TABLE orders REPLICA IDENTITY FULL", ["~ table orders replica identity: none → full"]),
    ("ALTER TABLE customers DISABLE ROW LEVEL SECURITY", ["~ table customers row security: enabled → none"]),
    ("ALTER POLICY mine ON customers USING (true)", ["~ policy customers.mine: its definition changed"]),
    ("ALTER TABLE orders SET UNLOGGED", ["~ table orders persistence: none → unlogged",
                                         "~ sequence orders_id_seq persistence: none → unlogged"]),
    ("COMMENT ON COLUMN orders.total IS 'in euros'", ["~ column orders.total comment: in cents → in euros"]),
    ("ALTER SEQUENCE customers_id_seq INCREMENT 5",
     ["~ sequence customers_id_seq values: start 1 increment 1 from 1 to 2147483647 cache 1 → "
      "start 1 increment 5 from 1 to 2147483647 cache 1"]),
    ("GRANT SELECT ON orders TO pg_monitor", ["~ table orders privileges: +pg_monitor=r/postgres"]),
    ("DROP EXTENSION hstore", ["- extension hstore 1.8"]),
    ("ALTER TABLE events DETACH PARTITION events_2026",
     ["~ table events_2026 parents: events → none",
      "~ table events_2026 partition: FOR VALUES FROM ('2026-01-01') TO ('2027-01-01') → none"]),
    ("CLUSTER customers USING customers_pkey", ["~ table customers clustered on: none → customers_pkey"]),
    ("ALTER TABLE customers REPLICA IDENTITY USING INDEX customers_pkey",
     ["~ table customers replica identity: none → using index customers_pkey"]),
    ("ALTER TABLE orders ALTER total SET STATISTICS 500", ["~ column orders.total statistics: none → 500"]),
    ("ALTER TABLE orders ALTER legacy_code SET STORAGE MAIN", ["~ column orders.legacy_code storage: none → main"]),
    ("ALTER TABLE orders ALTER legacy_code SET COMPRESSION pglz",
     ["~ column orders.legacy_code compression: none → pglz"]),
    ("COMMENT ON COLUMN big.id IS 'of the order'", ["+ column big.id bigint"]),
    ("CREATE PUBLICATION feed FOR TABLE orders WITH (publish = 'insert, update')",
     ["+ publication feed insert, update"]),
    ("CREATE OPERATOR === (LEFTARG = integer, RIGHTARG = integer, FUNCTION = int4eq)",
     ["+ operator ===(integer,integer) int4eq"]),
    ("CREATE COLLATION plain (LOCALE = 'C')", ["+ collation plain c C"]),
    ("CREATE TEXT SEARCH CONFIGURATION words (COPY = simple)", ["+ text search configuration words"]),
    ("CREATE TYPE span AS RANGE (SUBTYPE = integer)", ["+ range span integer"]),
    ("CREATE TABLE gonogo.more (x integer); ALTER TABLE _prisma_migrations ADD checksum text", []),
    ("GRANT ALL ON orders TO postgres; REVOKE SELECT ON orders FROM PUBLIC", []),
]  # fmt: skip


async def connect(url: str) -> psycopg.AsyncConnection[tuple[object, ...]]:
    return await psycopg.AsyncConnection.connect(url, autocommit=True)


async def test_each_change_is_told(database: str) -> None:
    async with await connect(database) as conn:
        await conn.execute(SHOP)
        before = await catalog.snapshot(conn)
        assert catalog.diff(before, before) == ()
        for statement, lines in CHANGES:
            await conn.execute("BEGIN")
            await conn.execute(statement.encode())
            after = await catalog.snapshot(conn)
            await conn.execute("ROLLBACK")
            assert sorted(catalog.diff(before, after)) == sorted(lines), statement
        assert await catalog.snapshot(conn) == before


async def test_a_snapshot_survives_json_and_another_search_path(database: str) -> None:
    async with await connect(database) as conn:
        await conn.execute(SHOP)
        before = await catalog.snapshot(conn)
        await conn.execute("SET search_path = pg_catalog")
        assert await catalog.snapshot(conn) == before
    text = json.dumps(before.to_json())
    assert Snapshot.from_json(json.loads(text)) == before
    assert json.dumps(Snapshot.from_json(json.loads(text)).to_json()) == text
    assert before.names("table") == ("public.customers", "public.events", "public.events_2026", "public.orders")
    assert before.partition_root("public.events_2026") == "public.events"


async def test_a_secret_is_hashed_where_it_stands_and_compared_by_its_hash(database: str) -> None:
    def clean(text: str) -> str:
        return text.replace("hunter2", "…").replace("orders", "…")

    async with await connect(database) as conn:
        await conn.execute("CREATE TABLE orders (id int, k text DEFAULT 'hunter2')")
        await conn.execute("COMMENT ON TABLE orders IS 'sha256:hunter2'; COMMENT ON COLUMN orders.id IS 'sha256:1'")
        before = await catalog.snapshot(conn)
        text = json.dumps(before.without(clean).to_json())
        kept = Snapshot.from_json(json.loads(text))
        assert "hunter2" not in text and kept.objects["column public.orders.k"]["of"] == "public.orders"
        assert catalog.diff(kept, before) == ()
        await conn.execute(
            "ALTER TABLE orders ALTER k SET DEFAULT 'hunter3'; COMMENT ON COLUMN orders.id IS 'sha256:2'"
        )
        told, line = catalog.diff(kept, await catalog.snapshot(conn))
        assert told == "~ column orders.id comment: sha256:1 → sha256:2"
        assert "orders.k" in line and "hunter" not in line


async def test_a_restored_database_is_equal(
    databases: Callable[..., str], server: ThrowawayServer, tmp_path: Path
) -> None:
    source, copy = databases("source"), databases("copy")
    async with await connect(source) as conn:
        await conn.execute(SHOP)
        before = await catalog.snapshot(conn)
    file = str(tmp_path / "dump")
    for argv in (
        [server.bin / "pg_dump", "-Fc", "-f", file, "source"],
        [server.bin / "pg_restore", "-e", "-d", "copy", file],
    ):
        code, _, said = await capture([str(word) for word in argv], env=server.environment())
        assert code == 0, said
    async with await connect(copy) as conn:
        assert catalog.diff(before, await catalog.snapshot(conn)) == ()


async def test_it_reads_within_the_connections_own_transaction(database: str) -> None:
    async with await connect(database) as conn, await connect(database) as other:
        await conn.execute("SET search_path = public; SET lock_timeout = '7s'")
        await conn.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        await catalog.snapshot(conn)
        await other.execute("CREATE TABLE late (x integer)")
        assert (await catalog.snapshot(conn)).names("table") == ()
        assert await catalog.row_counts(conn, exact_below=10) == {}
        row = await (
            await conn.execute("SELECT current_setting('search_path'), current_setting('lock_timeout')")
        ).fetchone()
        assert row == ("public", "7s")
        await conn.execute("COMMIT")
        assert (await catalog.snapshot(conn)).names("table") == ("public.late",)


async def test_what_is_read_is_of_one_moment(database: str) -> None:
    async with await connect(database) as conn, await connect(database) as other:
        async with reading(conn):
            first = await (await conn.execute("SELECT count(*) FROM pg_class")).fetchone()
            await other.execute("CREATE TABLE late (x integer)")
            assert await (await conn.execute("SELECT count(*) FROM pg_class")).fetchone() == first
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            async with reading(conn):
                await conn.execute("CREATE TABLE public.mine (x integer)")
        assert conn.info.transaction_status == TransactionStatus.IDLE


async def test_only_some_schemas(database: str) -> None:
    async with await connect(database) as conn:
        await conn.execute("CREATE SCHEMA a; CREATE TABLE a.t (x integer); CREATE TABLE public.t (x integer)")
        found = await catalog.snapshot(conn, schemas=["a"])
    assert set(found.objects) == {"schema a", "table a.t", "column a.t.x"}


async def test_a_locked_catalog_is_a_problem(database: str) -> None:
    async with await connect(database) as conn, await connect(database) as other:
        await conn.execute("CREATE TABLE t (x integer); CREATE VIEW v AS SELECT x FROM t")
        await other.execute("BEGIN; ALTER TABLE t ADD y integer")
        with pytest.raises(Problem, match="holds a lock") as caught:
            await catalog.snapshot(conn)
        assert caught.value.code == "55P03"
        assert conn.info.transaction_status == TransactionStatus.IDLE


async def test_rows_are_counted_where_that_is_cheap(database: str) -> None:
    async with await connect(database) as conn:
        await conn.execute("CREATE TABLE small AS SELECT generate_series(1, 30) AS x")
        await conn.execute("CREATE TABLE large AS SELECT generate_series(1, 3000) AS x; ANALYZE large")
        await conn.execute("CREATE TABLE parts (x integer) PARTITION BY LIST (x)")
        await conn.execute("CREATE TABLE part PARTITION OF parts DEFAULT; INSERT INTO parts VALUES (1), (2)")
        counts = await catalog.row_counts(conn, exact_below=1000)
        assert counts["public.small"] == RowCount(30, True)
        assert counts["public.part"] == RowCount(2, True)
        assert counts["public.large"] == RowCount(3000, False, "large")
        assert set(counts) == {"public.small", "public.large", "public.part"}
        assert (await catalog.row_counts(conn, exact_below=10_000))["public.large"] == RowCount(3000, True)


async def test_what_cannot_be_counted_whole_is_an_estimate(database: str) -> None:
    async with await connect(database) as conn, await connect(database) as other:
        await conn.execute("CREATE ROLE clerk")
        try:
            for name in ("open", "forbidden", "filtered", "locked"):
                await conn.execute(f"CREATE TABLE {name} AS SELECT generate_series(1, 5) AS x".encode())
            await conn.execute("GRANT SELECT ON open, filtered, locked TO clerk")
            await conn.execute("ALTER TABLE filtered ENABLE ROW LEVEL SECURITY")
            await other.execute("BEGIN; LOCK TABLE locked IN ACCESS EXCLUSIVE MODE")
            await conn.execute("SET ROLE clerk")
            counts = await catalog.row_counts(conn, exact_below=1_000_000)
        finally:
            await other.execute("ROLLBACK")
            await conn.execute("RESET ROLE")
            await conn.execute("DROP OWNED BY clerk; DROP ROLE clerk")
    why = {name.removeprefix("public."): count.why for name, count in counts.items()}
    assert why == {"open": "", "forbidden": "hidden", "filtered": "hidden", "locked": "locked"}
    assert counts["public.open"] == RowCount(5, True)


async def test_a_table_that_vanishes_does_not_spoil_the_others(database: str) -> None:
    async with await connect(database) as conn:
        await conn.execute("CREATE TABLE here (x integer)")
        here, gone = (Table("public", name, f"public.{name}", 0) for name in ("here", "gone"))
        assert await counted(conn, [gone, here]) == {"public.here": RowCount(0, True)}


async def test_what_is_locked_meanwhile_is_an_estimate(database: str) -> None:
    async with await connect(database) as conn, await connect(database) as other:
        await conn.execute("CREATE TABLE free (x integer); CREATE TABLE shut (x integer)")
        await other.execute("BEGIN; LOCK TABLE shut IN ACCESS EXCLUSIVE MODE")
        await conn.execute("SET lock_timeout = '50ms'")
        free, shut = (Table("public", name, f"public.{name}", 7) for name in ("free", "shut"))
        found = await counted(conn, [free, shut])
        assert found == {"public.free": RowCount(0, True), "public.shut": RowCount(7, False, "locked")}


async def test_missing_tables_and_columns(database: str) -> None:
    async with await connect(database) as conn:
        await conn.execute(
            'CREATE TABLE orders (id integer, gone integer); CREATE SCHEMA a; CREATE TABLE a."T" (x text)'
        )
        await conn.execute("ALTER TABLE orders DROP gone")
        missing = await catalog.exists(
            conn,
            [(None, "orders"), (None, "coupons"), ("a", "T"), ("b", "T")],
            [((None, "orders"), "id"), ((None, "orders"), "gone"), (("a", "T"), "x")],
        )
        assert missing == ("coupons", "b.T", "orders.gone")
        await conn.execute("SET search_path = a")
        assert await catalog.exists(conn, [(None, "orders"), (None, "T")]) == ("orders",)


async def test_an_index_that_failed_to_build_is_invalid(database: str) -> None:
    async with await connect(database) as conn:
        await conn.execute("CREATE TABLE t (x integer); INSERT INTO t VALUES (1), (1)")
        with pytest.raises(psycopg.errors.UniqueViolation):
            await conn.execute("CREATE UNIQUE INDEX CONCURRENTLY only_one ON t (x)")
        assert "state" in (await catalog.snapshot(conn)).objects["index public.only_one"]
