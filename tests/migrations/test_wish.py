"""Ways out of what Prisma can leave: row for row as Prisma's `resolve` leaves the ledger, and what its status says."""

import asyncio
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from migrations.doctor.reading import read_facts, wished_traces
from migrations.doctor.wish import Wish, changes_for, objections, seen
from migrations.ledger.lock import KEY, locked
from migrations.ledger.marking import write
from migrations.problem import Problem
from tests.migrations.ledgers import LOGS, World
from tests.migrations.prisma_says import UP_TO_DATE


@pytest.fixture
def world(database: str, tmp_path: Path) -> World:
    return World(database, tmp_path / "migrations")


async def resolve(world: World, wish: Wish) -> tuple[str, ...]:
    """Write what is wished, under the lock. Returns what the catalog had against it."""
    conn = await world.open()
    try:
        async with locked(conn, patience=0.5):
            facts = await read_facts(conn, world.folder)
            against = objections(wish, facts, await wished_traces(conn, wish, facts))
            await write(conn, changes_for(wish, facts))
        return against
    finally:
        await conn.close()


def shape(row: dict[str, Any]) -> tuple[str, str, str | None, int, bool]:
    """Name, state, logs, steps, and whether it started when it ended."""
    state = "rolled back" if row["rolled_back_at"] else "applied" if row["finished_at"] else "failed"
    return (
        row["migration_name"], state, row["logs"], row["applied_steps_count"], row["started_at"] == row["finished_at"],
    )  # fmt: skip


def all_applied(world: World) -> None:
    world.ledger()
    world.apply("1_notes", "2_tags", "3_last")


def failed(world: World) -> None:
    world.ledger()
    world.apply("1_notes")
    world.row("2_tags", "failed", logs=LOGS)
    world.row("3_last")
    world.sql("ALTER TABLE notes ADD last text")


def full_without_ledger(world: World) -> None:
    for name in ("1_notes", "2_tags", "3_last"):
        world.sql((world.folder / name / "migration.sql").read_text())


def other_product(world: World) -> None:
    failed(world)
    (world.folder / "migration_lock.toml").write_text('provider = "mysql"\n')


DONE = ("", 0, True)
RAN = (None, 1, False)


async def test_rolled_back_as_prisma_marks_it(world: World) -> None:
    failed(world)
    before = world.stored()
    assert await resolve(world, Wish(rolled_back=("2_tags",))) == ()
    after = world.stored()
    assert [shape(row) for row in after] == [
        ("1_notes", "applied", *RAN),
        ("2_tags", "rolled back", LOGS, 0, False),
        ("3_last", "applied", *RAN),
    ]
    assert {**after[1], "rolled_back_at": None} == before[1]
    assert await world.prisma_status((7, 8)) == UP_TO_DATE
    assert await world.prisma_status((7, 9)) == "not yet applied: 2_tags"  # it is pending again, by its name
    assert "rolled-back" in await world.states()
    assert await resolve(world, Wish(rolled_back=("2_tags",))) == ()
    assert world.stored() == after


async def test_applied_by_hand_after_it_had_failed(world: World) -> None:
    failed(world)
    world.sql((world.folder / "2_tags" / "migration.sql").read_text())
    assert await resolve(world, Wish(applied=("2_tags",))) == ()
    rows = world.stored()
    assert [shape(row) for row in rows] == [
        ("1_notes", "applied", *RAN),
        ("2_tags", "rolled back", LOGS, 0, False),
        ("3_last", "applied", *RAN),
        ("2_tags", "applied", *DONE),
    ]
    assert rows[3]["checksum"] == rows[1]["checksum"] and rows[3]["rolled_back_at"] is None
    assert (await world.prisma_status(), await world.prisma_status((7, 9))) == (UP_TO_DATE, UP_TO_DATE)
    assert await world.states() == {}


async def test_a_baseline_makes_the_ledger_and_runs_nothing(world: World) -> None:
    full_without_ledger(world)
    assert await resolve(world, Wish(baseline="3_last")) == ()
    assert [shape(row) for row in world.stored()] == [
        ("1_notes", "applied", *DONE),
        ("2_tags", "applied", *DONE),
        ("3_last", "applied", *DONE),
    ]
    types = "SELECT column_name, udt_name, is_nullable, column_default FROM information_schema.columns WHERE "
    with psycopg.connect(world.url) as conn:
        made = conn.execute(f"{types} table_name = '_prisma_migrations' ORDER BY ordinal_position".encode()).fetchall()
    assert [name for name, *_ in made][:2] == ["id", "checksum"] and len(made) == 8
    assert await world.prisma_status() == UP_TO_DATE and await world.states() == {}


