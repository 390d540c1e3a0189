"""A dump put back without a right to create or rename databases: whole, and table by table."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from dumping import MIGRATE, fill

from migrations.problem import Problem
from migrations.server import ThrowawayServer
from runbooks.session import events as e
from runbooks.steps import catalogue
from runbooks.steps.base import Doubt, Settled
from tests.fix_live import Live, write
from tests.runbooks.steps.test_walk_back import BOOK
from tests.runbooks.steps_context import StepContext

MORE = """
CREATE SCHEMA app;
CREATE DOMAIN app.amount AS numeric CHECK (VALUE >= 0);
CREATE TYPE app.pair AS (a int, b text);
CREATE TYPE app.span AS RANGE (subtype = int);
CREATE FUNCTION app.tax(a app.amount) RETURNS numeric LANGUAGE sql AS $$ SELECT a * 0.2; -- COPY x (y) FROM stdin;
$$;
CREATE AGGREGATE app.total(numeric) (sfunc = numeric_add, stype = numeric, initcond = '0');
CREATE TABLE app.odd (id serial PRIMARY KEY, p app.pair, s app.span, a app.amount, t text);
INSERT INTO app.odd (p, s, a, t) VALUES
    ((1, 'x'), '[1,3)', 1, E'tab\\tnewline\\nback\\\\slash \\\\. ü'), (NULL, NULL, 2, '');
