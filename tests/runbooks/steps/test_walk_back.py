"""The steps of a backup and of the walk back, as a session runs them."""

import json
import stat
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from dumping import MIGRATE, fill, names
from pydantic import ValidationError

from migrations import backup
from migrations.problem import Misuse, Problem
from migrations.server import ThrowawayServer
from runbooks.session import events as e
from runbooks.session.runbook import Option, Step
from runbooks.steps import backup_dump, catalogue, restore_side, restore_swap
from runbooks.steps.base import Doubt, Settled
from tests.runbooks.conftest import book_of, outside
from tests.runbooks.steps_context import StepContext

BOOK = book_of(
    Option(
        id="restore",
        title="Restore",
        steps=(
            Step(id="present", title="Dump of the present", uses="backup.dump", effect="outside"),
            Step(id="side", title="Restore", uses="restore.side", effect="target"),
            Step(id="swap", title="Swap", uses="restore.swap", effect="target"),
        ),
    ),
    backup=outside(dump="backup.dump"),
)


@pytest.fixture
def owned(server: ThrowawayServer, databases: Callable[..., str]) -> str:
    """A filled database."""
    url = databases()
    fill(url)
    return url


@pytest.fixture
def ctx(owned: str, tmp_path: Path, server: ThrowawayServer) -> StepContext:
    """A session on it, with the server's own programs."""
    return StepContext(
        owned,
        tmp_path,
        runbook=BOOK,
        answers={"database": owned.split("?")[0].rsplit("/", 1)[1]},
        environ={"PATH": f"{server.bin}:/usr/bin:/bin", "XDG_STATE_HOME": str(tmp_path / "state")},
    )


def execute(url: str, statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statements.encode())


async def test_a_backup_as_the_record_has_it(ctx: StepContext, tmp_path: Path) -> None:
    result = await ctx.run("backup.dump", id="dump", max_age="30m")
    assert ctx.outcomes == dict.fromkeys(("tool-version", "disk-space", "complete", "read-back", "durable"), "ok")
    file = Path(result.path)
    assert file.parent == tmp_path / "state" / "gonogo" / "dumps"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and names(file.parent) == [file.name]
    assert result.bytes == file.stat().st_size
    assert result.rows == {"public.customers": 200, 'public."Ord""ers 26"': 5000} and result.estimated == ()
    assert result.max_age_us == 30 * 60 * 1_000_000 and result.taken_at < result.stale_at
    assert [kept.name for kept in ctx.kept] == ["state", "dump"]
    assert ctx.kept[1].sha256 == result.sha256 and ctx.kept[1].path == result.path
    assert {data["stage"] for data in ctx.progressed} >= {"dump", "read back", "hash"}
    assert json.loads((ctx.folder / result.state).read_text())["migrations"] is None
    json.dumps(result.model_dump(mode="json"))


async def test_a_directory_as_the_record_has_it(ctx: StepContext) -> None:
    result = await ctx.run("backup.dump", id="dump", format="directory", jobs=2)
    assert (result.format, [kept.name for kept in ctx.kept]) == ("directory", ["state", "dump-files"])
    assert ctx.kept[1].sha256 == result.sha256
    start = started(ctx, "backup.dump", "dump")
    settled = await backup_dump.reconcile(ctx, backup_dump.Params(format="directory"), start)
    assert settled.end == "done"
    partial = backup.partial_of(Path(result.path))
    Path(result.path).rename(partial)
    assert (await backup_dump.reconcile(ctx, backup_dump.Params(), start)).end == "failed" and not partial.exists()
    with pytest.raises(ValidationError, match='only into format = "directory"'):
        backup_dump.Params(jobs=2)


async def test_the_whole_walk_back(ctx: StepContext, owned: str) -> None:
    dumped = await ctx.run("backup.dump", id="dump")
    execute(owned, MIGRATE)
    changes = await ctx.run("changes.show")
    assert not changes.nothing and ctx.outcomes == {"committed": "ok", "loss": "ok"}
    assert "shipments" in ctx.text()
    present = await ctx.run("backup.dump", id="present")
    assert present.tables == 3
    side = await ctx.run("restore.side", id="side")
    assert side.equal and side.dump == "dump" and set(ctx.outcomes.values()) == {"ok"}
    try:
        swapped = await ctx.run("restore.swap", id="swap")
        assert swapped.repinned == {"oid": side.oid} and ctx.outcomes == {"swapped": "ok", "kept": "ok"}
        with psycopg.connect(owned) as connection:
            there = connection.execute("SELECT to_regclass('shipments'), count(*) FROM customers WHERE email > ''")
            assert there.fetchone() == (None, dumped.rows["public.customers"])
        again = await ctx.run("changes.show")
        assert ctx.outcomes == {"restored": "ok"} and again.rows == {}
        assert "nothing of the migration is left" in ctx.found("restored").evidence
    finally:
        with psycopg.connect(owned.replace(ctx.answers["database"], "postgres"), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{swapped.kept}" WITH (FORCE)'.encode())


async def test_nothing_to_roll_back(ctx: StepContext) -> None:
    await ctx.run("backup.dump", id="dump")
    result = await ctx.run("changes.show")
    assert result.nothing and ctx.found("committed").outcome == "warn"
    assert "nothing was committed: there is nothing to roll back" in ctx.found("committed").evidence


@pytest.mark.parametrize("uses", ["changes.show", "restore.side"])
async def test_a_walk_back_without_a_dump(ctx: StepContext, uses: str) -> None:
    with pytest.raises(Misuse, match="There is no dump of this session"):
        await ctx.run(uses)


async def test_a_dump_of_the_present_is_not_what_is_restored(ctx: StepContext) -> None:
    await ctx.run("backup.dump", id="present")
    with pytest.raises(Misuse, match="no dump of this session"):
        await ctx.run("restore.side")


async def test_swap_without_a_good_restore(ctx: StepContext) -> None:
    with pytest.raises(Misuse, match="Nothing was restored yet"):
        await ctx.run("restore.swap")
    ctx.finish("side", {"database": "x", "oid": "1", "equal": False})
    with pytest.raises(Misuse, match="not what was dumped"):
        await ctx.run("restore.swap")
    assert ctx.asked == []


async def test_a_restore_that_fails_leaves_no_database(
    ctx: StepContext, owned: str, server: ThrowawayServer, tmp_path: Path
) -> None:
    await ctx.run("backup.dump", id="dump")
    bin = tmp_path / "bin"
    bin.mkdir()
    (bin / "pg_dump").symlink_to(server.bin / "pg_dump")
    (bin / "pg_restore").write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && exec "{server.bin}/pg_restore" "$1"\n'
        'echo "pg_restore: error: the disk is full" >&2\nexit 1\n'
    )
    (bin / "pg_restore").chmod(0o755)
    with pytest.raises(Problem, match="the disk is full"):
        await ctx.run("restore.side", bin=str(bin))
    assert databases_like(owned) == []


