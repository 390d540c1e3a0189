"""`gonogo status --drift` on a real server: what it tells, what it remembers, what it leaves behind."""

import hashlib
import json
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from fix_command import TABLE, Gonogo, SmallProject, environment
from fix_until import Until

from migrations.ledger import TABLE as LEDGER

NAME = "_prisma_migrations"


def query(small: SmallProject, text: str) -> None:
    with psycopg.connect(small.url, autocommit=True) as conn:
        conn.execute(text.encode())


@pytest.fixture
def applied(small: SmallProject) -> SmallProject:
    """The small project, all of its migrations applied."""
    query(small, LEDGER.format(NAME))
    for script in sorted((small.folder / "migrations").glob("*/migration.sql")):
        query(small, script.read_text())
        record(small, script)
    return small


def record(small: SmallProject, script: Path) -> None:
    sum = hashlib.sha256(script.read_bytes()).hexdigest()
    values = f"gen_random_uuid(), '{sum}', '{script.parent.name}', now()"
    query(small, f"INSERT INTO {NAME} (id, checksum, migration_name, finished_at) VALUES ({values})")


def test_drift_is_told_with_both_sides_and_sql(gonogo: Gonogo, applied: SmallProject, tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    env = {**applied.env, "TMPDIR": str(temporary)}

    def status(*more: str) -> tuple[int, str]:
        said = gonogo("status", "here", "--drift", *more, cwd=applied.folder, env=env)
        assert "Traceback" not in said.err
        return said.code, said.out + said.err

    code, text = status()
    assert code == 0 and "no drift" in text, text
    query(applied, "CREATE SCHEMA \"by\x1b[2Jhand\"; COMMENT ON SCHEMA public IS 'x'; CREATE TABLE extra ()")
    code, text = status()
    assert code == 1 and "! table/public.extra\n  the folder: nothing\n" in text and "drifted: 2 differences" in text
    assert "\x1b" not in text and "schema public: comment is not as in a new database" in text
    project = applied.folder / "gonogo.toml"
    project.write_text(project.read_text() + '\n[drift]\nignore = ["schema/*", "table/public.extra"]\n')
    code, text = status("--json")
    told = json.loads(text)["drift"]
    assert (code, told["differences"], len(told["ignored"]), told["could_not"]) == (0, [], 2, "")
    assert not list(temporary.iterdir())
    assert gonogo("status", "here", "--pg-bin", str(tmp_path), cwd=applied.folder, env=env).code == 2


def test_what_cannot_be_compared_is_said(gonogo: Gonogo, small: SmallProject) -> None:
    query(small, TABLE)
    said = gonogo("status", "here", "--drift", cwd=small.folder, env=small.env)
    assert said.code == 1 and "drift is not known" in said.out and "no ledger" in said.out


@pytest.mark.soak
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_of_a_look_that_is_killed(
    applied: SmallProject, until: Until, tmp_path: Path, no_process_left: None, number: int
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    script = applied.folder / "migrations" / "20990101000000_slow" / "migration.sql"
    script.parent.mkdir()
    script.write_text("SELECT pg_sleep(600)")
    record(applied, script)
    argv = [sys.executable, "-P", "-m", "tui", "status", "here", "--drift"]
    env = environment({**applied.env, "TMPDIR": str(temporary)})
    look = subprocess.Popen(argv, cwd=applied.folder, env=env, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    until(lambda: _started(temporary))
    look.send_signal(number)
    _, err = look.communicate(timeout=60)
    assert look.returncode == (130 if number == signal.SIGINT else -number), err
    assert b"Traceback" not in err
    until(lambda: not list(temporary.iterdir()))


def _started(temporary: Path) -> bool:
    return any((data / "postmaster.pid").exists() for data in temporary.glob("*/data"))
