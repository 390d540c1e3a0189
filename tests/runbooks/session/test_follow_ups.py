"""What a session leaves to be done: read from the document, told at the end, listed, ticked off."""

import json
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from pydantic import JsonValue

from migrations.problem import Misuse, Problem
from runbooks.document import read_runbook
from runbooks.history.done import settle
from runbooks.history.left_open import left_open
from runbooks.history.sessions import create_folder, state_home, summary
from runbooks.journal import Journal
from runbooks.report.afterwards import release_note, release_note_of
from runbooks.report.facts import gather
from runbooks.report.markdown import ticket_summary, transcript
from runbooks.session import events as e
from runbooks.session.follow_ups import Owed, owed_by
from runbooks.session.runbook import FollowUp, Runbook, Step
from runbooks.session.view import fold
from tests.runbooks.conftest import ANA, book, opening, the_plan
from tests.runbooks.document.test_document import KINDS, document, faults
from tests.runbooks.transcript_records import recorded
from tui.cli import cli
from tui.widgets.hold_pane import verdict_rows

SECTION = """
## Follow-ups

- [ ] Remove the flag <!-- owner="web" due="+6w" -->

### When destructive

- [ ] Delete the copy <!-- id=copy owner="dba" due="2026-02-01" -->

### Else

- [ ] Drop `orders.legacy` <!-- id=drop owner="platform" due="next release" -->
"""
DAY = date(2026, 1, 31)
GO = e.SessionEnded(outcome="go", exit_code=0)
NAME = "20260131T020304Z-production-7f3a"


def read() -> Runbook:
    return read_runbook(document(after=SECTION), name="shop.md", catalogue=KINDS)


def test_they_are_read_and_their_days_are_counted_from_the_end() -> None:
    book = read()
    assert [(one.id, one.owner, one.due, one.when) for one in book.follow_ups] == [
        ("remove-the-flag", "web", "+6w", None),
        ("copy", "dba", "2026-02-01", "destructive"),
        ("drop", "platform", "next release", None),
    ]
    assert [one.words for one in owed_by(book, ["destructive"], "go", DAY)] == [
        "Remove the flag (web, by 2026-03-14)",
        "Delete the copy (dba, by 2026-02-01)",
        "Drop `orders.legacy` (platform, next release)",
    ]
    assert [one.id for one in owed_by(book, [], "go", DAY)] == ["remove-the-flag", "drop"]
    assert owed_by(book, ["destructive"], "no_go", DAY) == owed_by(book, ["destructive"], None, DAY) == ()


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("- [ ] x", "this follow-up has no `owner`"),
        ('- [ ] x <!-- owner="web" -->', "this follow-up has no `due`"),
        ('- [ ] x <!-- owner="web" due="soon" -->', "`soon` does not say when something is due; expected a date"),
        ('- [ ] x <!-- owner="web" due="2026-02-30" -->', "`2026-02-30` does not say when"),
        ('- [x] x <!-- owner="web" due="+1d" -->', "this follow-up is ticked already"),
        ('- [ ] x <!-- owner="web" due="+1d" required -->', "unknown key `required`"),
        ("```sh run\ntrue\n```", "this run block belongs to no phase"),
    ],
)
def test_what_is_wrong_with_one_is_told(line: str, fault: str) -> None:
    assert any(fault in told for told in faults(document(after=f"## Follow-ups\n\n{line}\n")))


def ended(outcome: e.SessionEnded = GO) -> list[e.Event]:
    return [opening(runbook=read()), the_plan(), e.PhaseOpened(phase="backup"), outcome]


def test_the_transcript_and_the_ticket_tell_of_them_after_a_go_alone() -> None:
    text, ticket = transcript(recorded(ended())), ticket_summary(recorded(ended()))
    assert "| Remove the flag | `web` | `2026-03-14` | `remove-the-flag` |" in text
    assert "1 migration applied: 20260301_drop (gonogo " in text
    assert "To be done: Delete the copy (dba, by 2026-02-01); Remove the flag" in ticket
    assert "For the release notes: 2026-01-31 " in ticket
    stopped = transcript(recorded(ended(e.SessionEnded(outcome="no_go", exit_code=1))))
    assert "Afterwards" not in stopped and "Remove the flag" not in stopped


def test_a_backup_alone_leaves_nothing_to_be_done_and_nothing_to_note() -> None:
    alone = [opening(runbook=read(), mode="backup"), *ended()[1:]]
    assert "To be done" not in ticket_summary(recorded(alone)) and "release notes" not in ticket_summary(
        recorded(alone)
    )
    assert "Afterwards" not in transcript(recorded(alone))


def through(script: str, count: int) -> e.Event:
    return e.StepProgress(step="apply", attempt=1, data={"event": "Through", "name": script, "through": count})


SENDING = e.StepProgress(step="apply", attempt=1, data={"event": "Sending", "name": "two"})
BOTH: list[JsonValue] = [{"name": name, "statements": 2, "committed": True} for name in ("one", "two")]


