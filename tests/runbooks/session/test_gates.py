"""The fold and the hold point: what keeps a gate shut, and what lifts it."""

from dataclasses import replace

import pytest

from runbooks.session import events as e
from runbooks.session.gates import once_more
from runbooks.session.runbook import Item, Option, Phase, Runbook, Step
from runbooks.session.view import KEPT_LINES, RunView, fold
from tests.runbooks.conftest import book_of

BY = e.By(name="ana@example.org", os_user="ana", host="ops-1")
DUMP = Step(id="dump", title="Dump", uses="backup.dump", effect="outside", required=True)
LOOK = Step(id="look", title="Look", uses="target.inspect", effect="reads")
COPY = Step(id="copy", title="Copy away", uses="shell", effect="outside")
SAFE = Item(id="safe", text="It is safe", evidence="where")
GONE = Item(id="gone", text="Nobody needs it", required=True, when="destructive")


def runbook() -> Runbook:
    back = Option(id="restore", title="Restore")
    return book_of(back, backup=(DUMP, COPY, SAFE), preflight=(LOOK, GONE))


OPENED = e.SessionOpened(
    gonogo="0", session="s", environment="staging", protected=False, project="p", project_sha256="0",
    runbook=runbook(), operator=BY, ticket="CHG-1",
)  # fmt: skip
TARGET = e.Target(
    address="a", system_identifier="1", database="d", oid="1", in_recovery=False, postmaster_start="", timeline="1",
    server_version="18",
)  # fmt: skip
SCRIPT = e.Script(migration="1_a", sha256="aa", size=1, model="transaction", statements=())


def plan(*conditions: str, scripts: tuple[e.Script, ...] = ()) -> e.PlanMade:
    return e.PlanMade(
        hash="h", target=TARGET, protected=False, scripts=scripts, conditions=dict.fromkeys(conditions, ("because",))
    )  # type: ignore[arg-type]


def started(step: Step, attempt: int = 1, why: str = "start") -> e.StepStarted:
    return e.StepStarted.model_validate(
        {"step": step.id, "attempt": attempt, "title": step.title, "uses": step.uses, "effect": step.effect, "why": why}
    )


def ended(step: Step, end: str = "done", outcome: str = "ok", attempt: int = 1, **more: object) -> e.StepEnded:
    return e.StepEnded.model_validate({"step": step.id, "attempt": attempt, "end": end, "outcome": outcome, **more})


def at(phase: str, *events: e.Event, conditions: tuple[str, ...] = (), scripts: tuple[e.Script, ...] = ()) -> RunView:
    before = [OPENED, plan(*conditions, scripts=scripts), e.PhaseOpened(phase=phase)]  # type: ignore[arg-type]
    return fold((n, f"2026-01-01T00:00:{n:02d}.000000Z", event) for n, event in enumerate([*before, *events]))


def holds(view: RunView) -> dict[str, str]:
    return {hold.subject: hold.kind for hold in view.gate.holds}


def test_a_gate_opens_only_when_every_step_and_item_is_settled() -> None:
    assert holds(at("backup")) == {"dump": "step", "copy": "step", "safe": "item"}
    ticked = e.ItemTicked(item="safe", state="done", evidence="vault", by=BY)
    view = at("backup", started(DUMP), ended(DUMP), started(COPY), ended(COPY), ticked)
    assert view.gate.ready


def test_what_is_required_cannot_be_waived_and_its_amber_check_can() -> None:
    red = e.Check(id="whole", title="Whole", outcome="fail", evidence="cut")
    amber = e.Check(id="tool", title="Tool", outcome="warn", evidence="newer")
    view = at("backup", started(DUMP), ended(DUMP, outcome="fail", checks=(red, amber)))
    waivable = {hold.subject: hold.waivable for hold in view.gate.holds}
    assert waivable["dump/whole"] is False
    assert waivable["dump/tool"] is True
    assert waivable["copy"] is True


def test_a_waiver_does_not_cover_what_became_worse() -> None:
    def look(outcome: str) -> e.StepEnded:
        check = e.Check.model_validate({"id": "git", "title": "Git", "outcome": outcome})
        return ended(LOOK, outcome=outcome, checks=(check,))

    waiver = e.Waived(subject="look/git", outcome="warn", reason="known", by=BY)
    assert "look/git" not in holds(at("preflight", started(LOOK), look("warn"), waiver))
    assert (
        holds(at("preflight", started(LOOK), look("warn"), waiver, started(LOOK), look("fail")))["look/git"] == "check"
    )


def test_a_condition_switches_its_items_on() -> None:
    assert "gone" not in holds(at("preflight"))
    assert holds(at("preflight", conditions=("destructive",)))["gone"] == "item"
    shrugged = e.ItemTicked(item="gone", state="not_applicable", reason="no", by=BY)
    assert holds(at("preflight", shrugged, conditions=("destructive",)))["gone"] == "item"


