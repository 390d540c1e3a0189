"""The contacts screen says whom to call, and notes it; the run screen says so when the next one's turn has come."""

from datetime import timedelta

from runbooks.session import commands as c
from runbooks.session import events as e
from runbooks.session.runbook import Contact
from tests.tui import recorded as r
from tests.tui.conftest import Stage
from tui.screens.confirm import Confirm

PEOPLE = (Contact(who="Bea", how="+49 30 1", wait=600_000_000), Contact(who="Cem", how="+49 30 2"))


def events() -> list[e.Event]:
    book = r.runbook().model_copy(update={"people": PEOPLE})
    return [r.opened(runbook=book), *r.to_preflight()[1:]]


async def test_whom_to_call_stands_above_and_c_notes_it(stage: Stage) -> None:
    async with stage(events()) as (app, client, pilot):
        assert "CALL NOW" not in r.screen_text(app)
        await pilot.press("i")
        await r.settle(pilot, lambda: "☎ CALL NOW: 1 Bea  +49 30 1" in r.screen_text(app))
        await pilot.press("c")
        await r.settle(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press(*"yes", "enter", *"busy", "enter")
        expected = c.Tick(item="contact/1", evidence="busy", reason="reached")
        await r.settle(pilot, lambda: client.sent == [expected])


async def test_when_the_time_has_come_the_run_screen_says_so(opened: Stage) -> None:
    async with opened(events()) as (app, client, pilot):
        call = e.ItemTicked(item="contact/1", state="done", evidence="busy", by=r.ANA)
        client.play(call, at=r.NOW - timedelta(minutes=10))
        await r.settle(pilot, lambda: "☎ CALL NOW: Cem, +49 30 2 (i)" in r.screen_text(app))
        await pilot.press("i")
        await r.settle(pilot, lambda: "by ana@example.org: busy" in r.screen_text(app))
