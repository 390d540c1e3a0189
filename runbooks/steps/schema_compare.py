"""`schema.compare`: what the migration made of the schema."""

import asyncio

from pydantic import Field

from migrations.catalog import InvalidIndex, diff, exists, invalid_indexes, snapshot
from migrations.catalog.effects import Effects
from runbooks.artefacts import write_private
from runbooks.events import Outcome
from runbooks.frozen import Frozen
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
    invalid_indexes: tuple[str, ...]


async def run(ctx: Context, params: Params) -> Result:
    """Compare. Raises Misuse, Problem."""
    name, before = await recorded_before(ctx, params.from_)
    effects = await plan_effects(ctx)
    async with ctx.connect("read") as connection:
        after = await snapshot(connection)
        missing = await exists(connection, effects.tables, effects.columns)
        invalid = await invalid_indexes(connection)
    lines = await asyncio.to_thread(diff, before.catalog, after)
    text = "".join(f"{line}\n" for line in lines)
    await ctx.output(text or "no difference\n")
    path = ctx.artefact(NAME)
    await asyncio.to_thread(write_private, path, text.encode())
    await ctx.keep(NAME, path)
    ctx.check("difference", "Difference of the schema", "ok", _counted(lines, name))
    _created(ctx, effects, missing)
    _indexes(ctx, invalid)
    return Result(
        artefact=str(path.relative_to(ctx.folder)),
        lines=len(lines),
        missing=missing,
        invalid_indexes=tuple(index.name for index in invalid),
    )


def _counted(lines: tuple[str, ...], name: str) -> str:
    words = (("+", "new"), ("-", "gone"), ("~", "changed"))
    counts = [f"{n} {word}" for sign, word in words if (n := sum(line.startswith(sign) for line in lines))]
    return f"{', '.join(counts) or 'none'}, since {name}"


def _created(ctx: Context, effects: Effects, missing: tuple[str, ...]) -> None:
    title = "What the scripts created is there"
    expected = f"{len(effects.tables)} tables, {len(effects.columns)} columns"
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


def _indexes(ctx: Context, invalid: tuple[InvalidIndex, ...]) -> None:
    title = "No invalid index"
    if not invalid:
        ctx.check("invalid-indexes", title, "ok")
        return
    names = _some(tuple(f"{i.name} on {i.table}{' (being built now)' if i.building else ''}" for i in invalid))
    if all(index.building for index in invalid):
        ctx.check("invalid-indexes", title, "warn", names, "Wait until it is built, and run this again.")
        return
    drops = " ".join(f"DROP INDEX CONCURRENTLY {i.name};" for i in invalid[:NAMED] if not i.building)
    advice = f"It serves no query, and costs every write. Drop it, find out why it failed, and build it again: {drops}"
    ctx.check("invalid-indexes", title, "fail", names, advice)


def _some(names: tuple[str, ...]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def shows(params: Params) -> str:
    """What is about to happen, in words."""
    return f"the schema now, held against what {params.from_ or 'schema.record'} recorded"


STEP = StepKind("Compare the schema", "reads", Params, run, shows)
