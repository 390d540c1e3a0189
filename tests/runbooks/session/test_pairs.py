"""Steps in pairs: what is open, who may undo it and from where, and that no session ends with one without a reason."""

from collections.abc import Sequence

import pytest
from fix_live import Live, kinds, settle, shell, write

from migrations.folder import read_folder
from runbooks.document import read_runbook
from runbooks.faces.answers import Answers
from runbooks.faces.headless import Headless
from runbooks.journal import NAME, read
from runbooks.report.formats import rendered
from runbooks.report.summary import ticket_summary
from runbooks.session import commands as c
from runbooks.session import events as e
from runbooks.session.pairs import UNDO, open_pairs
from runbooks.session.runbook import PHASES, Option, Step
from runbooks.session.undone import undone
from runbooks.session.view import RunView, fold
from runbooks.settings.faults import DocumentError
from runbooks.steps import catalogue
from tests.runbooks.conftest import book_of
from tests.runbooks.session.test_gates import BY, OPENED, ended, plan, started

ON = Step(id="on", title="Maintenance on", uses="shell", effect="outside", undo="off")
WORK = Step(id="work", title="Work", uses="shell", effect="outside")
OFF = Step(id="off", title="Maintenance off", uses="shell", effect="outside")
BOOK = book_of(Option(id="back", title="Back"), migrate=(ON, WORK), deploy=(OFF,))
SUBJECT = f"on/{UNDO}"
REASON = e.Waived(subject=SUBJECT, outcome="unknown", reason="the app is down", by=BY)


def view_of(*events: e.Event) -> RunView:
    opened = OPENED.model_copy(update={"runbook": BOOK})
    before = (opened, plan(), e.PhaseOpened(phase="migrate"))
    return fold((n, f"2026-01-01T00:00:{n:02d}.000000Z", event) for n, event in enumerate((*before, *events)))


def is_open(view: RunView) -> list[str]:
    return [pair.step.id for pair in open_pairs(view)]


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ((), []),
        ((started(ON),), ["on"]),
        ((started(ON), ended(ON)), ["on"]),
        ((started(ON), ended(ON, "failed", "fail")), ["on"]),
        ((started(ON), ended(ON, "declined", "fail")), []),
        ((started(ON), ended(ON), started(ON, 2), ended(ON, "declined", "fail", 2)), ["on"]),
        ((started(ON), ended(ON), started(OFF), ended(OFF)), []),
        ((started(ON), ended(ON), started(OFF), ended(OFF, outcome="warn")), []),
        ((started(ON), ended(ON), started(OFF), ended(OFF, outcome="fail")), ["on"]),
        ((started(ON), ended(ON), started(OFF), ended(OFF, "stopped", "unknown")), ["on"]),
        ((started(ON), ended(ON), started(OFF), ended(OFF), started(ON, 2), ended(ON, attempt=2)), ["on"]),
    ],
)
def test_a_pair_is_open_from_the_first_start_until_what_undoes_it_has_ended_well(
    events: Sequence[e.Event], expected: list[str]
) -> None:
    assert is_open(view_of(*events)) == expected


def test_what_is_opened_anew_is_to_be_undone_anew_and_for_a_new_reason() -> None:
    before = view_of(started(ON), ended(ON), REASON, started(OFF), ended(OFF))
    assert before.step("off").status == "ended"
    after = view_of(started(ON), ended(ON), REASON, started(OFF), ended(OFF), started(ON, 2), ended(ON, attempt=2))
    assert (after.step("off").status, after.step("off").attempt) == ("waiting", 1)
    assert [hold.subject for hold in after.left_open] == [SUBJECT]


@pytest.mark.parametrize(("phase", "holds"), [("deploy", False), ("smoke", True), ("rollback", True)])
def test_it_holds_where_a_go_would_end_the_session(phase: str, holds: bool) -> None:
    opened = e.PhaseOpened.model_validate({"phase": phase, "option": "back" if phase == "rollback" else None})
    begun = (started(ON), ended(ON), opened)
    assert (SUBJECT in [hold.subject for hold in view_of(*begun).gate.holds]) == holds
    assert SUBJECT not in [hold.subject for hold in view_of(*begun, REASON).gate.holds]


def test_to_undo_lifts_no_no_go() -> None:
    no_go = e.Decided(what="no_go", phase="migrate", reason="it hangs", by=BY)
    assert view_of(started(ON), ended(ON), no_go, started(OFF), ended(OFF)).refused
    assert not view_of(started(ON), ended(ON), no_go, started(WORK), ended(WORK)).refused


