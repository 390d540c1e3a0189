"""The logs on the screen: beside the step that failed, and on a screen of their own."""

from pathlib import Path

from textual.widgets._toast import Toast

from runbooks.session import commands as c
from runbooks.session import events as e
from runbooks.session.looked import LOGS, data_of
from tests.runbooks.running.test_logs import LOOKED, look
from tests.tui import recorded as r
from tests.tui.conftest import Stage
from tests.tui.test_pairs_shown import failed
from tui.app import GonogoApp
from tui.screens.confirm import Confirm
from tui.screens.run import Run
from tui.widgets.step_rows import step_rows


async def test_the_screens_show_them_and_copy_the_addresses(opened: Stage) -> None:
    events = [*r.to_preflight()]
    async with opened([*events, look()]) as (app, client, pilot):
        shown = "\n".join(row.body.plain for row in step_rows(client.view, "dump", r.NOW))
        assert "web: https://logs.example.org" in shown and "ERROR [/bold] two" in shown
        artefact = client.folder / "artefacts/000009-logs-1-app.log"
        artefact.parent.mkdir()
        artefact.write_text("zero\none\nERROR [/bold] two\n")
        await pilot.press("m")
        await r.settle(pilot, lambda: "zero" in r.screen_text(app) and "since" not in r.screen_text(app))
        assert c.Start(step=LOGS) in client.sent
        await pilot.press("y")
        assert app.clipboard == "https://logs.example.org"
        asked = LOOKED.model_copy(update={"number": 2, "why": "asked", "by": "ana [/b]"})
        client.play(e.StepProgress(step=LOGS, attempt=2, data=data_of(asked)))
        await r.settle(pilot, lambda: "look 2: ana [/b] asked for them" in r.screen_text(app))


async def test_a_failure_brings_them_up_by_itself(opened: Stage) -> None:
    async with opened(r.to_preflight()) as (app, client, pilot):
        client.play(look())
        await r.settle(pilot, lambda: any("ERROR [/bold] two" in said.message for said in app._notifications))
        count = len(app._notifications)
        client.play(r.to_preflight()[-1])
        await pilot.pause()
        assert len(app._notifications) == count, "once for each look"


async def test_a_dialog_is_not_covered_by_them_and_they_are_told_after_it(tmp_path: Path) -> None:
    client = r.Recorded(tmp_path, *failed())
    app = GonogoApp(client, clock=r.clock)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await r.settle(pilot, lambda: isinstance(app.screen, Run) and app.screen.shown_at)
        await pilot.press("e")
        await r.settle(pilot, lambda: isinstance(app.screen, Confirm) and app.screen.shown_at)
        client.play(look())
        app.draw()
        await pilot.pause()
        assert not app._notifications
        await pilot.press("escape")
        await r.settle(pilot, lambda: "m shows all of it." in r.screen_text(app))
        await pilot.press("e")
        await r.settle(pilot, lambda: isinstance(app.screen, Confirm) and app.screen.query(Toast))
        await r.settle(pilot, lambda: "esc back, nothing happens " in r.screen_text(app))
