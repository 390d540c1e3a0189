"""The runner's life: found, left, parked, taken up again; what it says when it must leave; what it keeps to itself."""

import asyncio
import contextlib
import hashlib
import io
import json
import os
import signal
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from fix_live import ANA, SLEEP, Live, asleep, kinds, settle, write

from migrations.problem import Misuse, Problem, Unavailable
from migrations.target import Pinned
from migrations.target.presence import Presence
from migrations.target.url import Url
from runbooks.approvals.approval_document import ApprovalDocument, Signed
from runbooks.approvals.kept import keep
from runbooks.faces import launch, wire
from runbooks.journal import NAME, Journal, read, verify
from runbooks.redact import Redactor
from runbooks.report.markdown import transcript
from runbooks.running import attempts
from runbooks.running.output import Output, Progress
from runbooks.running.runner_log import RunnerLog
from runbooks.session import commands as c
from runbooks.session import events as e
from runbooks.session.pen import whose
from runbooks.steps import catalogue
from tests.runbooks.approvals.test_approvals import plan
from tests.runbooks.conftest import the_plan
from tests.runbooks.wired import Wired


async def test_nobody_there_and_nothing_running_parks_the_session(live: Live) -> None:
    write(live)
    await live.start(park_seconds=0.3)
    await live.until(lambda view: view.phase == "backup")
    place = Path(json.loads((live.folder / "runner.json").read_text())["socket"]).parent
    await live.client.close()
    assert await live.over() == 130
    left = [kind for kind in kinds(live) if kind != "step_progress"]
    assert left[-2:] == ["face_detached", "session_parked"]
    assert not (live.folder / "runner.json").exists() and not place.exists()
    assert (live.folder / "transcript.md").exists()


async def test_a_step_that_runs_keeps_the_runner_and_a_question_does_not(live: Live) -> None:
    write(live, backup=SLEEP)
    live.small.toml(protected=True)
    await live.start(park_seconds=0.3)
    await live.until(lambda view: view.questions)
    await live.client.close()
    assert await live.over() == 130, "a question that nobody hears is no reason to stay"

    await live.start(park_seconds=0.3)
    await live.until(lambda view: view.questions and view.step("opening").attempt == 2)
    await live.do(c.Answer(question="opening/environment", answer="here"))
    await live.until(lambda view: view.next_start)
    await live.do(c.Start(step="sleep"))
    await live.until(lambda view: view.step("sleep").lines)
    await live.client.close()
    await asyncio.sleep(1)
    assert not live.runner.done()
    await live.attach()
    await live.until(lambda view: view.running == "sleep")


async def test_a_signal_stops_what_runs_and_resuming_goes_on(live: Live) -> None:
    await asleep(live)
    os.kill(os.getpid(), signal.SIGTERM)
    assert await live.over() == 130
    await live.client.until_gone(0.1)
    assert live.client.bye == wire.Bye(reason="the runner got SIGTERM", exit_code=130)
    assert live.client.view.parked and live.client.view.step("sleep").end == "stopped"
    await live.client.close()

    await live.start()
    await live.until(lambda view: view.step("opening").attempt == 2 and not view.running)
    at = kinds(live).index("session_resumed")
    assert [live.events[at + 1].kind, getattr(live.events[at + 1], "why", "")] == ["step_started", "resume"]
    assert {check.id for check in live.client.view.step("opening").checks} == {"target", "alone", "plan"}
    await live.do(c.Start(step="sleep"))
    await live.do(c.Cancel())
    await live.until(lambda view: view.step("sleep").attempt == 2 and view.step("sleep").end == "stopped")


async def test_a_session_that_was_over_at_once_is_told_to_the_face_that_comes_late(live: Live, monkeypatch) -> None:
    write(live)
    monkeypatch.setenv("SMALL_URL", "postgresql://a:hunter2@127.0.0.1:9/d")
    await live.start(sort=None)
    await settle(lambda: (live.folder / NAME).exists() and "session_ended" in kinds(live))
    await live.attach()
    await live.until(lambda view: view.ended)
    assert await live.over() == 3
    assert not live.client.has_pen
    assert "face_attached" not in kinds(live)


