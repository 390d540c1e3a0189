"""Each key of the run screen leads to its command, at both sizes; nothing that matters is one key away."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from textual.events import Key
from textual.pilot import Pilot
from textual.widgets import Input

from runbooks.session import commands as c
from runbooks.session import events as e
from runbooks.session.runbook import Item
from tests.tui import recorded as r
from tests.tui.conftest import Stage
from tui.app import DETACHED, GonogoApp
from tui.screens.confirm import Confirm
from tui.screens.hold import HoldPoint
from tui.screens.review import Review
from tui.screens.rollback import Rollback
from tui.screens.run import Run
from tui.screens.transcript import Transcript


async def typed(pilot: Pilot[int], text: str) -> None:
    """Type into the field that has the keys, and press enter."""
    field = pilot.app.focused
    assert isinstance(field, Input)
    field.value = text
    await pilot.press("enter")


async def test_s_shows_what_and_where_then_enter_starts(stage: Stage) -> None:
    async with stage(r.to_backup()) as (app, client, pilot):
        await pilot.press("s")
        await r.settle(pilot, lambda: isinstance(app.screen, Confirm))
        said = app.export_screenshot().replace("&#160;", " ")
        for words in ("Start: Dump the database", "PRODUCTION · PROTECTED", "orders@db-1.prod:5432", "pg_dump"):
            assert words in said
        assert client.sent == []
        await pilot.press("enter")
        await r.settle(pilot, lambda: client.sent == [c.Start(step="dump")])
        assert app.screen.query_one("#detail").display


async def test_escape_in_a_dialog_sends_nothing(opened: Stage) -> None:
    for key in ("s", "x", "e"):
        async with opened(r.to_backup()) as (app, client, pilot):
            await pilot.press(key)
            await r.settle(pilot, lambda: isinstance(app.screen, Confirm))
            await pilot.press("escape")
            await r.settle(pilot, lambda: isinstance(app.screen, Run))
            assert client.sent == []


async def test_r_runs_a_reading_step_again_at_once_and_asks_before_another(opened: Stage) -> None:
    async with opened(r.to_preflight()) as (app, client, pilot):
        await pilot.press("r")
        await r.settle(pilot, lambda: client.sent == [c.Start(step="target")])
    async with opened(failed_dump()) as (app, client, pilot):
        await pilot.press("r")
        await r.settle(pilot, lambda: isinstance(app.screen, Confirm))
        assert "attempt 2" in app.export_screenshot().replace("&#160;", " ")
        await pilot.press("enter")
        await r.settle(pilot, lambda: client.sent == [c.Start(step="dump")])


async def test_t_ticks_what_is_seen_and_takes_it_back(stage: Stage) -> None:
    async with stage(r.to_preflight()) as (app, client, pilot):
        await pilot.press("3", "t")
        await r.settle(pilot, lambda: client.sent == [c.Tick(item="told")])
        client.play(r.ticked("told"))
        await r.settle(pilot, lambda: app.view.items)
        await pilot.press("t")
        await r.settle(pilot, lambda: client.sent[1:] == [c.Untick(item="told")])


async def test_t_and_w_choose_by_themselves_where_there_is_one_only(stage: Stage) -> None:
    async with stage([*r.to_preflight(), r.ticked("told")]) as (app, client, pilot):
        await pilot.press("1", "t")
        await r.settle(pilot, lambda: client.sent == [c.Tick(item="needed")])
        await pilot.press("1", "w")
        await r.settle(pilot, lambda: isinstance(app.screen, Confirm))
        await typed(pilot, "the DBA looked")
        await r.settle(pilot, lambda: client.sent[1:] == [c.Waive(subject="target/hidden", reason="the DBA looked")])


async def test_t_goes_past_what_a_step_has_proven(stage: Stage) -> None:
    proven = Item(id="alone", text="Nobody is in the way", proved_by="activity")
    book = r.runbook()
    backup, preflight, *others = book.phases
    preflight = preflight.model_copy(update={"items": (proven, *preflight.items)})
    book = book.model_copy(update={"phases": (backup, preflight, *others)})
    async with stage([r.opened(runbook=book), *r.to_preflight()[1:]]) as (_, client, pilot):
        await pilot.press("3", "t", "t")
        await r.settle(pilot, lambda: client.sent == [c.Tick(item="told")])
    async with stage([r.opened(runbook=book), *r.to_preflight()[1:], r.ticked("needed")]) as (_, client, pilot):
        await pilot.press("3", "t")
        await r.settle(pilot, lambda: client.sent == [c.Tick(item="told")])


async def test_s_says_what_the_next_step_waits_for(opened: Stage) -> None:
    apply = r.runbook().phases[2].steps[1]
    migrate = r.went("preflight", "migrate")
    failed = [*r.past_preflight(), *migrate, r.started("same"), r.ended("same", outcome="fail")]
    async with opened(failed) as (app, _, pilot):
        await pilot.press("s")
        await r.settle(pilot, lambda: app._notifications)
        (said,) = app._notifications
        assert said.message.startswith(f"{apply.title} waits for Everything as reviewed: r runs that again")


def failed_dump() -> list[e.Event]:
    return [*r.to_backup(), r.started("dump"), r.ended("dump", outcome="fail", end="failed")]


@pytest.mark.parametrize(
    ("events", "there", "absent"),
    [
        ((), ("q Detach", "? Help"), ("Cancel", "Transcript")),
        (r.to_backup(), ("s Start", "g GO", "x NO-GO", "b Roll back"), ("r Run again",)),
        (failed_dump(), ("r Run again", "b Roll back", "x NO-GO"), ("s Start",)),
        ([*failed_dump(), e.Decided(what="no_go", phase="backup", by=r.ANA)], ("e End", "r Run again"), ("x NO-GO",)),
    ],
)
async def test_only_keys_that_lead_somewhere_are_named(
    opened: Stage, events: Sequence[e.Event], there: Sequence[str], absent: Sequence[str]
) -> None:
    async with opened(events) as (app, _, pilot):
        await pilot.pause()
        last = "\n".join(r.screen_text(app).split("\n")[-2:])
        assert all(words in last for words in there), last
        assert not any(words in last for words in absent), last


async def test_who_only_watches_is_named_the_pen_and_no_key_that_would_be_refused(opened: Stage) -> None:
    async with opened(r.to_backup()) as (app, client, pilot):
        client.has_pen = False
        await r.settle(pilot, lambda: "h Take the pen  v SQL  p Transcript  q Detach  ? Help" in r.screen_text(app))
        await r.settle(pilot, lambda: "WAITS FOR A START  " in r.screen_text(app))
        assert "press s" not in r.screen_text(app)
        await pilot.press("s")
        await r.settle(pilot, lambda: any("press h first" in said.message for said in app._notifications))
        assert not isinstance(app.screen, Confirm) and not client.sent


FAST = ("e", *"mo-only", "enter", "escape", "escape", "x", "escape", "3", "tab", "tab", "1", "tab", "v", "escape",
        "p", "q", "i", "q", "question_mark", "escape", "b", "escape", "g", "escape", "w", *"why", "enter")  # fmt: skip


async def test_keys_without_a_pause_break_nothing_and_accept_nothing_unseen(stage: Stage) -> None:
    async with stage(r.to_preflight()) as (app, client, pilot):
        await pilot.press("3", "down", "down")
        for keys in (FAST, ("escape", "escape"), ("w", *"why", "enter")):
            for key in keys:
                app.post_message(Key(key, key if len(key) == 1 else None))
            await r.settle(pilot, lambda: app.message_queue_size == 0 and getattr(app.screen, "shown_at", None))
            await pilot.pause()
        assert client.sent == [] and isinstance(app.screen, Confirm) and isinstance(app.focused, Input)
        assert app.focused.value == "why"
        await pilot.press("enter")
        await r.settle(pilot, lambda: client.sent == [c.Waive(subject="target/hidden", reason="why")])


async def test_t_asks_for_evidence_where_the_item_does(stage: Stage) -> None:
    async with stage(r.to_backup()) as (app, client, pilot):
        await pilot.press("3", "t")
        await r.settle(pilot, lambda: isinstance(app.screen, Confirm))
        await typed(pilot, "   ")
        assert isinstance(app.screen, Confirm) and client.sent == []
        await typed(pilot, "vault:db-dumps")
        await r.settle(pilot, lambda: client.sent == [c.Tick(item="offsite", evidence="vault:db-dumps")])
        assert not any(said.title == "Taken out" for said in app._notifications)
        client.secrets = ("TOKEN",)
        await pilot.press("t", *"hunter2", "enter")
        await r.settle(pilot, lambda: any("you typed: TOKEN." in said.message for said in app._notifications))


async def test_n_asks_why_an_item_does_not_apply_but_not_of_a_required_one(stage: Stage) -> None:
    async with stage(r.to_preflight()) as (app, client, pilot):
        await pilot.press("3", "n")
        await r.settle(pilot, lambda: isinstance(app.screen, Confirm))
        await typed(pilot, "no support at night")
        expected = c.Tick(item="told", state="not_applicable", reason="no support at night")
        await r.settle(pilot, lambda: client.sent == [expected])
        await pilot.press("down", "n")
        await pilot.pause()
        assert isinstance(app.screen, Run)


async def test_w_waives_what_is_chosen_with_a_reason(stage: Stage) -> None:
    async with stage(r.to_preflight()) as (app, client, pilot):
        await pilot.press("3", "down", "down", "w")
        await r.settle(pilot, lambda: isinstance(app.screen, Confirm))
        await typed(pilot, "")
        assert client.sent == []
        await typed(pilot, "the DBA looked")
        await r.settle(pilot, lambda: client.sent == [c.Waive(subject="target/hidden", reason="the DBA looked")])


async def test_w_never_waives_what_cannot_be(opened: Stage) -> None:
    async with opened(r.to_preflight()) as (app, client, pilot):
        await pilot.press("3", "down", "w")
        await pilot.pause()
        assert isinstance(app.screen, Run) and client.sent == []


async def test_go_is_typed_as_the_phase_or_its_initial_and_never_pressed(stage: Stage) -> None:
    async with stage(r.past_preflight()) as (app, client, pilot):
        await pilot.press("g")
        await r.settle(pilot, lambda: isinstance(app.screen, HoldPoint) and app.focused)
        for wrong in ("g", "", "go", "y", "pre", "m"):
            await typed(pilot, wrong)
            assert isinstance(app.screen, HoldPoint) and client.sent == []
    for right in ("P", "preflight "):
        async with stage(r.past_preflight()) as (app, client, pilot):
            await pilot.press("g")
            await r.settle(pilot, lambda: isinstance(app.screen, HoldPoint) and app.focused)
            await typed(pilot, right)
            await r.settle(pilot, lambda: client.sent == [c.Decide(what="go", phase="preflight")])


async def test_go_cannot_be_leant_on(opened: Stage) -> None:
    """The same key and enter, again and again, go nowhere."""
    async with opened(r.past_preflight()) as (_, client, pilot):
        for _ in range(5):
            await pilot.press("g", "g", "enter")
        assert client.sent == []


async def test_a_shut_hold_point_has_no_field_and_says_what_holds(stage: Stage) -> None:
    async with stage(r.to_preflight()) as (app, client, pilot):
        await pilot.press("g")
        await r.settle(pilot, lambda: isinstance(app.screen, HoldPoint) and app.screen.drawn)
        assert not app.screen.query_one("#go").display
        await pilot.press("p", "enter")
        assert client.sent == []
        client.play(r.ticked("told"), r.ticked("needed"), *(r.reviewed(n) for n in r.SCRIPTS))
        client.play(e.Waived(subject="target/hidden", outcome="warn", reason="seen", by=r.ANA))
        await r.settle(pilot, lambda: app.screen.query_one("#go").display and app.screen.query_one("#go").has_focus)


async def test_a_hold_point_that_moves_on_closes_and_takes_no_late_go(opened: Stage) -> None:
    async with opened(r.past_preflight()) as (app, client, pilot):
        await pilot.press("g")
        await r.settle(pilot, lambda: isinstance(app.screen, HoldPoint) and app.focused)
        client.play(*r.went("preflight", "migrate"))
        await r.settle(pilot, lambda: isinstance(app.screen, Run))


async def test_x_calls_no_go_with_a_reason(opened: Stage) -> None:
    async with opened(r.to_preflight()) as (app, client, pilot):
        await pilot.press("x")
        await r.settle(pilot, lambda: isinstance(app.screen, Confirm))
        await typed(pilot, "replica lags")
        expected = c.Decide(what="no_go", phase="preflight", reason="replica lags")
        await r.settle(pilot, lambda: client.sent == [expected])


async def test_b_shows_the_ways_back_and_wants_a_reason_and_the_words(stage: Stage) -> None:
    async with stage(r.to_preflight()) as (app, client, pilot):
        await pilot.press("b")
        await r.settle(pilot, lambda: isinstance(app.screen, Rollback) and app.focused)
        await pilot.press("down", "enter")
        await r.settle(pilot, lambda: isinstance(app.screen, Confirm))
        await typed(pilot, "orders are lost")
        assert client.sent == []
        await typed(pilot, "yes")
        assert client.sent == []
        await typed(pilot, "roll back")
        await r.settle(pilot, lambda: client.sent == [c.RollBack(option="restore", reason="orders are lost")])


async def test_c_and_o_ask_before_they_end_what_runs(opened: Stage) -> None:
    for key, command in (("c", c.Cancel()), ("o", c.Stop())):
        async with opened(r.to_migrate()) as (app, client, pilot):
            await pilot.press(key)
            await r.settle(pilot, lambda: isinstance(app.screen, Confirm))
            assert client.sent == []
            await pilot.press("enter")
            await r.settle(pilot, lambda expected=command: client.sent == [expected])


async def test_e_ends_only_with_a_reason_and_the_word(opened: Stage) -> None:
    async with opened(r.to_preflight()) as (app, client, pilot):
        await pilot.press("e")
        await r.settle(pilot, lambda: isinstance(app.screen, Confirm))
        await typed(pilot, "not tonight")
        assert client.sent == []
        await typed(pilot, "end")
        await r.settle(pilot, lambda: client.sent == [c.EndSession(reason="not tonight")])


async def test_keys_that_can_do_nothing_say_so_and_send_nothing(opened: Stage) -> None:
    async with opened(r.to_migrate()) as (app, client, pilot):
        await pilot.press("s", "r", "e", "a", "h")
        await pilot.pause()
        assert isinstance(app.screen, Run) and client.sent == []
        assert len(app._notifications) >= 4


async def test_the_same_words_are_not_piled_up_while_they_can_be_read(opened: Stage) -> None:
    async with opened(r.to_migrate()) as (app, _, pilot):
        await pilot.press("s", "s", "s", "a")
        await r.settle(pilot, lambda: len(app._notifications) > 1)
        assert [said.message for said in app._notifications] == [
            "Apply the migrations is running: one step at a time.",
            "Nothing is asked.",
        ]


async def test_v_and_p_open_their_screens_and_q_comes_back(stage: Stage) -> None:
    async with stage(r.to_preflight()) as (app, _, pilot):
        for key, screen in (("v", Review), ("p", Transcript), ("i", None)):
            await pilot.press(key)
            await r.settle(pilot, lambda wanted=screen: isinstance(app.screen, wanted or app.screen.__class__))
            await pilot.press("q")
            await r.settle(pilot, lambda: isinstance(app.screen, Run))


@pytest.mark.parametrize("key", ["q", "d", "ctrl+c", "ctrl+q"])
async def test_leaving_detaches_with_130(opened: Stage, key: str) -> None:
    async with opened(r.to_migrate()) as (app, client, pilot):
        await pilot.press(key)
        await pilot.pause()
        assert app.return_value == DETACHED and client.sent == []


async def test_ctrl_c_detaches_from_a_dialog_too(opened: Stage) -> None:
    async with opened(r.to_preflight()) as (app, client, pilot):
        await pilot.press("x")
        await r.settle(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("ctrl+c")
        await pilot.pause()
        assert app.return_value == DETACHED and client.sent == []


async def test_an_ended_session_stays_to_be_read_and_gives_its_exit_code(stage: Stage) -> None:
    async with stage([*r.to_preflight(), e.SessionEnded(outcome="no_go", exit_code=1, reason="replica lags")]) as (
        app,
        _,
        pilot,
    ):
        assert "ENDED" in app.export_screenshot()
        await r.settle(pilot, lambda: "q Leave" in r.screen_text(app))
        assert "Detach" not in r.screen_text(app)
        await pilot.press("q")
        await pilot.pause()
        assert app.return_value == 1


async def test_a_refusal_is_shown_with_its_reason(opened: Stage) -> None:
    async with opened(r.to_preflight()) as (app, client, pilot):
        client.refusal = "Dump the database comes first [/foo]"
        await pilot.press("r")
        await r.settle(pilot, lambda: any("comes first [/foo]" in n.message for n in app._notifications))


async def test_keys_can_be_remapped_and_the_screen_says_the_new_ones(tmp_path: Path) -> None:
    client = r.Recorded(tmp_path, *r.to_backup())
    app = GonogoApp(client, clock=r.clock, keymap={"run.start": "z"})
    async with app.run_test(size=(80, 24)) as pilot:
        await r.settle(pilot, lambda: isinstance(app.screen, Run))
        await pilot.press("s")
        await pilot.pause()
        assert isinstance(app.screen, Run)
        await pilot.press("z")
        await r.settle(pilot, lambda: isinstance(app.screen, Confirm))
