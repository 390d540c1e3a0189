"""What a run block of Backup writes is part of the plan, where nobody has to approve one."""

import sys

from fix_live import Live, settle, shell, write

from runbooks.session import commands as c
from runbooks.session import events as e

NEW = "20260102000000_more"
CREATE = f"mkdir migrations/{NEW}; echo 'DROP TABLE notes;' > migrations/{NEW}/migration.sql"


async def after_backup(live: Live) -> list[e.PlanMade]:
    """Run the block, call GO, and wait for Preflight: the plans that were made."""
    await live.until(lambda view: view.next_start)
    await live.do(c.Start(step="create"))
    await live.until(lambda view: view.gate.ready)
    await live.do(c.Decide(what="go", phase="backup"))
    await live.until(lambda view: view.phase == "preflight")
    return [event for event in live.events if isinstance(event, e.PlanMade)]


async def test_a_migration_that_backup_wrote_is_reviewed_in_this_session(live: Live) -> None:
    write(live, backup=shell("create", CREATE))
    await live.start()
    first, second = await after_backup(live)
    assert [script.migration for script in second.scripts] == ["20260101000000_notes", NEW]
    assert first.hash != second.hash
    view = await live.until(lambda view: view.plan == second and view.gate.holds)
    assert NEW in {hold.subject for hold in view.gate.holds if hold.kind == "review"}


async def test_the_same_scripts_are_the_same_plan(live: Live) -> None:
    write(live, backup=shell("create", "true"))
    await live.start()
    assert len(await after_backup(live)) == 1


async def test_on_a_protected_target_the_plan_stays_what_it_was(live: Live) -> None:
    write(live, backup=shell("create", CREATE))
    live.small.toml(protected=True)
    await live.start()
    asked = await live.until(lambda view: view.questions)
    await live.do(c.Answer(question=next(iter(asked.questions)), answer="here"))
    assert len(await after_backup(live)) == 1


APPLY = """
import asyncio, os, pathlib
from migrations.folder import read_folder
from runbooks.demo.applying import apply_all
asyncio.run(apply_all(os.environ["SMALL_URL"], read_folder(pathlib.Path("migrations"))))
"""


def plan_check(live: Live) -> list[tuple[str, str]]:
    """What was said of the plan when the session was taken up again."""
    ended = (event for event in live.events if isinstance(event, e.StepEnded))
    return [(check.outcome, check.evidence) for event in ended for check in event.checks if check.id == "plan"]


async def test_what_a_command_of_migrate_applied_is_no_other_plan_after_a_resume(live: Live) -> None:
    (live.small.folder / "apply.py").write_text(APPLY)
    write(live, migrate=shell("apply", f"{sys.executable} -P apply.py"))
    await live.start()
    await live.until(lambda view: view.phase == "backup" and view.gate.ready)
    await live.do(c.Decide(what="go", phase="backup"))
    view = await live.until(lambda view: view.phase == "preflight" and view.plan)
    assert view.plan is not None
    for script in view.plan.scripts:
        await live.do(c.Review(migration=script.migration, sha256=script.sha256))
    await live.do(c.Decide(what="go", phase="preflight"))
    await live.until(lambda view: view.next_start)
    await live.do(c.Start(step="apply"))
    await live.until(lambda view: view.step("apply").end == "done" and view.gate.ready)
    await live.drop()
    await live.start()
    await settle(lambda: plan_check(live))
    assert plan_check(live) == [("ok", "as it was reviewed")]
