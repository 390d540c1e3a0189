"""What stands beside a question: the findings and estimates of the plan, on every face and in the record."""

from dataclasses import replace

import pytest

from runbooks.document import DocumentError, read_runbook
from runbooks.report.item_facts import SHOWN, facts_of
from runbooks.report.markdown import transcript
from runbooks.running.said import said
from runbooks.session import commands as c
from runbooks.session import events as e
from runbooks.session.runbook import About, Item
from runbooks.session.view import RunView, advance, fold
from runbooks.steps import catalogue
from tests.runbooks.planning.test_planning import migration, orders, plan, target_with
from tests.runbooks.session.test_gates import BY, OPENED
from tests.runbooks.transcript_records import recorded
from tui.widgets.hold_pane import fact_rows, item_row

KNOWN = target_with(orders())
INDEX = migration("CREATE INDEX ON orders (c);", "1_index")
DROP = replace(migration("ALTER TABLE orders DROP COLUMN c;", "2_drop"), rollback_text=b"from the dump")
CODE = migration("CALL tidy();", "3_code")
SMALL = migration("CREATE TABLE fresh (c int);", "4_new")
ITEM = Item(id="downtime", text="How long are we down?", evidence="in words", facts="downtime", required=True)


def view(made: e.PlanMade, *items: Item) -> RunView:
    phases = tuple(
        phase.model_copy(update={"items": items, "steps": ()}) if phase.name == "preflight" else phase
        for phase in OPENED.runbook.phases
    )
    opened = OPENED.model_copy(update={"runbook": OPENED.runbook.model_copy(update={"phases": phases})})
    events = (opened, made, e.PhaseOpened(phase="preflight"))
    return fold((n, f"2026-01-01T00:00:{n:02d}.000000Z", event) for n, event in enumerate(events))


@pytest.mark.parametrize(
    ("about", "words"),
    [
        (
            "performance",
            ["1_index, line 1: SHARE on orders, blocks writes, builds an index: ", "orders: 40 million rows"],
        ),
        ("downtime", ["1_index, line 1: SHARE on orders, blocks writes", "2_drop, line 1: ACCESS EXCLUSIVE on orders"]),
        ("loss", ["2_drop, line 1: stop column-drop", "2_drop is undone by rollback.md"]),
    ],
)
def test_each_question_has_its_facts_the_worst_first(about: About, words: list[str]) -> None:
    facts = facts_of(view(plan(INDEX, DROP, CODE, known=KNOWN)), about)
    places = [next(n for n, fact in enumerate(facts) if fact.startswith(word)) for word in words]
    assert places == sorted(places) and facts[-1] == "not analysed, so nothing is known of it: 3_code, line 1"


def test_what_nothing_is_known_to_do_is_said_and_many_are_counted() -> None:
    quiet = view(plan(SMALL))
    assert facts_of(quiet, "performance")[0].startswith("no pending statement is known to read")
    assert facts_of(quiet, "downtime")[0].startswith("no pending statement is known to keep others")
    assert facts_of(quiet, "loss") == ("no pending statement is known to lose data",)
    assert facts_of(quiet, None) == ()
    many = migration("".join(f"DROP TABLE t{n};" for n in range(SHOWN + 3)))
    assert "and 3 statements that lose data more" in facts_of(view(plan(many)), "loss")


def test_what_stood_beside_the_question_is_recorded_with_the_answer() -> None:
    asked = view(plan(INDEX, known=KNOWN), ITEM)
    tick = said(asked, c.Tick(item="downtime", evidence="writes wait for a minute, agreed with sales"), BY)
    assert isinstance(tick, e.ItemTicked) and tick.facts == facts_of(asked, "downtime") != ()
    shown = "".join(f"{row.head.plain}{row.body.plain}" for row in (item_row(asked, ITEM), *fact_rows(asked, ITEM)))
    assert f"beside it: {len(tick.facts)} fact" in shown and "· 1_index, line 1: SHARE on orders" in shown
    ticked = advance(asked, 4, asked.at, tick)
    assert not [hold for hold in ticked.gate.holds if hold.kind == "item"]
    text = transcript(recorded([asked.opened, asked.plan, e.PhaseOpened(phase="preflight"), tick]))
    assert "; beside it stood: `1_index, line 1: SHARE on orders" in text


@pytest.mark.parametrize(
    ("comment", "fault"),
    [
        ('facts=downtim evidence="how long"', "`facts=downtim` is not right; expected `downtime`"),
        ("facts=loss", "`facts` without `evidence`"),
    ],
)
def test_a_question_without_an_answer_is_none(comment: str, fault: str) -> None:
    phases = "".join(f"## {name}\n\n" for name in ("Backup", "Preflight", "Migrate", "Verify", "Deploy", "Smoke"))
    text = f"# T\n\n{phases}".replace("## Preflight\n", f"## Preflight\n\n- [ ] Down? <!-- {comment} -->\n")
    with pytest.raises(DocumentError) as caught:
        read_runbook(text, name="t", catalogue=catalogue())
    assert any(fault in str(one) for one in caught.value.faults)