async def test_a_baseline_of_some_leaves_the_others_pending(world: World) -> None:
    world.sql((world.folder / "1_notes" / "migration.sql").read_text())
    await resolve(world, Wish(baseline="1_notes"))
    assert await world.prisma_status() == "not yet applied: 2_tags, 3_last"
    assert await world.states() == {}


async def test_of_several_rows_the_one_that_fits_the_file_is_kept(world: World) -> None:
    all_applied(world)
    world.row("1_notes", checksum="f" * 64)
    world.row("2_tags")
    first = next(row for row in world.stored() if row["migration_name"] == "2_tags")
    await resolve(world, Wish(one_row=("1_notes", "2_tags")))
    kept = [row for row in world.stored() if row["rolled_back_at"] is None]
    assert [row["migration_name"] for row in kept] == ["1_notes", "2_tags", "3_last"]
    assert "f" * 64 not in {row["checksum"] for row in kept} and first in kept
    assert await world.prisma_status((7, 9)) == UP_TO_DATE and await world.states() == {}


async def test_a_failed_row_beside_one_that_is_applied(world: World) -> None:
    all_applied(world)
    world.row("2_tags", "failed")
    assert await world.prisma_status() == "failed: 2_tags"
    (state,) = (await world.states()).values()
    assert "Another row says that it was applied." in state.details and "--applied" not in state.advice
    await resolve(world, Wish(rolled_back=("2_tags",)))
    assert await world.prisma_status() == UP_TO_DATE and await world.states() == {}


async def test_a_failed_row_whose_folder_is_gone_needs_no_folder(world: World) -> None:
    all_applied(world)
    world.row("0_gone", "failed")
    assert await world.prisma_status() == "failed: 0_gone"
    assert await resolve(world, Wish(rolled_back=("0_gone",))) == ()
    assert await world.prisma_status() == UP_TO_DATE and await world.states() == {}


async def test_squashed_into_a_new_folder(world: World) -> None:
    all_applied(world)
    texts = [(world.folder / name / "migration.sql").read_text() for name in ("1_notes", "2_tags", "3_last")]
    shutil.rmtree(world.folder)
    world.write("000_squashed", "".join(texts))
    assert list(await world.states()) == ["ahead"] and await world.prisma_status() == "different"
    assert await resolve(world, Wish(applied=("000_squashed",))) == ()
    assert await world.prisma_status() == UP_TO_DATE
    (state,) = (await world.states()).values()
    assert (state.severity, state.migrations) == ("note", ("1_notes", "2_tags", "3_last"))


