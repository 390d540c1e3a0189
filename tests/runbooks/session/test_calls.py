"""Contacts: the order in which people are called, when it is the next one's turn, and the record of it."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from runbooks.document import read_runbook
from runbooks.faces.headless_told import HeadlessTold
from runbooks.report.markdown import transcript
from runbooks.running.said import Refused, said
from runbooks.session import commands as c
from runbooks.session import events as e
from runbooks.session.calls import turn_now, turns
from runbooks.session.runbook import PHASES, Contact
from runbooks.session.view import RunView, fold
from runbooks.settings.faults import DocumentError
from runbooks.steps import catalogue
from tests.runbooks.conftest import ANA, book, opening
from tests.runbooks.transcript_records import recorded

MINUTE = 60_000_000
PEOPLE = (
    Contact(who="Ana", how="+1", wait=10 * MINUTE),
    Contact(who="Bea", how="+2", wait=5 * MINUTE),
    Contact(who="Cem", how="+3"),
)
BOOK = book().model_copy(update={"people": PEOPLE})
START = datetime(2026, 1, 31, 2, 0, tzinfo=UTC)


def called(number: int, came: str = "") -> e.ItemTicked:
    return e.ItemTicked(item=f"contact/{number}", state="done", evidence=came, by=ANA)


def view_of(*calls: tuple[int, int]) -> RunView:
    """A session in which contacts were called, each some minutes after its start."""
    told = [(0, opening(runbook=BOOK)), *((after, called(number)) for number, after in calls)]
    return fold((n, (START + timedelta(minutes=at)).isoformat(), event) for n, (at, event) in enumerate(told))


@pytest.mark.parametrize(
    ("calls", "minutes", "states", "due"),
    [
        ((), 90, "now later later", None),
        (((1, 2),), 11, "called later later", None),
        (((1, 2),), 12, "called now later", 12),
        (((1, 2),), 30, "called now later", 12),
        (((1, 2), (1, 9)), 12, "called now later", 12),
        (((1, 2), (2, 20)), 24, "called called later", None),
        (((1, 2), (2, 20)), 25, "called called now", 25),
        (((2, 2),), 7, "passed called now", 7),
        (((1, 2), (2, 20), (3, 26)), 90, "called called called", None),
    ],
)
def test_the_next_ones_turn_comes_when_the_one_before_was_waited_for(
    calls: tuple[tuple[int, int], ...], minutes: int, states: str, due: int | None
) -> None:
    now, view = START + timedelta(minutes=minutes), view_of(*calls)
    assert " ".join(turn.state for turn in turns(view, now)) == states
    turn = turn_now(view, now)
    assert (turn.due if turn else None) == (None if due is None else START + timedelta(minutes=due))
    assert not view.items


def test_once_somebody_was_reached_it_is_nobodys_turn() -> None:
    reached = called(1).model_copy(update={"reason": "reached"})
    events = [(0, opening(runbook=BOOK)), (2, reached)]
    view = fold((n, (START + timedelta(minutes=at)).isoformat(), event) for n, (at, event) in enumerate(events))
    assert turn_now(view, START + timedelta(hours=3)) is None


@pytest.mark.parametrize(
    ("item", "state"), [("contact/4", "done"), ("contact/x", "done"), ("contact/1", "not_applicable")]
)
def test_only_who_stands_there_is_noted(item: str, state: str) -> None:
    with pytest.raises(Refused, match="no contact"):
        said(view_of(), c.Tick.model_validate({"item": item, "state": state, "reason": "no"}), ANA)


def test_a_call_is_noted_at_any_time_and_told_as_one() -> None:
    event = said(view_of(), c.Tick(item="contact/2", evidence="no answer"), ANA)
    events = [opening(runbook=BOOK), event]
    assert "☎ called `Bea`, `+2`: `no answer`, by `ana@example.org`" in transcript(recorded(events))
    told = HeadlessTold()
    assert [line for one in events for line in told.lines(one)][-1] == "☎ called Bea, +2: no answer"


TABLE = "| who | how | wait |\n|---|---|---|\n"


@pytest.mark.parametrize(
    ("contacts", "fault"),
    [
        (TABLE + "| Ana | +1 | 10m |\n| Bea | +2 | |", ""),
        ("| when | where |\n|---|---|\n| night | desk |", ""),
        (TABLE + "| Ana | +1 | |\n| Bea | +2 | 5m |", "the wait `` cannot be read"),
        (TABLE + "| Ana | | 5m |", "the cell `how` is empty"),
        ("| who | number | wait |\n|---|---|---|\n| Ana | +1 | 5m |", "the columns are `who | number | wait`"),
    ],
)
def test_the_table_is_read_and_other_tables_are_text(contacts: str, fault: str) -> None:
    text = "".join(f"## {name.capitalize()}\n\n" for name in PHASES) + f"## Contacts\n\nFirst look.\n\n{contacts}\n"
    if fault:
        with pytest.raises(DocumentError, match=re.escape(fault)):
            read_runbook(text, catalogue=catalogue())
        return
    read = read_runbook(text, catalogue=catalogue())
    assert read.contacts.startswith("First look.")
    assert read.people == (
        (Contact(who="Ana", how="+1", wait=10 * MINUTE), Contact(who="Bea", how="+2")) if "who" in contacts else ()
    )
    assert ("night" in read.contacts) == ("night" in contacts) and "+1" not in read.contacts
