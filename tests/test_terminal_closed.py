"""The terminal is closed, or the line to it is lost: the face goes, and the session goes on."""

import os
import signal
from pathlib import Path

import psutil
import psycopg
import pytest
from fix_command import Gonogo, SmallProject
from fix_terminal import AtTerminal, Terminal
from fix_until import Until
from fix_walks import (
    SECONDS,
    ledger,
    newest,
    no_backend_left,
    resume,
    runner_of,
    running,
    sessions,
    view_of,
)

from runbooks.journal import read, verify

HELD = "until [ -e go ]; do sleep 0.05; done"


def test_terminal_closed_while_a_program_runs(
    gonogo: Gonogo, at_terminal: AtTerminal, small: SmallProject, until: Until
) -> None:
    """Its face gets SIGHUP; the program goes on."""
    document = small.folder / "small.md"
    block = f'## Backup\n\n```sh run id="held" title="Held"\n{HELD}\n```\n'
    document.write_text(document.read_text().replace("## Backup\n", block))
    terminal = at_terminal(small, "run", "here", "--ticket", "CHG-1")
    terminal.press("s", terminal.shows("Start: "))
    terminal.press("\r", newest(running("held")))
    folder = close(terminal, until, "held")
    (small.folder / "go").touch()
    goes_on(gonogo, small, until, folder, "held")


@pytest.mark.soak
def test_terminal_closed_in_migrate(gonogo: Gonogo, at_terminal: AtTerminal, small: SmallProject, until: Until) -> None:
    """Its face gets SIGHUP; the script goes on."""
    small.migration("20260101000000_notes", "CREATE TABLE notes (id int);\nSELECT pg_advisory_lock(1);\n")
    small.answers()
    document = small.folder / "small.md"
    document.write_text(document.read_text().replace('lock_timeout = "2s"', 'lock_timeout = "1h"'))
    with psycopg.connect(small.url, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(1)")
        terminal = at_terminal(small, "run", "here", "--ticket", "CHG-1")
        walk_to_migrate(terminal)
        until(lambda: ledger(small) == [("20260101000000_notes", False, False)])
        folder = close(terminal, until, "apply")
    goes_on(gonogo, small, until, folder, "apply")


def close(terminal: Terminal, until: Until, step: str) -> Path:
    """Close it while this step runs: the face goes, and neither the step nor the runner does. The session's folder."""
    folder = sessions()[-1]
    runner = psutil.Process(runner_of(folder))
    terminal.close()
    assert terminal.process.wait(SECONDS) == -signal.SIGHUP
    until(lambda: not view_of(folder).faces)
    assert view_of(folder).running == step and runner.is_running()
    return folder


def goes_on(gonogo: Gonogo, small: SmallProject, until: Until, folder: Path, step: str) -> None:
    """The step ends by itself; then another face takes the session to its end."""
    until(lambda: view_of(folder).step(step).end == "done")
    code, said = resume(gonogo, small)
    assert code == 0, said
    kinds = [record.event.kind for record in read(folder / "journal.jsonl")]
    assert kinds.count("face_attached") == 2
    assert not {"session_parked", "session_resumed"} & set(kinds), "one runner led it from its beginning to its end"
    assert ledger(small) == [("20260101000000_notes", True, False)]
    assert verify(folder / "journal.jsonl").grade == "consistent"
    assert no_backend_left(small)


def walk_to_migrate(terminal: Terminal) -> None:
    """By keys alone, until the script runs."""
    for keys, reached in (
        ("s", terminal.shows("Start: ")),
        ("\r", newest(lambda view: view.step("dump").status == "ended")),
        ("g", terminal.shows("GO for Backup")),
        ("b\r", newest(lambda view: view.phase == "preflight")),
        ("v", terminal.shows("m marks it")),
        ("m", newest(lambda view: view.reviews)),
        ("\x1b", terminal.shows("Hold point: ")),
        ("g", terminal.shows("GO for Preflight")),
        ("p\r", newest(lambda view: view.phase == "migrate")),
        ("s", terminal.shows("Start: ")),
        ("\r", newest(running("apply"))),
    ):
        terminal.press(keys, reached)


@pytest.mark.soak
def test_terminal_closed_where_sighup_is_ignored(at_terminal: AtTerminal, small: SmallProject, until: Until) -> None:
    """The face goes all the same: else it would keep the pen, and a processor busy."""
    terminal = at_terminal(small, "run", "here", "--ticket", "CHG-1", deaf=True)
    terminal.press("s", terminal.shows("Start: "))
    terminal.close()
    assert terminal.process.wait(SECONDS) == -signal.SIGHUP
    until(newest(lambda view: not view.faces))
    os.kill(runner_of(sessions()[-1]), signal.SIGTERM)
    until(newest(lambda view: view.parked))
