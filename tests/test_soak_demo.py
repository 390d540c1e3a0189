"""Deaths at each record of the demo's own session, as `gonogo demo` walks it: taken up again, it ends as ever."""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cheap import place
from fix_command import Gonogo, Said

from migrations.catalog import snapshot
from migrations.server import ThrowawayServer
from runbooks.demo import shop
from runbooks.demo.world import SETTINGS
from runbooks.journal import NAME, read, verify
from runbooks.session.view import RunView, fold

pytestmark = pytest.mark.soak

ORDERS = "200"
LAST = 220
"""More records than the session writes: at the last of these it has ended before."""
DIED = """
[answers]
"deploy/settle" = "run again"
"requests/settle" = "run again"
"""
"""Of a command that died with its runner, a person must say how it ended."""
SOLD = ("orders", "order_notes")
"""Tables into which the shop goes on selling while the session runs."""

APPLIED = (
    "SELECT migration_name, count(*) FROM _prisma_migrations"
    " WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL GROUP BY 1 ORDER BY 1"
)
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> '_prisma_migrations'"

End = dict[str, Any]


@dataclass(frozen=True)
class Walk:
    """A demo of its own, which differs from any that `gonogo demo` makes in that its data outlive it."""

    gonogo: Gonogo
    home: Path
    project: Path
    data: Path

    def __call__(self, *arguments: str, **env: str) -> Said:
        """A command in its project."""
        more = {"XDG_STATE_HOME": str(self.home), "TMPDIR": str(self.home), **env}
        return self.gonogo(*arguments, "--answers", "answers.toml", cwd=self.project, env=more)

    def begin(self, **env: str) -> Said:
        """What `gonogo demo` begins without a terminal, once its shop is there."""
        return self("run", "staging", "--ticket", "DEMO-1", **env)

    @property
    def journal(self) -> Path:
        """That of its one session."""
        (folder,) = self.home.glob("gonogo/sessions/*")
        return folder / NAME

    @property
    def view(self) -> RunView:
        """The session as its journal has it."""
        return fold((r.seq, r.at, r.event) for r in read(self.journal))

    def end(self) -> End:
        """What a session that has ended leaves: its decisions, its results, and the database."""
        assert verify(self.journal).grade == "consistent"
        assert not self.project.exists(), "the demo leaves nothing"
        view = self.view
        assert view.ended is not None and view.plan is not None
        steps = [(step.id, view.step(step.id)) for phase in view.runbook.phases for step in phase.steps]
        return {
            "outcome": (view.ended.outcome, view.passed, view.plan.hash),
            "steps": {id: (step.status, step.end, step.outcome) for id, step in steps},
            "items": {name: (item.state, item.evidence, item.reason) for name, item in view.items.items()},
            "waivers": {name: waiver.reason for name, waiver in view.waivers.items()},
            "reviews": {name: review.sha256 for name, review in view.reviews.items()},
            **asyncio.run(_database(self.data)),
        }


async def _database(data: Path) -> End:
    server = await ThrowawayServer.start(data, settings=SETTINGS)
    try:
        url = server.url(shop.DATABASES["staging"])
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as conn:
            schema = (await snapshot(conn)).to_json()
            ledger = await _rows(conn, APPLIED)
            names = [name for (name,) in await _rows(conn, TABLES) if name not in SOLD]
            rows = {name: await _rows(conn, f"SELECT md5(t::text) FROM {name} t ORDER BY 1") for name in names}
            invalid = await _rows(conn, "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid")
            beside = await _rows(conn, "SELECT datname FROM pg_database ORDER BY 1")
        return {"schema": schema, "ledger": ledger, "rows": rows, "invalid": invalid, "databases": beside}
    finally:
        await server.stop()


async def _rows(conn: psycopg.AsyncConnection[Any], query: str) -> list[tuple[Any, ...]]:
    return await (await conn.execute(query.encode())).fetchall()


@pytest.fixture(scope="session")
def made() -> Iterator[Path]:
    """The demo's project, made once: its settings, its scripts, and a server's data."""
    with tempfile.TemporaryDirectory(prefix="gonogo-demo-", dir=place()) as folder:
        demo = shop.prepare({"XDG_STATE_HOME": folder, "GONOGO_DEMO_ORDERS": ORDERS}).project_file.parent
        with (demo / "answers.toml").open("a") as answers:
            answers.write(DIED)
        yield demo


@contextmanager
def walk_of(made: Path, gonogo: Gonogo) -> Iterator[Walk]:
    """A copy of the demo, in a home of its own."""
    with (
        tempfile.TemporaryDirectory(prefix="gonogo-home-", dir=place()) as home,
        tempfile.TemporaryDirectory(prefix="gonogo-data-", dir=place()) as data,
    ):
        walk = Walk(gonogo, Path(home), Path(home, "gonogo", "demo", made.name), Path(data))
        shutil.copytree(made, walk.project, ignore=shutil.ignore_patterns("postgres"))
        shutil.copytree(made / "postgres", walk.data, dirs_exist_ok=True, symlinks=True)
        (walk.project / "postgres").symlink_to(walk.data)
        yield walk


@pytest.fixture(scope="session")
def known() -> Mapping[str, End]:
    """What `expected` found out."""
    return {}


@pytest.fixture
def expected(gonogo: Gonogo, made: Path, known: dict[str, End]) -> End:
    """The end of a session whose runner does not die."""
    if not known:
        with walk_of(made, gonogo) as walk:
            assert walk.begin().code == 0
            known["end"] = walk.end()
    return known["end"]


@pytest.mark.parametrize(
    ("seq", "how"), [*((seq, "whole") for seq in range(LAST)), *((seq, "half") for seq in range(0, LAST, 10))]
)
def test_a_demo_whose_runner_dies_at_this_record_comes_to_the_same_end(
    gonogo: Gonogo, made: Path, expected: End, seq: int, how: str
) -> None:
    with walk_of(made, gonogo) as walk:
        said = walk.begin(DIE_AT=str(seq), DIE_HOW=how)
        if (view := walk.view).opened is None:  # not even its first record was written: nothing was begun
            return
        assert (view.ended is None) == (said.code != 0), said.err
        assert view.ended is not None or seq < LAST - 1, "it writes more records than are tried here"
        if view.ended is None:
            said = walk("resume")
        assert said.code == 0, said.err
        assert walk.end() == expected
