"""What scripts do to tables, and what may become of rows by it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from migrations.catalog import RowCount, Snapshot
from migrations.catalog.deletions import Deletions, deletions, habit
from migrations.catalog.effects import Effects, effects_of
from migrations.catalog.recorded import Recorded, RowChange, name_of, record, row_changes
from migrations.sql import read_script
from migrations.sql.names import Name


def effects(*scripts: str) -> Effects:
    return effects_of([(f"m{n}", read_script(text)) for n, text in enumerate(scripts)], "public")


def named(*names: str) -> set[Name]:
    return {Name("public", name) for name in names}


def test_what_must_be_there_in_the_end() -> None:
    found = effects(
        """CREATE TABLE a (x int, y int); CREATE TABLE b (x int); CREATE TEMP TABLE t (x int);
        ALTER TABLE old ADD COLUMN note text, ADD COLUMN gone int;""",
        """ALTER TABLE a DROP COLUMN y; ALTER TABLE old DROP COLUMN gone; DROP TABLE b; DROP TABLE ancient;
        ALTER TABLE a RENAME TO "A"; ALTER TABLE "A" RENAME COLUMN x TO z; ALTER TABLE old RENAME TO newer;
        CREATE TABLE s.c (i int); ALTER TABLE "A" SET SCHEMA s; CREATE TABLE gone.d (i int); DROP SCHEMA gone CASCADE;
        SET search_path = "$user", shop; CREATE TABLE e (i int); RESET search_path;
        ALTER TABLE e ADD h int""",
        "ALTER TABLE f ADD g int",
    )
    assert found.tables == (Name("s", "c"), Name("s", "A"), Name("shop", "e"))
    assert set(found.columns) == {
        (Name("public", "newer"), "note"),
        (Name("s", "c"), "i"),
        (Name("s", "A"), "z"),
        (Name("shop", "e"), "i"),
        (Name("public", "e"), "h"),
        (Name("public", "f"), "g"),
    }
    assert found.dropped == named("ancient")
    assert found.renamed == {Name("public", "old"): Name("public", "newer")}
    assert found.opaque == ()


@pytest.mark.parametrize(
    "text",
    ["DO $$ BEGIN DELETE FROM t; END $$", "CALL p()", "SELECT f()", "SET search_path = ''", "DROP TYPE m CASCADE",
     "BEGIN; DROP TABLE t; ROLLBACK", "ALTER SCHEMA a RENAME TO b"],
)  # fmt: skip
def test_what_cannot_be_told_is_said(text: str) -> None:
    (why,) = effects("SELECT 1;\n" + text).opaque
    assert why.startswith("m0, line 2: ")


def test_what_code_makes_need_not_be_there() -> None:
    found = effects("DO $$ BEGIN IF f() THEN CREATE TABLE a (c int); ALTER TABLE b ADD d int; END IF; END $$")
    assert (found.tables, found.columns, len(found.opaque)) == ((), (), 1)


def test_names_are_those_of_before() -> None:
    found = effects("ALTER TABLE a RENAME TO b; DELETE FROM b WHERE x; TRUNCATE c; TRUNCATE d CASCADE; DROP TABLE b")
    assert (found.reduced, found.emptied, found.dropped) == (named("a", "c"), named("d"), named("a"))


def test_what_is_touched_and_what_cannot_be_read() -> None:
    found = effects("ALTER TABLE a ADD x int REFERENCES b; CREATE INDEX i ON s.c (x); UPDATE d SET x = 1", "SELEC 1")
    assert found.touched == {Name("s", "c"), *named("a", "b", "d")}
    assert found.opaque and found.opaque[0].startswith("m1: ")


def test_names_are_read_back() -> None:
    assert name_of('public."A ""b"".c"') == Name("public", 'A "b".c')
    assert name_of("orders") == Name(None, "orders")


@asynccontextmanager
async def connect(url: str) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    connection = await psycopg.AsyncConnection.connect(url, autocommit=True)
    try:
        yield connection
    finally:
        await connection.close()


SHOP = """
CREATE TABLE customers (id int PRIMARY KEY);
CREATE TABLE orders (id int PRIMARY KEY, customer int REFERENCES customers ON DELETE CASCADE);
CREATE TABLE lines (id int, "order" int REFERENCES orders ON DELETE CASCADE);
CREATE TABLE "Notes" (id int, customer int REFERENCES customers);
CREATE TABLE events (id int) PARTITION BY RANGE (id);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (0) TO (10);
CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM (10) TO (20);
CREATE TABLE _prisma_migrations (id text);
INSERT INTO customers VALUES (1), (2), (3); INSERT INTO orders VALUES (1, 1), (2, 2); INSERT INTO lines VALUES (1, 1);
INSERT INTO "Notes" VALUES (1, 3); INSERT INTO events VALUES (1), (2), (11);
"""


async def changed(url: str, script: str, *, also: str = "", may_shrink: tuple[str, ...] = ()) -> dict[str, RowChange]:
    """Run a script, and something beside it; then what became of each table's rows."""
    async with connect(url) as conn:
        await conn.execute(SHOP)
    return await changed_again(url, script=script, also=also, may_shrink=may_shrink)


