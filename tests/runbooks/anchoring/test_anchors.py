"""Where the head of a journal is noted: what came of it stands in the journal, and nothing of it holds a session up."""

import asyncio

import pytest
from click.testing import CliRunner
from fix_live import Live, settle, shell, write

from runbooks.anchoring.anchors import line_of
from runbooks.anchoring.heads_compared import compared, kept_heads
from runbooks.anchoring.noted import Noted, kept, noted_by, progress
from runbooks.journal import NAME, read, verify
from runbooks.journal.clocks import Reading
from runbooks.journal.heads import Head, parse_head
from runbooks.report.markdown import transcript
from runbooks.session.events import Check
from runbooks.session.runbook import PHASES
from runbooks.session.view import RunView, advance, fold
from runbooks.settings.project import load
from tests.runbooks.conftest import ANA, opening
from tests.runbooks.faces.test_headless import walk
from tui.commands.verify import verify_transcript

TELL = '#!/bin/sh\nprintf "%s\\n" "$GONOGO_NOTICE_WHY $GONOGO_HEAD ${SMALL_URL-none}" >>told; test ! -e broken\n'


def notified(live: Live) -> None:
    """The project tells others by a program that keeps what it was told."""
    (live.small.folder / "tell").write_text(TELL)
    (live.small.folder / "tell").chmod(0o700)
    live.small.toml(notify=["./tell"], register=True)


def outcomes(noted: Noted) -> dict[str, str]:
    return {check.id: check.outcome for check in noted.checks}


def all_noted(live: Live) -> list[Noted]:
    """In the journal, and after its end."""
    return [*filter(None, map(noted_by, live.events)), *kept(live.folder)]


def test_what_others_read_is_one_line_whatever_the_operator_claims_to_be_called() -> None:
    by = ANA.model_copy(update={"name": "ana\x1b[2J\nLOG:  all is well"})
    view = fold([(0, "2026-01-31T02:03:04.000000Z", opening(operator=by))])
    line = line_of(view, "opening")
    assert "LOG:  all is well" in line and line.isprintable()


async def test_the_head_is_noted_at_the_opening_at_each_go_and_at_the_end(live: Live) -> None:
    apply = '```toml step\nid = "apply"\nuses = "migrations.apply"\n```\n'
    write(live, migrate=apply)
    notified(live)
    await live.start(sort="headless")
    code, said = await walk(live)
    assert code == 0, said
    records = list(read(live.folder / NAME))
    hashes = {record.seq: record.hash for record in records}
    told = [line.split() for line in (live.small.folder / "told").read_text().splitlines()]
    assert [(why, url) for why, _, url in told] == [(why, "none") for why in ("opening", *["go"] * 6, "end")]
    whys = ["opening", *(f"go-{phase}" for phase in PHASES), "end"]
    assert [noted.why for noted in all_noted(live)] == whys
    assert [noted.why for noted in kept(live.folder)] == ["end"], "all others are in the record"
    heads = [parse_head(head) for _, head, _ in told]
    assert heads == [parse_head(noted.line) for noted in all_noted(live)]
    assert all(hashes[head.seq] == head.hash for head in heads)
    assert heads[-1] == Head(records[-1].hash, records[-1].seq)
    assert verify(live.folder / NAME, heads).grade == "anchored"
    assert verify(live.folder / NAME).clocks.readings
    before, after = outcomes(all_noted(live)[0]), outcomes(all_noted(live)[-1])
    assert before == {"clock": "ok", "log": "ok", "register": "unknown", "notice": "ok"}
    assert set(after.values()) == {"ok"}, "the table is made with the register"
    project = load(live.small.folder / "gonogo.toml")
    rows = await kept_heads(project, project.environments["here"], live.small.env)
    assert rows[-1].why == "end" and rows[-1].seq == records[-1].seq
    assert all(hashes[row.seq] == row.head for row in rows)
    (known,) = compared(live.folder.parent, rows)
    assert known.verdict and known.verdict.grade == "anchored"
    await asyncio.to_thread(compared_by_command, live)


