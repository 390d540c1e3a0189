"""The face without a screen: it decides nothing, never goes round in circles, and always comes to an end."""

import hashlib
import os
import signal
from datetime import UTC, datetime

import pytest
from fix_live import SLEEP, Live, kinds, settle, shell, write

from migrations.folder import read_folder
from runbooks.faces.answers import Answers
from runbooks.faces.client import Client
from runbooks.faces.headless import Headless
from runbooks.faces.headless_told import HeadlessTold
from runbooks.faces.queue_told import QueueTold
from runbooks.journal import NAME, Journal
from runbooks.session import commands as c
from runbooks.session import events as e
from runbooks.session.looked import LOGS, Looked, OneLog, data_of
from runbooks.session.runbook import PHASES


def answers(live: Live, **more: object) -> Answers:
    reviews = {m.name: m.checksum for m in read_folder(live.small.folder / "migrations")}
    return Answers.model_validate({"go": dict.fromkeys(PHASES, True), "reviews": reviews, **more})


async def walk(live: Live, **more: object) -> tuple[int | None, list[str]]:
    """Walk to the end: the session's exit code, None if it has not ended; and what was said."""
    said: list[str] = []
    view = await Headless(live.client, answers(live, **more), said.append).walk()
    await live.client.close()
    await live.over()
    return (view.ended.exit_code if view.ended else None), said


def torn_off(live: Live, kind: str) -> None:
    """Leave the journal as `kill -9` would have left it after the first record of this kind."""
    events = live.events[: kinds(live).index(kind) + 1]
    (live.folder / NAME).unlink()
    journal = Journal.create(live.folder, lambda: datetime.now(UTC))
    for event in events:
        journal.append(event, sync=False)
    journal.close()


async def killed_in_a_step(live: Live, text: str) -> None:
    """A runner that died when the step `sleep` had said something."""
    write(live, backup=text)
    await live.start()
    await live.until(lambda view: view.next_start)
    await live.do(c.Start(step="sleep"))
    await live.until(lambda view: view.step("sleep").lines)
    await live.drop()
    torn_off(live, "step_output")


async def test_it_walks_to_the_end(live: Live) -> None:
    write(live, backup=shell("one", "echo one") + shell("two", "echo two"))
    await live.start(sort="headless")
    code, said = await walk(live)
    assert code == 0, said
    assert "command_refused" not in kinds(live)


async def test_a_failure_that_is_waived_beforehand_holds_up_nothing(live: Live) -> None:
    write(live, backup=shell("one", "exit 3") + shell("two", "echo two"))
    await live.start(sort="headless")
    code, said = await walk(live, waivers={"one": "known"})
    assert code == 0, said
    assert live.client.view.step("two").end == "done"


async def test_a_secret_in_the_answers_is_told(live: Live) -> None:
    write(live, backup=shell("one", "exit 3"))
    await live.start(sort="headless")
    _, said = await walk(live, waivers={"one": "known, see https://ana:pa55word@wiki/"})
    assert any("you typed: url-password." in line for line in said), said


async def test_nothing_begins_outside_of_its_window_unless_that_is_waived_and_the_record_says_so(live: Live) -> None:
    write(live, backup=shell("one", "echo one"))
    await live.start(sort="headless", windows=("2026-01-01 01:00-02:00 UTC",))
    code, said = await walk(live)
    assert code == 1 and live.client.view.ended is not None
    assert "outside of the maintenance window: closed since Thu 2026-01-01 02:00 UTC, does not open any more" in (
        live.client.view.ended.reason
    ), said
    assert live.client.view.ended.reason.endswith("([waivers] window)")


async def test_a_window_that_is_waived_is_told(live: Live) -> None:
    write(live, backup=shell("one", "echo one"))
    await live.start(sort="headless", windows=("2026-01-01 01:00-02:00 UTC",))
    code, said = await walk(live, waivers={"window": "the customer asked for it"})
    assert code == 0, said
    told = [event for event in live.events if event.kind == "step_progress" and event.step == e.WINDOW]
    assert [event.data["why"] for event in told][:3] == ["opening", "go-backup", "go-preflight"]
    text = (live.folder / "transcript.md").read_text()
    assert "the maintenance window was not open (go-preflight)" in text and "Maintenance window" in text
    assert not any(event.data["open"] for event in told) and any("maintenance window: closed" in line for line in said)