COMMENT ON TABLE app.odd IS 'hunter2-hunter2';
CREATE TABLE app.empty ();
INSERT INTO app.empty DEFAULT VALUES;
CREATE TABLE app.parts (id int, n int) PARTITION BY LIST (n);
CREATE TABLE app.part_1 PARTITION OF app.parts FOR VALUES IN (1);
INSERT INTO app.parts VALUES (1, 1);
CREATE MATERIALIZED VIEW app.seen AS SELECT count(*) FROM app.odd;
"""


@pytest.fixture
def narrow(server: ThrowawayServer, databases: Callable[..., str], admin: psycopg.Connection[Any]) -> Iterator[str]:
    """A filled database whose owner may create no database."""
    url = databases("narrow")
    admin.execute("DROP ROLE IF EXISTS narrow_owner")
    admin.execute("CREATE ROLE narrow_owner LOGIN PASSWORD 'x' NOCREATEDB NOSUPERUSER")
    admin.execute("ALTER DATABASE narrow OWNER TO narrow_owner")
    as_owner = psycopg.conninfo.conninfo_to_dict(url)
    host = as_owner["host"]
    mine = f"postgresql://narrow_owner:x@localhost/narrow?host={host}&port={as_owner.get('port', 5432)}"
    fill(mine)
    with psycopg.connect(mine, autocommit=True) as connection:
        connection.execute(MORE)
    yield mine
    for (name,) in admin.execute("SELECT datname FROM pg_database WHERE datname LIKE 'narrow_gonogo_%'").fetchall():
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    admin.execute("DROP DATABASE narrow WITH (FORCE)")
    admin.execute("CREATE DATABASE narrow")
    admin.execute("DROP ROLE narrow_owner")


@pytest.fixture
def ctx(narrow: str, tmp_path: Path, server: ThrowawayServer) -> StepContext:
    environ = {"PATH": f"{server.bin}:/usr/bin:/bin", "XDG_STATE_HOME": str(tmp_path / "state")}
    return StepContext(narrow, tmp_path, runbook=BOOK, answers={"database": "narrow"}, environ=environ)


def query(url: str, text: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(text.encode())
        return cursor.fetchall() if cursor.description else []


def odd(url: str) -> list[tuple[Any, ...]]:
    return query(url, "SELECT id, p::text, s::text, a, t FROM app.odd ORDER BY id")


def start(uses: str, step: str) -> e.StepStarted:
    return e.StepStarted(step=step, attempt=1, title="", uses=uses, effect="target", why="resume")


async def reconciled(ctx: StepContext, uses: str, step: str, **params: Any) -> Settled | Doubt | None:
    kind = catalogue()[uses]
    assert kind.reconcile is not None
    return await kind.reconcile(ctx, kind.params.model_validate(params), start(uses, step))


async def test_what_it_would_be_refused_for_is_told_at_the_opening(live: Live) -> None:
    write(live)
    with (live.small.folder / "small.md").open("a") as document:
        document.write('\n```toml step\nid = "replace"\nuses = "restore.replace"\n```\n')
    query(live.small.url, "CREATE PUBLICATION everything FOR ALL TABLES")
    await live.start()
    view = await live.until(lambda view: view.step("opening").end)
    told = next(check for check in view.step("opening").checks if check.id == "replace")
    assert told.outcome == "warn" and "publication everything is not handled" in told.evidence


async def test_all_of_it_in_one_transaction(ctx: StepContext, narrow: str) -> None:
    before = odd(narrow)
    dumped = await ctx.run("backup.dump", id="dump")
    assert "hunter2" not in (ctx.folder / dumped.state).read_text()
    assert threading.get_ident() not in ctx.cleaned_by, "a large schema holds the event loop up"
    with pytest.raises(Problem, match="may not create databases"):
        await ctx.run("restore.side", id="side")
    query(narrow, MIGRATE)
    query(
        narrow,
        "CREATE TABLE app.newer (x app.amount); DELETE FROM app.odd; CREATE SCHEMA later; "
        "CREATE TYPE later.t AS ENUM ()",
    )
    result = await ctx.run("restore.replace", id="replace")
    assert result.dropped > 10 and ctx.outcomes["replaced"] == "ok"
    assert odd(narrow) == before and query(narrow, 'SELECT count(*) FROM "Ord""ers 26" WHERE state = \'paid\'') == [
        (0,)
    ]
    assert query(narrow, "SELECT to_regclass('shipments'), to_regnamespace('later'), to_regclass('app.newer')") == [
        (None, None, None)
    ]
    assert query(narrow, "INSERT INTO app.odd (t) VALUES ('next') RETURNING id") == [(3,)]
    settled = await reconciled(ctx, "restore.replace", "replace")
    assert isinstance(settled, Settled) and (settled.end, settled.outcome) == ("done", "ok")
    assert settled.result is not None and settled.result["restored"] == result.restored
    for _, data in ctx.recorded:
        data |= {"timeline": "000000FF"} if data.get("xid") else {}
    doubt = await reconciled(ctx, "restore.replace", "replace")
    assert isinstance(doubt, Doubt) and "another server has taken over" in doubt.look, (
        "which may lack what was committed"
    )


async def test_what_would_not_be_whole_is_refused_or_not_committed(
    ctx: StepContext, narrow: str, server: ThrowawayServer
) -> None:
    """The record of the dump is altered: it is what is compared with."""
    result = await ctx.run("backup.dump", id="dump")
    path = ctx.folder / result.state
    path.write_text(path.read_text().replace('"rows": 5000', '"rows": 4999'))
    query(narrow, MIGRATE)
    with pytest.raises(Problem, match="is not what was dumped") as caught:
        await ctx.run("restore.replace", id="replace")
    assert "4999 rows at the dump, 5000 now" in str(caught.value.detail)  # type: ignore[attr-defined]
    assert query(narrow, "SELECT count(*) FROM shipments") == [(4000,)]
    settled = await reconciled(ctx, "restore.replace", "replace")
    assert isinstance(settled, Settled) and settled.words == "it was rolled back: nothing was changed"
    query(server.url("narrow"), "CREATE SCHEMA x; CREATE TABLE x.theirs (); CREATE PUBLICATION p FOR ALL TABLES")
    asked = len(ctx.asked)
    with pytest.raises(Problem, match=r"publication p is not handled.*x\.theirs belongs to another role"):
        await ctx.run("restore.replace", id="replace")
    query(server.url("narrow"), "DROP PUBLICATION p")
    assert len(ctx.asked) == asked


ORDERS = 'public."Ord""ers 26"'


async def test_tables_come_back_with_their_keys_and_sequences(ctx: StepContext, narrow: str) -> None:
    query(narrow, "CREATE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'fired'; END$$")
    query(
        narrow, f"CREATE TRIGGER t BEFORE INSERT OR UPDATE OR DELETE ON {ORDERS} FOR EACH ROW EXECUTE FUNCTION never()"
    )
    await ctx.run("backup.dump", id="dump")
    query(narrow, f"ALTER TABLE {ORDERS} DISABLE TRIGGER t")
    query(narrow, f"DELETE FROM {ORDERS} WHERE id > 4000; UPDATE {ORDERS} SET note = NULL WHERE id <= 10")
    query(narrow, "DELETE FROM customers WHERE id = 200 AND false; UPDATE customers SET email = 'x' WHERE id = 3")
    query(narrow, f"INSERT INTO {ORDERS} (customer, note) VALUES (1, 'since')")
    query(narrow, f"ALTER TABLE {ORDERS} ENABLE TRIGGER t; ALTER TABLE {ORDERS} ADD extra int DEFAULT 7")
    query(narrow, "DELETE FROM app.odd")
    ctx.answers["tables"] = ORDERS
    result = await ctx.run("restore.tables", id="tables", tables=[ORDERS, "public.customers", "app.odd"])
    assert result.tables == {ORDERS: (1000, 10, 1), "public.customers": (0, 1, 0), "app.odd": (2, 0, 0)}
    assert query(narrow, f"SELECT count(*), count(*) FILTER (WHERE note IS NULL) FROM {ORDERS}") == [(5001, 0)]
    assert query(narrow, "SELECT t FROM app.odd ORDER BY id") == [("tab\tnewline\nback\\slash \\. ü",), ("",)]
    assert query(narrow, "SELECT tgenabled::text FROM pg_trigger WHERE tgname = 't'") == [("O",)]
    ctx.answers["tables"] = ORDERS
    again = await ctx.run("restore.tables", id="tables", tables=[ORDERS], new_rows="delete")
    assert again.tables == {ORDERS: (0, 0, 1)} and query(narrow, f"SELECT max(id) FROM {ORDERS}") == [(5000,)]
    settled = await reconciled(ctx, "restore.tables", "tables", tables=[ORDERS])
    assert isinstance(settled, Settled) and settled.end == "done"


UNSAFE: list[tuple[str, dict[str, Any], str]] = [
    ("SELECT 1", {"tables": ["public.nothing"]}, "the dump has no table public.nothing"),
    ("SELECT 1", {"tables": ["app.part_1"]}, "partitioned, inherits"),
    ("SELECT 1", {"tables": ["app.empty"]}, "no primary key"),
    (
        "CREATE TABLE n (c bigint REFERENCES customers ON DELETE CASCADE)",
        {"tables": ["public.customers"], "new_rows": "delete"},
        "deletes rows of public.n",
    ),
    (
        "ALTER TABLE customers ADD n int; UPDATE customers SET n = 1; ALTER TABLE customers ALTER n SET NOT NULL",
        {"tables": ["public.customers"]},
        r"customers\.n is new, and must have a value",
    ),
    ("ALTER TABLE app.odd ALTER t TYPE varchar(40)", {"tables": ["app.odd"]}, "was text, and is character varying"),
    ("ALTER TABLE app.odd DROP a", {"tables": ["app.odd"]}, r"odd\.a is not there any more"),
    ("DROP TABLE app.odd CASCADE", {"tables": ["app.odd"]}, r"odd is not there any more"),
]


async def test_what_would_not_be_safe_is_refused(ctx: StepContext, narrow: str) -> None:
    await ctx.run("backup.dump", id="dump")
    for since, params, why in UNSAFE:
        query(narrow, since)
        with pytest.raises(Problem, match=why):
            await ctx.run("restore.tables", id="tables", **params)
    assert ctx.asked == []


async def test_rows_may_come_from_the_database_beside(
    ctx: StepContext, narrow: str, admin: psycopg.Connection[Any], server: ThrowawayServer
) -> None:
    """A role that is no superuser may not grant what PostgreSQL owns, and a dump holds such grants."""
    admin.execute("ALTER ROLE narrow_owner CREATEDB")
    query(server.url("narrow"), "GRANT EXECUTE ON FUNCTION pg_create_restore_point(text) TO narrow_owner")
    await ctx.run("backup.dump", id="dump")
    before = odd(narrow)
    query(narrow, "DELETE FROM app.odd")
    with pytest.raises(Problem, match="side has restored nothing"):
        await ctx.run("restore.tables", id="tables", tables=["app.odd"], side="side")
    side = await ctx.run("restore.side", id="side")
    assert "pg_create_restore_point(text)" in ctx.found("own-grants").evidence
    ctx.answers["tables"] = "app.odd"
    await ctx.run("restore.tables", id="tables", tables=["app.odd"], side="side")
    assert odd(narrow) == before and side.database in ctx.found("side").advice


async def test_a_violated_key_changes_nothing(ctx: StepContext, narrow: str) -> None:
    await ctx.run("backup.dump", id="dump")
    query(narrow, f"DELETE FROM {ORDERS}; DELETE FROM customers")
    ctx.answers["tables"] = ORDERS
    with pytest.raises(Problem, match="violates foreign key") as caught:
        await ctx.run("restore.tables", id="tables", tables=[ORDERS])
    assert "name it with these" in caught.value.advice and query(narrow, f"SELECT count(*) FROM {ORDERS}") == [(0,)]
    await ctx.run("restore.tables", id="tables", tables=[ORDERS, "public.customers"])
    assert query(narrow, f"SELECT count(*) FROM {ORDERS}") == [(5000,)]


async def test_rows_come_back_into_what_a_script_made_anew(ctx: StepContext, narrow: str) -> None:
    """A dropped table and a dropped column: the shape by a reviewed script, then the rows; the sequence follows."""
    before, emails = odd(narrow), query(narrow, "SELECT id, email FROM customers ORDER BY id")
    await ctx.run("backup.dump", id="dump")
    query(narrow, "DROP TABLE app.odd CASCADE; ALTER TABLE customers DROP email")
    query(narrow, "CREATE TABLE app.odd (id serial PRIMARY KEY, p app.pair, s app.span, a app.amount, t text)")
    query(narrow, "ALTER TABLE customers ADD email text UNIQUE")
    ctx.answers["tables"] = "app.odd"
    await ctx.run("restore.tables", id="tables", tables=["app.odd", "public.customers"])
    assert odd(narrow) == before and query(narrow, "SELECT id, email FROM customers ORDER BY id") == emails
    assert query(narrow, "INSERT INTO app.odd (t) VALUES ('next') RETURNING id") == [(3,)]


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
async def test_rows_in_another_encoding_are_not_put_back_with_other_characters(
    tmp_path: Path, server: ThrowawayServer, admin: psycopg.Connection[Any], encoding: str
) -> None:
    """The team's own dump: ours is in UTF-8."""
    admin.execute(f"CREATE DATABASE odd_bytes ENCODING '{encoding}' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
    try:
        url = server.url("odd_bytes")
        path = {"PATH": f"{server.bin}:/usr/bin:/bin"}
        ctx = StepContext(url, tmp_path, runbook=BOOK, answers={"tables": "public.t"}, environ=path)
        query(url, "CREATE TABLE t (id int PRIMARY KEY, n int, t text)")
        query(url, "SET client_encoding = SQL_ASCII; INSERT INTO t VALUES (1, 0, E'\\xe9')")
        await ctx.run("shell", id="own", script=f"umask 077; pg_dump -Fc -E {encoding} > own.dump")
        await ctx.run("backup.read", id="dump", file="own.dump")
        query(url, "UPDATE t SET n = 1")
        with pytest.raises(Problem, match="not in UTF-8"):
            await ctx.run("restore.tables", id="tables", tables=["public.t"], dump="dump")
    finally:
        admin.execute("DROP DATABASE odd_bytes WITH (FORCE)")


async def test_a_sequence_that_began_anew_hands_out_no_number_that_is_there(ctx: StepContext, narrow: str) -> None:
    query(narrow, "DELETE FROM app.odd WHERE id > 1")
    await ctx.run("backup.dump", id="dump")
    query(narrow, "TRUNCATE app.odd RESTART IDENTITY")
    ctx.answers["tables"] = "app.odd"
    await ctx.run("restore.tables", id="tables", tables=["app.odd"])
    assert query(narrow, "INSERT INTO app.odd (t) VALUES ('next') RETURNING id") == [(2,)]