def test_a_script_must_be_reviewed_by_the_bytes_of_the_plan() -> None:
    def reviewed(sha256: str) -> e.ScriptReviewed:
        return e.ScriptReviewed(migration="1_a", sha256=sha256, by=BY)

    assert holds(at("preflight", scripts=(SCRIPT,)))["1_a"] == "review"
    assert holds(at("preflight", reviewed("bb"), scripts=(SCRIPT,)))["1_a"] == "review"
    assert "1_a" not in holds(at("preflight", reviewed("aa"), scripts=(SCRIPT,)))


def test_the_script_that_undoes_another_is_reviewed_by_itself() -> None:
    undo = SCRIPT.model_copy(update={"migration": "1_a/rollback.sql", "sha256": "cc"})
    both = SCRIPT.model_copy(update={"rollback": e.Rollback(script=undo)})
    review = e.ScriptReviewed(migration="1_a", sha256="aa", by=BY)
    assert holds(at("preflight", review, scripts=(both,)))["1_a/rollback.sql"] == "review"
    undone = e.ScriptReviewed(migration="1_a/rollback.sql", sha256="cc", by=BY)
    assert "review" not in holds(at("preflight", review, undone, scripts=(both,))).values()


def test_an_old_dump_shuts_the_gate_until_it_has_run_again() -> None:
    old, fresh = {"stale_at": "2026-01-01T00:00:04.000000Z"}, {"stale_at": "2026-01-02T00:00:00.000000Z"}
    copied = (started(COPY), ended(COPY))
    stale = at("preflight", started(DUMP), ended(DUMP, result=old), *copied)
    assert holds(stale)["dump"] == "stale"
    again = at(
        "preflight", started(DUMP), ended(DUMP, result=old), *copied, started(DUMP, 2), ended(DUMP, result=fresh)
    )
    assert "dump" not in holds(again)
    failed = at("preflight", started(DUMP), ended(DUMP, result=old), *copied, started(DUMP, 2), ended(DUMP, "failed"))
    assert holds(failed)["dump"] == "step"


def test_no_go_keeps_the_gate_shut_until_something_is_done_about_it() -> None:
    no_go = e.Decided(what="no_go", phase="preflight", reason="not tonight", by=BY)
    view = at("preflight", started(LOOK), ended(LOOK), no_go)
    assert holds(view) == {"preflight": "refused"}
    assert "not tonight" in view.gate.holds[0].words
    assert at("preflight", started(LOOK), ended(LOOK), no_go, started(LOOK, 2), ended(LOOK)).gate.ready


def test_reading_starts_by_itself_and_changing_waits() -> None:
    assert at("preflight").next_reading == LOOK
    view = at("backup")
    assert view.next_reading is None
    assert view.next_start == DUMP


@pytest.mark.parametrize("end", ["failed", "stopped", "crashed"])
def test_a_step_that_did_not_end_well_holds(end: str) -> None:
    assert holds(at("backup", started(DUMP), ended(DUMP, end, "fail")))["dump"] == "step"


def test_a_dead_runner_leaves_a_start_without_an_end_unknown() -> None:
    resumed = e.SessionResumed(gonogo="0", host="h", pid=1, by=BY, unknown=(("dump", 1),))
    view = at("backup", started(DUMP), resumed)
    assert view.step("dump").status == "unknown"
    assert "not known" in next(h.words for h in view.gate.holds if h.subject == "dump")


def test_the_view_keeps_the_last_lines_and_says_how_many_went() -> None:
    batch = e.StepOutput(step="dump", attempt=1, stream="out", text="\n".join(map(str, range(1500))) + "\n")
    step = at("backup", started(DUMP), batch, batch).step("dump")
    assert len(step.lines) == KEPT_LINES
    assert step.dropped == 3000 - KEPT_LINES
    assert step.lines[-1].text == "1499"


def test_what_stands_before_a_reading_that_is_too_old_may_run_again() -> None:
    read = Step(id="read", title="Read", uses="backup.read", effect="reads")
    backup = Phase(name="backup", title="backup", steps=(DUMP, COPY, read))
    book = OPENED.runbook.model_copy(update={"phases": (backup, *OPENED.runbook.phases[1:])})
    old = {"stale_at": "2026-01-01T00:00:04.000000Z"}
    done = [event for step in (DUMP, COPY) for event in (started(step), ended(step))]
    view = at("preflight", *done, started(read), ended(read, result=old))
    view = replace(view, opened=OPENED.model_copy(update={"runbook": book}))
    assert [step.id for step in once_more(view, view.gate)] == ["dump", "copy", "read"]
    only = at("preflight", *done[2:], started(DUMP), ended(DUMP, result=old))
    assert [step.id for step in once_more(only, only.gate)] == ["dump"]
    fresh = at("preflight", *done)
    assert once_more(fresh, fresh.gate) == ()
