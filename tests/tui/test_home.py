"""The screen that gonogo opens with: what can be begun, taken up, read."""

from dataclasses import replace
from pathlib import Path

import pytest

from runbooks.history.sessions import Summary
from runbooks.settings.project import Environment, Project
from tests.tui import recorded as r
from tui.app import HomeApp

PROJECT = Project(
    name="shop [/foo]",
    folder=Path("/srv/shop"),
    sha256=r.SHA,
    migrations=Path("prisma/migrations"),
    environments={
        "staging": Environment(name="staging"),
        "production": Environment(name="production", protected=True, direct_url="DIRECT_URL"),
    },
)
OPEN, DONE, BROKEN = (
    Summary(
        "20260131T020304Z-production-7f3a",
        Path("a"),
        environment="production",
        ticket="CHG-4821",
        operator="ana@example.org",
        records=42,
        running=True,
    ),
    Summary(
        "20260130T020304Z-staging-0001",
        Path("b"),
        environment="staging",
        ticket="CHG-1",
        operator="ana\x1b[2J",
        outcome="go",
        exit_code=0,
        records=90,
        waivers=1,
    ),
    Summary("20260129T020304Z-staging-0002", Path("c"), fault="record 3 does not hold"),
)
BACK = Summary(
    "20260128T020304Z-production-0003",
    Path("d"),
    environment="production",
    ticket="CHG-4790",
    operator="ana@example.org",
    outcome="rolled_back",
    exit_code=1,
    records=142,
)
KNOWN = (OPEN, DONE, BROKEN, BACK)


@pytest.mark.parametrize(
    ("keys", "chosen"),
    [
        (("enter",), ("resume", OPEN.id)),
        (("down", "enter"), ("run", "staging")),
        (("j", "j", "enter"), ("run", "production")),
        (("down", "down", "down", "enter"), ("transcript", DONE.id)),
        (("q",), None),
        (("escape",), None),
        (("ctrl+c",), None),
    ],
)
async def test_what_is_chosen(keys: tuple[str, ...], chosen: tuple[str, str] | None) -> None:
    app = HomeApp(PROJECT, KNOWN)
    async with app.run_test(size=(80, 24)) as pilot:
        await r.settle(pilot, lambda: "Past" in r.screen_text(app))
        shown = r.screen_text(app)
        for words in ("shop [/foo]", "running", "PROTECTED", "ROLLED BACK", "1 waived", "broken: record 3", "ana␛[2J"):
            assert words in shown
        await pilot.press(*keys)
        await pilot.pause()
        assert app.return_code == 0
    assert app.chosen == chosen


async def test_an_empty_project_says_so() -> None:
    app = HomeApp(replace(PROJECT, environments={}), [])
    async with app.run_test() as pilot:
        await r.settle(pilot, lambda: "names no environment" in r.screen_text(app))
        await pilot.press("enter")
        await pilot.press("q")
    assert app.chosen is None