async def test_a_resume_that_cannot_reach_the_server_leaves_the_session_as_it_was(live: Live, monkeypatch) -> None:
    write(live)
    await live.start(park_seconds=0.1)
    await live.until(lambda view: view.phase == "backup")
    await live.client.close()
    await live.over()
    url = live.small.url
    monkeypatch.setenv("SMALL_URL", "postgresql://a:hunter2@127.0.0.1:9/d")
    await live.start()
    assert await live.over() == 3
    await live.client.until_gone(0.1)
    assert live.client.bye is not None and "127.0.0.1:9" in live.client.bye.reason
    assert live.client.view.ended is None and live.client.view.step("opening").end == "failed"
    await live.client.close()
    monkeypatch.setenv("SMALL_URL", url)
    await live.start()
    await live.until(lambda view: view.step("opening").end == "done" and view.phase == "backup" and not view.running)


async def test_a_resume_pins_the_new_state_of_the_same_database_and_no_other_one(live: Live, databases) -> None:
    write(live)
    await live.start(park_seconds=0.1)
    await live.until(lambda view: view.phase == "backup")
    await live.client.close()
    await live.over()
    retold(live, timeline="000000FF")
    await live.start(park_seconds=0.1)
    view = await live.until(lambda view: view.step("opening").attempt == 2 and not view.running)
    checks = {check.id: check.evidence for check in view.step("opening").checks}
    assert "timeline" in checks["target"]
    await live.client.close()
    await live.over()
    retold(live, oid="1")
    await live.start()
    assert await live.over() == 1
    assert live.client.view.ended is None
    assert live.client.bye is not None and "another database" in live.client.bye.reason


def retold(live: Live, **target: str) -> None:
    """The same journal, but for the target of its plan."""

    def other(event: e.Event) -> e.Event:
        if not isinstance(event, e.PlanMade):
            return event
        return event.model_copy(update={"target": event.target.model_copy(update=target)})

    rewrite(live, [other(event) for event in live.events])


async def test_a_resumed_session_is_alone_on_its_database(live: Live) -> None:
    write(live)
    await live.start(park_seconds=0.1)
    await live.until(lambda view: view.phase == "backup")
    await live.client.close()
    await live.over()
    other = Live(live.small, live.folder.with_name("20260131T020305Z-here-0002"))
    await other.start()
    await other.until(lambda view: view.phase == "backup")
    await live.start()
    assert await live.over() == 1
    assert live.client.bye is not None and "20260131T020305Z-here-0002" in live.client.bye.reason
    await live.client.close()
    await other.drop()
    await live.start()
    await live.until(lambda view: view.step("opening").end == "done" and not view.running)


async def test_what_was_cut_short_is_settled_by_a_person_and_asked_for_once(live: Live) -> None:
    await asleep(live)
    await cut(live, "step_output")

    await live.start()
    view = await live.until(lambda view: view.questions)
    assert list(view.questions) == ["sleep/settle"] and view.running == "opening"
    assert "read again" in await live.refused(c.Start(step="sleep"))
    assert "leave" in await live.refused(c.Cancel())
    await live.do(c.Answer(question="sleep/settle", answer="done"))
    view = await live.until(lambda view: not view.running)
    assert (view.step("sleep").end, view.step("sleep").outcome, view.step("sleep").attempt) == ("done", "warn", 1)
    assert verify(live.folder / NAME).grade == "open"


async def test_an_answer_is_not_asked_for_again_and_a_go_that_was_called_opens_what_follows(live: Live) -> None:
    await asleep(live)
    await cut(live, "step_output")
    question = e.QuestionAsked(question="sleep/settle", step="sleep", attempt=1, text="Did it?")
    rewrite(live, [*live.events, question, e.QuestionAnswered(question="sleep/settle", answer="done", by=ANA)])

    await live.start()
    await live.until(lambda view: view.step("sleep").end == "done" and not view.running)
    assert kinds(live).count("question_asked") == 1
    known = {check.id: check.evidence for check in live.client.view.step("opening").checks}
    assert known["ended-sleep"] == "a person settled it: done"
    await cut(live, "step_ended")
    rewrite(live, [*live.events, e.Decided(what="go", phase="backup", by=ANA)])

    await live.start()
    await live.until(lambda view: view.phase == "preflight" and not view.running)
    assert kinds(live).count("decided") == 1


