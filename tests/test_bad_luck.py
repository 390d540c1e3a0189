"""What nobody can help: kills, restarts, full disks, two at once. Nothing twice, nothing lost, always a way on."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
import pytest
from fix_command import Gonogo, SmallProject
from fix_disk import full_disk
from fix_postgres import apart
from fix_until import Until
from fix_walks import (
    SECONDS,
    Start,
    ledger,
    no_backend_left,
    resume,
    runner_of,
    running,
    view_of,
)

from migrations.server import ThrowawayServer
from runbooks.journal import read, verify
from runbooks.session import events as e

SLOW = 'CREATE TABLE "slow" ("id" INT);\nSELECT pg_sleep(3);\n'


@pytest.fixture
def sleepy(small: SmallProject) -> SmallProject:
    small.migration("20260102000000_slow", SLOW)
    small.answers()
    return small


def test_kill_9_of_the_runner_in_migrate(gonogo: Gonogo, start: Start, small: SmallProject, until: Until) -> None:
    small.migration("20260102000000_slow", "CREATE TABLE slow ();\nSELECT pg_advisory_lock(1);\n")
    small.answers()
    document = small.folder / "small.md"
    document.write_text(document.read_text().replace('lock_timeout = "2s"', 'lock_timeout = "1h"'))
    with psycopg.connect(small.url, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(1)")
        walk = start(small)
        folder = walk.until(running("apply"))
        until(lambda: ("20260102000000_slow", False, False) in ledger(small))
        os.kill(runner_of(folder), signal.SIGKILL)
        walk.end()
    code, said = resume(gonogo, small)
    assert code == 0, said
    applied = [name for name, finished, rolled_back in ledger(small) if finished and not rolled_back]
    assert applied == ["20260101000000_notes", "20260102000000_slow"], "each once"
    assert verify(folder / "journal.jsonl").grade == "consistent"
    assert no_backend_left(small)


@pytest.mark.soak
def test_kill_9_of_the_runner_in_backup(gonogo: Gonogo, start: Start, small: SmallProject) -> None:
    with psycopg.connect(small.url, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE big AS SELECT n, repeat(md5(n::text), 20) AS t FROM generate_series(1, 60000) n"
        )
    walk = start(small)
    folder = walk.until(running("dump"))
    os.kill(runner_of(folder), signal.SIGKILL)
    walk.end()
    code, said = resume(gonogo, small)
    assert code in (0, 1), said
    assert verify(folder / "journal.jsonl").grade == "consistent"
    partial = list(Path(os.environ["XDG_STATE_HOME"]).rglob("*.partial"))
    assert partial == []
    assert no_backend_left(small)


@pytest.mark.soak
def test_kill_9_of_the_face_in_migrate(gonogo: Gonogo, start: Start, sleepy: SmallProject) -> None:
    walk = start(sleepy)
    folder = walk.until(running("apply"))
    runner = psutil.Process(runner_of(folder))
    walk.process.send_signal(signal.SIGKILL)
    walk.end()
    psutil.wait_procs([runner], timeout=SECONDS)
    assert not runner.is_running(), "a headless runner ends with its face"
    view = view_of(folder)
    assert view.parked
    assert view.step("apply").end == "stopped"
    code, said = resume(gonogo, sleepy)
    assert code in (0, 1), said
    assert no_backend_left(sleepy)


def test_kill_9_of_the_child_in_backup(gonogo: Gonogo, start: Start, small: SmallProject, until: Until) -> None:
    def dumps(runner: int) -> list[psutil.Process]:
        try:  # not the one that only tells its version
            children = psutil.Process(runner).children(recursive=True)
            return [p for p in children if p.name() == "pg_dump" and "--snapshot" in " ".join(p.cmdline())]
        except psutil.NoSuchProcess:  # another child was gone before its name was read
            return []

    with psycopg.connect(small.url) as other:
        other.execute("CREATE TABLE big (n INT)")
        other.commit()
        other.execute("LOCK TABLE big IN ACCESS EXCLUSIVE MODE")  # the dump waits for it
        walk = start(small)
        folder = walk.until(running("dump"))
        until(lambda: dumps(runner_of(folder)))
        dumps(runner_of(folder))[0].kill()
        code, said = walk.end()
    assert code == 1, said
    assert view_of(folder).step("dump").end == "failed"
    assert list(Path(os.environ["XDG_STATE_HOME"]).rglob("*.partial")) == []


def children(folder: Path) -> dict[str, psutil.Process]:
    """What the session's runner has started, and what that has, by name."""
    with suppress(psutil.NoSuchProcess):  # one was gone before its name was read
        return {p.name(): p for p in psutil.Process(runner_of(folder)).children(recursive=True)}
    return {}


@pytest.mark.parametrize(
    ("victim", "words"), [("sh", "signal SIGKILL"), ("sleep", "exit status 137, as after signal SIGKILL")]
)
def test_kill_9_of_a_run_blocks_child(start: Start, small: SmallProject, until: Until, victim: str, words: str) -> None:
    document = small.folder / "small.md"
    document.write_text(document.read_text().replace("echo deployed", "sleep 600\necho deployed"))
    walk = start(small)
    folder = walk.until(running("deploy"))
    until(lambda: "sleep" in children(folder))
    programs = children(folder)
    programs[victim].kill()
    code, said = walk.end()
    assert code == 1, said
    deploy = view_of(folder).step("deploy")
    assert (deploy.end, deploy.outcome) == ("failed", "fail")
    assert deploy.failure is not None and words in deploy.failure.what and words in said
    assert verify(folder / "journal.jsonl").grade == "consistent"
    _, left = psutil.wait_procs(programs.values(), timeout=0)
    assert not left, "what it had started must not go on alone"
    assert no_backend_left(small)


