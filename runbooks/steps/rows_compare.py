"""`rows.compare`: what the migration made of the rows."""

import asyncio
from collections.abc import Sequence

from pydantic import Field

from migrations.catalog import RowCount
from migrations.catalog.recorded import RowChange, name_of, record, row_changes
from migrations.listed import many
from migrations.sql.names import Name
from runbooks.session.frozen import Frozen
from runbooks.steps.base import Context, StepKind
from runbooks.steps.parts.applied import default_schema, plan_effects
from runbooks.steps.parts.records_kept import first_deletions, recorded_before

NAMED = 10


class Params(Frozen):
    """`from` is the id of the step that counted before; it may be left out where there is but one.

    `may_shrink` are tables that the app itself deletes from all the time.
    """

    from_: str | None = Field(default=None, alias="from")
    exact_below: int = 1_000_000
    may_shrink: tuple[str, ...] = ()


class Result(Frozen):
    """Rows by table, partitions with their table."""

    before: dict[str, int]
    after: dict[str, int]
    lost: tuple[str, ...]


async def run(ctx: Context, params: Params) -> Result:
    """Compare. Raises Misuse, Problem."""
    name, before = await recorded_before(ctx, params.from_)
    effects = await plan_effects(ctx)
    async with ctx.connect("read") as connection:
        after = await record(connection, exact_below=params.exact_below)
    schema = default_schema(ctx)
    may_shrink = [Name(given.schema or schema, given.name) for given in map(name_of, params.may_shrink)]
    first = await first_deletions(ctx, name)
    changes = await asyncio.to_thread(row_changes, before, after, effects, may_shrink=may_shrink, first=first)
    await ctx.output(_table(changes))
    _judge(ctx, changes, name)
    return Result(
        before={change.table: change.before.rows for change in changes if change.before},
        after={change.table: change.after.rows for change in changes if change.after},
        lost=tuple(change.table for change in changes if change.outcome == "fail"),
    )


def _judge(ctx: Context, changes: Sequence[RowChange], name: str) -> None:
    failing = [change for change in changes if change.outcome == "fail"]
    unsure = [change for change in changes if change.outcome == "warn"]
    dropped = [change for change in changes if change.outcome == "ok" and change.before and not change.after]
    told = f"{many(len(changes), 'table')}, held against {name}"
    advice = (
        "Find out who deleted the rows before you go on. Where the app deletes from a table, and no count of the "
        'server shows it, name the table: may_shrink = ["its name"].'
    )
    ctx.check(
        "lost", "No rows are lost", "fail" if failing else "ok", _some(failing) or told, advice if failing else ""
    )
    if dropped:
        ctx.check("dropped", "Dropped by a script", "ok", _some(dropped))
    if unsure:
        ctx.check("unsure", "Not certain", "warn", _some(unsure), "Count these tables by hand, or say why it is well.")


def _table(changes: Sequence[RowChange]) -> str:
    rows = [(_shown(c.table), _count(c.before), _count(c.after), c.words) for c in changes]
    table, before, after = (max((len(row[n]) for row in rows), default=0) for n in range(3))
    lines = (f"{t:<{table}}  {b:>{before}} → {a:>{after}}  {words}\n" for t, b, a, words in rows)
    return "".join(lines) or "no tables\n"


def _count(count: RowCount | None) -> str:
    if count is None:
        return "–"
    return f"{'' if count.exact else '≈ '}{count.rows:,}".replace(",", "\u202f")


def _some(changes: Sequence[RowChange]) -> str:
    named = "; ".join(f"{_shown(change.table)}: {change.words}" for change in changes[:NAMED])
    more = len(changes) - NAMED
    return named + (f"; and {more} more" if more > 0 else "")


def _shown(table: str) -> str:
    return table.removeprefix("public.")


def shows(params: Params) -> str:
    """What is about to happen, in words."""
    return f"the rows of every table, held against what {params.from_ or 'schema.record'} recorded"


STEP = StepKind("Compare the rows", "reads", Params, run, shows, names=("from",))
