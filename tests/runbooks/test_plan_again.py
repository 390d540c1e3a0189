"""What a run block of Backup writes is part of the plan, where nobody has to approve one."""

from fix_live import Live, shell, write

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
