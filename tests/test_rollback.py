"""The way back from a destructive migration: beside the live database, and then in its place."""

import pytest
from person import at_the_demo

from runbooks.journal import read, verify
from runbooks.session import commands as c
from runbooks.session import events as e

pytestmark = [pytest.mark.soak, pytest.mark.usefixtures("no_process_left")]


async def test_restore_after_migrate_leaves_what_was_dumped() -> None:
    async with at_the_demo() as person:
        for _ in ("backup", "preflight", "migrate"):
            await person.goes()
        await person.idle()
        await person.sends(c.Decide(what="no_go", phase="verify", reason="figures look wrong"))
        assert await person.client.send(c.Decide(what="go", phase="verify")) is not None
        await person.sends(c.RollBack(option="restore", reason="figures look wrong"))
        database = person.view.plan.target.database  # type: ignore[union-attr]
        for step in ("pause", "present", "side"):
            await person.idle()
            await person.runs(step)
        await person.sends(c.Start(step="swap"))
        asked = await person.until(lambda v: v.questions)
        await person.sends(c.Answer(question=next(iter(asked.questions)), answer=database))
        await person.until(lambda v: v.step("swap").status == "ended")
        assert person.view.step("swap").end == "done", person.view.step("swap").failure
        await person.goes()
        ended = person.view.ended
        folder = person.client.folder
    assert ended is not None and (ended.outcome, ended.exit_code) == ("rolled_back", 1)
    assert verify(folder / "journal.jsonl").grade == "consistent"
    events = [record.event for record in read(folder / "journal.jsonl")]
    side = next(x for x in events if isinstance(x, e.StepEnded) and x.step == "side")
    assert {check.outcome for check in side.checks} <= {"ok", "warn"}
    changes = next(x for x in events if isinstance(x, e.StepEnded) and x.step == "changes")
    assert any("shipments" in check.evidence or "migration" in check.evidence for check in changes.checks), changes


async def test_a_forward_fix_ends_as_rolled_back_and_changes_nothing() -> None:
    async with at_the_demo("production") as person:
        await person.goes()
        await person.idle()
        await person.sends(c.RollBack(option="forward-fix", reason="not tonight"))
        await person.goes()
        assert person.view.ended is not None and person.view.ended.outcome == "rolled_back"