async def test_a_failure_that_nobody_waived_is_no_go_with_its_reason(live: Live) -> None:
    write(live, backup=shell("one", "exit 3") + shell("two", "echo two"))
    await live.start(sort="headless")
    code, said = await walk(live)
    assert code == 1
    assert live.client.view.ended is not None and "One failed ([waivers] one)" in live.client.view.ended.reason, said
    assert live.client.view.step("two").status == "waiting"


@pytest.mark.parametrize(
    ("backup", "more"),
    [
        (shell("one", "echo one"), {"go": {}}),
        (shell("one", "exit 3"), {}),
        (shell("one", "mv migrations elsewhere"), {}),
    ],
    ids=["no GO", "no waiver", "another plan"],
)
async def test_a_reason_is_said_once(live: Live, backup: str, more: dict[str, object]) -> None:
    write(live, backup=backup)
    await live.start(sort="headless")
    code, said = await walk(live, **more)
    assert code == 1 and live.client.view.ended is not None
    reason = live.client.view.ended.reason
    assert reason and "\n".join(said).count(reason) == 1, said
    assert said[-1] == "Ended: no-go"


async def test_reviews_that_fit_nothing_are_told_before_the_first_phase(live: Live) -> None:
    write(live, backup=shell("one", "echo one"))
    await live.start(sort="headless")
    code, said = await walk(live, reviews={"20260101000000_notes": "ab" * 32, "20250101000000_old": "cd" * 32})
    told = [n for n, line in enumerate(said) if "The answers file reviews" in line]
    assert code == 1 and len(told) == 2 and told[1] < said.index("── Backup"), said


async def test_a_question_without_an_answer_is_named_as_the_file_would_name_it(live: Live) -> None:
    await killed_in_a_step(live, SLEEP)
    await live.start(sort="headless")
    _, said = await walk(live)
    assert any("no answer to sleep/settle: " in line for line in said), said


async def test_a_dump_that_is_old_at_once_is_taken_again_once(live: Live) -> None:
    dump = '```toml step\nid = "dump"\nuses = "backup.dump"\nmax_age = "1s"\n```\n'
    write(live, backup=dump, preflight=shell("wait", "sleep 1.2"))
    await live.start(sort="headless")
    code, said = await walk(live, waivers={})
    assert code in (0, 1), said
    assert live.client.view.step("dump").attempt == 2


async def test_it_gives_up_when_the_last_reading_is_refused_again(live: Live) -> None:
    write(live, backup=shell("one", "mv migrations elsewhere"))
    await live.start(sort="headless")
    code, said = await walk(live)
    assert code == 1, said
    assert kinds(live).count("command_refused") == 1


@pytest.mark.parametrize(
    ("answer", "code", "attempts"), [("done", 1, 1), ("failed", 1, 1), ("run again", 0, 2), (None, None, 1)]
)
async def test_what_a_dead_runner_left_is_settled_by_the_answers(
    live: Live, answer: str | None, code: int | None, attempts: int
) -> None:
    again = f"if [ -e {live.folder}/once ]; then echo again; else touch {live.folder}/once; echo ready; sleep 60; fi"
    await killed_in_a_step(live, shell("sleep", again))
    await live.start(sort="headless")
    ended, said = await walk(live, answers={"sleep/settle": answer} if answer else {})
    assert (ended, live.client.view.step("sleep").attempt) == (code, attempts), said
    assert kinds(live).count("command_refused") == (answer is None), "it acts on nothing that is past"
    if answer is None:
        assert [kind for kind in kinds(live) if kind != "step_progress"][-1] == "session_parked"


async def test_it_acts_on_nothing_that_is_past(live: Live) -> None:
    item = "- [ ] Look <!-- id=look -->\n\n"
    write(live, backup=item + shell("talk", "seq 10") + shell("two", "echo two"))
    await live.start(park_seconds=0.1)
    await live.until(lambda view: view.next_start)
    for _ in range(150):  # long enough that the record of it comes in more than one piece
        await live.do(c.Tick(item="look", evidence="e" * 2000))
    await live.do(c.Start(step="talk"))
    await live.until(lambda view: view.step("talk").end == "done")
    await live.client.close()
    await live.over()
    await live.start(sort="headless")
    code, said = await walk(live)
    assert code == 0, said
    assert live.client.view.step("talk").attempt == 1
    assert "command_refused" not in kinds(live)


