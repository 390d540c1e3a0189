"""What the scripts of this session's plan do, read from the bytes that were reviewed and run."""

import asyncio
from pathlib import Path

from migrations.catalog.effects import Effects, effects_of
from migrations.problem import Problem
from migrations.sql import Script, read_script
from migrations.sql.names import Name
from runbooks.steps.base import Context

DEFAULT_SCHEMA = "public"


def default_schema(ctx: Context) -> str:
    """Where unqualified names lead: `?schema=` of the target's URL, else `public`."""
    return ctx.target.url.schema or DEFAULT_SCHEMA


async def touched_tables(ctx: Context) -> frozenset[Name]:
    """Tables that the pending scripts are about; none if there is no plan. Raises Problem."""
    return (await plan_effects(ctx)).touched if ctx.view.plan else frozenset()


async def plan_effects(ctx: Context) -> Effects:
    """What the pending scripts do to tables. Raises Problem if there is no plan, or a script is not to be read."""
    if ctx.view.plan is None:
        raise Problem("This session has no plan.", advice="Run this step in a session that applies migrations.")
    wanted = [(script.migration, ctx.folder / "scripts" / f"{script.sha256}.sql") for script in ctx.view.plan.scripts]
    scripts = await asyncio.to_thread(lambda: [(migration, _read(path)) for migration, path in wanted])
    return effects_of(scripts, default_schema(ctx))


def _read(path: Path) -> Script:
    try:
        return read_script(path.read_bytes().decode("utf-8", "replace"))
    except OSError as error:
        raise Problem(
            f"The script {path.name} of this session cannot be read: {error.strerror}.",
            advice="The session folder was changed from outside: end this session.",
        ) from None
