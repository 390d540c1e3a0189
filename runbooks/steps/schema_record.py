"""`schema.record`: how schema and rows stand before Migrate."""

import asyncio
from pathlib import Path

from migrations.catalog.recorded import Recorded, record
from migrations.listed import many
from runbooks.journal.artefacts import write_private
from runbooks.session.frozen import Frozen
from runbooks.steps.base import Context, StepKind
from runbooks.steps.parts.records_kept import AS_BEFORE, NAME, kept_before, read_record


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
    if earlier := kept_before(ctx, NAME):
        return _told(ctx, earlier, await read_record(earlier), AS_BEFORE)
    async with ctx.connect("read") as connection:
        recorded = await record(connection, exact_below=params.exact_below)
    path = ctx.artefact(NAME)
    await asyncio.to_thread(lambda: write_private(path, recorded.to_json(ctx.clean).encode()))
    await ctx.keep(NAME, path)
    return _told(ctx, path, recorded, "")


def _told(ctx: Context, path: Path, recorded: Recorded, note: str) -> Result:
    estimated = tuple(sorted(table for table, count in recorded.rows.items() if not count.exact))
    rows = {table: count.rows for table, count in sorted(recorded.rows.items())}
    counted = f"{len(rows) - len(estimated)} counted, {len(estimated)} estimated"
    words = f"{many(len(rows), 'table')}: {counted}; {many(len(recorded.catalog.objects), 'object')} of schema{note}"
    ctx.check("recorded", "Schema and rows recorded", "ok", words)
    artefact = str(path.relative_to(ctx.folder))
    return Result(artefact=artefact, tables=len(rows), rows=rows, estimated=estimated)


def shows(params: Params) -> str:
    """What is about to happen, in words."""
    return f"the schema, and the rows of every table (estimated from about {params.exact_below} on)"


STEP = StepKind("Record schema and rows", "reads", Params, run, shows)
