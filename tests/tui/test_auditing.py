"""The auditor's screens: the list of sessions, one session, its replay; over journals as a session writes them."""

import unicodedata
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.screen import Screen

from runbooks.journal import NAME, Journal, read
from runbooks.reading.listing import Wanted
from runbooks.reading.reel import Changed, Reel
from runbooks.session import commands as c
from runbooks.session import events as e
from runbooks.session.view import RunView, advance
from tests.tui import recorded as r
from tests.tui.test_help import bound
from tests.tui.test_screens import made_hostile
from tui.auditing import Auditing
from tui.replay import IDLE, REFUSAL, Replay
from tui.screens.help import Help
from tui.screens.opened import Opened
from tui.screens.replay import ReplayScreen
from tui.screens.sessions import Sessions
from tui.widgets.key_bar import bindings_of
from tui.widgets.pile_view import PileView

GO = "20260131T020304Z-production-7f3a"
HALTED = "20260130T020304Z-staging-1c9e"
CHANGED = "20260129T020304Z-production-0001"
MISSING = "20260128T020304Z-staging-0002"


def keep(root: Path, name: str, *events: e.Event) -> Path:
    """A session's journal, a record every ten seconds; what follows a GO comes an hour later."""
    now = datetime(2026, 1, 31, 2, 3, 4, tzinfo=UTC)

    def clock() -> datetime:
        nonlocal now
        now += timedelta(seconds=10)
        return now

    journal = Journal.create(root / name, clock)
    for event in events:
        over = {"session": name, "environment": name.split("-")[1]} if event.kind == "session_opened" else {}
        journal.append(event.model_copy(update=over), sync=False)
        if event.kind == "decided":
            now += timedelta(hours=1)
    journal.close()
    r.keep_scripts(root / name)
    return root / name / NAME


def over(outcome: str, *before: e.Event) -> Sequence[e.Event]:
    """A session that ended so."""
    return (*before, e.SessionEnded(outcome=outcome, exit_code=int(outcome != "go"), reason="for the record"))  # type: ignore[arg-type]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Four sessions: one that went through, one held back and open, one that somebody changed, one that is gone."""
    place = tmp_path / "sessions"
    place.mkdir()
    keep(place, GO, *over("go", *r.to_migrate()))
    keep(place, HALTED, *r.to_preflight())
    changed = keep(place, CHANGED, *over("go", *r.to_migrate()))
    changed.write_bytes(changed.read_bytes().replace(b"14 tables", b"15 tables"))
    keep(place, MISSING, *r.to_backup()).unlink()
    return place


@asynccontextmanager
async def auditing(root: Path, size: tuple[int, int] = (80, 24)) -> AsyncIterator[tuple[Auditing, Pilot[int]]]:
    """The app, once every session is verified."""
    app = Auditing(root, Wanted())
    async with app.run_test(size=size, notifications=True) as pilot:
        await r.settle(pilot, lambda: "all verified" in r.screen_text(app))
        yield app, pilot


def listed(app: Auditing) -> list[str]:
    """The environments and outcomes in the list, from the top."""
    words = ("production", "staging", "GO", "UNFINISHED", "UNREADABLE")
    found = (line.split() for line in r.screen_text(app).splitlines())
    return [" ".join(word for word in line if word in words) for line in found if any(w in line for w in words[:2])]


async def test_the_list_is_verified_filtered_and_sorted(root: Path) -> None:
    async with auditing(root) as (app, pilot):
        assert listed(app) == ["GO production", "UNFINISHED staging", "GO production", "UNREADABLE staging"]
        shown = r.screen_text(app)
        for words in ("4 sessions, newest first", "✔ consistent", "○ open", "✖ BROKEN", "✖ cannot be read"):
            assert words in shown
        await pilot.press("slash", *"4821 OPEN")
        await r.settle(pilot, lambda: "1 of 4 sessions" in r.screen_text(app))
        await pilot.press("enter", "escape", "j")
        await r.settle(pilot, lambda: "record 6: its hash is not that of its content" in r.screen_text(app))
        await pilot.press("s", "S", "S")
        await r.settle(pilot, lambda: "4 sessions, worst grade first" in r.screen_text(app))
        assert listed(app)[:2] == ["GO production", "UNFINISHED staging"]
        assert "its hash is not" in r.screen_text(app)  # one still stands on it
        await pilot.press("q")
        await r.settle(pilot, lambda: app.return_code == 0)


