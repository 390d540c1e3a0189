"""What stands beside GO: the estimate of what comes, the time of the way back, the age of the backup; and no more."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fix_live import Live

from runbooks.session import commands as c
from runbooks.session import events as e
from runbooks.session.runbook import Option, Step
from runbooks.session.view import RunView
from tests.tui import recorded as r
from tests.tui.conftest import LARGE, SMALL, Stage
from tui.app import GonogoApp
from tui.estimates import backup_words, time_back
from tui.screens.hold import poll_rows
from tui.way_back import after_go, coming_rows, option_row, running_rows, way_back_rows
from tui.words import minutes

TAKEN = datetime(2026, 1, 31, 2, 3, 30, tzinfo=UTC)


def view_of(events: Sequence[e.Event], **over: Any) -> RunView:
    """The view after these events, of a session that was opened so."""
    return r.Recorded(Path(), r.opened(**over), *events[1:]).view


def told(rows: Any) -> str:
    return "\n".join(f"{row.head.plain}{row.body.plain}" for row in rows)


def took(**steps: int) -> e.Previous:
    return r.PREVIOUS.model_copy(update={"took": {s: e.Took(session=r.BEFORE, us=us) for s, us in steps.items()}})


async def test_what_a_go_leads_to_and_the_way_back_are_seen_before_it_is_typed(stage: Stage) -> None:
    async with stage(r.past_preflight()) as (app, _, pilot):
        await pilot.press("g")
        await r.settle(pilot, lambda: "type P or Preflight" in r.screen_text(app))
        shown = " ".join(r.screen_text(app).replace("│", " ").split())
        for words in (
            "waived target/hidden: the DBA looked for us",
            "After GO, Migrate opens estimate: 4 min 12 s last time, known for 2 of 3 steps",
            "POINT OF NO RETURN",
            "backup 12 min old, good for 47 min more",
            "until Verify, costs 20 min (runbook), dump took 3 min 10 s",
            "its steps took 11 min 40 s last time, known for 1 of 2 steps",
        ):
            assert words in shown, words


async def test_what_does_not_apply_stands_apart_from_what_is_waived() -> None:
    shrugged = e.ItemTicked(item="told", state="not_applicable", reason="no support at night", by=r.ANA)
    view = view_of([*r.past_preflight(), shrugged])
    lines = told(poll_rows(view, r.NOW)).splitlines()
    assert "– not applicable Support was told: no support at night  ana@example.org" in lines
    assert not any("waived" in line and "Support" in line for line in lines)


async def test_the_hold_pane_says_it_too(opened: Stage) -> None:
    async with opened(r.to_preflight()) as (app, _, pilot):
        await pilot.press("3")
        await r.settle(pilot, lambda: "▸ then Migrate, estimate: 4 min 12 s last time" in r.screen_text(app))


def test_each_step_says_what_it_took_and_in_which_session() -> None:
    assert told(running_rows(view_of(r.past_preflight()))).splitlines() == [
        f"last time: session {r.BEFORE}",
        "· Everything as reviewed  starts by itself, only reads · 310 ms last time",
        "· Apply the migrations  changes the database, waits for s · 4 min 12 s last time, with what was pending then",
        "· Row counts  starts by itself, only reads · no time on record here, as it is written now",
    ]


@pytest.mark.parametrize("previous", [None, took(), took(elsewhere=1_000_000)])
def test_without_a_record_there_is_no_estimate(previous: e.Previous | None) -> None:
    view = view_of(r.past_preflight(), previous=previous)
    everything = [*coming_rows(view), *after_go(view), *running_rows(view), *way_back_rows(view, r.NOW)]
    assert "After GO, Migrate opens\nno estimate: no time on record here, as it is written now" in told(everything)
    assert "then Migrate, no estimate: no time on record here, as it is written now" in told(everything)
    assert "last time" not in told(everything) and "not run" not in told(everything), "it may have been, otherwise"


def test_where_all_steps_are_known_the_estimate_is_of_all() -> None:
    view = view_of(r.past_preflight(), previous=took(same=500_000, apply=60_000_000, counts=1_000_000))
    assert "estimate: 1 min 1 s last time" in told(coming_rows(view)) and "known for" not in told(coming_rows(view))


def test_the_last_go_and_a_rollbacks_open_nothing() -> None:
    last = view_of([*r.to_migrate(), e.PhaseOpened(phase="smoke")])
    assert told(coming_rows(last)) == "■ GO ends the session: everything is done"
    back = view_of([*r.to_migrate(), e.PhaseOpened(phase="rollback", option="restore")])
    assert told(coming_rows(back)) == "■ GO ends the session as rolled back"
    for view in (last, back):
        assert not told(after_go(view)) and not told(running_rows(view))


def test_a_session_id_of_the_journal_is_no_markup_and_no_control_code() -> None:
    hostile = e.Previous(session="x", head="", took={"same": e.Took(session="[/foo]\x1b[2J", us=1)})
    assert "session [/foo]␛[2J" in told(running_rows(view_of(r.past_preflight(), previous=hostile)))


# The way back ----------------------------------------------------------------------------------


def restore(view: RunView) -> Option:
    return view.runbook.options[1]


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ((), "no dump yet"),
        ((r.started("dump"),), "dump under way"),
        ((r.started("dump"), r.ended("dump", end="failed", outcome="fail")), "no dump yet"),
        ((r.started("dump"), r.dumped()), "dump took 3 min 10 s"),
        ((r.started("dump"), r.dumped(), r.started("dump", 2)), "dump under way"),
    ],
)
def test_a_restore_is_measured_by_the_dump_of_this_session(events: Sequence[e.Event], words: str) -> None:
    view = view_of([*r.to_backup(), *events], previous=None)
    assert list(time_back(view, restore(view))) == ["costs 20 min (runbook)", words]
    assert list(time_back(view, view.runbook.options[0])) == ["costs 10 min (runbook)"], "a forward fix needs no dump"


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({"by": "snapshot", "what": "snap-1"}, "proven is the snapshot snap-1 alone, which its provider restores"),
        ({"by": "recent", "path": "/d"}, "how long the dump took is not known"),
    ],
)
def test_a_proof_says_what_a_restore_would_start_from(found: dict[str, str], words: str) -> None:
    view = view_of([*r.to_backup(), r.started("dump"), r.ended("dump", result=found)], previous=None)
    assert list(time_back(view, restore(view)))[1] == words


def test_a_restore_that_was_tried_says_how_long_it_took() -> None:
    found = {"restored_us": 90_000_000, "path": "/srv/a.dump"}
    view = view_of([*r.to_backup(), r.started("dump"), r.ended("dump", result=found)], previous=None)
    assert view.opened is not None
    first, *others = view.runbook.phases
    tried = first.model_copy(update={"steps": (first.steps[0].model_copy(update={"uses": "backup.restore_test"}),)})
    book = view.runbook.model_copy(update={"phases": (tried, *others)})
    view = replace(view, opened=view.opened.model_copy(update={"runbook": book}))
    words = list(time_back(view, restore(view)))
    assert words[1:] == ["no dump yet", "a restore took 1 min 30 s when it was tried"]


def test_a_restore_that_names_its_dump_is_measured_by_that_one() -> None:
    view = view_of(r.to_preflight(), previous=None)
    named = Step(id="s", title="", uses="restore.side", effect="outside", params={"dump": "other"})
    option = restore(view).model_copy(update={"steps": (named,), "costs": ""})
    assert list(time_back(view, option)) == ["no dump yet"]


def test_a_way_back_says_until_when_and_how_long_and_what_it_loses() -> None:
    before = view_of(r.to_preflight())
    assert told([option_row(before, restore(before))]).splitlines() == [
        "◀ Restore from the backup",
        "until Verify, costs 20 min (runbook), dump took 3 min 10 s",
        "its steps took 11 min 40 s last time, known for 1 of 2 steps",
        "loses everything written since the dump",
    ]
    after = view_of([*r.to_migrate(), e.PhaseOpened(phase="deploy")], previous=None)
    assert "\nOVER, until Verify, costs 20 min (runbook), dump took" in told([option_row(after, restore(after))])


# The backup's age ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "words", "old"),
    [
        (timedelta(seconds=-5), "backup under a minute old, good for 1 h 0 min more", False),
        (timedelta(seconds=59), "backup under a minute old, good for 59 min more", False),
        (timedelta(minutes=12, seconds=59), "backup 12 min old, good for 47 min more", False),
        (timedelta(minutes=59, seconds=59), "backup 59 min old, good for under a minute more", False),
        (timedelta(minutes=60), "backup 1 h 0 min old, TOO OLD by under a minute: run it again", True),
        (timedelta(hours=26, minutes=5), "backup 1 d 2 h old, TOO OLD by 1 d 1 h: run it again", True),
    ],
)
def test_the_backups_age_and_how_long_it_is_good(age: timedelta, words: str, old: bool) -> None:
    view = view_of(r.to_preflight())
    assert list(backup_words(view, TAKEN + age)) == [(words, old)]
    assert told(way_back_rows(view, TAKEN + age)).startswith(f"Way back  b\n{words}\n")
    later = view_of([*r.to_preflight(), *r.went("preflight", "migrate")])
    assert list(backup_words(later, TAKEN + age)) == [(words.partition(",")[0], False)], "no gate asks for it any more"


def test_without_a_backup_there_is_no_age() -> None:
    assert list(backup_words(view_of(r.to_backup()), r.NOW)) == []
    assert list(backup_words(view_of([*r.to_backup(), r.started("dump"), r.ended("dump")]), r.NOW)) == []


def test_lengths_of_time_are_never_rounded_up() -> None:
    lengths = (timedelta(seconds=-1), timedelta(minutes=1, seconds=59), timedelta(hours=23, minutes=59), timedelta(3))
    assert [minutes(length) for length in lengths] == ["under a minute", "1 min", "23 h 59 min", "3 d 0 h"]


async def test_it_grows_old_before_the_eyes(tmp_path: Path) -> None:
    now = [TAKEN + timedelta(minutes=59)]
    app = GonogoApp(r.Recorded(tmp_path, *r.to_preflight()), clock=lambda: now[0])
    async with app.run_test(size=SMALL) as pilot:
        await r.settle(pilot, lambda: "PRODUCTION" in r.screen_text(app))
        await pilot.press("3", "end")
        await r.settle(pilot, lambda: "good for 1 min more" in r.screen_text(app))
        now[0] += timedelta(minutes=2)
        await r.settle(pilot, lambda: "TOO OLD by 1 min" in r.screen_text(app))


async def test_a_real_dump_and_a_real_second_session(live: Live) -> None:
    await live.start()
    await live.until(lambda view: view.next_start)
    await live.do(c.Start(step="dump"))
    view = await live.until(lambda view: view.step("dump").status == "ended")
    result = view.step("dump").result
    taken = datetime.fromisoformat(str(result["taken_at"]))
    (words,) = backup_words(view, taken + timedelta(minutes=1))
    assert words == ("backup 1 min old, good for 3 h 59 min more", False)
    assert any(hold.kind == "stale" for hold in view_at(view, taken + timedelta(hours=4)).gate.holds)
    ((_, old),) = backup_words(view, taken + timedelta(hours=4))
    assert old, "the words and the gate agree"
    assert "no estimate: no time on record here, as it is written now" in told(coming_rows(view))
    await live.do(c.Decide(what="go", phase="backup"))
    view = await live.until(lambda view: view.phase == "preflight" and view.step("ledger").status == "ended")
    await live.do(c.EndSession(reason="seen"))
    await live.over()
    await live.client.close()

    again = Live(live.small, live.folder.with_name("20260131T030304Z-here-8f3a"))
    try:
        await again.start()
        second = await again.until(lambda view: view.phase == "backup")
        assert second.took_before("ledger") == e.Took(session=live.folder.name, us=view.step("ledger").took)
        assert "Preflight opens\nestimate: " in told(coming_rows(second))
    finally:
        await again.drop()


def view_at(view: RunView, moment: datetime) -> RunView:
    """The view as of a record at that time."""
    return replace(view, at=moment.isoformat(timespec="microseconds").replace("+00:00", "Z"))


# What a step will do ---------------------------------------------------------------------------


async def test_what_a_reference_stands_for_is_shown_as_soon_as_it_is_known(opened: Stage) -> None:
    book = r.runbook()
    copy = Step(id="copy", title="Copy it", uses="http.check", effect="outside", shows="PUT ${dump.path}, ${later.x}")
    backup = book.phases[0].model_copy(update={"steps": (*book.phases[0].steps, copy)})
    changed = book.model_copy(update={"phases": (backup, *book.phases[1:])})
    first = r.opened(runbook=changed)
    async with opened([first, *r.to_backup()[1:]], LARGE) as (app, client, pilot):
        await pilot.press("1", "down")
        await r.settle(pilot, lambda: "PUT ${dump.path}, ${later.x}" in r.screen_text(app))
        client.play(r.started("dump"), r.dumped())
        await r.settle(pilot, lambda: "PUT /var/dumps/orders.dump, ${later.x}" in r.screen_text(app))
        await pilot.press("s")
        await r.settle(pilot, lambda: "Start: Copy it" in r.screen_text(app))
        assert r.screen_text(app).count("PUT /var/dumps/orders.dump, ${later.x}") == 2, "the dialog, and what is behind"