async def test_after_a_signal_it_goes_on_where_it_was(live: Live) -> None:
    again = f"if [ -e {live.folder}/once ]; then echo again; else touch {live.folder}/once; echo ready; sleep 60; fi"
    write(live, backup=shell("sleep", again))
    await live.start(sort="headless")
    said: list[str] = []
    await live.until(lambda view: view.next_start)
    await live.do(c.Start(step="sleep"))
    await live.until(lambda view: view.step("sleep").lines)
    os.kill(os.getpid(), signal.SIGTERM)
    view = await Headless(live.client, answers(live), said.append).walk()
    assert view.ended is None and view.step("sleep").end == "stopped"
    await live.client.close()
    await live.over()
    await live.start(sort="headless")
    code, more = await walk(live)
    assert code == 0, more


async def test_without_the_pen_it_only_watches(live: Live) -> None:
    write(live, backup=SLEEP)
    await live.start()
    await live.until(lambda view: view.next_start)
    watcher = await Client.attach(live.folder, sort="headless", by=e.By(name="cron", os_user="cron", host="h"))
    await live.do(c.EndSession(reason="enough"))
    said: list[str] = []
    view = await Headless(watcher, answers(live), said.append).walk()
    await watcher.close()
    assert view.ended is not None and any("only watches" in line for line in said)
    assert kinds(live).count("step_started") == 1
    await settle(lambda: live.runner.done())


def progress(**data: object) -> e.StepProgress:
    return e.StepProgress.model_validate({"step": "apply", "attempt": 1, "data": data})


def waiting(holder: int, *behind: int) -> e.StepProgress:
    rows = [
        {"depth": 0, "role": "holds", "pid": holder, "text": f"pid {holder} holds\nit", "took": 4_200_000},
        {"depth": 1, "role": "us", "pid": 9, "text": "our statement waits", "took": 0},
        *({"depth": 2, "role": "behind", "pid": pid, "text": f"pid {pid} waits", "took": None} for pid in behind),
    ]
    return progress(queue={"rows": rows, "behind": len(behind), "longest_us": 0})


def test_who_is_in_the_way_is_told_once_and_each_new_try() -> None:
    told = QueueTold()
    assert told.lines(progress(label="1 of 1")) == []
    assert told.lines(waiting(7)) == ["  · pid 7 holds it, for 4.2 s", "    · our statement waits"]
    assert told.lines(waiting(7)) == []
    assert told.lines(waiting(7, 20, 21))[2:] == [
        "      · pid 20 waits",
        "      · pid 21 waits",
        "    2 sessions wait behind it",
    ]
    assert told.lines(waiting(7, 20)) == []
    assert told.lines(progress(event="Retried", note="Try 1 came to nothing.")) == ["  ! Try 1 came to nothing."]
    assert told.lines(waiting(8))


UNDO = """
### Undo

```toml option
id = "undo"
costs = "minutes"
loses = "nothing"
read_by = "a DBA"
```

```toml step
id = "read"
uses = "rollback.read"
file = "undo.sql"
```

```toml step
id = "run"
uses = "rollback.script"
```
"""


@pytest.mark.parametrize("lacks", ["", "reviews", "items"])
async def test_it_takes_a_way_back_only_as_far_as_a_person_has_read_it(live: Live, lacks: str) -> None:
    write(live)
    with (live.small.folder / "small.md").open("a") as document:
        document.write(UNDO)
    script = b"CREATE TABLE undone ();"
    (live.small.folder / "undo.sql").write_bytes(script)
    await live.start(park_seconds=0.1)
    await live.until(lambda view: view.phase == "backup")
    await live.do(c.RollBack(option="undo", reason="to see it"))
    await live.client.close()
    await live.over()
    await live.start(sort="headless")
    given = {"items": {"undo-read": "ben"}, "reviews": {"undo.sql": hashlib.sha256(script).hexdigest()}}
    waivers = {"read/git": "not committed", "run/ledger": "known"}
    given = {key: value for key, value in given.items() if key != lacks}
    code, said = await walk(live, **{"reviews": {}, **given, "waivers": waivers, "go": {"rollback": True}})
    assert code == 1
    ended = next(event for event in live.events if isinstance(event, e.SessionEnded))
    assert ended.outcome == ("no_go" if lacks else "rolled_back"), said
    ran = [event for event in live.events if isinstance(event, e.StepStarted) and event.step == "run"]
    assert bool(ran) == (not lacks)


def test_logs_are_told_with_the_step_that_they_are_for() -> None:
    log = OneLog(name="app", path="a.log", lines=1, tail=("quiet",))
    looked = data_of(Looked(number=1, why="failed", step="health", attempt=1, logs=(log,)))
    said = HeadlessTold().lines(e.StepProgress(step=LOGS, attempt=1, data=looked))
    assert (said[0], said[-1]) == ("  ≡ the logs, since health failed", "  ≡ quiet")