def test_ctrl_c_on_a_walk_without_a_screen(gonogo: Gonogo, start: Start, sleepy: SmallProject) -> None:
    walk = start(sleepy)
    folder = walk.until(running("apply"))
    walk.process.send_signal(signal.SIGINT)
    code, said = walk.end()
    assert code == 130, said
    assert "Traceback" not in said
    deadline = time.monotonic() + SECONDS
    while not view_of(folder).parked and time.monotonic() < deadline:
        time.sleep(0.05)
    assert view_of(folder).parked


def test_two_operators_at_once(gonogo: Gonogo, start: Start, small: SmallProject) -> None:
    small.migration("20260102000000_slow", SLOW.replace("(3)", "(60)"))
    small.answers()
    walk = start(small)
    folder = walk.until(running("apply"))
    answers = str(small.folder / "answers.toml")
    second = gonogo("run", "here", "--ticket", "CHG-2", "--answers", answers, cwd=small.folder, env=small.env)
    walk.process.send_signal(signal.SIGINT)
    walk.end()
    assert second.code == 1, second.err
    assert folder.name[:25] in second.err, "it says which session"
    assert "ana@example.org" in second.err, "and whose"
    assert "since" in second.err and "from" in second.err


@pytest.mark.soak
def test_server_restarted_in_the_middle_of_migrate(
    start: Start, sleepy: SmallProject, tmp_path: Path, until: Until
) -> None:
    server = apart(ThrowawayServer.start(tmp_path / "own"))
    try:
        sleepy.url = server.url()
        walk = start(sleepy)
        folder = walk.until(running("apply"))
        until(lambda: ("20260102000000_slow", False, False) in ledger(sleepy))
        apart(server.restart())
        code, said = walk.end()
        assert code == 1, said
        assert view_of(folder).step("apply").end == "failed"
        assert "Traceback" not in said
        assert [row for row in ledger(sleepy) if row[0].endswith("slow") and row[1]] == []
    finally:
        apart(server.stop())


def test_disk_full_while_dumping(gonogo: Gonogo, small: SmallProject, tmp_path: Path) -> None:
    with psycopg.connect(small.url, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE big AS SELECT md5(n::text) || md5((n * 7)::text) AS t FROM generate_series(1, 100000) n"
        )
    with full_disk(tmp_path / "tiny", "1m") as tiny:
        text = (
            (small.folder / "gonogo.toml")
            .read_text()
            .replace("[environments.here]", f"dumps = '{tiny}'\n[environments.here]")
        )
        (small.folder / "gonogo.toml").write_text(text)
        said = gonogo(
            "run",
            "here",
            "--ticket",
            "x",
            "--answers",
            str(small.folder / "answers.toml"),
            cwd=small.folder,
            env=small.env,
        )
        assert said.code in (1, 3), said.err
        assert str(tiny) in said.err
        assert list(tiny.iterdir()) == []
        assert verify(said.session / "journal.jsonl").grade == "consistent"


def test_disk_full_while_journalling(gonogo: Gonogo, small: SmallProject, tmp_path: Path) -> None:
    runbook = (
        (small.folder / "small.md")
        .read_text()
        .replace("echo deployed", "head -c 3000000 /dev/zero | tr '\\0' 'a' | fold; sleep 600")
    )
    (small.folder / "small.md").write_text(runbook)
    with full_disk(tmp_path / "tiny", "1m") as tiny:
        env = {**small.env, "XDG_STATE_HOME": str(tiny)}
        text = (
            (small.folder / "gonogo.toml")
            .read_text()
            .replace("[environments.here]", f"dumps = '{tmp_path}'\n[environments.here]")
        )
        (small.folder / "gonogo.toml").write_text(text)
        said = gonogo(
            "run", "here", "--ticket", "x", "--answers", str(small.folder / "answers.toml"), cwd=small.folder, env=env
        )
        assert said.code == 3, said.err
        assert "journal" in said.err and "cannot be written" in said.err
        assert "Traceback" not in said.err
        (folder,) = (tiny / "gonogo" / "sessions").iterdir()
        assert verify(folder / "journal.jsonl").grade == "open"
        assert any(isinstance(r.event, e.StepOutput) for r in read(folder / "journal.jsonl"))
    assert no_backend_left(small)


@pytest.mark.soak
def test_prismas_lock_is_held_when_the_session_opens(gonogo: Gonogo, start: Start, small: SmallProject) -> None:
    with psycopg.connect(small.url, application_name="a deploy that hangs", autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(72707369)")
        walk = start(small)
        folder = walk.until(lambda view: view.step("opening").status == "ended")
        other.execute("SELECT pg_advisory_unlock(72707369)")
        code, said = walk.end()
    lock = next(check for check in view_of(folder).step("opening").checks if check.id == "lock")
    assert lock.outcome == "warn"
    assert "a deploy that hangs" in lock.evidence
    assert "pg_terminate_backend" in lock.advice
    assert code == 0, said