async def changed_again(
    url: str, *, script: str, also: str = "", may_shrink: tuple[str, ...] = ()
) -> dict[str, RowChange]:
    """The same, of the shop as it is."""
    async with connect(url) as conn:
        before = await record(conn, exact_below=1000)
        await conn.execute(f"{script};{also}".encode())
        after = await record(conn, exact_below=1000)
    assert Recorded.from_json(before.to_json(str)) == before
    kept = Recorded.from_json(before.to_json(lambda text: text.replace("orders", "…")))
    names = [Name("public", name) for name in may_shrink]
    return {
        change.table.removeprefix("public."): change
        for change in row_changes(kept, after, effects(script), may_shrink=names)
    }


async def test_rows_that_nobody_deleted_are_still_there(database: str) -> None:
    found = await changed(database, "CREATE TABLE new (id int); INSERT INTO orders VALUES (3, 3)")
    assert set(found) == {"customers", "orders", "lines", '"Notes"', "events", "new"}
    assert {change.outcome for change in found.values()} == {"ok"}
    assert (found["orders"].words, found["events"].words, found["new"].words) == ("1 more", "same", "new")
    assert found["events"].before == RowCount(3, True)


async def test_lost_rows_fail_unless_a_script_or_the_runbook_explains_them(database: str) -> None:
    also = 'DELETE FROM "Notes"; DELETE FROM events WHERE id = 1; DROP TABLE lines'
    found = await changed(database, "SELECT 1", also=also, may_shrink=("Notes",))
    assert {table: change.outcome for table, change in found.items() if change.words != "same"} == {
        '"Notes"': "ok",
        "events": "fail",
        "lines": "fail",
    }
    assert found["events"].words.startswith("1 fewer, and no script deletes from it; nobody deleted from it before")
    assert found["lines"].words == "gone, and no script drops it"


async def test_a_delete_reaches_what_hangs_on_it(database: str) -> None:
    found = await changed(database, "DELETE FROM customers WHERE id = 1", also='DELETE FROM "Notes"')
    outcomes = {table: change.outcome for table, change in found.items() if change.words != "same"}
    assert outcomes == {"customers": "ok", "orders": "ok", "lines": "ok", '"Notes"': "fail"}


async def test_truncate_cascade_reaches_every_reference(database: str) -> None:
    found = await changed(database, "TRUNCATE customers CASCADE")
    assert {change.outcome for change in found.values()} == {"ok"}
    assert found['"Notes"'].after == RowCount(0, True)


async def test_dropped_renamed_and_detached_tables(database: str) -> None:
    script = "DROP TABLE lines; ALTER TABLE orders RENAME TO sales; ALTER TABLE events DETACH PARTITION events_2"
    found = await changed(database, script)
    assert (found["lines"].outcome, found["lines"].words, found["lines"].after) == ("ok", "dropped by a script", None)
    assert (found["orders"].outcome, found["orders"].words) == ("ok", "same, now sales")
    assert found["events"].words == "same" and "sales" not in found


@pytest.mark.parametrize("script", ["DROP TABLE events_1", "TRUNCATE events_1", "DELETE FROM events_1 WHERE id = 1"])
async def test_what_a_partition_loses_its_table_loses(database: str, script: str) -> None:
    found = await changed(database, script)
    assert (found["events"].outcome, "a script deletes from it" in found["events"].words) == ("ok", True)