async def test_what_there_is_not_is_said(tmp_path: Path) -> None:
    async with auditing(tmp_path) as (app, pilot):
        assert "No session lies here." in r.screen_text(app)
        await pilot.press("enter", "j", "end", "q")
        assert isinstance(app.screen, Sessions) or app.return_code == 0


@asynccontextmanager
async def reading(root: Path, size: tuple[int, int] = (80, 24)) -> AsyncIterator[tuple[Auditing, Pilot[int]]]:
    """The newest session, opened and verified."""
    async with auditing(root, size) as (app, pilot):
        await pilot.press("enter")
        await r.settle(pilot, lambda: isinstance(app.screen, Opened) and "✔ consistent" in r.screen_text(app))
        yield app, pilot


def showing(app: Auditing) -> Opened:
    assert isinstance(app.screen, Opened)
    return app.screen


async def test_a_session_is_read_in_words(root: Path) -> None:
    async with reading(root) as (app, pilot):
        shown = r.screen_text(app)
        for words in ("RECORD · PRODUCTION · PROTECTED", "whoever could write the file", "Backup ", "1 h 1 min", "GO"):
            assert words in shown
        await pilot.press("2")
        assert "25 records without output and progress" in r.screen_text(app)
        assert "02:04:44    GO in backup, by ana@example.org" in r.screen_text(app)
        await pilot.press("o")
        assert "28 records" in r.screen_text(app) and "said: dumping 14 tables" in r.screen_text(app)
        await pilot.press("d")
        assert "3 records not as the runbook has it" in r.screen_text(app)
        await pilot.press("j", "enter")
        shown = r.screen_text(app)
        for words in ("Record 15", "! something was waived", "subject         target/hidden", "how           keys"):
            assert words in shown


@pytest.mark.soak
async def test_words_are_found_in_every_record_and_phases_are_gone_to(root: Path) -> None:
    async with reading(root) as (app, pilot):
        await pilot.press("2", "slash", *"Go IN back", "enter")
        await r.settle(pilot, lambda: showing(app).chosen == 9)
        await pilot.press("n")
        assert showing(app).chosen == 9
        await pilot.press("slash", *"back 312", "enter")
        await r.settle(pilot, lambda: showing(app).chosen == 6)  # output, which was not listed
        await pilot.press("escape", "f", "f")
        assert showing(app).chosen == 21
        await pilot.press("F")
        assert showing(app).chosen == 10


async def test_the_first_bad_record_is_named_and_the_rest_can_be_read(root: Path) -> None:
    async with auditing(root) as (app, pilot):
        await pilot.press("j", "j", "j", "enter")
        await r.settle(pilot, lambda: "It cannot be opened" in r.screen_text(app))
        await pilot.press("k", "enter")
        await r.settle(pilot, lambda: "✖ BROKEN" in r.screen_text(app) and isinstance(app.screen, Opened))
        shown = " ".join(r.screen_text(app).replace("│", " ").split())
        assert "Record 6 (line 7, byte" in shown and "its hash is not that of its content" in shown
        await pilot.press("2", "end")
        assert showing(app).chosen == 5


async def replaying(app: Auditing, pilot: Pilot[int], *keys: str) -> ReplayScreen:
    await pilot.press(*keys)
    await r.settle(pilot, lambda: isinstance(app.screen, ReplayScreen) and app.screen.drawn)
    assert isinstance(app.screen, ReplayScreen)
    return app.screen


