"""Items that a step proves: ticked by its result as it stands, in nobody's name."""

import re
from collections.abc import Sequence

import pytest

from migrations.problem import Misuse
from runbooks.document import read_runbook
from runbooks.faces.answers import Answers, check_answers
from runbooks.faces.headless_told import HeadlessTold
from runbooks.report.markdown import transcript
from runbooks.running.said import Refused, said
from runbooks.session import commands as c
from runbooks.session import events as e
from runbooks.session.runbook import PHASES, Item
from runbooks.session.view import RunView, fold
from runbooks.settings.faults import DocumentError
from runbooks.steps import catalogue
from tests.runbooks.conftest import book_of, opening
from tests.runbooks.session.test_gates import BY, LOOK, OPENED, ended, plan, started
from tests.runbooks.transcript_records import recorded
from tui.widgets.hold_pane import item_row

SEEN = Item(id="seen", text="The target was looked at", proved_by="look", required=True)
BOOK = book_of(preflight=(LOOK, SEEN))
GREEN = (started(LOOK), ended(LOOK))
AMBER = (started(LOOK, 2), ended(LOOK, outcome="warn", attempt=2))


def events_of(*events: e.Event) -> list[e.Event]:
    return [OPENED.model_copy(update={"runbook": BOOK}), plan(), e.PhaseOpened(phase="preflight"), *events]


def view_of(*events: e.Event) -> RunView:
    return fold((n, f"2026-01-01T00:00:{n:02d}.000000Z", event) for n, event in enumerate(events_of(*events)))


@pytest.mark.parametrize(
    ("events", "proven"),
    [
        ((), False),
        (GREEN, True),
        ((started(LOOK), ended(LOOK, "failed", "fail")), False),
        (AMBER, False),
        ((*GREEN, started(LOOK, 2)), False),
        ((*GREEN, *AMBER), False),
        ((*GREEN, *AMBER, started(LOOK, 3), ended(LOOK, attempt=3)), True),
    ],
)
def test_it_is_ticked_by_what_the_step_came_to_the_last_time(events: Sequence[e.Event], proven: bool) -> None:
    view = view_of(*events)
    assert (view.proof(SEEN) is not None) == proven
    assert ("seen" not in {hold.subject for hold in view.gate.holds}) == proven
    assert view.items == {}


def test_no_person_ticks_it_and_the_screen_says_who_did() -> None:
    with pytest.raises(Refused, match="proven by look"):
        said(view_of(), c.Tick(item="seen"), BY)
    with pytest.raises(Misuse, match="which the step look proves"):
        check_answers(Answers.model_validate({"items": {"seen": True}}), BOOK)
    assert "proven by Look, 00:00 UTC" in item_row(view_of(*GREEN), SEEN).body.plain
    assert "to be proven by Look" in item_row(view_of(), SEEN).body.plain


def test_every_face_and_the_transcript_say_that_the_step_did_it() -> None:
    told = HeadlessTold()
    lines = [line for event in events_of(*GREEN, *AMBER) for line in told.lines(event)]
    assert [line.strip() for line in lines if "seen" in line] == ["☑ proven: seen", "☐ not proven any more: seen"]
    parts = recorded([opening(runbook=BOOK), *events_of(*GREEN, *AMBER)[1:]])
    shown = transcript(parts)
    assert "- ☑ proven by this step: The target was looked at (`seen`) [#4]" in shown
    assert "- ☐ not proven any more: The target was looked at (`seen`) [#6]" in shown


FIRST = '```toml step\nid = "look"\nuses = "target.inspect"\n```\n\n'


@pytest.mark.parametrize(
    ("backup", "preflight", "fault"),
    [
        (FIRST, "- [ ] Seen <!-- proved_by=look -->", ""),
        (FIRST + "- [ ] Seen <!-- proved_by=look -->", "", ""),
        ("- [ ] Seen <!-- proved_by=look -->", FIRST, "names a step that comes later"),
        ("- [ ] Seen <!-- proved_by=lok -->\n\n" + FIRST, "", "names no step; expected `look`"),
        (FIRST, '- [ ] Seen <!-- proved_by=look evidence="by whom" -->', "stands beside `evidence`"),
        ("### When rewrite\n\n" + FIRST, "- [ ] Seen <!-- proved_by=look -->", "under `When rewrite` only"),
        (FIRST, "### When rewrite\n\n- [ ] Seen <!-- proved_by=look -->", ""),
    ],
)
def test_the_step_has_run_by_the_time_that_the_item_is_asked_for(backup: str, preflight: str, fault: str) -> None:
    filled = {"backup": backup, "preflight": preflight}
    text = "".join(f"## {name.capitalize()}\n\n{filled.get(name, '')}\n\n" for name in PHASES)
    if not fault:
        read_runbook(text, catalogue=catalogue())
        return
    with pytest.raises(DocumentError, match=re.escape(fault)):
        read_runbook(text, catalogue=catalogue())