async def test_a_view_may_lead_to_any_table(database: str) -> None:
    script = "CREATE VIEW v AS SELECT * FROM lines"
    async with connect(database) as conn:
        await conn.execute(SHOP + script)
    found = await changed_again(database, script="DELETE FROM v")
    assert found["lines"].outcome == "warn"


async def test_what_code_does_is_not_known(database: str) -> None:
    found = await changed(database, "DO $$ BEGIN DELETE FROM lines; DROP TABLE events; END $$")
    assert (found["lines"].outcome, found["events"].outcome) == ("warn", "warn")


@pytest.mark.parametrize(
    "before, after, outcome",
    [
        (RowCount(1000, False, "large"), RowCount(950, False, "large"), "ok"),
        (RowCount(1000, False, "large"), RowCount(500, False, "large"), "warn"),
        (RowCount(1000, False, "large"), RowCount(0, True), "fail"),
        (RowCount(1000, False, "large"), RowCount(800, True), "warn"),
        (RowCount(1000, False, "hidden"), RowCount(1000, False, "hidden"), "warn"),
        (RowCount(1000, True), RowCount(999, True), "fail"),
    ],
)
def test_estimates_prove_little(before: RowCount, after: RowCount, outcome: str) -> None:
    old, new = (Recorded(Snapshot({}), {"public.t": count}) for count in (before, after))
    (change,) = row_changes(old, new, effects())
    assert change.outcome == outcome


NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def counted(minutes: float, deleted: int, *, since: float | None = None) -> Deletions:
    """What had been deleted from `t` so many minutes after noon."""
    start = None if since is None else NOON + timedelta(minutes=since)
    return Deletions(NOON + timedelta(minutes=minutes), start, {"public.t": deleted})


@pytest.mark.parametrize(
    "first, before, after, lost, outcome, words",
    [
        (None, counted(0, 6000, since=-600), counted(6, 6050, since=-600), 50, "ok",
         "50 fewer; others usually delete about 60 in that time, the server has counted 50 since"),
        (None, counted(0, 6000, since=-600), counted(6, 9000, since=-600), 3000, "fail",
         "3000 fewer, and no script deletes from it; others usually delete about 60 in that time, "
         "the server has counted 3000 since"),
        (counted(-2, 900), counted(0, 1000), counted(6, 1250), 250, "ok",
         "250 fewer; others usually delete about 300 in that time, the server has counted 250 since"),
        (counted(-2, 1000), counted(0, 1000), counted(6, 1001), 1, "fail",
         "1 fewer, and no script deletes from it; others usually delete about 0 in that time, "
         "the server has counted 1 since"),
        (counted(-0.1, 900), counted(0, 1000), counted(6, 1001), 1, "warn",
         "1 fewer, and no script deletes from it; 1000 were deleted before, nobody knows in what time, "
         "the server has counted 1 since"),
        (None, counted(0, 0, since=-600), counted(6, 1, since=-600), 1, "fail",
         "1 fewer, and no script deletes from it; nobody deleted from it before, the server has counted 1 since"),
        (None, None, counted(6, 1), 1, "fail", "1 fewer, and no script deletes from it"),
    ],
)  # fmt: skip
def test_what_others_delete_all_the_time_is_no_loss(
    first: Deletions | None, before: Deletions | None, after: Deletions, lost: int, outcome: str, words: str
) -> None:
    old = Recorded(Snapshot({}), {"public.t": RowCount(5000, True)}, before)
    now = Recorded(Snapshot({}), {"public.t": RowCount(5000 - lost, True)}, after)
    (change,) = row_changes(old, now, effects(), first=first)
    assert (change.outcome, change.words) == (outcome, words)
    (by_script,) = row_changes(old, now, effects("DELETE FROM t WHERE x"), first=first)
    assert by_script.outcome == "ok"


async def test_the_server_counts_what_is_deleted(database: str) -> None:
    async with connect(database) as conn:
        await conn.execute('CREATE TABLE "T" (x int); INSERT INTO "T" SELECT generate_series(1, 9)')
        before = await deletions(conn)
        await conn.execute('DELETE FROM "T" WHERE x < 5')
        await conn.execute("SELECT pg_stat_force_next_flush()")
        after = await deletions(conn)
    assert (before.rows.get('public."T"', 0), after.rows['public."T"']) == (0, 4)
    assert after.at > before.at and Deletions.from_json(after.to_json()) == after
    assert habit(('public."T"',), None, before, after).counted == 4
