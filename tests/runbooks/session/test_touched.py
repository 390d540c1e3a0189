"""The tables that scripts alter, and that nothing of Verify, Deploy and Smoke has looked at."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from migrations.sql import read_script
from migrations.sql.altered import altered
from runbooks.document import read_runbook
from runbooks.report.facts import gather
from runbooks.report.markdown import transcript
from runbooks.session import events as e
from runbooks.session.runbook import PHASES, Item, Step
from runbooks.session.touched import untouched
from runbooks.session.view import fold
from runbooks.settings.faults import DocumentError
from runbooks.steps import catalogue
from tests.runbooks.conftest import book_of, opening, the_plan
from tests.runbooks.session.test_gates import BY, ended, started
from tests.runbooks.transcript_records import recorded
from tests.tui import recorded as r
from tui.way_back import untouched_rows


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ('CREATE TABLE "User" (id int); CREATE TEMPORARY TABLE t (id int); INSERT INTO t VALUES (1);', ['"User"']),
        ("ALTER TABLE shop.orders ADD COLUMN note text; UPDATE orders SET note = '';", ["shop.orders", "orders"]),
        ("CREATE INDEX i ON orders (id); COMMENT ON TABLE orders IS 'x'; SELECT * FROM customers;", []),
        ("ALTER TABLE a ADD COLUMN x int; ALTER TABLE a RENAME TO b;", ["b"]),
        ("ALTER TABLE a RENAME COLUMN x TO y; ALTER TABLE b ADD COLUMN x int; DROP TABLE b;", ["a"]),
        ("DELETE FROM a; TRUNCATE b; ALTER TABLE c SET SCHEMA old;", ["a", "b", "old.c"]),
    ],
)
def test_what_a_script_alters(sql: str, tables: list[str]) -> None:
    statements = read_script(sql).statements
    assert [str(name) for name in altered(action for one in statements for action in one.actions)] == tables


LIST = Step(id="list", title="Orders are listed", uses="http.check", effect="reads", touches=("orders",))
SEEN = Item(id="seen", text="Customers look right", touches=("shop.customers",))
PROVEN = Item(id="proven", text="Notes are there", proved_by="list", touches=("notes",))
BOOK = book_of(smoke=(LIST, SEEN, PROVEN))
GREEN = (started(LIST), ended(LIST))
ALL = ["shop.orders", "customers", "other.customers", "notes"]


def done(state: str) -> e.ItemTicked:
    return e.ItemTicked.model_validate({"item": "seen", "state": state, "by": BY})


@pytest.mark.parametrize(
    ("events", "left"),
    [
        ((), ALL),
        (GREEN, ["customers", "other.customers"]),
        ((started(LIST), ended(LIST, outcome="warn")), ["customers", "other.customers", "notes"]),
        ((started(LIST), ended(LIST, outcome="fail")), ALL),
        ((*GREEN, started(LIST, 2), ended(LIST, "failed", "fail", 2)), ALL),
        ((done("done"),), ["shop.orders", "other.customers", "notes"]),
        ((done("done"), done("not_applicable")), ALL),
        ((*GREEN, done("done")), ["other.customers"]),
    ],
)
def test_what_is_left_is_told_at_smokes_hold_point_and_in_the_transcript(
    events: Sequence[e.Event], left: list[str]
) -> None:
    plan = the_plan().model_copy(update={"altered": tuple(ALL)})
    whole = [opening(runbook=BOOK), plan, e.PhaseOpened(phase="smoke"), *events]
    view = fold((n, f"2026-01-01T00:00:{n:02d}.000000Z", event) for n, event in enumerate(whole))
    assert untouched(view) == gather(recorded(whole)).untouched == left
    assert ", ".join(left) in next(untouched_rows(view)).body.plain
    assert f"`{left[0]}`" in next(line for line in transcript(recorded(whole)).splitlines() if "| Not touched" in line)


def test_before_smoke_nothing_is_said_of_it() -> None:
    view = r.Recorded(Path(), *r.to_migrate()).view
    assert list(untouched_rows(view)) == []


@pytest.mark.parametrize(
    ("smoke", "preflight", "fault"),
    [
        ('```sh run id="x" touches="orders, shop.customers"\ntrue\n```', "", ""),
        ('```toml step\nuses = "target.inspect"\ntouches = "orders"\n```', "", "`touches` is not right"),
        ("", "- [ ] Look <!-- id=look touches=orders -->", "`touches` of look stands where no table is altered"),
    ],
)
def test_touches_names_tables_once_they_are_altered(smoke: str, preflight: str, fault: str) -> None:
    filled = {"smoke": smoke, "preflight": preflight}
    text = "".join(f"## {name.capitalize()}\n\n{filled.get(name, '')}\n\n" for name in PHASES)
    if not fault:
        assert next(read_runbook(text, catalogue=catalogue()).steps()).touches == ("orders", "shop.customers")
        return
    with pytest.raises(DocumentError, match=re.escape(fault)):
        read_runbook(text, catalogue=catalogue())
