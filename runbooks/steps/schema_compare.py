"""`schema.compare`: what the migration made of the schema."""

import asyncio

from pydantic import Field

from migrations.catalog import diff, exists, snapshot
from migrations.catalog.effects import Effects
from migrations.listed import many
from runbooks.journal.artefacts import write_private
from runbooks.session.events import Outcome
from runbooks.session.frozen import Frozen
from runbooks.steps.base import Context, StepKind
from runbooks.steps.parts.applied import plan_effects
from runbooks.steps.parts.records_kept import recorded_before

NAME = "schema-difference.txt"
NAMED = 10


class Params(Frozen):
    """`from` is the id of the step that recorded the schema before; it may be left out where there is but one."""

    from_: str | None = Field(default=None, alias="from")


class Result(Frozen):
    """`artefact` holds the difference, line by line, and is relative to the session folder."""

    artefact: str
    lines: int
    missing: tuple[str, ...]


async def run(ctx: Context, params: Params) -> Result:
    """Compare. Raises Misuse, Problem."""
    name, before = await recorded_before(ctx, params.from_)
    effects = await plan_effects(ctx)
    async with ctx.connect("read") as connection:
        after = await snapshot(connection)
        tables = [(table.schema, table.name) for table in effects.tables]
        columns = [((table.schema, table.name), column) for table, column in effects.columns]
        missing = await exists(connection, tables, columns)
    lines = await asyncio.to_thread(diff, before.catalog, after)
    text = "".join(f"{line}\n" for line in lines)
    await ctx.output(text or "no difference\n")
    path = ctx.artefact(NAME)
    await asyncio.to_thread(write_private, path, ctx.clean(text).encode())
    await ctx.keep(NAME, path)
    ctx.check("difference", "Difference of the schema", "ok", _counted(lines, name))
    _created(ctx, effects, missing)
    return Result(artefact=str(path.relative_to(ctx.folder)), lines=len(lines), missing=missing)


def _counted(lines: tuple[str, ...], name: str) -> str:
    words = (("+", "new"), ("-", "gone"), ("~", "changed"))
    counts = [f"{n} {word}" for sign, word in words if (n := sum(line.startswith(sign) for line in lines))]
    return f"{', '.join(counts) or 'none'}, since {name}"


def _created(ctx: Context, effects: Effects, missing: tuple[str, ...]) -> None:
    title = "What the scripts created is there"
    expected = f"{many(len(effects.tables), 'table')}, {many(len(effects.columns), 'column')}"
    if not missing:
        ctx.check("created", title, "ok", expected)
        return
    unsure = bool(effects.opaque)
    outcome: Outcome = "warn" if unsure else "fail"
    also = f" A script runs code that is not looked into ({effects.opaque[0]})." if unsure else ""
    ctx.check(
        "created",
        title,
        outcome,
        f"not there: {_some(missing)}",
        f"Look at the scripts and at the ledger: was each of them really applied here?{also}",
    )


def _some(names: tuple[str, ...]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def shows(params: Params) -> str:
    """What is about to happen, in words."""
    return f"the schema now, held against what {params.from_ or 'schema.record'} recorded"


STEP = StepKind("Compare the schema", "reads", Params, run, shows, names=("from",))
