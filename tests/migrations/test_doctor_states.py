"""Every state that Prisma can leave, made in a database, and found there."""

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from migrations.doctor.reading import read_facts
from migrations.ledger.lock import KEY
from tests.migrations.ledgers import LOGS, World


@pytest.fixture
def world(database: str, tmp_path: Path) -> World:
    return World(database, tmp_path / "migrations")


def other_product(world: World) -> None:
    world.ledger()
    (world.folder / "migration_lock.toml").write_text('provider = "mysql"\n')


def tables_and_no_ledger(world: World) -> None:
    world.sql("CREATE TABLE notes (); CREATE VIEW v AS SELECT 1")


def failed(world: World) -> None:
    world.ledger()
    world.apply("1_notes")
    world.sql("CREATE TABLE tags (id int)")
    world.row("2_tags", "failed", logs=LOGS)


def cut_short(world: World) -> None:
    world.ledger()
    world.apply("1_notes")
    world.row("2_tags", "failed")


def no_script(world: World) -> None:
    world.ledger()
    (world.folder / "4_empty").mkdir()


def edited(world: World) -> None:
    world.ledger()
    world.apply("1_notes")
    world.write("1_notes", "CREATE TABLE notes (id bigint PRIMARY KEY);\n")


def ahead(world: World) -> None:
    world.ledger()
    world.row("9_newer")


def removed(world: World) -> None:
    world.ledger()
    world.row("0_first")


def twice(world: World) -> None:
    world.ledger()
    world.apply("1_notes")
    world.row("1_notes")


def rolled_back(world: World) -> None:
    world.ledger()
    world.row("3_last", "rolled back", logs=LOGS)


def late(world: World) -> None:
    world.ledger()
    world.row("2_tags")


def in_another_schema(world: World) -> None:
    world.sql("CREATE SCHEMA app; SET search_path = app; CREATE TABLE _prisma_migrations (id text)")


def prisma_8(world: World) -> None:
    world.ledger()
    world.sql("CREATE SCHEMA prisma_contract; CREATE TABLE prisma_contract.marker ()")


async def test_a_role_that_may_not_look_into_other_schemas_gets_a_diagnosis(world: World) -> None:
    prisma_8(world)
    world.sql("GRANT SELECT ON _prisma_migrations TO PUBLIC")
    conn = await world.open()
    try:
        await conn.execute("CREATE ROLE gonogo_dim; SET ROLE gonogo_dim")
        assert (await read_facts(conn, world.folder)).contract
    finally:
        await conn.execute("RESET ROLE; DROP ROLE gonogo_dim")
        await conn.close()