async def cut(live: Live, last: str) -> None:
    """End the runner, and cut the journal off after the last record of a kind, as `kill -9` would have left it."""
    live.runner.cancel()
    await asyncio.wait([live.runner])
    await live.client.close()
    events = live.events
    rewrite(live, events[: len(events) - kinds(live)[::-1].index(last)])


def rewrite(live: Live, events: Sequence[e.Event]) -> None:
    """Another journal of the same session."""
    (live.folder / NAME).unlink()
    journal = Journal.create(live.folder, lambda: datetime.now(UTC))
    for event in events:
        journal.append(event, sync=False)
    journal.close()


async def test_a_backend_of_ours_that_lingers_is_waited_for(live: Live) -> None:
    def presence() -> Presence:
        return Presence(Pinned(Url.parse(live.small.url, variable="SMALL_URL")))

    dead, other, ours = presence(), presence(), presence()
    await dead.hold("gonogo s1 ana@a")
    with pytest.raises(Problem, match="gonogo s1 ana@a"):
        await other.hold("gonogo s2 ben@b")
    taking = asyncio.create_task(ours.hold("gonogo s1 ana@a"))
    await asyncio.sleep(0.3)
    await dead.leave()
    await taking
    with psycopg.connect(live.small.url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name LIKE 'gonogo s1%' AND datname = current_database()"
        )
    await ours.hold("gonogo s1 ana@a")
    await ours.leave()


RESTORE = """
### Restore

```toml option
id = "restore"
costs = "a minute"
loses = "what was written since"
```

```toml step
id = "side"
uses = "restore.side"
```

```toml step
id = "swap"
uses = "restore.swap"
```
"""