def compared_by_command(live: Live) -> None:
    """`gonogo transcript verify --database`, of the session, of all, and of all but for the one that has gone."""
    toml = live.small.folder / "gonogo.toml"
    toml.write_text(toml.read_text().replace("[environments", 'sessions = ".."\n[environments', 1))
    asked = ["--database", "here", "--project", str(toml), "--at-least", "anchored"]

    def said(*more: str) -> tuple[int, str]:
        done = CliRunner().invoke(verify_transcript, [*more, *asked], env=live.small.env)
        return done.exit_code, done.stdout

    one, every = said(str(live.folder)), said()
    assert one[0] == 0 and "grade: anchored" in one[1]
    assert every[0] == 0 and every[1].startswith(f"{live.folder.name}: anchored: ")
    live.folder.rename(live.folder.with_name("elsewhere"))
    gone = said()
    live.folder.with_name("elsewhere").rename(live.folder)
    assert gone[0] == 1 and f"{live.folder.name}: not here: it ran on bastion-1" in gone[1]


async def test_what_cannot_be_noted_is_told_and_stops_nothing(live: Live) -> None:
    write(live, backup=shell("one", "echo one"))
    notified(live)
    (live.small.folder / "broken").touch()
    await live.start(sort="headless")
    code, said = await walk(live)
    assert code == 0, said
    assert {outcomes(noted)["notice"] for noted in all_noted(live)} == {"warn"}
    assert {noted.missed for noted in all_noted(live)} == {"a notice: ./tell ended with 1"}
    assert kept(live.folder)[-1].why == "end"
    text = transcript(read(live.folder / NAME))
    told = sum(event.kind == "step_progress" and event.step == "anchor" for event in live.events)
    assert text.count("noted in the server") == told, "those that came after the last record stand beside the journal"
    assert ("a head could not be noted everywhere" in text) is bool(told)


async def test_what_the_runner_has_no_time_for_is_told_as_not_noted(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runbooks.anchoring.anchors.LATE_SECONDS", 0.3)
    monkeypatch.setattr("runbooks.running.runner.SETTLE_SECONDS", 0.1)
    write(live)
    (live.small.folder / "tell").write_text("#!/bin/sh\nsleep 60\n")
    (live.small.folder / "tell").chmod(0o700)
    live.small.toml(notify=["./tell"])
    await live.start(sort="headless")
    code, said = await walk(live)
    assert code == 0, said
    whys = ["opening", *(f"go-{phase}" for phase in PHASES), "end"]
    in_the_record = list(filter(None, map(noted_by, live.events)))
    assert [noted.why for noted in in_the_record] == whys[:-1]
    assert {noted.words[1] for noted in in_the_record} == {
        "time: still on its way when the session ended: see end-noted.json"
    }
    assert [noted.why for noted in kept(live.folder)] == whys
    assert {noted.missed for noted in kept(live.folder)} == {"time: the runner left before it was noted"}


async def test_what_a_dead_runner_had_not_noted_is_covered_when_it_is_taken_up(live: Live) -> None:
    write(live, backup=shell("one", "echo one"))
    await live.start()
    await live.until(lambda view: view.next_start)
    await live.drop()
    before = len(all_noted(live))
    await live.start()
    await settle(lambda: len(all_noted(live)) > before)
    resumed = next(record for record in read(live.folder / NAME) if record.event.kind == "session_resumed")
    assert [(noted.why, noted.record) for noted in all_noted(live)][before:] == [("resume", resumed.seq)]


def test_a_clock_that_differs_is_told_and_is_no_head_that_was_missed() -> None:
    clock = Check(id="clock", title="the server's clock", outcome="warn", evidence="it is 9.0 s ahead")
    notice = Check(id="notice", title="a notice", outcome="warn", evidence="no such channel")
    noted = Noted(why="go-backup", record=7, head="ab" * 32, checks=(clock,), clock=Reading(ahead=9_000_000, within=5))
    assert noted_by(progress(noted)) == noted
    where = f"Head {noted.line} (go-backup): noted nowhere but here"
    assert noted.words == [where, "the server's clock: it is 9.0 s ahead"]
    assert advance(RunView(), 1, "", progress(noted)).missed is None
    missed = noted.model_copy(update={"checks": (clock, notice)})
    assert advance(RunView(), 1, "", progress(missed)).missed == (7, "a notice: no such channel")