async def test_a_replay_shows_the_run_screen_as_it_was(root: Path) -> None:
    async with reading(root) as (app, pilot):
        screen = await replaying(app, pilot, "2", "f", "r")
        assert "REPLAY · PRODUCTION" in r.screen_text(app) and "REPLAY paused · 8× · record 4 of 27" in r.screen_text(
            app
        )
        assert "■ WAITS FOR A START" in r.screen_text(app)
        await pilot.press("n")
        await r.settle(pilot, lambda: screen.view.seq == 5)
        assert "▶ RUNNING" in r.screen_text(app)
        await pilot.press("N", "N")
        await r.settle(pilot, lambda: screen.view.seq <= 4)
        await pilot.press("f")
        await r.settle(pilot, lambda: screen.view.seq >= 4)
        await pilot.press("s", "space")
        await r.settle(pilot, lambda: "REPLAY plays · 60×" in r.screen_text(app))
        await pilot.press("space", "q")
        await r.settle(pilot, lambda: isinstance(app.screen, Opened) and "RECORD · PROD" in r.screen_text(app))
        assert app.view.seq == 27


async def test_no_key_of_a_replay_reaches_a_session(root: Path) -> None:
    kept = {path: path.read_bytes() for path in (root / GO).rglob("*") if path.is_file()}
    async with reading(root) as (app, pilot):
        screen = await replaying(app, pilot, "2", "f", "r")
        for key in "abcdeghjklmoprtuwxyz0456789":
            await pilot.press(key)
            assert app.screen is screen, key
        await pilot.press("v")
        await r.settle(pilot, lambda: "REPLAY" in r.screen_text(app) and app.screen is not screen)
        assert not {"mark", "comment"} & set(bindings_of(app.screen))
        assert await app.face.send(c.Start(step="dump")) == REFUSAL
    assert kept == {path: path.read_bytes() for path in (root / GO).rglob("*") if path.is_file()}


@pytest.mark.parametrize("speed", [1, 60])
def test_time_goes_by_at_a_speed_and_idle_time_is_cut_short(root: Path, speed: int) -> None:
    reel = Reel(root / GO / NAME)
    reel.wind()
    replay = Replay(root / GO, reel)
    replay.seek(9)
    replay.speed = speed
    assert not replay.play(IDLE * 0.9)
    assert replay.skipped == 3_610_000_000 - IDLE * 1_000_000 * speed
    assert replay.play(IDLE * 0.2) and replay.view.seq >= 10
    assert replay.view == fold_to(root, replay.view.seq)
    while not replay.over:
        replay.play(60.0)
    assert not replay.playing and replay.view.ended is not None
    assert (replay.seek(3), replay.view) == (None, fold_to(root, 3))


def fold_to(root: Path, last: int) -> RunView:
    view = RunView()
    for record in read(root / GO / NAME):
        if record.seq <= last:
            view = advance(view, record.seq, record.at, record.event, record.hash)
    return view


def test_any_view_of_a_long_journal_is_the_fold_of_its_beginning(tmp_path: Path) -> None:
    output = [e.StepOutput(step="apply", attempt=1, stream="out", text=f"row {n}\n") for n in range(150)]
    keep(tmp_path, GO, *r.to_migrate(), *output)
    reel = Reel(tmp_path / GO / NAME)
    reel.wind()
    for last in (0, 63, 64, 65, 130, len(reel) - 1):
        assert reel.view(last) == reel.view(last, near=reel.view(5)) == fold_to(tmp_path, last)
    (tmp_path / GO / NAME).write_bytes((tmp_path / GO / NAME).read_bytes().replace(b"row 140", b"row 999"))
    with pytest.raises(Changed, match="no longer what it was"):
        reel.view(len(reel) - 1)
    reel.close()


