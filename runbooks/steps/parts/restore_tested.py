"""When a dump of the target was last restored and found equal: `restore_test_max_age` of gonogo.toml."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from pydantic import JsonValue

from migrations.listed import many
from runbooks.history.backups import Tested, database_of, latest_test
from runbooks.settings.durations import spell
from runbooks.steps.base import Context

TITLE = "A restore was tried"
ADVICE = "Let a step use backup.restore_test, in this session or one of `gonogo backup`; or say in a waiver who tried."


async def check_restore_test(ctx: Context) -> None:
    """Report it, where the environment asks for it."""
    wanted, plan = ctx.environment.restore_test_max_age, ctx.view.plan
    if wanted is None or plan is None:
        return
    found = _of(ctx)
    if found is None:
        root, database = ctx.folder.parent, database_of(plan.target)
        found = await asyncio.to_thread(latest_test, root, ctx.environment.name, database, besides=ctx.session)
    if found is None:
        words = f"never, as far as the sessions on this machine know (at least every {spell(wanted)} is asked for)"
        ctx.check("restore-test", TITLE, "warn", words, ADVICE)
        return
    age = datetime.now(UTC) - datetime.fromisoformat(found.at)
    took = spell(timedelta(seconds=max(1, found.took_us // 1_000_000)))
    words = f"{found.at[:16]}Z, {many(age.days, 'day')} ago, in {took} (session {found.session})"
    old = age > wanted
    ctx.check("restore-test", TITLE, "warn" if old else "ok", words, ADVICE if old else "")


def _of(ctx: Context) -> Tested | None:
    """The latest of this session."""
    views = [ctx.view.step(step.id) for step in ctx.view.runbook.steps()]
    good = [view.result for view in views if view.ended_well]
    tests = [_tested(ctx.session, result) for result in good if result.get("equal") is True and "tested_at" in result]
    return max(tests, key=lambda one: one.at, default=None)


def _tested(session: str, result: Mapping[str, JsonValue]) -> Tested:
    took = result.get("restored_us")
    return Tested(session, str(result["tested_at"]), took if isinstance(took, int) else 0)