REFUSED: dict[str, tuple[Callable[[World], None], Wish, str]] = {
    "applied already": (all_applied, Wish(applied=("1_notes",)), "P3008"),
    "never applied": (all_applied, Wish(rolled_back=("9_nope",)), "P3011"),
    "not failed": (all_applied, Wish(rolled_back=("1_notes",)), "P3012"),
    "not in the folder": (all_applied, Wish(applied=("9_nope",)), "P3017"),
    "a baseline up to nothing": (full_without_ledger, Wish(baseline="9_nope"), "P3017"),
    "a baseline over a failed one": (failed, Wish(baseline="3_last"), "P3009"),
    "one row of one": (all_applied, Wish(one_row=("1_notes",)), ""),
    "another product": (other_product, Wish(rolled_back=("2_tags",)), "P3019"),
    "both at once": (failed, Wish(applied=("2_tags",), rolled_back=("2_tags",)), ""),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_what_cannot_be_is_refused_and_nothing_is_written(world: World, case: str) -> None:
    make, wish, code = REFUSED[case]
    make(world)
    before = world.stored() if make is not full_without_ledger else None
    with pytest.raises(Problem) as caught:
        await resolve(world, wish)
    assert caught.value.code == code and caught.value.advice
    if before is not None:
        assert world.stored() == before
    else:
        assert (await world.facts()).rows is None


@pytest.mark.parametrize("who", ["prisma", "gonogo 20260101T000000Z-here-aaaa"])
async def test_somebody_who_migrates_is_not_written_behind(world: World, who: str) -> None:
    failed(world)
    with psycopg.connect(world.url, autocommit=True, application_name=who) as other:
        other.execute("SELECT pg_advisory_lock(%s)", (KEY,))
        with pytest.raises(Problem) as caught:
            await resolve(world, Wish(rolled_back=("2_tags",)))
        state = (await world.states())["lock-held"]
    assert caught.value.code == "P1002" and who in caught.value.what
    for told in (caught.value.advice, " ".join(state.details)):
        assert ("It has said nothing" in told) == (who == "prisma")
        assert ("works on another connection: ask who is named" in told) == (who != "prisma")


async def test_all_of_it_is_written_or_nothing(world: World) -> None:
    full_without_ledger(world)
    conn = await world.open()
    try:
        facts = await read_facts(conn, world.folder)
        changes = changes_for(Wish(baseline="3_last"), facts)
        broken = (*changes, type(changes[0])(name="x" * 300, checksum="y"))  # type: ignore[call-arg]
        with pytest.raises(psycopg.errors.StringDataRightTruncation):
            await write(conn, broken)
    finally:
        await conn.close()
    assert (await world.facts()).rows is None


ORDER: dict[str, tuple[str, Wish, str]] = {
    "undo first": ("CREATE TABLE tags (id int)", Wish(rolled_back=("2_tags",)), "Undo that first"),
    "undone": ("", Wish(rolled_back=("2_tags",)), ""),
    "complete first": ("CREATE TABLE tags (id int)", Wish(applied=("2_tags",)), "Do the rest first"),
    "not begun": ("", Wish(applied=("2_tags",)), "Do the rest first"),
}


UPDATE = "UPDATE notes SET id = id * 100; "
BLIND: dict[str, tuple[str, str | None, str]] = {
    "rows before a refusal": (f"{UPDATE}CREATE TABLE tags ()", LOGS, "whether statement 1 changed rows"),
    "code": ("DO $$ BEGIN EXECUTE 'x'; END $$; CREATE TABLE tags ()", LOGS, "whether statement 1 changed rows"),
    "no rows": ("COMMENT ON TABLE notes IS 'x'; CREATE TABLE tags ()", LOGS, ""),
    "one transaction, refused": (f"BEGIN; {UPDATE}CREATE TABLE tags (); COMMIT", LOGS, ""),
    "one transaction, cut short": (f"BEGIN; {UPDATE}CREATE TABLE tags (); COMMIT", None, "statement 2 changed rows"),
    "two transactions": (f"BEGIN; {UPDATE}COMMIT; BEGIN; CREATE TABLE tags (); COMMIT", LOGS, "statement 2 changed"),
}


@pytest.mark.parametrize("case", BLIND)
async def test_rows_that_may_have_been_changed_stand_against_another_run(world: World, case: str) -> None:
    script, logs, words = BLIND[case]
    world.ledger()
    world.apply("1_notes")
    world.write("2_tags", script)
    world.row("2_tags", "failed", logs=logs)
    state = (await world.states())["failed" if logs else "cut-short"]
    assert ("Find out what took effect, and undo that." in state.advice) == (bool(words) or case == "no rows")
    against = await resolve(world, Wish(rolled_back=("2_tags",)))
    assert (words in against[0]) if words else against == ()


@pytest.mark.parametrize("case", ORDER)
async def test_the_catalog_is_held_against_the_wish(world: World, case: str) -> None:
    done, wish, words = ORDER[case]
    failed(world)
    world.sql(done)
    against = await resolve(world, wish)
    assert (words in against[0]) if words else against == ()


async def test_a_reading_is_told_from_another(world: World) -> None:
    failed(world)
    first = seen(await world.facts())
    assert seen(await world.facts()) == first
    world.sql("UPDATE _prisma_migrations SET checksum = 'x' WHERE migration_name = '1_notes'")
    second = seen(await world.facts())
    world.write("3_last", "SELECT 1")
    assert len({first, second, seen(await world.facts())}) == 3


def test_times_are_in_order(database: str, tmp_path: Path) -> None:
    world = World(database, tmp_path / "migrations")
    full_without_ledger(world)
    asyncio.run(resolve(world, Wish(baseline="3_last")))
    times: list[datetime] = [row["started_at"] for row in world.stored()]
    assert times == sorted(set(times)) and all(row["finished_at"] == row["started_at"] for row in world.stored())
