"""The folder and the ledger, held against each other now, for the steps that look at them."""

import asyncio
from dataclasses import dataclass

from migrations import ledger
from migrations.folder import read_folder
from migrations.plan import Applied, Plan, compare
from runbooks.session.events import Script
from runbooks.steps.base import Context


@dataclass(frozen=True, slots=True)
class Reading:
    """`rows` is None where there is no ledger."""

    rows: tuple[Applied, ...] | None
    plan: Plan


async def read_both(ctx: Context) -> Reading:
    """Read them. Raises Misuse, Problem or Unavailable."""
    folder = await asyncio.to_thread(read_folder, ctx.project.folder / ctx.project.migrations)
    schema = ctx.target.url.schema
    async with ctx.connect("read") as conn:
        rows = await ledger.read(conn, schema)
    return Reading(rows, compare(folder, rows or ()))


def planned(ctx: Context) -> tuple[Script, ...]:
    """The reviewed scripts of this session, in order."""
    return ctx.view.plan.scripts if ctx.view.plan else ()


def held_back(ctx: Context) -> tuple[str, ...]:
    """What this session leaves for later, by name."""
    return ctx.view.plan.held_back if ctx.view.plan else ()
