"""The order of the ways back, by what was applied; and how they went elsewhere."""

from pathlib import Path

import pytest
from pydantic import JsonValue

from runbooks.document import DocumentError, read_runbook
from runbooks.history.sessions import create_folder
from runbooks.history.tried import tried
from runbooks.journal import Journal
from runbooks.session import events as e
from runbooks.session import gates
from runbooks.session.runbook import PHASES, Item, Option, Runbook, Step
from runbooks.session.view import RunView, fold
from runbooks.session.ways_back import applied, ranked, ranking_words, way_of
from tests.runbooks.conftest import ANA, book_of, opening, the_plan

PLAN = the_plan()  # statement 0 loses data, statement 1 is not analysed
NAME = PLAN.scripts[0].migration
ADDS = PLAN.model_copy(
    update={
        "scripts": (PLAN.scripts[0].model_copy(update={"findings": (), "statements": PLAN.scripts[0].statements[:1]}),)
    }
)


def option(id: str, *uses: str, **over: object) -> Option:
    steps = tuple(Step(id=f"{id}-{n}", title=name, uses=name, effect="target") for n, name in enumerate(uses))
    return Option.model_validate({"id": id, "title": id, "steps": steps, **over})


WAYS = (
    option("back-in-time", "target.repin"),
    option("restore", "restore.side", until="deploy"),
    option("undo", "rollback.script"),
    option("old-app", way="application"),
    option("forward"),
)


def book(*applying: Step) -> Runbook:
    return book_of(*WAYS, migrate=applying)


def view(
    plan: e.PlanMade,
    *records: dict[str, JsonValue],
    phase: str = "verify",
    steps: tuple[Step, ...] = (),
    running: bool = False,
) -> RunView:
    events: list[e.Event] = [opening(runbook=book(*steps)), plan, e.PhaseOpened.model_validate({"phase": phase})]
    for step in steps:
        started = {"step": step.id, "attempt": 1, "title": "", "uses": step.uses, "effect": step.effect, "why": "start"}
        events.append(e.StepStarted.model_validate(started))
        if running:
            break
        events.append(e.StepEnded(step=step.id, attempt=1, end="failed", outcome="fail"))
    events += [e.StepProgress(step="apply", attempt=1, data={"name": NAME, **record}) for record in records]
    return fold((n, "2026-01-31T02:03:04Z", event) for n, event in enumerate(events))


def through(count: int) -> dict[str, JsonValue]:
    return {"event": "Through", "through": count}


COMMITTING: dict[str, JsonValue] = {"event": "Committing"}


def order(found: RunView) -> list[str]:
    return [one.option.id for one in ranked(found)]


def test_the_kind_of_a_way_is_told_from_its_steps() -> None:
    assert [way_of(one) for one in WAYS] == ["point-in-time", "restore", "script", "application", "forward"]


def test_additive_goes_forward_first_and_destructive_restores_first() -> None:
    added = view(ADDS, COMMITTING, through(1))
    assert applied(added).extent == "additive"
    assert order(added) == ["forward", "old-app", "undo", "restore", "back-in-time"]
    lost = view(PLAN, COMMITTING, through(2))
    assert applied(lost).extent == "destructive" and "line 1: loses data" in applied(lost).words
    assert order(lost) == ["restore", "back-in-time", "undo", "forward", "old-app"]
    assert ranking_words(lost, "forward").startswith("4 of 5: it can give back the shape")
    assert "; first comes restore. Data was lost" in ranking_words(lost, "forward")


def test_a_loss_that_was_not_reached_does_not_count() -> None:
    script = PLAN.scripts[0]
    later = script.findings[0].model_copy(update={"statement": 1})
    plan = PLAN.model_copy(update={"scripts": (script.model_copy(update={"findings": (later,)}),)})
    assert applied(view(plan, through(1))).extent == "additive"
    assert applied(view(plan, through(2))).extent == "destructive"


def test_what_is_over_comes_last() -> None:
    assert order(view(PLAN, through(2), phase="smoke"))[-1] == "restore"


@pytest.mark.parametrize(
    ("records", "extent"),
    [
        ((), "nothing"),
        (({"event": "ScriptStarted", "through": 0},), "nothing"),
        ((COMMITTING, {"event": "ScriptBroken", "through": 0, "known": True}), "nothing"),
        ((COMMITTING, {"event": "ScriptBroken", "through": 0, "known": False}), "unknown"),
        ((COMMITTING,), "unknown"),
        ((COMMITTING, through(1)), "destructive"),
    ],
)
def test_what_is_committed_is_read_from_the_records(records: tuple[dict[str, JsonValue], ...], extent: str) -> None:
    found = view(PLAN, *records)
    assert applied(found).extent == extent
    if extent in ("nothing", "unknown"):
        assert order(found) == [way.id for way in WAYS] and {one.place for one in ranked(found)} == {0}