@pytest.mark.parametrize(
    ("make", "name", "code", "about"),
    [
        (other_product, "other-provider", "P3019", ()),
        (tables_and_no_ledger, "no-baseline", "P3005", ()),
        (failed, "failed", "P3009", ("2_tags",)),
        (cut_short, "cut-short", "P3009", ("2_tags",)),
        (no_script, "without-script", "P3015", ("4_empty",)),
        (edited, "edited", "", ("1_notes",)),
        (ahead, "ahead", "", ("9_newer",)),
        (removed, "removed", "", ("0_first",)),
        (twice, "duplicate", "", ("1_notes",)),
        (rolled_back, "rolled-back", "", ("3_last",)),
        (late, "out-of-order", "", ("1_notes",)),
        (in_another_schema, "ledger-elsewhere", "", ()),
        (prisma_8, "prisma-8", "", ()),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
async def test_a_state_is_found(
    world: World, make: Callable[[World], None], name: str, code: str, about: tuple[str, ...]
) -> None:
    make(world)
    states = await world.states()
    assert (list(states), states[name].code, states[name].migrations) == ([name], code, about)


async def test_a_lock_that_is_held_is_told_with_who_and_how_to_end_it(world: World) -> None:
    world.ledger()
    with psycopg.connect(world.url, autocommit=True, application_name="prisma") as other:
        other.execute("SELECT pg_advisory_lock(%s)", (KEY,))
        state = (await world.states())["lock-held"]
        assert state.code == "P1002" and "prisma" in state.what
        assert "It has said nothing since" in state.details[0] and "its program may be gone" in state.details[1]
        end = state.ways[1].steps[1].partition(": ")[2]
        world.sql(end)
        with pytest.raises(psycopg.OperationalError):
            other.execute("SELECT 1")
    assert await world.states() == {}


async def test_schemas_with_a_ledger_each_are_no_trouble_where_the_address_names_one(
    world: World, tmp_path: Path
) -> None:
    in_another_schema(world)
    world.ledger()
    assert [(s.name, s.severity) for s in (await world.states()).values()] == [("ledger-elsewhere", "warn")]
    tenant = World(f"{world.url}&schema=tenant", world.folder)
    assert [(s.name, s.severity) for s in (await tenant.states()).values()] == [("ledger-elsewhere", "note")]


async def test_line_ends_are_no_edit(world: World) -> None:
    world.ledger()
    world.apply("1_notes", "2_tags")
    for name in ("1_notes", "2_tags"):
        path = world.folder / name / "migration.sql"
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert await world.states() == {}


PARTS: dict[str, tuple[str, str, str]] = {
    "none of it": ("", "nothing of it is in the catalog", "pending then"),
    "some": (
        "CREATE TABLE tags (id int)",
        "statement 1: in the catalog; statements 2–3: not there",
        "Undo by hand",
    ),
    "all": (
        "CREATE TABLE tags (id int); ALTER TABLE notes ADD tag int; CREATE INDEX notes_tag ON notes (tag)",
        "all of it is in the catalog",
        "--applied 2_tags",
    ),
}


@pytest.mark.parametrize("part", PARTS)
async def test_what_a_failed_script_left_is_found_in_the_catalog(world: World, part: str) -> None:
    done, left, way = PARTS[part]
    cut_short(world)
    world.sql(done)
    state = (await world.states())["cut-short"]
    assert f"What it left: {left}." in state.details
    listed = [detail for detail in state.details if "line 3, not there" in detail]
    assert listed == (["3. line 3, not there: create index notes_tag on notes (tag)"] if part == "some" else [])
    assert way in state.advice
    assert "`prisma migrate status` does not show it while others are pending." in state.details


async def test_prisma_hides_a_failed_row_behind_pending_ones(world: World) -> None:
    failed(world)
    assert await world.prisma_status() == "not yet applied: 3_last"
    world.row("3_last")
    assert await world.prisma_status() == "failed: 2_tags"
    assert not any("does not show" in detail for detail in (await world.states())["failed"].details)


TRACES: dict[str, tuple[str, str, str]] = {
    "later taken back": ("", "CREATE TABLE t (); DROP TABLE t", "unknown"),
    "column of a table that is renamed later": (
        "CREATE TABLE t (a int)", "ALTER TABLE t ADD b int; ALTER TABLE t RENAME TO u", "nothing"
    ),
    "only rows": ("CREATE TABLE t (a int)", "UPDATE t SET a = 1", "unknown"),
    "settings do not count": ("", "SET lock_timeout = '1s'; BEGIN; CREATE TYPE e AS ENUM ('a'); COMMIT", "nothing"),
    "an enum's value": ("CREATE TYPE e AS ENUM ('a', 'b')", "ALTER TYPE e ADD VALUE 'b'", "all"),
    "an index that is INVALID": (
        "CREATE TABLE t (a int); CREATE INDEX i ON t (a); "
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'i'::regclass",
        "CREATE INDEX CONCURRENTLY i ON t (a)",
        "some",
    ),
    "a drop that left an index INVALID": (
        "CREATE TABLE t (a int); CREATE INDEX i ON t (a); "
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'i'::regclass",
        "DROP INDEX CONCURRENTLY i",
        "nothing",
    ),
    "in another schema": ("CREATE SCHEMA s; CREATE TABLE s.t ()", "CREATE TABLE t ()", "nothing"),
    "a constraint by its name": (
        "CREATE TABLE t (a int CONSTRAINT c CHECK (a > 0))", "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0)", "all"
    ),
    "a function and a trigger": (
        "CREATE TABLE t (); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
        "CREATE TRIGGER g AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
        "some",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", TRACES)
async def test_traces(world: World, case: str) -> None:
    before, script, verdict = TRACES[case]
    world.sql(f"SET allow_system_table_mods = on; {before}")
    world.ledger()
    world.write("5_it", script)
    world.row("5_it", "failed")
    traces = (await world.facts()).traces["5_it"]
    assert traces.verdict == verdict
    assert ("an INVALID index is there, drop it first" in traces.words) == (case == "an index that is INVALID")
