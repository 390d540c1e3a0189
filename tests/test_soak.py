"""The long loops of `make soak`: a face that is killed at every record, and the demo at its full size."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from fix_command import Gonogo, SmallProject, environment

from runbooks.journal import read, verify
from runbooks.session.view import fold

pytestmark = pytest.mark.soak

DEMO = Path(__file__).parents[1] / "runbooks" / "demo" / "files" / "migrations"
SECONDS = 60.0


@pytest.fixture
def shop(small: SmallProject) -> SmallProject:
    """The small project with the scripts of the demo shop, all of them pending."""
    shutil.rmtree(small.folder / "migrations")
    shutil.copytree(DEMO, small.folder / "migrations")
    small.answers(answers={"deploy/settle": "run again"})  # of a command that died, a person must say how it ended
    return small


def start(shop: SmallProject) -> "subprocess.Popen[bytes]":
    argv = [sys.executable, "-P", "-m", "tui", "run", "here", "--ticket", "x", "--answers", "answers.toml"]
    return subprocess.Popen(
        argv, cwd=shop.folder, env=environment(shop.env), stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def journal() -> Path | None:
    found = list(Path(os.environ["XDG_STATE_HOME"]).glob("gonogo/sessions/*/journal.jsonl"))
    return found[0] if found else None


def reaches(face: "subprocess.Popen[bytes]", seq: int) -> Path | None:
    """The journal once it holds record `seq`; None if the session ended before."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        path = journal()
        if path is not None and path.read_bytes().count(b"\n") > seq:
            return path
        if face.poll() is not None:
            return None
        time.sleep(0.002)
    raise AssertionError(f"record {seq} was not reached")


@pytest.mark.parametrize("seq", range(2, 70))
def test_a_face_that_is_killed_at_this_record_loses_nothing_and_does_nothing_twice(
    gonogo: Gonogo, shop: SmallProject, seq: int
) -> None:
    face = start(shop)
    path = reaches(face, seq)
    if path is not None:
        face.kill()
        face.wait(SECONDS)
        deadline = time.monotonic() + SECONDS
        while (path.parent / "runner.json").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
    path = path or journal()
    assert path is not None
    comes_to_the_same_end(gonogo, shop, path)


def comes_to_the_same_end(gonogo: Gonogo, shop: SmallProject, path: Path) -> None:
    """Taken up again, it goes on to the end that it would have had."""
    view = fold((r.seq, r.at, r.event) for r in read(path))
    if view.opened is None:  # not even its first record was written: nothing was begun
        return
    if view.ended is None:
        said = gonogo("resume", "--answers", "answers.toml", cwd=shop.folder, env=shop.env)
        assert said.code == 0, said.err
    assert verify(path).grade == "consistent"
    with psycopg.connect(shop.url) as connection:
        rows = connection.execute(
            "SELECT migration_name, count(*) FROM _prisma_migrations"
            " WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL GROUP BY 1 ORDER BY 1"
        ).fetchall()
        assert rows == [(p.name, 1) for p in sorted(DEMO.iterdir()) if p.is_dir()]
        invalid = connection.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid").fetchone()
        assert invalid == (0,)
        left = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'gonogo %'"
        ).fetchone()
        assert left == (0,)


def test_the_demo_at_its_full_size(gonogo: Gonogo) -> None:
    said = gonogo("demo")
    assert said.code == 0, said.err
