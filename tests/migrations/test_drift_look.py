"""A target looked at: replayed once, remembered, foretold; and what keeps it from being replayed."""

import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest

from migrations.drift.look import CannotReplay, Looked, Wanted, look
from migrations.folder import read_folder
from migrations.replay import Source, throwaway
from migrations.replay.kept import Kept
from migrations.server import ThrowawayServer
from migrations.server.programs import server_bin
from runbooks.demo import files

DEMO = Path(files.__path__[0]) / "migrations"
RICH = (Path(__file__).parent / "rich" / "0001_all.sql").read_text()
OTHER_MAJOR = 15


async def nobody(done: int, total: int, name: str) -> None:
    return


def fill(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as conn:
        for statement in statements:
            conn.execute(statement.encode())


class Place:
    """A target, and what was kept of earlier looks."""

    def __init__(self, url: str, server: ThrowawayServer, replaying: ThrowawayServer, folder: Path) -> None:
        self.url, self.server, self.replaying, self.kept = url, server, replaying, Kept(folder / "replays")

    @asynccontextmanager
    async def started(self, bin: Path) -> AsyncIterator[ThrowawayServer]:
        """The server that is there anyhow, unless another one is asked for."""
        if bin == self.replaying.bin:
            yield self.replaying
        else:
            async with throwaway(bin) as server:
                yield server

    async def look(self, *applied: str, pending: tuple[str, ...] = (), **over: object) -> Looked:
        sources = [Source(f"m{number}", text) for number, text in enumerate((*applied, *pending))]
        first, rest = tuple(sources[: len(applied)]), tuple(sources[len(applied) :])
        wanted = Wanted(first, rest, kept=self.kept, bin=self.server.bin, server=self.started)
        async with await psycopg.AsyncConnection.connect(self.url, autocommit=True) as conn:
            return await look(conn, dataclasses.replace(wanted, **over), nobody)  # type: ignore[arg-type]

    async def remembered(self, *applied: str) -> Looked:
        """A look that has no time to replay anything."""
        return await self.look(*applied, seconds=0)


@pytest.fixture
def place(database: str, server: ThrowawayServer, replaying: ThrowawayServer, tmp_path: Path) -> Place:
    return Place(database, server, replaying, tmp_path)


def ids(found: Looked) -> list[str]:
    return [drift.id for drift in found.drifts]


async def test_what_scripts_made_has_not_drifted_and_is_remembered(place: Place) -> None:
    demo = [migration.text for migration in read_folder(DEMO)]
    rich = RICH.replace("orders", "sales").replace("customers", "clients")
    fill(place.url, *demo)
    with psycopg.connect(place.server.url(), autocommit=True) as conn:
        conn.execute("CREATE ROLE reader")
    try:
        fill(place.url, rich)
        found = await place.look(*demo, rich)
        assert ids(found) == [] and found.replayed.endswith("(as the target's)")
        assert any("reader" in note for note in found.notes)
        fill(place.url, "ALTER TABLE sales ADD by_hand integer")
        assert ids(await place.remembered(*demo, rich)) == ["table/public.sales/column/by_hand"]
        with pytest.raises(CannotReplay, match="took longer than 0 s"):
            await place.remembered(*demo)
    finally:
        fill(place.url, "DROP OWNED BY reader", "DROP ROLE reader")


async def test_what_pending_scripts_will_make_is_foretold(place: Place) -> None:
    now, later = "CREATE TABLE t (x integer)", "ALTER TABLE t ADD y text; CREATE ROLE foretold"
    fill(place.url, now)
    found = await place.look(now, pending=(later,))
    assert (ids(found), found.foretold) == ([], "")
    fill(place.url, "ALTER TABLE t ADD y integer")
    assert ids(await place.remembered(now, later)) == ["table/public.t/column/y/type"]
    broken = await place.look(now, pending=("SELECT nothing",))
    assert ids(broken) == ["table/public.t/column/y"] and broken.foretold.startswith("m1: column")


async def test_the_owner_is_whoever_applied_them(place: Place) -> None:
    script = (
        "CREATE TABLE a (x integer); CREATE TABLE b (x integer); CREATE TABLE c (x integer); GRANT SELECT ON a TO x"
    )
    with psycopg.connect(place.server.url(), autocommit=True) as conn:
        conn.execute("CREATE ROLE deploy SUPERUSER; CREATE ROLE x")
    try:
        fill(place.url, f"SET ROLE deploy; {script}; RESET ROLE; ALTER TABLE b OWNER TO x")
        assert ids(await place.look(script)) == ["table/public.b/owner"]
    finally:
        fill(place.url, "DROP OWNED BY deploy, x CASCADE; DROP ROLE deploy, x")


async def test_a_lacking_extension_is_said_and_does_not_keep_it_from_comparing(place: Place) -> None:
    script = "CREATE EXTENSION IF NOT EXISTS nowhere_to_be_had;\nCREATE TABLE t (x integer)"
    fill(place.url, "CREATE TABLE t (x text)")
    found = await place.look(script)
    assert ids(found) == ["extension/nowhere_to_be_had", "table/public.t/column/x/type"]
    assert any("does not have it" in note for note in found.notes)


@pytest.mark.parametrize(
    ("script", "what", "advice"),
    [
        ("CREATE TABLE t (x integer NOT NULL); INSERT INTO t SELECT max(x) FROM t", "null value", "needs rows"),
        ("CREATE EXTENSION nowhere_to_be_had; SELECT f()", "function f", "no extension nowhere_to_be_had"),
        ("\\set x", "m0 cannot be applied", "new environment"),
    ],
)
async def test_what_cannot_be_replayed_is_told(place: Place, script: str, what: str, advice: str) -> None:
    with pytest.raises(CannotReplay) as caught:
        await place.look(script)
    assert what in caught.value.what and advice in caught.value.advice


async def test_a_server_that_does_not_start_is_told(place: Place, tmp_path: Path) -> None:
    with pytest.raises(CannotReplay):
        await place.look("SELECT 1", bin=tmp_path)


@pytest.mark.soak
async def test_another_version_spells_the_same_definition_otherwise(place: Place) -> None:
    other = await server_bin(OTHER_MAJOR, {})
    if place.server.major == OTHER_MAJOR or "embedded" in str(other):
        pytest.skip("there is no other PostgreSQL on this machine")
    script = """CREATE TABLE t (x integer, y integer CHECK (y IN (1, 2)), z date DEFAULT now());
        CREATE VIEW v AS SELECT x FROM t WHERE y > 1; CREATE VIEW w AS SELECT y FROM t;
        CREATE MATERIALIZED VIEW m AS SELECT y, x FROM t; CREATE INDEX ON m (y)"""
    by_hand = "CREATE OR REPLACE VIEW v AS SELECT x FROM t WHERE y > 2; GRANT MAINTAIN ON t TO pg_monitor"
    fill(place.url, script, by_hand)
    found = await place.look(script, bin=other)
    assert ids(found) == ["view/public.v/definition"] and f"the target's is {place.server.major}" in found.replayed
    assert ids(await place.look(script, bin=other, seconds=0)) == ids(found)
    fill(place.url, "CREATE OR REPLACE VIEW w AS SELECT y FROM t WHERE y > 3")
    with pytest.raises(CannotReplay, match="took longer"):
        await place.look(script, bin=other, seconds=0)


def test_what_is_kept_is_ours_alone(tmp_path: Path) -> None:
    folder = tmp_path / "replays"
    kept = Kept(folder)
    kept.put("a", {"x": "é"})
    assert kept.get("a") == {"x": "é"} and (folder / "a.json").stat().st_mode & 0o777 == 0o600
    (folder / "a.json").write_bytes((folder / "a.json").read_bytes().replace("é".encode(), b"ee"))
    assert kept.get("a") is None and kept.get("b") is None and Kept(None).get("a") is None
    for number in range(50):
        kept.put(f"k{number}", {})
    assert len(list(folder.iterdir())) == 40 and kept.get("k49") == {}
    folder.chmod(0o777)
    kept.put("z", {})
    assert kept.get("z") is None
