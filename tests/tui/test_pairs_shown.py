"""What is open stands on the run screen all the time; `u` undoes it, and ending asks why it stays."""

import re
from pathlib import Path

from runbooks.session import commands as c
from runbooks.session import events as e
from runbooks.session.runbook import Runbook
from tests.tui import recorded as r
from tests.tui.conftest import Stage
from tui.screens.confirm import Confirm
from tui.standing import line_to_read_out


def book() -> Runbook:
    """The shop's, where deploying undoes what the dump has begun."""
    whole = r.runbook()
    phases = tuple(
        phase.model_copy(
            update={
                "steps": tuple(
                    step.model_copy(update={"undo": "deploy"} if step.id == "apply" else {}) for step in phase.steps
                )
            }
        )
        for phase in whole.phases
    )
    return whole.model_copy(update={"phases": phases})


def failed() -> list[e.Event]:
    """The scripts failed half way, and what they opened is open."""
    bad = r.ended("apply", end="failed", outcome="fail", failure=e.Failure(what="lock timeout"))
    return [r.opened(runbook=book()), *r.to_migrate()[1:], bad]


async def test_what_is_open_is_seen_and_u_undoes_it_from_there(stage: Stage) -> None:
    async with stage(failed()) as (app, client, pilot):
        await r.settle(pilot, lambda: "STILL OPEN: Apply the migrations (u undoes it)" in r.screen_text(app))
        await pilot.press("u")
        await r.settle(pilot, lambda: isinstance(app.screen, Confirm))
        await r.settle(pilot, lambda: "It stands elsewhere in the runbook" in r.screen_text(app))
        await pilot.press("enter")
        await r.settle(pilot, lambda: client.sent == [c.Start(step="deploy")])


async def test_what_undoes_from_elsewhere_is_looked_at_as_it_runs_and_if_it_fails(opened: Stage) -> None:
    async with opened(failed()) as (app, client, pilot):
        assert "Deploy version 2" not in r.screen_text(app)
        client.play(r.started("deploy"), r.ended("deploy", end="failed", outcome="fail"))
        await r.settle(pilot, lambda: "✖ Deploy version 2" in r.screen_text(app))
        client.play(r.started("deploy", 2), r.ended("deploy", attempt=2))
        await r.settle(pilot, lambda: "STILL OPEN" not in r.screen_text(app))
        assert "Deploy version 2" not in r.screen_text(app)


async def test_who_ends_it_says_why_it_stays_open(opened: Stage) -> None:
    async with opened(failed()) as (app, client, pilot):
        await pilot.press("e")
        for seen in ("End this session", "has not undone it", "Why this stays open", "Type “end”", "enter end it"):
            await r.settle(pilot, lambda seen=seen: seen in " ".join(re.findall(r"[^\s│]+", r.screen_text(app))))
        for words in ("app", "no", "ens"):
            await pilot.press(*words, "enter")
        await r.settle(pilot, lambda: "That is not “end”: type it as it stands here" in r.screen_text(app))
        assert "must be written" not in r.screen_text(app) and client.sent == []
        await pilot.press("backspace", "d", "enter")
        reasons = [c.Waive(subject="apply/undo", reason="app"), c.EndSession(reason="no")]
        await r.settle(pilot, lambda: client.sent == reasons)


async def test_what_must_end_says_what_it_waits_for(opened: Stage) -> None:
    engine = r.ANA.model_copy(update={"how": "engine"})
    no_go = e.Decided(what="no_go", phase="migrate", reason="another plan", by=engine)
    async with opened([*failed(), no_go]) as (app, _, pilot):
        await r.settle(
            pilot, lambda: "another plan. The session ends then. Undo what is open (u)" in r.screen_text(app)
        )
        last = "".join(r.screen_text(app).split("\n")[-2:])
        assert "u Undo  w Waive" in last and "Roll back" not in last


def test_it_is_read_out_on_a_call_also_once_the_session_has_ended() -> None:
    client = r.Recorded(Path(), *failed())
    assert "⟲ STILL OPEN: Apply the migrations" in line_to_read_out(client.view)
    client.play(e.SessionEnded(outcome="no_go", exit_code=1))
    assert "⟲ LEFT OPEN: Apply the migrations" in line_to_read_out(client.view)
