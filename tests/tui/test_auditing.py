"""The auditor's screens: the list of sessions, one session, its replay; over journals as a session writes them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from textual.pilot import Pilot

from runbooks import events as e
from runbooks.journal import NAME, Journal
from runbooks.reading.listing import Wanted
from tests.tui import recorded as r
from tui.auditing import Auditing
from tui.screens.sessions import Sessions

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
    keep(tmp_path, GO, *over("go", *r.to_migrate()))
    keep(tmp_path, HALTED, *r.to_preflight())
    changed = keep(tmp_path, CHANGED, *over("go", *r.to_migrate()))
    changed.write_bytes(changed.read_bytes().replace(b"14 tables", b"15 tables"))
    keep(tmp_path, MISSING, *r.to_backup()).unlink()
    return tmp_path


@asynccontextmanager
async def auditing(root: Path, size: tuple[int, int] = (80, 24)) -> AsyncIterator[tuple[Auditing, Pilot[int]]]:
    """The app, once every session is verified."""
    app = Auditing(root, Wanted())
    async with app.run_test(size=size) as pilot:
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
        await pilot.press("slash", *"prod go")
        await r.settle(pilot, lambda: "2 of 4 sessions" in r.screen_text(app))
        await pilot.press("enter", "j")
        await r.settle(pilot, lambda: "record 6: its hash is not that of its content" in r.screen_text(app))
        await pilot.press("escape", "s", "S", "S")
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
