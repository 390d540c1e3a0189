"""What a run block may do on a protected target: nothing of development, and seeding only where nothing was before."""

import asyncio

from migrations import ledger
from migrations.listed import listed
from migrations.problem import Problem
from runbooks.forbidden import FIRST_RUN, must_be_allowed
from runbooks.steps.base import Context
from runbooks.steps.parts.ledger_reading import planned

SEED = "seed"


async def must_be_allowed_here(ctx: Context) -> None:
    """Read the block again, since what it calls may have changed, and have seeding typed. Raises Problem."""
    given = (ctx.step, ctx.project.folder, ctx.environment.values)
    if ctx.view.protected and await asyncio.to_thread(must_be_allowed, *given):
        await _nothing_else_applied(ctx)
        name, where = ctx.environment.name, ctx.target.url.shown
        text = f"This writes seed data into {where}, which is protected. Type the environment's name: {name}"
        await ctx.ask("seed", text, exact=name)


async def _nothing_else_applied(ctx: Context) -> None:
    """Raises Problem if the ledger was there, or holds what this session has not applied."""
    async with ctx.connect("read") as conn:
        rows = await ledger.read(conn, ctx.target.url.schema)
    ours = {script.migration for script in planned(ctx)}
    others = [row.name for row in rows or () if row.name not in ours]
    if FIRST_RUN in ctx.view.conditions and not others:
        return
    raise Problem(
        f"Seed data belong to a first run, and this database has been migrated before: {listed(others) or 'a ledger'}.",
        advice="Nothing was run. What this environment lacks is added by a migration, which is reviewed.",
    )
