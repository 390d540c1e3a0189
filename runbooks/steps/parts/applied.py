"""What the scripts of this session's plan do, read from the bytes that were reviewed and run."""

import asyncio

from migrations.catalog.effects import Effects, effects_of
from migrations.problem import Problem
from migrations.sql import read_script
from migrations.sql.names import Name
from runbooks.steps.base import Context
from runbooks.steps.parts.kept_scripts import script_text

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
    wanted = ctx.view.plan.scripts
    scripts = await asyncio.to_thread(lambda: [(s.migration, read_script(script_text(ctx, s))) for s in wanted])
    return effects_of(scripts, default_schema(ctx))
