"""What the screens say: at every size, of every text, in every state."""

import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from runbooks.faces.meanwhile import Happening, Told
from runbooks.session import commands as c
from runbooks.session import events as e
from runbooks.signing.record import Unsigned, progress
from tests.tui import recorded as r
from tests.tui.conftest import Stage
from tui.app import GonogoApp
from tui.printable import printable
from tui.screens.confirm import Confirm
from tui.screens.run import Run

HOSTILE = "[/foo] [red]\x1b[2J\x07\r\x9b31m\u202eabc\u200b 漢字漢字"
TEXTS = {
    "title", "text", "evidence", "advice", "prose", "shows", "costs", "loses", "contacts", "see", "do", "message",
    "summary", "instead", "source", "lock", "blocks", "tables", "ticket", "environment", "project", "name", "address",
    "reason", "detail", "what", "label", "model", "rule", "server_version", "migration", "code", "unit",
    "note",
}  # fmt: skip
ENUMS = {"what": ("go", "no_go"), "name": r.PHASES}


def hostile(value: Any, key: str = "") -> Any:
    """The same, with every text that comes from outside made hostile."""
    if isinstance(value, dict):
        return {k: hostile(v, k) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [hostile(v, key) for v in value]
    if isinstance(value, str) and key in TEXTS and value and value not in ENUMS.get(key, ()):
        return value + HOSTILE
    return value


def made_hostile(events: Sequence[e.Event]) -> list[e.Event]:
    return [e.EVENT.validate_python(hostile(event.model_dump())) for event in events]


def failing() -> list[e.Event]:
    failure = e.Failure(
        what="canceling statement due to lock timeout",
        advice="Nothing of this script is committed. See who blocks, then run again.",
        code="55P03",
        detail="CONTEXT: while locking orders",
    )
    return [
        *r.to_migrate(),
        r.ended("apply", end="failed", outcome="fail", failure=failure, advice=("See who blocks under Preflight.",)),
    ]


KEYS: list[tuple[str, ...]] = [(), ("2",), ("3",), ("g",), ("b",), ("v",), ("i",), ("p",), ("x",), ("question_mark",)]


async def test_hostile_text_is_shown_and_does_nothing(stage: Stage) -> None:
    question = e.QuestionAsked(question="q", step="target", attempt=1, text="Sure?" + HOSTILE, exact="yes")
    async with stage([*made_hostile(r.to_preflight()), *made_hostile([question])]) as (app, _, pilot):
        await r.settle(pilot, lambda: isinstance(app.screen, Confirm))
        for keys in KEYS:
            await pilot.press("escape", *keys)
            await pilot.pause()
            shown = r.screen_text(app)
            assert [ch for ch in shown if unicodedata.category(ch) in ("Cc", "Cf", "Cs") and ch != "\n"] == []
            assert "[/foo] [red]" in shown or keys in [("p",), ("question_mark",)], keys
    async with stage(made_hostile(failing())) as (app, _, pilot):
        await pilot.press("2")
        await r.settle(pilot, lambda: "[/foo] [red]␛[2J␇" in r.screen_text(app))
    async with stage(made_hostile(r.to_waiting())) as (app, _, pilot):
        await pilot.press("2")
        await r.settle(pilot, lambda: "(SELECT)[/foo] [red]␛[2J␇" in _flat(r.screen_text(app)))


def _flat(shown: str) -> str:
    return " ".join(shown.replace("│", " ").split())


async def test_who_waits_for_whom_is_seen_at_once_and_without_colours(
    opened: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with opened(r.to_waiting()) as (app, _, pilot):
        await pilot.press("2")
        await pilot.pause()
        shown = _flat(r.screen_text(app))
        for words in (
            "statement 2 of 3 · 0:01 · expected 5 ms to 40 ms",
            "20 sessions wait behind our statement, the longest for 1.1 s",
            "■ pid 4711 nightly holds it, idle in transaction (SELECT) 4:12",
            "└▶ our statement waits for ACCESS EXCLUSIVE on orders 1.4 s",
            "└ pid 4720 [red]web[/] waits behind it (ACCESS SHARE) 1.1 s",
        ):
            assert words in shown


async def test_what_is_tried_again_is_noted_where_it_stands(opened: Stage) -> None:
    data = {"label": "1 of 1  a", "note": "Try 2 came to nothing: canceling statement due to lock timeout."}
    async with opened([*r.to_migrate(), e.StepProgress(step="apply", attempt=1, data=data)]) as (app, _, pilot):
        await pilot.press("2")
        await pilot.pause()
        assert "! Try 2 came to nothing" in _flat(r.screen_text(app))


async def test_a_failure_says_what_what_to_do_and_the_servers_own_words(stage: Stage) -> None:
    async with stage(failing()) as (app, _, pilot):
        await pilot.press("2")
        await pilot.pause()
        shown = " ".join(r.screen_text(app).replace("│", " ").split())
        for words in (
            "failed",
            "lock timeout",
            "[55P03]",
            "Nothing of this script",
            "CONTEXT:",
            "Troubleshooting: See",
        ):
            assert words in shown


async def test_state_is_worded_so_that_no_colour_is_needed(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with stage(r.to_preflight()) as (app, _, pilot):
        await pilot.press("1")
        shown = r.screen_text(app)
        for words in ("PRODUCTION · PROTECTED", "✔ Backup", "▶ Preflight", "· Migrate", "⚑", "✖ NO-GO", "done, amber"):
            assert words in shown


@pytest.mark.parametrize("size", [(40, 10), (30, 8), (60, 12), (80, 11), (24, 6)])
async def test_the_smallest_terminals_still_say_phase_step_state_and_keys(opened: Stage, size: tuple[int, int]) -> None:
    async with opened(r.to_backup(), size) as (app, _, pilot):
        await pilot.pause()
        shown = " ".join(r.screen_text(app).split())
        for words in ("PRODUCTION", "▶ Backup", "WAITS FOR YOU", "s Start"):
            assert words in shown, f"{words} is missing at {size}:\n{r.screen_text(app)}"
        if size[0] >= 30:
            assert "Dump the database" in shown


async def test_at_80x24_every_line_of_a_pane_can_be_reached_by_keys(opened: Stage) -> None:
    async with opened(r.to_preflight()) as (app, _, pilot):
        await pilot.press("3", "end")
        await pilot.pause()
        assert "loses everything written since the dump" in " ".join(r.screen_text(app).replace("│", "").split())


async def test_at_80x24_all_steps_of_a_phase_and_the_words_about_no_return_are_seen(opened: Stage) -> None:
    async with opened(r.to_migrate()) as (app, _, pilot):
        await pilot.pause()
        shown = r.screen_text(app)
        for words in (
            "✔ Everything as reviewed  done · 310 ms",
            "· Row counts  waiting",
            "⚑ no return",
            "goes on running",
        ):
            assert words in shown


async def test_a_dialog_can_be_filled_in_on_a_terminal_of_ten_lines(opened: Stage) -> None:
    async with opened(r.past_preflight(), (40, 10)) as (app, _, pilot):
        await pilot.press("x")
        await r.settle(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press(*"late")
        await r.settle(pilot, lambda: "late" in r.screen_text(app))


async def test_contacts_and_advice_are_said_without_marks(stage: Stage) -> None:
    async with stage(r.to_preflight()) as (app, _, pilot):
        await pilot.press("i")
        await r.settle(pilot, lambda: "Troubleshooting" in r.screen_text(app))
        shown = [line.strip("│ ") for line in r.screen_text(app).split("\n")]
        for line in (
            *r.CONTACTS.split("\n"),
            "When you see  lock timeout",
            "→ See who blocks under Preflight, wait, run again.",
        ):
            assert line in shown


async def test_the_band_follows_protection_and_the_end(opened: Stage) -> None:
    plan = r.planned().model_copy(update={"protected": False})
    opening = r.opened(protected=False, environment="staging")
    async with opened([opening, r.started("opening")]) as (app, client, pilot):
        await r.settle(pilot, lambda: "STAGING · not protected" in r.screen_text(app))
        assert "target not read yet" in r.screen_text(app)
        band = app.screen.query_one("Band")
        assert not band.has_class("-protected")
        client.play(plan.model_copy(update={"protected": True}))
        await r.settle(pilot, lambda: band.has_class("-protected"))
        assert "STAGING · PROTECTED" in r.screen_text(app)


async def test_the_band_says_long_names_briefly_where_two_lines_do_not_hold_them(opened: Stage) -> None:
    long = r.ANA.model_copy(update={"name": "anastasia@reliability.engineering.department.example.org"})
    target = r.planned().target.model_copy(update={"address": "shop@/tmp/gonogo-p113t9mv/s:5432"})
    events = [r.opened(operator=long), r.started("opening"), r.planned().model_copy(update={"target": target})]
    for size, words in (((80, 24), ("shop@…/s:5432", "anastasia@…")), ((200, 24), (target.address, long.name))):
        async with opened(events, size) as (app, _, pilot):
            await r.settle(pilot, lambda app=app: "PG 15.8" in r.screen_text(app))
            assert app.screen.query_one("Band").size.height <= 2
            assert all(word in r.screen_text(app) for word in words)


async def test_before_the_first_record_there_is_a_screen_too(opened: Stage) -> None:
    async with opened([]) as (app, client, pilot):
        await r.settle(pilot, lambda: "waiting for the runner" in r.screen_text(app))
        await pilot.press("s", "g", "t", "w", "v", "y", "3", "2", "1", "p", "escape", "i", "escape")
        client.play(*r.to_backup())
        await r.settle(pilot, lambda: "WAITS FOR YOU" in r.screen_text(app))
        assert client.sent == []


async def test_a_question_opens_by_itself_and_wants_exactly_its_text(opened: Stage) -> None:
    asked = e.QuestionAsked(question="opening/name", step="opening", attempt=1, text="Type it.", exact="production")
    async with opened([r.opened(), r.started("opening")]) as (app, client, pilot):
        client.play(asked)
        await r.settle(pilot, lambda: isinstance(app.screen, Confirm) and app.screen.shown_at)
        for wrong, said in (
            ("Production", "That is not “production”"),
            ("", "Nothing is written here: type “production”"),
        ):
            assert isinstance(app.focused, Input)
            app.focused.value = wrong
            await pilot.press("enter")
            await r.settle(pilot, lambda said=said: said in r.screen_text(app))
            assert client.sent == []
        await pilot.press("escape")
        await r.settle(pilot, lambda: isinstance(app.screen, Run))
        await pilot.press("a")
        await r.settle(pilot, lambda: isinstance(app.screen, Confirm) and app.focused)
        await pilot.press(*"production", "enter")
        await r.settle(pilot, lambda: client.sent == [c.Answer(question="opening/name", answer="production")])


async def test_a_long_question_begins_at_its_beginning_beside_its_field_and_scrolls(opened: Stage) -> None:
    text = "\n".join(f"line {n}." for n in range(30))
    asked = e.QuestionAsked(question="dump/settle", step="dump", attempt=1, text=text, choices=("done", "failed"))
    async with opened([*r.to_backup(), r.started("dump"), asked]) as (app, _, pilot):
        for words in ("↑ ↓ scroll", "line 13.", "line 0.", "Dump the database", "Type one of"):
            await r.settle(pilot, lambda words=words: words in r.screen_text(app))
        await pilot.press(*["down"] * 30)
        await r.settle(pilot, lambda: "line 29." in r.screen_text(app))
        assert "Type one of: done, failed" in r.screen_text(app)


async def test_what_is_wrong_with_a_field_leaves_heading_and_keys_in_sight(opened: Stage) -> None:
    text, name = "\n".join(f"line {n}." for n in range(30)), "shop_production_of_the_north_and_the_south"
    asked = e.QuestionAsked(question="dump/settle", step="dump", attempt=1, text=text, exact=name)
    async with opened([*r.to_backup(), r.started("dump"), asked]) as (app, _, pilot):
        await r.settle(pilot, lambda: "↑ ↓ scroll" in r.screen_text(app))
        await pilot.press("x", "enter")
        for words in ("That is not", "or escape.", "Dump the database", "↑ ↓ scroll"):
            await r.settle(pilot, lambda words=words: words in r.screen_text(app))


async def test_a_question_that_is_settled_elsewhere_closes(opened: Stage) -> None:
    asked = e.QuestionAsked(question="dump/settle", step="dump", attempt=1, text="How?", choices=("done", "failed"))
    async with opened([*r.to_backup(), r.started("dump"), asked]) as (app, client, pilot):
        await r.settle(pilot, lambda: isinstance(app.screen, Confirm))
        client.play(e.QuestionAnswered(question="dump/settle", answer="done", by=r.ANA))
        await r.settle(pilot, lambda: isinstance(app.screen, Run))
        assert client.sent == []


BEN = e.By(name="ben@example.org", os_user="ben", host="bastion-1")


async def test_who_only_watches_is_told_and_asked_nothing(opened: Stage) -> None:
    asked = e.QuestionAsked(question="dump/settle", step="dump", attempt=1, text="How?", choices=("done", "failed"))
    there = e.FaceAttached(face="screen-1", sort="screen", pen=True, by=BEN)
    async with opened([*r.to_backup(), there, r.started("dump")]) as (app, client, pilot):
        client.has_pen = False
        client.play(asked)
        await r.settle(pilot, lambda: "WATCHING: ben@example.org has the pen since 02:03 UTC" in r.screen_text(app))
        assert isinstance(app.screen, Run)
        await pilot.press("h")
        await r.settle(pilot, lambda: isinstance(app.screen, Confirm) and app.focused)
        await pilot.press(*"Ana asked", "enter")
        await r.settle(pilot, lambda: client.sent == [c.TakePen(reason="Ana asked")])
        client.play(e.FaceDetached(face="screen-1"))
        await r.settle(pilot, lambda: "WATCHING: nobody has the pen" in r.screen_text(app))
        await pilot.press("h")
        await r.settle(pilot, lambda: client.sent[1:] == [c.TakePen(reason="")])


async def test_what_happened_meanwhile_is_told_once_and_before_a_question(opened: Stage) -> None:
    asked = e.QuestionAsked(question="dump/settle", step="dump", attempt=1, text="How?", choices=("done", "failed"))
    line = Happening(7, "2026-01-31T02:05:00.000000Z", "[b]Ben[/b] left")
    async with opened([*r.to_backup(), r.started("dump")]) as (app, client, pilot):
        client.meanwhile = Told(3, "2026-01-31T02:04:00.000000Z", "when you left", (line,))
        client.play(asked)
        await r.settle(pilot, lambda: "[b]Ben[/b] left" in r.screen_text(app))
        assert "Since you last looked: 2026-01-31 02:04:00 UTC" in r.screen_text(app)
        await r.settle(pilot, lambda: isinstance(app.screen, Confirm) and app.screen.shown_at)
        await pilot.press("escape")
        await r.settle(pilot, lambda: "How?" in r.screen_text(app) and isinstance(app.screen, Confirm))
        await pilot.press("escape")
        await r.settle(pilot, lambda: isinstance(app.screen, Run))
        assert client.sent == []


async def test_who_loses_the_pen_is_told_on_the_spot_by_whom_and_why(opened: Stage) -> None:
    async with opened([*r.to_backup(), r.started("dump")]) as (app, client, pilot):
        client.has_pen = False
        client.play(e.PenTaken(face="screen-2", from_face="screen-1", reason="[b]shift[/b] over", by=BEN))
        await r.settle(pilot, lambda: len(app._notifications) == 1)
        (told,) = app._notifications
        assert told.title == "ben@example.org took the pen" and told.message.startswith("[b]shift[/b] over\n")


async def test_what_could_not_be_signed_is_told_once(opened: Stage) -> None:
    async with opened(r.to_backup()) as (app, client, pilot):
        client.play(progress(Unsigned(record=4, why="go-backup", reason="No agent [b]holds[/b] the key.")))
        await r.settle(pilot, lambda: app._notifications)
        client.play(r.started("dump"))
        await r.settle(pilot, lambda: app._drawn and app._drawn[0] == client.view.seq)
        (told,) = app._notifications
        assert told.title == "Record 4 was not signed" and told.message.startswith("No agent [b]holds[/b] the key.\n")


async def test_a_runner_that_is_gone_is_said(opened: Stage) -> None:
    async with opened(r.to_migrate()) as (app, client, pilot):
        client.leave()
        await r.settle(pilot, lambda: "RUNNER GONE" in r.screen_text(app))


class Ringing(GonogoApp):
    """Counts what a terminal would hear."""

    rung = 0

    def bell(self) -> None:
        self.rung += 1


async def test_the_bell_rings_once_for_each_thing_that_waits(tmp_path: Path) -> None:
    client = r.Recorded(tmp_path, *r.to_backup()[:-1])
    app = Ringing(client, clock=r.clock)
    async with app.run_test() as pilot:
        app.announce()
        assert app.rung == 0
        client.play(*r.to_backup()[-1:])
        for _ in range(3):
            app.announce()
        assert app.rung == 1
        client.play(r.started("dump"))
        app.announce()
        assert app.rung == 1
        client.play(r.ended("dump", end="failed", outcome="fail"))
        app.announce()
        assert app.rung == 2
        await pilot.pause()


async def test_y_copies_one_line_with_the_record_that_says_so(opened: Stage) -> None:
    async with opened(r.to_preflight()) as (app, _, pilot):
        await pilot.press("y")
        await pilot.pause()
        assert app.clipboard.startswith(
            "CHG-4821 · production · orders@db-1.prod:5432 · Preflight · NO-GO: Other sessions are visible: "
        )
        assert app.clipboard.endswith(f"record {app.view.seq} {app.view.head[:12]}")


async def test_a_choice_made_by_hand_stays_while_the_session_goes_on(stage: Stage) -> None:
    async with stage(r.to_migrate()) as (app, client, pilot):
        await pilot.press("1", "up")
        client.play(e.StepOutput(step="apply", attempt=1, stream="out", text="more\n"))
        await r.settle(pilot, lambda: app.screen.query_one("#detail").border_title == "Everything as reviewed")
        client.play(r.ended("apply"), r.started("counts"), r.ended("counts"))
        await pilot.pause()
        assert app.screen.query_one("#detail").border_title == "Everything as reviewed"
        client.play(r.ticked("traffic"), r.ticked("watch"), *r.went("migrate", "verify"))
        await r.settle(pilot, lambda: "schema" in str(app.screen.query_one("#detail").border_title))


def test_printable_keeps_length_and_leaves_ordinary_text_alone() -> None:
    for text in (HOSTILE, "plain", "a\tb\nc", "漢字 ä é", "\ud800\udfff", "".join(map(chr, range(0x2100)))):
        shown = printable(text)
        assert len(shown) == len(text)
        assert not any(unicodedata.category(ch) in ("Cc", "Cf", "Cs") for ch in shown if ch not in "\n\t")
        shown.encode()
    assert printable("a\tb\n漢字 ä") == "a\tb\n漢字 ä"