async def test_after_a_restore_pin_and_lock_follow_the_database_in_this_runner_and_the_next(live: Live) -> None:
    write(live, backup='```toml step\nid = "dump"\nuses = "backup.dump"\n```\n')
    with (live.small.folder / "small.md").open("a") as document:
        document.write(RESTORE)
    await live.start(park_seconds=0.1)
    await live.until(lambda view: view.next_start)
    await live.do(c.Start(step="dump"))
    await live.until(lambda view: view.step("dump").end == "done")
    await live.do(c.RollBack(option="restore", reason="to see it"))
    await live.do(c.Start(step="side"))
    await live.until(lambda view: view.step("side").end == "done")
    await live.do(c.Start(step="swap"))
    view = await live.until(lambda view: view.questions)
    exact = view.questions["swap/database"].exact
    assert exact is not None
    await live.do(c.Answer(question="swap/database", answer=exact))
    view = await live.until(lambda view: view.step("swap").end == "done")
    assert view.plan is not None and view.step("swap").result["oid"] != view.plan.target.oid
    held = "SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory'"
    with psycopg.connect(live.small.url, autocommit=True) as connection:
        (holder,) = connection.execute(
            held + " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        ).fetchall()
        assert live.folder.name in holder[0]
    await live.client.close()
    await live.over()
    await live.start()
    view = await live.until(lambda view: view.step("opening").end == "done" and view.step("opening").attempt == 2)
    assert {check.id for check in view.step("opening").checks} == {"target", "alone"}
    await live.do(c.Decide(what="go", phase="rollback"))
    assert await live.over() == 1
    assert live.client.view.ended is not None and live.client.view.ended.outcome == "rolled_back"


async def test_a_protected_session_is_not_taken_up_headless(live: Live) -> None:
    write(live)
    live.small.toml(protected=True)
    await live.start(park_seconds=0.1)
    await live.until(lambda view: view.questions)
    await live.do(c.Answer(question="opening/environment", answer="here"))
    await live.until(lambda view: view.plan)
    await live.client.close()
    await live.over()
    late = ApprovalDocument(gonogo="0", plan=plan(), approver="ben", by=ANA, at="2026-01-31T11:30:00Z")
    keep(live.folder, [Signed("late.json", late, "put there afterwards, and judged by nobody")])
    with pytest.raises(Misuse, match="protected"):
        await launch.take_up(live.folder, operator=ANA, answers=None, headless=True, environ={})


async def test_answers_that_are_brought_to_a_session_which_runs_are_on_record(live: Live, tmp_path: Path) -> None:
    write(live)
    await live.start()
    await live.until(lambda view: view.phase == "backup")
    answers = tmp_path / "late.toml"
    answers.write_text("[go]\nbackup = true\n")
    face, given = await launch.take_up(live.folder, operator=ANA, answers=answers, headless=True, environ={})
    await live.until(lambda view: len(view.faces) == 2)
    await face.close()
    (late,) = [event.answers for event in live.events if isinstance(event, e.FaceAttached) and event.answers]
    assert late.sha256 == hashlib.sha256(answers.read_bytes()).hexdigest()
    assert given.go.get("backup")
    assert f"SHA-256 `{late.sha256}`" in transcript(read(live.folder / NAME)).partition("\n## ")[0]


async def test_a_bug_parks_the_session_and_its_log_holds_no_secret(live: Live, monkeypatch) -> None:
    async def bug(ctx, params):
        raise RuntimeError(f"it was {live.small.url}")

    shell = replace(catalogue()["shell"], run=bug)
    monkeypatch.setattr(attempts, "catalogue", lambda: {**catalogue(), "shell": shell})
    write(live, backup=SLEEP)
    await live.start()
    await live.until(lambda view: view.next_start)
    await live.do(c.Start(step="sleep"))
    assert await live.over() == 70
    await live.client.until_gone(0.1)
    assert live.client.bye is not None and live.client.bye.exit_code == 70
    assert live.client.view.parked and live.client.view.step("sleep").end == "crashed"
    log, password = live.log.getvalue().decode(), urlsplit(live.small.url).password
    assert "RuntimeError: it was postgresql://" in log and "«redacted:" in log
    assert password and password not in log + (live.folder / NAME).read_text()


# The wire, without a runner ---------------------------------------------------------------------


@pytest.fixture
async def wired(tmp_path: Path, clock):
    folder = tmp_path / "session"
    made = Wired(folder, Journal.create(folder, clock))
    yield made
    await made.close()
    made.journal.close()


@pytest.mark.soak
async def test_a_plan_of_many_megabytes_passes_and_so_does_what_follows(wired: Wired) -> None:
    script = the_plan().scripts[0]
    many = tuple(script.statements[0].model_copy(update={"line": n, "summary": "insert " * 10}) for n in range(50_000))
    plan = the_plan().model_copy(update={"scripts": (script.model_copy(update={"statements": many}),)})
    wired.recorder.append(plan)
    assert max(map(len, (wired.folder / NAME).read_bytes().split(b"\n"))) > 5_000_000
    client = await wired.face()
    assert await client.send(c.Tick(item="x")) is None
    assert client.view.plan == plan and "x" in client.view.items
    await client.close()


async def test_a_headless_face_keeps_records_until_they_are_taken_and_a_screen_none(wired: Wired) -> None:
    screen, headless = await wired.face(), await wired.face("headless")
    await settle(lambda: screen.view.seq == headless.view.seq == wired.recorder.view.seq)
    assert [r.seq for r in headless.records()] == list(range(wired.recorder.view.seq + 1))
    assert list(headless.records()) == [] == list(screen.records())
    assert screen.has_pen and not headless.has_pen
    assert await headless.send(c.Cancel()) == f"{whose(screen.view)}, and this face only watches"
    await screen.close()
    await headless.close()


async def test_the_last_view_is_seen_even_if_the_runner_is_gone_by_then(wired: Wired) -> None:
    client = await wired.face()
    views = client.changes()
    await anext(views)
    wired.recorder.append(e.SessionEnded(outcome="no_go", exit_code=1))
    await wired.faces.dismiss(wire.Bye(reason="", exit_code=1))
    await wired.close()
    await settle(lambda: client.gone)
    assert [view.ended is not None async for view in views][-1]
    assert client.bye == wire.Bye(reason="", exit_code=1)
    assert "gone" in str(await client.send(c.Cancel()))
    await client.close()


@pytest.mark.parametrize(
    "said",
    [b"nonsense\n", b"{}\n", b"x" * 2_000_000 + b"\n", b'{"say":"command"'],
    ids=["words", "nothing", "too much", "half a line"],
)
async def test_whoever_speaks_another_language_is_no_face(wired: Wired, said: bytes) -> None:
    reader, writer = await wired.pair()
    writer.write(said)
    writer.write_eof()
    with contextlib.suppress(ConnectionResetError):
        assert await reader.read() == b""
    assert not wired.recorder.view.faces
    writer.close()


async def test_a_face_says_what_came_in_that_is_no_journal(wired: Wired) -> None:
    path = wired.folder / NAME
    path.write_bytes(path.read_bytes().replace(b"CHG-4821", b"CHG-4822"))
    client = await wired.face()
    with pytest.raises(Problem, match="does not hold"):
        _ = [view async for view in client.changes()]
    await client.close()


async def test_a_face_that_does_not_listen_holds_up_nobody(wired: Wired) -> None:
    deaf_reader, deaf_writer = await wired.pair()
    deaf_writer.write(wire.line(wire.Attach(sort="screen", by=ANA)))
    await settle(lambda: wired.recorder.view.faces)
    for _ in range(2000):
        wired.recorder.append(e.StepOutput(step="s", attempt=1, stream="out", text="x" * 1000), sync=False)
    client = await wired.face()
    await settle(lambda: client.view.seq == wired.recorder.view.seq)
    await asyncio.wait_for(wired.faces.dismiss(wire.Bye(reason="over", exit_code=0), seconds=0.2), 5)
    await client.until_gone(0.1)
    assert client.bye is not None
    await client.close()
    deaf_writer.close()
    assert deaf_reader


# What is written --------------------------------------------------------------------------------


async def test_the_last_progress_is_written_and_no_more_than_one_a_second(wired: Wired) -> None:
    progress = Progress(wired.recorder, "s", 1)
    for n in range(100):
        progress.show({"done": n})
    progress.flush()
    data = [r.event.data["done"] for r in read(wired.folder / NAME) if isinstance(r.event, e.StepProgress)]
    assert data == [0, 99]
    progress.show({"done": 100})
    await settle(lambda: wired.recorder.view.step("s").progress == {"done": 100})


async def test_output_is_cut_at_the_ends_of_lines(wired: Wired) -> None:
    output = Output(wired.recorder, "s", 1)
    text = "".join(f"line {n}\n" for n in range(20_000)) + "y" * 30_000 + "\nand hunter2-hunter2 too"
    for start in range(0, len(text), 65_536):
        output.feed(text[start : start + 65_536], "out")
    output.close()
    said = [r.event.text for r in read(wired.folder / NAME) if isinstance(r.event, e.StepOutput)]
    assert "".join(said) == text.replace("hunter2-hunter2", "«redacted:TOKEN»")
    assert [piece for piece in said if not piece.endswith("\n")][:1] == ["y" * 12 * 1024]
    assert wired.recorder.view.step("s").lines[-1].text == "and «redacted:TOKEN» too"


async def test_a_broken_journal_is_told_even_if_a_timer_wrote(wired: Wired) -> None:
    output = Output(wired.recorder, "s", 1)
    wired.journal.close()
    output.feed("a line\n", "out")
    broken = await asyncio.wait_for(wired.recorder.until_broken(), 10)
    assert isinstance(broken, Unavailable)


def test_the_log_holds_no_secret_however_it_comes_in() -> None:
    out = io.BytesIO()
    log = RunnerLog(out)
    log.write("starting with postgresql://a:early@h/d\n")
    log.redactor = Redactor({"TOKEN": "hunter2-hunter2"})
    print("ValueError: hunter2-", end="", file=log)
    print("hunter2 is wrong", file=log)
    print("open line hunter2-hunter2", end="", file=log)
    log.flush()
    text = out.getvalue().decode()
    assert "early" not in text and "hunter2-hunter2" not in text
    assert text.count("«redacted:TOKEN»") == 2
