"""The logs of an environment are looked at beside all else, when a step fails or somebody asks; their end is kept."""

import os
from pathlib import Path

import pytest
from fix_live import Live, shell, write

from runbooks.redact import Redactor
from runbooks.report.markdown import transcript
from runbooks.running.logs import KEPT, said_by_command
from runbooks.session import commands as c
from runbooks.session import events as e
from runbooks.session.looked import LOGS, Looked, OneLog, data_of, looked_in
from runbooks.settings.faults import ProjectError
from runbooks.settings.project import Log, load
from tests.runbooks.transcript_records import recorded

PATH = {"PATH": os.environ["PATH"]}
TOML = """
[environments.here.logs]
web = "https://logs.example.org/shop"
app = ["sh", "-c", "seq 1 300; echo $SMALL_URL"]
gone = ["./no-such-program"]
"""


async def test_a_failing_step_shows_them_and_the_end_waits_for_them(live: Live) -> None:
    write(live, backup=shell("boom", "exit 3") + shell("fine", "true"))
    path = live.small.folder / "gonogo.toml"
    path.write_text(path.read_text() + TOML)
    await live.start()
    await live.until(lambda v: v.phase == "backup")
    await live.do(c.Start(step="boom"))
    view = await live.until(lambda v: v.looked)
    assert view.looked is not None and (view.looked.step, view.looked.why) == ("boom", "failed")
    web, app, gone = view.looked.logs
    assert (web.url, gone.wrong) == ("https://logs.example.org/shop", "There is no program ./no-such-program.")
    kept = (live.folder / app.path).read_text().splitlines()
    assert len(kept) == app.lines == KEPT and kept[-2:] == ["300", ""], "no address of the database is given to it"
    assert (live.folder / app.path).stat().st_mode & 0o777 == 0o600
    await live.do(c.Start(step=LOGS))
    view = await live.until(lambda v: v.looked and v.looked.number == 2)
    assert view.looked is not None and view.looked.cause == "ana@example.org asked for them"
    await live.do(c.Start(step="boom"))
    await live.until(lambda v: v.step("boom").attempt == 2 and v.step("boom").status == "ended")
    await live.do(c.EndSession(reason="enough"))
    assert await live.over() == 1
    told = [event for event in live.events if isinstance(event, e.StepProgress) and event.step == LOGS]
    assert [looked.number for one in told if (looked := looked_in(one.step, one.data))] == [1, 2, 3]
    assert isinstance(live.events[-1], e.SessionEnded)


async def test_without_any_there_is_nothing_to_ask_for(live: Live) -> None:
    write(live, backup=shell("boom", "exit 3"))
    await live.start()
    await live.until(lambda v: v.phase == "backup")
    assert "names no logs" in await live.refused(c.Start(step=LOGS))
    await live.do(c.Start(step="boom"))
    await live.until(lambda v: v.step("boom").status == "ended")
    await live.do(c.EndSession(reason="enough"))
    assert await live.over() == 1 and LOGS not in {getattr(event, "step", "") for event in live.events}


@pytest.mark.parametrize(
    ("script", "lines", "wrong"),
    [
        ("printf 'a\\nb'; printf c", ["a", "bc"], ""),
        ("echo hunter2-; printf 'x hunter2-hun'; printf 'ter2 y\\n'", ["hunter2-", "x «redacted:TOKEN» y"], ""),
        ("echo no >&2; exit 4", ["no"], "sh ended with 4"),
        ("echo first; sleep 60", ["first"], "sh did not end within 0.5 s and was stopped."),
        ("true", [], ""),
    ],
)  # fmt: skip
async def test_what_a_command_says(tmp_path: Path, script: str, lines: list[str], wrong: str) -> None:
    log, redactor = Log(name="app", command=("sh", "-c", script)), Redactor({"TOKEN": "hunter2-hunter2"})
    said = await said_by_command(log, redactor, PATH, tmp_path, 0.5 if "60" in script else 20)
    assert (list(said.lines), said.wrong) == (lines, wrong)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ('web = "logs.example.org"', "`web` is not right; expected an address to open"),
        ("web = []", "`web` is not right"),
        ('web = ["", "x"]', "`web` is not right"),
        ('"a b" = "https://x"', "`a b` cannot name a log"),
        ('web = "https://me:secret@logs"', "a password in an address"),
    ],
)
def test_what_is_wrong_with_one_is_told(tmp_path: Path, line: str, fault: str) -> None:
    path = tmp_path / "gonogo.toml"
    path.write_text(f'[project]\nname = "x"\n[environments.here.logs]\n{line}\n')
    with pytest.raises(ProjectError, match="line 4") as caught:
        load(path)
    assert fault in str(caught.value) and "secret" not in str(caught.value)


LOOKED = Looked(
    number=1,
    why="failed",
    step="dump",
    attempt=1,
    logs=(
        OneLog(name="web", url="https://logs.example.org"),
        OneLog(name="app", path="artefacts/000009-logs-1-app.log", lines=2, tail=("one", "ERROR [/bold] two")),
    ),
)


def look() -> e.StepProgress:
    return e.StepProgress(step=LOGS, attempt=1, data=data_of(LOOKED))


def test_the_transcript_tells_of_a_look(events: list[e.Event]) -> None:
    text = transcript(recorded([*events[:12], look()]))
    assert "**Logs**, since `dump failed`: `web: https://logs.example.org`; `app: the last 2 lines in" in text
