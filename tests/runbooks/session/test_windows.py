"""Maintenance windows: how they are read, when they are open, and what they hold up."""

from datetime import UTC, datetime, timedelta

import pytest

from migrations.problem import Misuse
from runbooks.faces.launch import windows_of
from runbooks.running.window import window_told
from runbooks.session import events as e
from runbooks.session.fitting import fit
from runbooks.session.runbook import Option, Step
from runbooks.session.view import RunView, advance, as_of
from runbooks.session.windows import _around, read_window, standing
from tests.runbooks.session.test_gates import BY, at, runbook
from tui.way_back import window_rows

BERLIN = "Europe/Berlin"


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("window", "now", "words"),
    [
        # 21 November 2026 is a Saturday; Berlin is an hour ahead of UTC in winter, two in summer.
        (f"Sat 02:00-06:00 {BERLIN}", "2026-11-21 00:59:59", "opens Sat 2026-11-21 02:00 CET, in under a minute"),
        (f"Sat 02:00-06:00 {BERLIN}", "2026-11-21 01:00", "4 h 0 min left, until Sat 2026-11-21 06:00 CET"),
        (f"Sat 02:00-06:00 {BERLIN}", "2026-11-21 04:59", "1 min left, until Sat 2026-11-21 06:00 CET"),
        (f"sat 02:00-06:00 {BERLIN}", "2026-11-21 05:00", "opens Sat 2026-11-28 02:00 CET, in 6 d 20 h"),
        ("Fri-Mon 22:00-02:00 UTC", "2026-11-24 01:00", "1 h 0 min left, until Tue 2026-11-24 02:00 UTC"),
        ("Fri,Sun 23:00-24:00 UTC", "2026-11-21 00:00", "opens Sun 2026-11-22 23:00 UTC, in 1 d 23 h"),
        ("daily 01:00-03:00 UTC", "2026-11-21 02:30", "30 min left, until Sat 2026-11-21 03:00 UTC"),
        ("2026-11-22 22:00-02:00 UTC", "2026-11-23 01:00", "1 h 0 min left, until Mon 2026-11-23 02:00 UTC"),
        ("2026-11-22 22:00 - 2026-11-25 02:00 UTC", "2026-11-24 12:00", "14 h 0 min left, until Wed 2026-11-25"),
        ("daily 00:00-24:00 UTC", "2026-11-21 12:00", "open for two weeks and more"),
        ("2026-11-20 22:00-23:00 UTC", "2026-11-21 12:00", "closed since Fri 2026-11-20 23:00 UTC, does not open any"),
        ("2027-11-20 22:00-23:00 UTC", "2026-11-21 12:00", "opens Sat 2027-11-20 22:00 UTC, in 364 d 10 h"),
        # Summer ends: 02:00 to 03:00 comes twice, and is open for as long as the wall says so, from its first time on.
        (f"Sun 02:00-04:00 {BERLIN}", "2026-10-25 00:00", "3 h 0 min left, until Sun 2026-10-25 04:00 CET"),
        (f"Sun 01:00-02:30 {BERLIN}", "2026-10-25 00:29", "1 min left, until Sun 2026-10-25 02:30 CEST"),
        (f"Sun 01:00-02:30 {BERLIN}", "2026-10-25 00:30", "opens Sun 2026-11-01 01:00 CET"),
        # Summer begins: 02:00 to 03:00 never comes.
        (f"Sun 01:00-04:00 {BERLIN}", "2026-03-29 00:00", "2 h 0 min left, until Sun 2026-03-29 04:00 CEST"),
        (f"Sun 02:00-03:00 {BERLIN}", "2026-03-29 01:00", "opens Sun 2026-04-05 02:00 CEST"),
    ],
)
def test_the_wall_clock_of_its_place_says_when_a_window_is_open(window: str, now: str, words: str) -> None:
    found = standing(((window,),), moment(now))
    assert words in found.words and bool(found.now) == (" left, " in words or "open for" in words)