def test_gonogos_own_no_go_takes_effect_even_if_other_decisions_came_meanwhile() -> None:
    engine = BY.model_copy(update={"how": "engine"})
    no_go = e.Decided(what="no_go", phase="migrate", reason="another plan", by=engine)
    view = view_of(started(ON), ended(ON), no_go, started(OFF), e.Decided(what="cancel", phase="migrate", by=BY))
    assert undone(view) == no_go


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ('undo="of"', "", "names no step"),
        ('undo="on"', "", "names the step itself"),
        ('undo="off"', 'undo="on"', "has an `undo` of its own"),
        ('undo="look"', "", "only reads"),
        ('undo="late"', "", "under `When destructive` only"),
        ('undo="off"', "", ""),
    ],
)
def test_an_undo_names_a_step_that_can(first: str, second: str, words: str) -> None:
    sections = dict.fromkeys(PHASES, "")
    sections["migrate"] = (
        f'```sh run id="on" {first}\ntrue\n```\n\n```sh run id="off" {second}\ntrue\n```\n\n'
        '```toml step\nid = "look"\nuses = "target.inspect"\n```\n\n'
        '### When destructive\n\n```sh run id="late"\ntrue\n```\n'
    )
    text = "".join(f"## {name.capitalize()}\n\n{body}\n" for name, body in sections.items())
    if not words:
        assert next(read_runbook(text, catalogue=catalogue()).steps()).undo == "off"
        return
    with pytest.raises(DocumentError, match=words):
        read_runbook(text, catalogue=catalogue())


# With a runner ------------------------------------------------------------------------------------

ON_BLOCK = '```sh run id="on" title="Maintenance on" undo="off"\necho on >> switch\n```\n\n'
OFF_BLOCK = '```sh run id="off" title="Maintenance off"\necho off >> switch\n```\n\n'


def switch(live: Live) -> list[str]:
    """What the maintenance mode was told, in order."""
    return (live.small.folder / "switch").read_text().split()


async def failed_with_maintenance_on(live: Live, park_seconds: float = 30) -> None:
    """03:00: maintenance mode is on, and what came after it has failed."""
    write(live, backup=ON_BLOCK + shell("work", "exit 3"), deploy=OFF_BLOCK)
    await live.start(park_seconds=park_seconds)
    await live.until(lambda view: view.next_start)
    await live.do(c.Start(step="on"))
    await live.until(lambda view: view.step("on").end == "done")
    await live.do(c.Start(step="work"))
    await live.until(lambda view: view.step("work").end == "failed")


async def test_after_a_failure_it_is_undone_from_where_the_session_stands_or_explained(live: Live) -> None:
    await failed_with_maintenance_on(live)
    assert "Maintenance off" in await live.refused(c.EndSession(reason="enough"))
    assert "needs a written reason" in await live.refused(c.Waive(subject=SUBJECT, reason=" "))
    await live.do(c.RollBack(option="forward", reason="it failed"))
    assert "still open" in await live.refused(c.Decide(what="go", phase="rollback"))
    await live.do(c.Start(step="off"))
    await live.until(lambda view: view.step("off").end == "done")
    assert switch(live) == ["on", "off"]
    assert "not a step" in await live.refused(c.Start(step="off")), "once it is closed, only where it stands"
    await live.do(c.Decide(what="go", phase="rollback"))
    assert await live.over() == 1
    assert "Still open" not in rendered("md", live.folder / NAME).decode()


async def test_a_resume_tells_what_is_open_and_a_reason_lets_it_end_so(live: Live) -> None:
    await failed_with_maintenance_on(live, park_seconds=0.1)
    await live.client.close()
    await live.over()
    parked = next(ev for ev in reversed(live.events) if isinstance(ev, e.SessionParked))
    assert parked.reason.count("not undone it") and ". Maintenance on is still open: " in parked.reason
    await live.start()
    view = await live.until(lambda view: view.step("opening").status == "ended" and view.phase == "backup")
    assert [check.evidence for check in view.step("opening").checks if check.id == "open-on"]
    await live.do(c.Waive(subject=SUBJECT, reason="the app is down anyway"))
    await live.do(c.EndSession(reason="enough"))
    assert await live.over() == 1
    text = rendered("md", live.folder / NAME).decode()
    assert "**Still open**: Maintenance on (`on`), not undone by Maintenance off" in text
    assert "**Stays open**: Maintenance on (`on/undo`): `the app is down anyway`" in text
    ticket = ticket_summary(read(live.folder / NAME)).splitlines()
    assert ticket[2] == "Still open: Maintenance on, not undone by Maintenance off"


