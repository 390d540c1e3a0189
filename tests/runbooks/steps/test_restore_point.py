"""`backup.restore_point`, on a real server, as a superuser and as an ordinary role."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from migrations.backup.restore_point import Archiving, archiving
from migrations.problem import Problem
from migrations.server import ThrowawayServer
from tests.runbooks.steps_context import StepContext

GOOD = Archiving("shop", True, "replica", "on", False, False, "2026-01-31 02:03")


@pytest.fixture
def ordinary(server: ThrowawayServer, databases: Callable[..., str]) -> Iterator[str]:
    """A database's address, of a role that is nothing special."""
    admin = databases("points")
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute("CREATE ROLE plain LOGIN PASSWORD 'plain'")
        yield server.url("points", "plain", "plain")
        connection.execute("DROP OWNED BY plain; DROP ROLE plain")


async def test_a_restore_point(database: str, tmp_path: Path) -> None:
    ctx = StepContext(database, tmp_path)
    first = await ctx.run("backup.restore_point", id="point")
    again = await ctx.run("backup.restore_point", id="point")
    named = await ctx.run("backup.restore_point", name="before-orders")
    assert (first.name, again.name) == (f"gonogo_{ctx.session}_1", f"gonogo_{ctx.session}_2")
    assert named.name == "before-orders" and "/" in first.lsn and first.lsn != again.lsn and first.at.endswith("Z")
    assert (first.wal_level, first.archive_mode) == ("logical", "off")
    assert ctx.outcomes == {"made": "ok", "archived": "warn"}, "who keeps the log is for a person to say"
    with psycopg.connect(database) as connection:
        later = connection.execute("SELECT pg_current_wal_insert_lsn() >= %s::pg_lsn", (named.lsn,)).fetchone()
    assert later == (True,)


async def test_an_ordinary_role_is_told_what_helps(server: ThrowawayServer, ordinary: str, tmp_path: Path) -> None:
    ctx = StepContext(ordinary, tmp_path)
    with pytest.raises(Problem, match="plain may not make restore points") as refused:
        await ctx.run("backup.restore_point")
    assert refused.value.code == "42501"
    sql = refused.value.advice.partition(": ")[2]
    with psycopg.connect(server.url("points"), autocommit=True) as connection:
        connection.execute(sql.encode())
    await ctx.run("backup.restore_point")
    assert ctx.outcomes["made"] == "ok"
    async with ctx.connect("read") as reading:
        assert (await archiving(reading)).allowed


@pytest.mark.parametrize(
    ("changed", "obstacle", "doubt"),
    [
        ({}, None, None),
        ({"wal_level": "minimal"}, "wal_level is minimal", None),
        ({"in_recovery": True}, "is a standby", None),
        ({"archive_mode": "off"}, None, "nobody can recover to it"),
        ({"failing": True}, None, "the last that went well was at 2026-01-31 02:03 UTC"),
        ({"failing": True, "archived": None}, None, "none has gone well yet"),
    ],
)
def test_what_a_restore_point_is_worth(changed: dict[str, object], obstacle: str | None, doubt: str | None) -> None:
    there = replace(GOOD, **changed)
    for found, expected in ((there.obstacle, obstacle), (there.doubt, doubt)):
        assert (found is None) == (expected is None) and (not found or str(expected) in found[0])