def test_windows_of_one_place_are_united_and_those_of_two_must_both_be_open() -> None:
    night = ("Sat 22:00-24:00 UTC", "Sun 00:00-06:00 UTC", "Sun 05:00-07:00 UTC")
    assert "9 h 0 min left" in standing((night,), moment("2026-11-21 22:00")).words
    both = standing((night, ("2026-11-21 23:00-03:00 UTC",)), moment("2026-11-21 22:30"))
    assert both.now is None and "opens Sat 2026-11-21 23:00" in both.words
    assert "4 h 0 min left" in standing((night, ("2026-11-21 23:00-03:00 UTC",)), moment("2026-11-21 23:00")).words
    far = standing((night, ("2027-05-02 01:00-02:00 UTC",)), moment("2026-11-21 22:30"))
    assert "opens Sun 2027-05-02 01:00" in far.words
    assert "2999-05-05 01:00" in standing((night, ("2999-05-05 01:00-02:00 UTC",)), moment("2026-11-21 22:30")).words
    daily, days = read_window("daily 01:00-02:00 UTC"), (moment("2026-11-21 22:30"), moment("2999-05-05 01:00"))
    assert len(list(_around(daily, days))) < 60, "a thousand years are not counted day by day"
    never = standing((night, ("2027-05-03 08:00-09:00 UTC",)), moment("2026-11-21 22:30"))
    assert never.words == "does not open" and never.next is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "has not the form"),
        ("Sat 2:00-6:00 UTC", "has not the form"),
        ("Sat 02:00-06:00", "has not the form"),
        ("Sat 02:00-24:30 UTC", "24 hours"),
        ("Sat 24:00-02:00 UTC", "24 hours"),
        ("Sam 02:00-06:00 UTC", "Sam is no day of the week"),
        ("Sat 02:00-06:00 Europe/Berln", "no time zone Europe/Berln"),
        ("Sat 02:00-06:00 ../../etc/passwd", "no time zone"),
        ("2026-02-30 02:00-06:00 UTC", "no day 2026-02-30"),
        ("9999-12-31 22:00-02:00 UTC", "nobody plans for the year 9999"),
        ("2026-11-22 02:00 - 2026-11-21 06:00 UTC", "ends before it begins"),
        ("Sat 02:00 - 2026-11-21 06:00 UTC", "only a date is followed by a date"),
    ],
)
def test_what_can_be_read_in_two_ways_is_no_window(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_window(text)


# At the hold point ----------------------------------------------------------------------------


APPLY = Step(id="apply", title="Apply", uses="migrations.apply", effect="target")
SIDE = Step(id="side", title="Restore", uses="restore.side", effect="outside")
PHASES_WITH_APPLY = tuple(
    phase.model_copy(update={"steps": (APPLY,)}) if phase.name == "migrate" else phase for phase in runbook().phases
)
BOOK = runbook().model_copy(
    update={"phases": PHASES_WITH_APPLY, "options": (Option(id="restore", title="Restore", steps=(SIDE,)),)}
)


def session(phase: str, *windows: str, took: dict[str, int] | None = None) -> RunView:
    """A session of the gates' runbook at 2026-01-01 00:00 UTC, a Thursday."""
    view = at(phase)
    assert view.opened is not None
    previous = e.Previous(session="s", head="", took={k: e.Took(session="s", us=v) for k, v in (took or {}).items()})
    opened = view.opened.model_copy(update={"windows": (windows,), "previous": previous, "runbook": BOOK})
    return advance(advance(view, 0, view.at, opened), 1, view.at, e.PhaseOpened(phase=phase))  # type: ignore[arg-type]


def held(view: RunView) -> tuple[str, str, bool] | None:
    return next(((h.outcome, h.words, h.waivable) for h in view.gate.holds if h.kind == "window"), None)


SHUT, OPEN, SHORT = "Thu 02:00-03:00 UTC", "Thu 00:00-02:00 UTC", "Thu 00:00-00:10 UTC"


def test_outside_of_it_migrate_is_not_entered_unless_in_writing_and_nothing_else_is_held_up() -> None:
    found = held(session("preflight", SHUT))
    assert found is not None and found[0] == "fail" and found[2]
    assert found[1].startswith("outside of the maintenance window: ") and "opens Thu 2026-01-01 02:00" in found[1]
    assert held(session("preflight", OPEN)) is None
    for phase in ("backup", "migrate", "verify", "smoke"):
        assert held(session(phase, SHUT)) is None, phase
    waiver = e.Waived(subject="window", outcome="fail", reason="the customer is down anyway", by=BY)
    assert held(advance(session("preflight", SHUT), 2, "2026-01-01T00:00:09.000000Z", waiver)) is None


def test_what_does_not_fit_any_more_is_amber_and_a_waiver_of_that_covers_no_shut_window() -> None:
    view = session("preflight", SHORT, took={"apply": 8 * 60_000_000, "side": 3 * 60_000_000})
    found = held(view)
    assert found is not None and found[0] == "warn" and "too little is left" in found[1]
    assert "what comes takes about 8 min; the way back takes about 3 min (Restore)" in found[1]
    short = held(session("preflight", SHORT, took={"apply": 12 * 60_000_000, "side": 1_000_000}))
    assert short is not None and "the way back takes under a minute (Restore)" in short[1]
    assert held(session("preflight", OPEN, took={"apply": 8 * 60_000_000})) is None
    waiver = e.Waived(subject="window", outcome="warn", reason="we know", by=BY)
    assert held(advance(view, 2, view.at, waiver)) is None
    later = advance(view, 2, "2026-01-01T00:10:00.000000Z", waiver)
    assert held(later) is not None


def test_a_restore_that_was_tried_says_how_long_the_way_back_takes() -> None:
    view = session("preflight", SHORT, took={"apply": 8 * 60_000_000})
    tried = Step(id="dump", title="Try", uses="backup.restore_test", effect="outside")
    assert view.opened is not None
    backup = BOOK.phases[0].model_copy(update={"steps": (tried,)})
    book = BOOK.model_copy(update={"phases": (backup, *BOOK.phases[1:])})
    view = advance(view, 2, view.at, view.opened.model_copy(update={"runbook": book}))
    view = advance(view, 3, view.at, e.PhaseOpened(phase="preflight"))
    result = {"restored_us": 5 * 60_000_000}
    done = e.StepEnded(step="dump", attempt=1, end="done", outcome="ok", result=result)  # type: ignore[arg-type]
    found = held(advance(view, 4, view.at, done))
    assert found is not None and "the way back takes about 5 min (Restore)" in found[1]


def test_the_server_s_clock_decides() -> None:
    view = session("preflight", SHUT)
    ahead = int(timedelta(hours=2, minutes=30) / timedelta(microseconds=1))
    moved = advance(view, 2, view.at, e.StepProgress(step="window", attempt=1, data={"ahead": ahead}))
    found = fit(moved)
    assert found is not None and held(moved) is None and "29 min left" in found.window.words
    told = window_told(view, "go-preflight", ahead, 900)
    assert (told.data["ahead"], told.data["within"], told.data["why"]) == (ahead, 900, "go-preflight")


def test_a_window_that_cannot_be_read_any_more_is_shut() -> None:
    found = held(session("preflight", "Thu 00:00-02:00 Nowhere/Atlantis"))
    assert found is not None and "cannot be read here: this machine knows no time zone" in found[1]


def test_a_window_of_the_command_line_is_read_before_anything_begins() -> None:
    assert windows_of(("daily 01:00-02:00 UTC",)) == ("daily 01:00-02:00 UTC",)
    with pytest.raises(Misuse, match="--window tonight: it has not the form"):
        windows_of(("tonight",))


# On the screen --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phase", "window", "words"),
    [
        (
            "preflight",
            OPEN,
            "◷ window: 1 h 59 min left, until Thu 2026-01-01 02:00 UTC; how long what comes and the way back will take",
        ),
        ("preflight", SHUT, "◷ window: opens Thu 2026-01-01 02:00 UTC, in 1 h 59 min; "),
        ("migrate", "Wed 22:00-23:00 UTC", "Finish, or go back: nothing is stopped by it"),
    ],
)
def test_what_is_left_stands_beside_go(phase: str, window: str, words: str) -> None:
    (row,) = window_rows(session(phase, window))
    assert words in f"{row.head.plain}{row.body.plain}"


def test_the_screen_lets_a_window_open_without_a_record() -> None:
    view = session("preflight", SHUT)
    later = as_of(view, moment("2026-01-01 02:00:01"))
    assert held(view) is not None and held(later) is None
    assert as_of(view, moment("2025-12-31 00:00")).at == view.at
