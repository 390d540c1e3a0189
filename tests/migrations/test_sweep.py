"""What is half done, switched off, or runs out, made on a real server."""

import asyncio
from typing import Any

import psycopg
import pytest

from migrations.catalog.sweep import Flaw, Kind, from_json, held_against, sweep, to_json
from migrations.sql.names import Name

Connection = psycopg.AsyncConnection[Any]
QUIET = "WITH (autovacuum_enabled = off)"


async def connect(url: str) -> Connection:
    return await psycopg.AsyncConnection.connect(url, autocommit=True)


async def found(conn: Connection, *kinds: Kind) -> dict[str, Flaw]:
    flaws = await sweep(conn, percent=80, rows=1000)
    assert from_json(to_json(flaws)) == flaws
    return {flaw.name: flaw for flaw in flaws if not kinds or flaw.kind in kinds}


async def mend(conn: Connection, flaws: dict[str, Flaw]) -> None:
    for flaw in flaws.values():
        for statement in flaw.mend.split("; "):
            await conn.execute(statement.encode())


async def test_what_is_whole_has_no_flaw(database: str) -> None:
    async with await connect(database) as conn:
        await conn.execute("CREATE TABLE t (id serial PRIMARY KEY, x int CHECK (x > 0), e int REFERENCES t)")
        await conn.execute("INSERT INTO t (x) SELECT 1 FROM generate_series(1, 200)")
        await conn.execute("CREATE INDEX ON t ((x + 1)); ANALYZE t")
        await conn.execute("CREATE TABLE empty (x int)")
        assert await found(conn) == {}


async def test_indexes_that_failed(database: str) -> None:
    async with await connect(database) as conn, await connect(database) as other:
        await conn.execute("CREATE TABLE t (x text); INSERT INTO t VALUES ('1'), ('1'); CREATE INDEX good ON t (x)")
        with pytest.raises(psycopg.errors.UniqueViolation):
            await conn.execute('CREATE UNIQUE INDEX CONCURRENTLY "Once" ON t (x)')
        await other.execute("BEGIN; INSERT INTO t VALUES ('2')")
        await conn.execute("SET statement_timeout = '300ms'")
        with pytest.raises(psycopg.errors.QueryCanceled):
            await conn.execute("REINDEX TABLE CONCURRENTLY t")
        await conn.execute("RESET statement_timeout")
        await other.execute("ROLLBACK")
        flaws = await found(conn, "invalid-index")
        assert {flaw.table for flaw in flaws.values()} == {Name("public", "t")}
        assert {flaw.weight for flaw in flaws.values()} == {"stop"}
        left = {name for name, flaw in flaws.items() if "left by a REINDEX" in flaw.words}
        assert left == set(flaws) - {'public."Once"'} and "public.good_ccnew" in left
        assert any(name.startswith("pg_toast.") for name in left), "the index of its TOAST table, too"
        await mend(conn, flaws)
        assert await found(conn, "invalid-index") == {}


async def test_an_index_that_is_being_built_will_pass(database: str) -> None:
    async with await connect(database) as conn, await connect(database) as other, await connect(database) as third:
        await conn.execute("CREATE TABLE t (x int)")
        await other.execute("BEGIN; INSERT INTO t VALUES (2)")
        build = asyncio.create_task(third.execute("CREATE INDEX CONCURRENTLY slow ON t (x)"))
        try:
            async with asyncio.timeout(30):
                while not (flaws := await found(conn, "invalid-index")):  # noqa: ASYNC110 (nobody tells us)
                    await asyncio.sleep(0.02)
        finally:
            await other.execute("ROLLBACK")
            await build
        assert [(name, flaw.weight, flaw.mend) for name, flaw in flaws.items()] == [("public.slow", "passing", "")]
        assert await found(conn, "invalid-index") == {}


async def test_an_index_that_is_not_on_every_partition(database: str) -> None:
    async with await connect(database) as conn:
        await conn.execute("CREATE TABLE t (x int) PARTITION BY RANGE (x)")
        await conn.execute("CREATE TABLE a PARTITION OF t FOR VALUES FROM (0) TO (1)")
        await conn.execute("CREATE TABLE b PARTITION OF t FOR VALUES FROM (1) TO (2)")
        await conn.execute("CREATE UNIQUE INDEX i ON ONLY t (x)")
        await conn.execute("CREATE UNIQUE INDEX ia ON a (x); ALTER INDEX i ATTACH PARTITION ia")
        (flaw,) = (await found(conn)).values()
        assert (flaw.name, flaw.mend, "missing on public.b" in flaw.words) == ("public.i", "", True)


async def test_constraints_and_triggers(database: str) -> None:
    async with await connect(database) as conn:
        await conn.execute("CREATE TABLE p (id int PRIMARY KEY)")
        await conn.execute("CREATE TABLE t (x int) PARTITION BY RANGE (x)")
        await conn.execute("CREATE TABLE a PARTITION OF t FOR VALUES FROM (0) TO (1)")
        await conn.execute("CREATE TABLE u (x int REFERENCES p)")
        await conn.execute("ALTER TABLE t ADD CONSTRAINT c CHECK (x > -1) NOT VALID")
        await conn.execute("ALTER TABLE u ADD CONSTRAINT f FOREIGN KEY (x) REFERENCES p NOT VALID")
        await conn.execute('CREATE DOMAIN d AS int; ALTER DOMAIN d ADD CONSTRAINT "D" CHECK (value > 0) NOT VALID')
        await conn.execute("CREATE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'")
        await conn.execute("CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION g()")
        await conn.execute("ALTER TABLE t DISABLE TRIGGER g; ALTER TABLE u DISABLE TRIGGER ALL")
        constraints, triggers = await found(conn, "not-validated"), await found(conn, "disabled-trigger")
        assert set(constraints) == {"public.t.c", "public.u.f", 'public.d."D"'}
        assert "public.t.g" in triggers and "public.a.g" not in triggers, "of a partition's copy its parent tells"
        assert sum("the constraint u_x_fkey is not enforced" in flaw.words for flaw in triggers.values()) == 2
        await mend(conn, {**constraints, **triggers})
        assert await found(conn) == {}