@pytest.mark.parametrize("params", [{"uses": "shell"}, {"uses": "migrations.apply", "params": {"engine": "prisma"}}])
def test_what_other_programs_did_is_not_guessed(params: dict[str, object]) -> None:
    step = Step.model_validate({"id": "apply", "title": "Apply", "effect": "target", **params})
    assert applied(view(PLAN, steps=(step,))).extent == "unknown"


def test_while_it_runs_nothing_is_said_of_what_will_be_committed() -> None:
    step = Step(id="apply", title="Apply", uses="migrations.apply", effect="target")
    assert applied(view(PLAN, steps=(step,))).extent == "nothing"
    assert applied(view(PLAN, steps=(step,), running=True)).words.startswith("“Apply” is running.")


def test_a_statement_that_is_not_analysed_is_not_called_additive() -> None:
    plan = PLAN.model_copy(update={"scripts": (PLAN.scripts[0].model_copy(update={"findings": ()}),)})
    assert applied(view(plan, through(2))).extent == "unknown"


def test_the_end_of_a_step_says_what_another_engine_applied() -> None:
    done: dict[str, JsonValue] = {"scripts": [{"name": NAME, "statements": 2, "committed": True}]}
    ended = e.StepEnded(step="apply", attempt=1, end="done", outcome="ok", result=done)
    found = fold([(9, "", ended)], view(PLAN, COMMITTING))
    assert applied(found).extent == "destructive" and not found.reach.in_doubt


def test_who_must_read_a_way_is_asked_before_it_changes_anything() -> None:
    text = "".join(f"## {name.capitalize()}\n" for name in PHASES)
    way = '## Rollback\n### Undo\n```toml option\ncosts = "x"\nloses = "y"\n{}\n```\n'
    made = read_runbook(text + way.format('read_by = "a DBA"\napplication = "after: why"'), catalogue={}).options[0]
    assert made.items == (
        Item(
            id="undo-read",
            text="a DBA has read this way back, and agrees to it",
            evidence="who read it",
            required=True,
            first=True,
            line=made.items[0].line,
        ),
    )
    step = Step(id="run", title="Run", uses="rollback.script", effect="target")
    undo = made.model_copy(update={"steps": (step,)})
    opened = opening(runbook=book().model_copy(update={"options": (undo,)}))
    found = fold([(0, "", opened), (1, "", e.PhaseOpened(phase="rollback", option="undo"))])
    assert gates.unread(found, step) == made.items[0]
    assert gates.unread(found, step.model_copy(update={"effect": "reads"})) is None
    ticked = e.ItemTicked(item="undo-read", state="done", evidence="ben", by=ANA)
    assert gates.unread(fold([(2, "", ticked)], found), step) is None
    for wrong in ('application = "later"', 'way = "backwards"'):
        with pytest.raises(DocumentError):
            read_runbook(text + way.format(wrong), catalogue={})


def test_how_a_way_went_on_the_environment_beside(tmp_path: Path, clock) -> None:
    def session(name: str, taken: str, outcome: str, **over: object) -> None:
        journal = Journal.create(create_folder(tmp_path, name), clock)
        before = e.StepEnded(step="dump", attempt=1, end="done", outcome="ok", took=99)
        after = before.model_copy(update={"step": "side", "took": 5})
        for event in (
            opening(**{"session": name, "environment": "staging", "project": "shop", "runbook": book(), **over}),
            before,
            e.PhaseOpened(phase="rollback", option=taken),
            after,
            after,
            e.SessionEnded.model_validate({"outcome": outcome, "exit_code": 1}),
        ):
            journal.append(event, sync=False)
        journal.close()

    session("20260131T020304Z-staging-1f3a", "undo", "rolled_back")
    session("20260201T020304Z-staging-2f3a", "restore", "no_go")
    session("20260202T020304Z-staging-3f3a", "undo", "rolled_back", project="another")
    other = book().model_copy(update={"options": (option("forward", "shell"),)})
    session("20260203T020304Z-staging-4f3a", "forward", "rolled_back", runbook=other)
    found = tried(tmp_path, "shop", "staging", book())
    assert {name: (one.session[-4:], one.ended, one.us, one.same) for name, one in found.items()} == {
        "undo": ("1f3a", True, 10, True),
        "restore": ("2f3a", False, 10, True),
        "forward": ("4f3a", True, 10, False),
    }
    assert tried(tmp_path, "shop", None, book()) == tried(tmp_path, "shop", "elsewhere", book()) == {}