@pytest.mark.parametrize("keys", [(), ("enter",), ("enter", "r")], ids=["list", "session", "replay"])
async def test_help_lists_every_key(root: Path, keys: Sequence[str]) -> None:
    async with auditing(root) as (app, pilot):
        for key in keys:
            before = app.screen
            await pilot.press(key)
            await r.settle(pilot, lambda before=before: changed(pilot, before))
        screen = type(app.screen)
        await pilot.press("question_mark")
        await r.settle(pilot, lambda: isinstance(app.screen, Help) and app.screen.query_one(PileView).plain)
        lines = app.screen.query_one(PileView).plain.split("\n")
        for key, words in bound(screen):
            name = {"question_mark": "?", "escape": "esc", "slash": "/"}.get(key, key)
            assert any(line.startswith(f"{name} ") and words in line for line in lines), (key, words)
        assert not {"Start", "GO", "Waive", "Tick"} & {line[15:].split("  ")[0] for line in lines}


def changed(pilot: Pilot[int], before: Screen[Any]) -> bool:
    """Another screen is there to be read."""
    return pilot.app.screen is not before and bool(getattr(pilot.app.screen, "shown_at", None))


@pytest.mark.parametrize(
    ("keys", "words"),
    [((), "all verified"), (("enter", "2", "f", "f", "j", "j", "r"), "record 12 of 27")],
    ids=["list", "replay"],
)
def test_picture(
    snap_compare: Callable[..., bool], root: Path, monkeypatch: pytest.MonkeyPatch, keys: Sequence[str], words: str
) -> None:
    async def press(pilot: Pilot[int]) -> None:
        await r.settle(pilot, lambda: "all verified" in r.screen_text(pilot.app))
        for key in keys:
            before = pilot.app.screen
            await pilot.press(key)
            if key in ("enter", "r"):
                await r.settle(
                    pilot, lambda before=before: pilot.app.screen is not before and pilot.app.screen.shown_at
                )
            await pilot.pause(0.1)
        await r.settle(pilot, lambda: words in r.screen_text(pilot.app))

    monkeypatch.chdir(root.parent)
    assert snap_compare(Auditing(Path(root.name), Wanted()), terminal_size=(80, 24), run_before=press)


async def test_what_an_emergency_owes_is_said(tmp_path: Path) -> None:
    lane = e.Emergency(reason="the shop is down", review_by="2026-02-03")
    keep(tmp_path, GO, *(r.opened(emergency=lane), *r.to_backup()[1:]))
    async with auditing(tmp_path) as (app, _):
        assert "owes review" in r.screen_text(app)
        assert "EMERGENCY, review owed by 2026-02-03" in r.screen_text(app)


@pytest.mark.parametrize(
    "size", [pytest.param((80, 24), id="80x24"), pytest.param((40, 9), id="40x9", marks=pytest.mark.soak)]
)
async def test_hostile_text_is_shown_and_does_nothing(tmp_path: Path, size: tuple[int, int]) -> None:
    keep(tmp_path, GO, *made_hostile(over("go", *r.to_waiting())))
    app = Auditing(tmp_path, Wanted())
    async with app.run_test(size=size, notifications=True) as pilot:
        await r.settle(pilot, lambda: "verified" in r.screen_text(app) and "[/foo]" in r.screen_text(app))
        await pilot.press("enter")
        await r.settle(pilot, lambda: isinstance(app.screen, Opened) and app.screen.shown_at)
        for key in ("1", "2", "o", "3", "d", "i", "escape", "r", "space"):
            before = app.screen
            await pilot.press(key)
            if key in ("i", "escape", "r"):
                await r.settle(pilot, lambda before=before: changed(pilot, before))
            await pilot.pause()
            shown = r.screen_text(app)
            assert [ch for ch in shown if unicodedata.category(ch) in ("Cc", "Cf", "Cs") and ch != "\n"] == [], key
        assert isinstance(app.screen, ReplayScreen)
