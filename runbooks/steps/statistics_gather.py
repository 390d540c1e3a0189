"""`statistics.gather`: ANALYZE of the tables that the scripts left without statistics."""

from datetime import timedelta
from typing import Any

import psycopg

from migrations.catalog.gather import gather
from migrations.catalog.sweep import Flaw, sweep
from runbooks.session.events import StepStarted
from runbooks.session.frozen import Frozen
from runbooks.steps.base import Context, Settled, StepKind
from runbooks.steps.parts.applied import touched_tables
from runbooks.steps.parts.limits import Limit, limit_milliseconds, limit_text


class Params(Frozen):
    """Timeouts hold for each table; `"0"` is none."""

    lock_timeout: Limit = timedelta(seconds=5)
    statement_timeout: Limit = timedelta(minutes=15)


class Result(Frozen):
    """The tables that were analysed, qualified and quoted."""

    analysed: tuple[str, ...]


async def run(ctx: Context, params: Params) -> Result:
    """Analyse them, one after the other. Raises Problem or Unavailable."""
    timeouts = {
        "lock_timeout": f"{limit_milliseconds(params.lock_timeout)}ms",
        "statement_timeout": f"{limit_milliseconds(params.statement_timeout)}ms",
    }
    done = []
    async with ctx.connect("script") as connection:
        lacking = await _lacking(ctx, connection)
        for number, flaw in enumerate(lacking):
            await ctx.progress(label=flaw.name, done=number, total=len(lacking), unit="tables", detail=flaw.mend)
            why_not = await gather(connection, flaw, timeouts)
            await ctx.output(f"{flaw.mend} {why_not}".strip() + "\n")
            if why_not:
                advice = "Run it again later, or let the table's owner do it."
                ctx.check(f"not/{flaw.name}", "Not analysed", "warn", f"{flaw.name}: {why_not}", advice)
            else:
                done.append(flaw.name)
    evidence = ", ".join(done) or "the scripts left no table without them"
    if done or not lacking:
        ctx.check("analysed", "Statistics gathered", "ok", evidence)
    return Result(analysed=tuple(done))


async def _lacking(ctx: Context, connection: psycopg.AsyncConnection[Any]) -> list[Flaw]:
    touched = await touched_tables(ctx)
    flaws = await sweep(connection, percent=100, rows=0, kinds=("statistics",))
    return [flaw for flaw in flaws if flaw.table in touched]


async def reconcile(ctx: Context, params: Params, start: StepStarted) -> Settled:
    """Gathered twice is gathered well: nothing needs to be known of the first time."""
    return Settled("stopped", "unknown", "It was cut short. Start the step again: what has statistics is left out.")


def shows(params: Params) -> str:
    """What is about to happen."""
    limits = f"lock_timeout {limit_text(params.lock_timeout)}, statement_timeout {limit_text(params.statement_timeout)}"
    return (
        f"ANALYZE of each table that the scripts left without statistics; it blocks neither reads nor writes; {limits}"
    )


STEP = StepKind("Gather statistics", "target", Params, run, shows, reconcile)