async def test_a_detach_that_was_cut_short(database: str) -> None:
    async with await connect(database) as conn, await connect(database) as other:
        await conn.execute("CREATE TABLE t (x int) PARTITION BY RANGE (x)")
        await conn.execute("CREATE TABLE a PARTITION OF t FOR VALUES FROM (0) TO (1)")
        await other.execute("BEGIN; SELECT * FROM t")
        await conn.execute("SET statement_timeout = '300ms'")
        with pytest.raises(psycopg.errors.QueryCanceled):
            await conn.execute("ALTER TABLE t DETACH PARTITION a CONCURRENTLY")
        await conn.execute("RESET statement_timeout")
        await other.execute("ROLLBACK")
        flaws = await found(conn)
        assert {name: flaw.table for name, flaw in flaws.items()} == {"public.a": Name("public", "t")}
        await mend(conn, flaws)
        assert await found(conn) == {}


SEQUENCES = """
CREATE TABLE narrow (id serial, free bigserial);
CREATE TABLE widened (id serial); ALTER TABLE widened ALTER id TYPE bigint;
CREATE SEQUENCE wide; CREATE TABLE fed (id int DEFAULT nextval('wide'));
CREATE SEQUENCE down INCREMENT -1 MINVALUE -100; CREATE SEQUENCE circle MAXVALUE 10 CYCLE;
CREATE TABLE numbered (id smallint GENERATED ALWAYS AS IDENTITY); CREATE SEQUENCE unused MAXVALUE 10;
SELECT setval('narrow_id_seq', 1800000000), setval('narrow_free_seq', 1800000000), setval('wide', 2147483647),
       setval('widened_id_seq', 1800000000), setval('down', -90), setval('circle', 10), setval('numbered_id_seq', 30000)
"""


async def test_sequences_near_their_end(database: str) -> None:
    async with await connect(database) as conn:
        await conn.execute(SEQUENCES)
        flaws = await found(conn, "sequence-end")
        names = {f"public.{name}" for name in ("narrow_id_seq", "widened_id_seq", "wide", "down", "numbered_id_seq")}
        assert set(flaws) == names
        assert {name for name, flaw in flaws.items() if flaw.weight == "stop"} == {"public.wide"}
        narrow, wide = flaws["public.narrow_id_seq"], flaws["public.wide"]
        assert narrow.words.startswith("83.8 % of its numbers are used up: 1800000000, where 2147483647 is the last")
        assert narrow.words.endswith("it feeds public.narrow.id (integer)")
        assert wide.mend == "ALTER TABLE public.fed ALTER COLUMN id TYPE bigint;"
        assert flaws["public.widened_id_seq"].mend == "ALTER SEQUENCE public.widened_id_seq AS bigint NO MAXVALUE;"
        await mend(conn, flaws)
        assert await found(conn, "sequence-end") == {}


async def test_sequences_that_others_hold_are_passed_over(database: str) -> None:
    async with await connect(database) as conn, await connect(database) as other:
        await conn.execute("CREATE SEQUENCE s MAXVALUE 10; SELECT setval('s', 10)")
        await other.execute("BEGIN; ALTER SEQUENCE s MAXVALUE 20")
        await conn.execute("SET lock_timeout = '50ms'")
        assert await found(conn) == {}
        await other.execute("ROLLBACK")
        assert set(await found(conn)) == {"public.s"}


async def test_what_the_planner_does_not_know(database: str) -> None:
    async with await connect(database) as conn:
        await conn.execute(f"CREATE TABLE t (x int, y int) {QUIET}; CREATE TABLE small (x int) {QUIET}")
        await conn.execute("INSERT INTO t SELECT 1, 2 FROM generate_series(1, 5000); INSERT INTO small VALUES (1)")
        fresh = await found(conn)
        assert {name: (flaw.weight, flaw.parts) for name, flaw in fresh.items()} == {
            "public.t": ("warn", ("x", "y")),
            "public.small": ("note", ("x",)),
        }
        assert fresh["public.t"].words.endswith("never analysed")
        await mend(conn, fresh)
        assert await found(conn) == {}
        await conn.execute("ALTER TABLE t ADD z int, ALTER y TYPE bigint; CREATE INDEX twice ON t ((x * 2))")
        lost = await found(conn)
        assert {name: flaw.parts for name, flaw in lost.items()} == {"public.t": ("index twice", "y", "z")}
        assert "analysed last at" in lost["public.t"].words
        await mend(conn, lost)
        assert await found(conn) == {}


def flaw(name: str, oid: str, *parts: str, kind: Kind = "not-validated") -> Flaw:
    return Flaw(kind, oid, name, Name("public", "t"), "", "", "stop", parts)


def test_what_is_new_and_what_is_not() -> None:
    stayed, renamed, gone = flaw("a", "1"), flaw("b", "2"), flaw("c", "3")
    some = flaw("t", "4", "x", kind="statistics")
    also, other_kind, more = (
        flaw("B", "2"),
        flaw("c", "9", kind="invalid-index"),
        flaw("t", "4", "x", "y", kind="statistics"),
    )
    swept = held_against([stayed, renamed, gone, some], [stayed, also, other_kind, more])
    assert swept.new == (other_kind, flaw("t", "4", "y", kind="statistics"))
    assert (swept.kept, swept.mended) == ((stayed, also, more), (gone,))
