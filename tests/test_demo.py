"""`make demo` without a terminal: from Backup to Smoke on a real PostgreSQL, with real programs."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from fix_command import Gonogo, environment

from runbooks.journal import read
from runbooks.session import events as e
from runbooks.session.view import fold

TOP = Path(__file__).parents[1]
SMALL = {"GONOGO_DEMO_ORDERS": "2000"}


def test_the_demo_walks_to_its_end_without_a_terminal(gonogo: Gonogo, own_home: Path) -> None:
    said = gonogo("demo", env=SMALL)
    assert said.code == 0, said.err
    records = list(read(said.session / "journal.jsonl"))
    events = [record.event for record in records]
    view = fold((r.seq, r.at, r.event) for r in records)
    assert view.ended is not None and view.ended.outcome == "go"
    assert view.passed == ("backup", "preflight", "migrate", "verify", "deploy", "smoke")
    assert len([x for x in events if isinstance(x, e.Waived)]) == 1
    assert view.plan is not None and len(view.plan.scripts) == 5
    assert "destructive" in view.conditions
    history = sorted((TOP / "runbooks" / "demo" / "files" / "migrations").glob("*/migration.sql"))[:-5]
    digests = [(file.parent.name, hashlib.sha256(file.read_bytes()).hexdigest()) for file in history]
    assert [(one.migration, one.sha256) for one in view.plan.applied] == digests
    assert all(one.at for one in view.plan.applied)
    assert f"Head {records[-1].seq}:{records[-1].hash}" in said.err
    assert (said.session / "transcript.md").read_text().startswith("# ")
    assert not list((own_home / ".local/state/gonogo/demo").iterdir()), "the demo leaves nothing"

    verified = gonogo("transcript", "verify")
    assert verified.code == 0, verified.out
    listed = json.loads(gonogo("sessions", "--json").out)
    assert [(s["environment"], s["outcome"], s["waivers"]) for s in listed] == [("staging", "go", 1)]


@pytest.mark.soak
def test_a_demo_whose_runner_was_killed_goes_on_from_its_data(gonogo: Gonogo, own_home: Path) -> None:
    argv = [sys.executable, "-P", "-m", "tui", "demo"]
    face = subprocess.Popen(argv, env=environment(SMALL), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert face.stderr is not None
    for line in face.stderr:
        if line.startswith("▶ Apply"):
            break
    (runner,) = (own_home / ".local/state/gonogo/sessions").glob("*/runner.json")
    os.kill(json.loads(runner.read_text())["pid"], signal.SIGKILL)
    face.communicate(timeout=60)
    assert face.returncode == 130
    (answers,) = (own_home / ".local/state/gonogo/demo").glob("*/answers.toml")
    said = gonogo("resume", "--answers", str(answers))
    assert said.code == 0, said.err
    assert not list((own_home / ".local/state/gonogo/demo").iterdir()), "the demo leaves nothing"


@pytest.mark.soak
def test_a_demo_that_cannot_begin_leaves_nothing(gonogo: Gonogo, own_home: Path, tmp_path: Path) -> None:
    state = own_home / ".local/state/gonogo"
    state.mkdir()
    (state / "sessions").symlink_to(tmp_path)
    said = gonogo("demo", env=SMALL)
    assert (said.code, said.err.count("gonogo:")) == (3, 1), said.err
    assert not list((state / "demo").iterdir())