@pytest.mark.parametrize(
    ("records", "noted"),
    [
        ([e.StepEnded(step="apply", attempt=1, end="done", outcome="ok", result={"scripts": BOTH})],
         "2 migrations applied: one, two"),
        ([e.StepEnded(step="apply", attempt=1, end="done", outcome="fail", result={"scripts": BOTH[:1]})],
         "1 migration applied: one"),
        ([through("one", 2), through("two", 1), e.StepEnded(step="apply", attempt=1, end="failed", outcome="fail")],
         "1 migration applied: one; 1 of 2 statements of two"),
        ([through("two", 1), SENDING], "how much of two is applied is not known"),
        ([through("one", 0), e.StepEnded(step="apply", attempt=1, end="failed", outcome="fail")], ""),
        ([], ""),
    ],
)  # fmt: skip
def test_only_what_was_committed_goes_into_the_release_notes(records: list[e.Event], noted: str) -> None:
    apply = Step(id="apply", title="Apply", uses="migrations.apply", effect="target")
    phases = tuple(
        phase.model_copy(update={"steps": (apply,)}) if phase.name == "migrate" else phase for phase in read().phases
    )
    first = opening(runbook=read().model_copy(update={"phases": phases}))
    plan = the_plan()
    two = (plan.scripts[0].statements[0],) * 2
    scripts = tuple(
        plan.scripts[0].model_copy(update={"migration": name, "statements": two}) for name in ("one", "two")
    )
    events = [first, plan.model_copy(update={"scripts": scripts}), *records, GO]
    note = release_note(gather(recorded(events)))
    view = fold((record.seq, record.at, record.event) for record in recorded(events))
    assert note.partition(": ")[2].partition(" (gonogo")[0] == noted
    assert release_note_of(view).partition(" (gonogo")[0] == note.partition(" (gonogo")[0]


@pytest.fixture
def session(clock: Callable[[], datetime]) -> Path:
    journal = Journal.create(create_folder(state_home(), NAME), clock)
    for event in ended():
        journal.append(event, sync=False)
    journal.close()
    return journal.folder


def run(*arguments: str) -> str:
    result = CliRunner().invoke(cli, ["follow-ups", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_they_are_listed_and_ticked_off_beside_the_journal(session: Path, own_home: Path) -> None:
    before = (session / "journal.jsonl").read_bytes()
    assert [line.split(" · ")[0] for line in run("list").splitlines()] == [
        "2026-02-01 OVERDUE",
        "2026-03-14 OVERDUE",
        "next release",
    ]
    listed = CliRunner().invoke(cli, ["sessions", "--plain"]).stdout
    assert listed.rstrip().endswith("3 to do")
    assert [one.id for _, one in left_open(session.parent, opening().project, "production")] == [
        "remove-the-flag", "copy", "drop",
    ]  # fmt: skip
    run("done", NAME, "copy", "CHG-9", "--operator", "ben@example.org")
    assert [one.id for one in summary(session).to_do] == ["remove-the-flag", "drop"]
    assert "CHG-9" not in run("list") and "done" in run("list", "--all")
    (done,) = [row for row in json.loads(run("list", "--all", "--json")) if row["id"] == "copy"]
    assert (done["done_by"], done["note"], done["owner"]) == ("ben@example.org", "CHG-9", "dba")
    assert (session / "journal.jsonl").read_bytes() == before
    assert left_open(session.parent, "another project", "production") == []


def test_what_cannot_be_ticked_off_is_refused(session: Path) -> None:
    found = summary(session)
    for name, note, kind in (("nope", "x", Misuse), ("copy", "  ", Misuse)):
        with pytest.raises(kind):
            settle(session, found.follow_ups, found.head, name, note, ANA)
    settle(session, found.follow_ups, found.head, "copy", "CHG-9", ANA)
    with pytest.raises(Problem, match=r"copy is done: ana@example\.org"):
        settle(session, found.follow_ups, found.head, "copy", "again", ANA)
    path = session / "follow-ups/copy.json"
    path.write_text(path.read_text().replace(found.head, "0" * 64))
    assert len(summary(session).to_do) == 3, "a mark for another head counts for nothing"


def test_an_old_record_has_none() -> None:
    assert book().follow_ups == () and FollowUp in (type(one) for one in read().follow_ups)
    assert Owed(id="x", text="x", owner="x", due="next release").overdue(date(2100, 1, 1)) is False


def test_the_screen_tells_of_them_once_the_session_has_ended() -> None:
    def told(events: list[e.Event]) -> str:
        view = fold((record.seq, record.at, record.event) for record in recorded(events))
        return " ".join(f"{row.head.plain}{row.body.plain}" for row in verdict_rows(view))

    assert "To be done ☐ Remove the flag (web, by 2026-03-14)" in told(ended())
    assert "Remove the flag" not in told(ended()[:-1])