async def test_who_cannot_take_it_up_again_is_told_how_to_undo_it_and_the_next_session_tells_it_too(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    await failed_with_maintenance_on(live, park_seconds=0.1)
    await live.client.close()
    await live.over()
    with monkeypatch.context() as gone:
        gone.setenv("SMALL_URL", "postgresql://nobody@127.0.0.1:1/none")
        await live.start(sort=None, park_seconds=0.1, face_seconds=0.1)
        assert await live.over() == 3
    parked = next(ev for ev in reversed(live.events) if isinstance(ev, e.SessionParked))
    assert "has not undone it, by hand: echo off >> switch" in parked.reason
    live.folder = live.folder.with_name("20260131T020305Z-here-8f3a")
    await live.start()
    view = await live.until(lambda view: view.phase == "backup")
    (check,) = (check for check in view.step("opening").checks if check.id == "left-on")
    assert check.outcome == "warn" and "Maintenance off was not seen since" in check.evidence


async def test_another_plan_ends_it_only_once_nothing_is_open(live: Live) -> None:
    write(live, preflight=ON_BLOCK, deploy=OFF_BLOCK)
    await live.start()
    await live.until(lambda view: view.phase == "backup" and view.gate.ready)
    await live.do(c.Decide(what="go", phase="backup"))
    await live.until(lambda view: view.next_start)
    await live.do(c.Start(step="on"))
    await live.until(lambda view: view.step("on").end == "done")
    script = live.client.view.plan.scripts[0]
    await live.do(c.Review(migration=script.migration, sha256=script.sha256))
    (live.small.folder / "migrations" / script.migration / "migration.sql").write_text("SELECT 2;\n")
    await live.do(c.Decide(what="go", phase="preflight"))
    await live.until(lambda view: view.decisions and view.decisions[-1].event.by.how == "engine")
    assert live.client.view.ended is None
    assert "the session ends" in await live.refused(c.Decide(what="go", phase="preflight"))
    await live.do(c.Start(step="off"))
    assert await live.over() == 1
    await settle(lambda: live.client.view.ended)
    assert switch(live) == ["on", "off"]
    assert kinds(live).count("session_ended") == 1


@pytest.mark.parametrize(
    ("more", "code", "told"),
    [
        ({}, None, ["on"]),
        ({"undo": {"on": True}}, 1, ["on", "off"]),
        ({"waivers": {SUBJECT: "the app is down"}}, 1, ["on"]),
    ],
    ids=["nothing said", "undo", "a reason"],
)
async def test_unattended_what_was_written_beforehand_is_done_and_else_a_person_must_come(
    live: Live, more: dict[str, object], code: int | None, told: list[str]
) -> None:
    write(live, backup=ON_BLOCK + shell("work", "exit 3"), deploy=OFF_BLOCK)
    await live.start(sort="headless")
    said: list[str] = []
    reviews = {m.name: m.checksum for m in read_folder(live.small.folder / "migrations")}
    answers = Answers.model_validate({"go": dict.fromkeys(PHASES, True), "reviews": reviews, **more})
    view = await Headless(live.client, answers, said.append).walk()
    await live.client.close()
    await live.over()
    assert (view.ended.exit_code if view.ended else None) == code, said
    assert switch(live) == told
    assert any("still open" in line for line in said) == (code is None), said
    assert not any("was called before" in line for line in said), said
    if code is None:
        await live.start(sort="headless")
        again = answers.model_copy(update={"undo": {"on": True}})
        view = await Headless(live.client, again, said.append).walk()
        assert view.ended is not None and view.ended.exit_code == 1
        assert (
            said.count("  NO-GO of backup was called before, and no answers file lifts that: begin a new session") == 1
        )


async def test_a_backup_alone_ends_with_nothing_open(live: Live) -> None:
    write(live, backup=ON_BLOCK, deploy=OFF_BLOCK)
    await live.start(mode="backup")
    await live.until(lambda view: view.next_start)
    await live.do(c.Start(step="on"))
    await live.until(lambda view: view.step("on").end == "done")
    await live.do(c.Start(step="off"))
    assert await live.over() == 0