def databases_like(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        query = "SELECT datname FROM pg_database WHERE datname LIKE current_database() || '\\_%'"
        return [name for (name,) in connection.execute(query.encode()).fetchall()]


def started(ctx: StepContext, uses: str, id: str) -> e.StepStarted:
    """What the engine would hand to reconcile, the context standing at that step."""
    kind = catalogue()[uses]
    ctx.step = Step(id=id, title=kind.title, uses=uses, effect=kind.effect)
    return e.StepStarted(step=id, attempt=1, title=kind.title, uses=uses, effect=kind.effect, why="resume")


async def test_a_backup_cut_off_by_a_crash(ctx: StepContext, tmp_path: Path) -> None:
    file = tmp_path / "x.dump"
    partial = backup.partial_of(file)
    partial.write_bytes(b"half")
    start = started(ctx, "backup.dump", "dump")
    await ctx.record(attempt=1, path=str(file))
    settled = await backup_dump.reconcile(ctx, backup_dump.Params(), start)
    assert (settled.end, settled.outcome) == ("failed", "fail") and not partial.exists()


async def test_a_backup_that_was_whole_when_the_runner_died(ctx: StepContext) -> None:
    result = await ctx.run("backup.dump", id="dump")
    start = started(ctx, "backup.dump", "dump")
    settled = await backup_dump.reconcile(ctx, backup_dump.Params(), start)
    assert settled.end == "done" and settled.result == result.model_dump(mode="json")
    Path(result.path).write_bytes(b"PGDMP another")
    assert (await backup_dump.reconcile(ctx, backup_dump.Params(), start)).end == "failed"


async def test_a_restore_cut_off_by_a_crash(ctx: StepContext, owned: str) -> None:
    await ctx.run("backup.dump", id="dump")
    side = await ctx.run("restore.side", id="side")
    assert databases_like(owned) == [side.database]
    settled = await restore_side.reconcile(ctx, restore_side.Params(), started(ctx, "restore.side", "side"))
    assert settled.end == "failed" and databases_like(owned) == []


async def test_a_side_database_whose_oid_nobody_knows_is_named_and_not_dropped(ctx: StepContext, owned: str) -> None:
    """The runner died between CREATE DATABASE and the record of what came of it."""
    start = started(ctx, "restore.side", "side")
    live = ctx.target.url.database
    await ctx.record(attempt=1, database=live)
    settled = await restore_side.reconcile(ctx, restore_side.Params(), start)
    assert settled.end == "failed" and live in settled.words
    assert [check.id for check in settled.checks] == ["left"] and f'DROP DATABASE "{live}"' in settled.checks[0].advice
    psycopg.connect(owned).close()


async def test_a_swap_cut_off_by_a_crash(ctx: StepContext, owned: str) -> None:
    await ctx.run("backup.dump", id="dump")
    side = await ctx.run("restore.side", id="side")
    assert ctx.target.pin is not None
    live = ctx.answers["database"]
    start = started(ctx, "restore.swap", "swap")
    before = await restore_swap.reconcile(ctx, restore_swap.Params(), start)
    assert isinstance(before, Settled) and before.end == "stopped"
    await ctx.record(attempt=1, side=side.database, side_oid=side.oid, live_oid=ctx.target.pin.oid)
    with psycopg.connect(owned.replace(live, "postgres", 1), autocommit=True) as connection:
        connection.execute(f'ALTER DATABASE "{live}" ALLOW_CONNECTIONS false'.encode())
        middle = await restore_swap.reconcile(ctx, restore_swap.Params(), start)
        assert isinstance(middle, Settled) and middle.end == "failed"
        psycopg.connect(owned).close()
        connection.execute(f'ALTER DATABASE "{live}" RENAME TO "{live}_kept"'.encode())
        between = await restore_swap.reconcile(ctx, restore_swap.Params(), start)
        assert isinstance(between, Doubt) and f"No database is called {live} now" in between.look
        connection.execute(f'ALTER DATABASE "{side.database}" RENAME TO "{live}"'.encode())
        after = await restore_swap.reconcile(ctx, restore_swap.Params(), start)
        connection.execute(f'DROP DATABASE "{live}_kept"'.encode())
    assert isinstance(after, Settled) and after.end == "done" and after.result is not None
    assert (after.result["oid"], after.result["kept"]) == (side.oid, f"{live}_kept")
