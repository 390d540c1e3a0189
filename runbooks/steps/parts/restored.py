"""A dump that is restored somewhere to be compared: how that is shown, judged, and tidied up after a crash."""

from collections.abc import Mapping
from datetime import UTC, datetime

from pydantic import JsonValue

from migrations import restore
from migrations.backup.beside import derived_name, maintenance
from migrations.backup.tools import Tools
from migrations.listed import many
from migrations.process import Child
from migrations.restore import Restoring, Side
from runbooks.session.events import Check, StepStarted
from runbooks.steps.base import Context, Settled
from runbooks.steps.parts.dumps import Taken, end_children, program_environment, records_of


def restoring(ctx: Context, taken: Taken, tools: Tools, name: str, jobs: int, *, superuser: bool = True) -> Restoring:
    """The order to restore a dump into `name`, which tells the session how far it is."""
    total = len(taken.state.rows)

    async def on_line(line: str) -> None:
        await ctx.output(line + "\n", "err")

    async def on_start(child: Child) -> None:
        await record(ctx, database=name, pid=child.pid, started=child.started, group=child.group)

    async def on_table(done: int, table: str) -> None:
        await ctx.progress(label=f"restoring into {name}", done=done, total=total, unit="tables", detail=table)

    return Restoring(tools, program_environment(ctx), taken.path, name, on_line, on_start, on_table, jobs, superuser)


async def create_side(ctx: Context) -> tuple[str, int]:
    """An empty database beside the live one, on record before it is there: its name and OID."""
    name = derived_name(ctx.target.url.database, "gonogo", datetime.now(UTC))
    async with maintenance(ctx.target, ctx.application_name) as connection:
        await record(ctx, database=name)
        oid = await restore.create_side(connection, ctx.target.url.database, name)
        await record(ctx, database=name, oid=str(oid))
    return name, oid


async def drop_side(ctx: Context, name: str, oid: int) -> None:
    """Drop it again."""
    async with maintenance(ctx.target, ctx.application_name) as connection:
        await restore.drop_side(connection, name, oid)


async def judge(ctx: Context, side: Side, advice: str, *, other: int | None = None) -> None:
    """Report what is not as it was at the dump, with `advice` for what is wrong.

    `other`: the major version of the server where that is not the target's; then some of the schema differs by that.
    """
    lines = [f"schema: {line}" for line in side.differences]
    lines += [f"{table}: {many(then, 'row')} at the dump, {now} now" for table, then, now in side.rows]
    if lines or side.left:
        await ctx.output("\n".join([*lines, *side.left]) + "\n")
    same = "no difference" if not side.differences else many(len(side.differences), "difference")
    if side.differences and other:
        same += f", some of which may be those of PostgreSQL {other}"
        advice_here = "Install the programs of the target's version here, or restore at its side, to be sure."
        ctx.check("schema", "Schema as at the dump", "warn", same, advice_here)
    else:
        differs = bool(side.differences)
        ctx.check("schema", "Schema as at the dump", "fail" if differs else "ok", same, advice if differs else "")
    counts = f"{many(side.counted, 'table')} counted, {many(len(side.rows), 'differs', 'differ')}"
    ctx.check("rows", "Rows as at the dump", "fail" if side.rows else "ok", counts, advice if side.rows else "")
    if side.versions:
        words = "; ".join(side.versions)
        ctx.check("extensions", "Versions of extensions", "warn", words, "A dump does not name them; see that it fits.")
    if side.uncounted:
        words = f"too large to be counted, or locked: {', '.join(side.uncounted[:5])}"
        ctx.check("uncounted", "Tables not counted", "warn", words, "Look at them yourself before you rely on them.")


async def record(ctx: Context, **data: JsonValue) -> None:
    """What `settle_side` will need."""
    await ctx.record(label="restoring", attempt=ctx.attempt, **data)


async def settle_side(ctx: Context, start: StepStarted) -> Settled:
    """End what still restores, and drop the database that was made for it: it is not known to be whole."""
    records = records_of(ctx, start.attempt)
    await end_children(records)
    made: Mapping[str, JsonValue] = next((data for data in records if data.get("oid")), {})
    if made:
        await drop_side(ctx, str(made["database"]), int(str(made["oid"])))
    elif (name := next((str(data["database"]) for data in records if data.get("database")), "")) and await _is_there(
        ctx, name
    ):
        words = f"{name} is there: this step was about to make it, and died before it knew its OID"
        advice = f'See that nobody uses it, then as its owner: DROP DATABASE "{name}"'
        check = Check(
            id="left", title="A database that may be left over", outcome="warn", evidence=words, advice=advice
        )
        return Settled("failed", "fail", f"the restore was cut short; {words}", (check,))
    return Settled("failed", "fail", "the restore was cut short; the live database was not touched")


async def _is_there(ctx: Context, name: str) -> bool:
    async with maintenance(ctx.target, ctx.application_name) as connection:
        return await restore.is_there(connection, name)
