"""Sessions of the small project that go on while a test does something to them, and what is left of them."""

import json
import os
import time
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

import psycopg
import pytest
from fix_command import Forks, Gonogo, SmallProject, environment

from runbooks.journal import read
from runbooks.session.view import RunView, fold

SECONDS = 60.0


def sessions() -> list[Path]:
    """The session folders in this test's home, oldest first."""
    root = Path(os.environ["XDG_STATE_HOME"]) / "gonogo" / "sessions"
    return sorted(root.iterdir()) if root.exists() else []


def view_of(folder: Path) -> RunView:
    """The session as its journal has it."""
    journal = folder / "journal.jsonl"
    written = journal.stat()
    return _folded(journal, written.st_size, written.st_mtime_ns)


@lru_cache(maxsize=1)
def _folded(journal: Path, size: int, at: int) -> RunView:
    """Who waits looks often, and only where something was written there is something new."""
    return fold((r.seq, r.at, r.event) for r in read(journal))


def newest(reached: Callable[[RunView], object]) -> Callable[[], Path | None]:
    """The newest session's folder once its view fulfils a condition, else None."""

    def look() -> Path | None:
        found = (f for f in sessions()[-1:] if (f / "journal.jsonl").exists() and reached(view_of(f)))
        return next(found, None)

    return look


def running(step: str) -> Callable[[RunView], bool]:
    """That this step runs."""
    return lambda view: view.running == step


def runner_of(folder: Path) -> int:
    """The pid of the session's runner."""
    return int(json.loads((folder / "runner.json").read_text())["pid"])


def resume(gonogo: Gonogo, small: SmallProject) -> tuple[int, str]:
    """Take up the newest session without a screen: exit code and talk."""
    said = gonogo("resume", "--answers", str(small.folder / "answers.toml"), cwd=small.folder, env=small.env)
    return said.code, said.err


def ledger(small: SmallProject) -> list[tuple[str, bool, bool]]:
    """Its rows: name, whether finished, whether rolled back."""
    with psycopg.connect(small.url) as connection:
        if connection.execute("SELECT to_regclass('_prisma_migrations')").fetchone() == (None,):
            return []
        rows = connection.execute(
            "SELECT migration_name, finished_at IS NOT NULL, rolled_back_at IS NOT NULL"
            " FROM _prisma_migrations ORDER BY started_at"
        ).fetchall()
    return [(str(a), bool(b), bool(c)) for a, b, c in rows]


def no_backend_left(small: SmallProject) -> bool:
    """Whether no connection of a session is left in the database."""
    with psycopg.connect(small.url) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE application_name LIKE 'gonogo %' AND datname = current_database()"
        ).fetchone()
    return row == (0,)


class Background:
    """A `gonogo run` that goes on while the test does something to it."""

    def __init__(self, forks: Forks, small: SmallProject) -> None:
        argv = ["run", "here", "--ticket", "CHG-1", "--answers", "answers.toml"]
        self.process = forks.begin(argv, small.folder, environment(small.env))

    def until(self, reached: Callable[[RunView], bool]) -> Path:
        """Wait until the newest session's view fulfils a condition; its folder."""
        deadline, look = time.monotonic() + SECONDS, newest(reached)
        while (folder := look()) is None:
            assert not self.process.over(), self.process.end()
            assert time.monotonic() < deadline, "not reached in time"
            time.sleep(0.05)
        return folder

    def end(self) -> tuple[int, str]:
        """Wait for its end: exit code and talk."""
        said = self.process.end(SECONDS)
        return said.code, said.err


Start = Callable[[SmallProject], Background]


@pytest.fixture
def start(forks: Forks, no_process_left: None) -> Iterator[Start]:
    """Starts a `gonogo run` in the background, which ends with the test."""
    started: list[Background] = []

    def begin(small: SmallProject) -> Background:
        started.append(Background(forks, small))
        return started[-1]

    yield begin
    for walk in started:
        walk.process.close()
