"""`schema.record`: how schema and rows stand before Migrate."""

import asyncio
from pathlib import Path

from migrations.catalog.recorded import Recorded, record
from migrations.problem import Problem
from runbooks.artefacts import write_private
from runbooks.frozen import Frozen
from runbooks.steps.base import Context, StepKind
from runbooks.steps.parts.records_kept import NAME, read_record


class Params(Frozen):
    """Tables of about `exact_below` rows and more are estimated, not counted."""

    exact_below: int = 1_000_000


class Result(Frozen):
    """`artefact` is relative to the session folder. `rows` are by table; those named in `estimated` are not exact."""

    artefact: str
    tables: int
    rows: dict[str, int]
    estimated: tuple[str, ...]


async def run(ctx: Context, params: Params) -> Result:
    """Record; once the target is being changed, go on with what was recorded before. Raises Problem."""
    if _changing(ctx):
        return await _earlier(ctx)
    async with ctx.connect("read") as connection:
        recorded = await record(connection, exact_below=params.exact_below)
    path = ctx.artefact(NAME)
    await asyncio.to_thread(lambda: write_private(path, recorded.to_json().encode()))
    await ctx.keep(NAME, path)
    return _told(ctx, path, recorded, "")


def _changing(ctx: Context) -> bool:
    """Whether a step that changes the target was ever started. What is read now would be no state before Migrate."""
    return any(ctx.view.step(step.id).attempt for step in ctx.view.runbook.steps() if step.effect == "target")


async def _earlier(ctx: Context) -> Result:
    kept = [a.path for a in ctx.view.artefacts if a.step == ctx.step.id and a.name == NAME]
    if not kept:
        raise Problem(
            "Schema and rows were not recorded before the target was changed.",
            advice="What was there before cannot be read any more: compare with the dump.",
        )
    path = ctx.folder / kept[-1]
    return _told(ctx, path, await read_record(path), "; recorded before the target was changed, not read again")


def _told(ctx: Context, path: Path, recorded: Recorded, note: str) -> Result:
    estimated = tuple(sorted(table for table, count in recorded.rows.items() if not count.exact))
    rows = {table: count.rows for table, count in sorted(recorded.rows.items())}
    counted = f"{len(rows) - len(estimated)} counted, {len(estimated)} estimated"
    words = f"{len(rows)} tables: {counted}; {len(recorded.catalog.objects)} objects of schema{note}"
    ctx.check("recorded", "Schema and rows recorded", "ok", words)
    artefact = str(path.relative_to(ctx.folder))
    return Result(artefact=artefact, tables=len(rows), rows=rows, estimated=estimated)


def shows(params: Params) -> str:
    """What is about to happen, in words."""
    return f"the schema, and the rows of every table (estimated from about {params.exact_below} on)"


STEP = StepKind("Record schema and rows", "reads", Params, run, shows)
