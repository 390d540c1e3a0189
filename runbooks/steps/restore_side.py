"""`restore.side`: the session's dump, restored into a database beside the live one, and compared with the record."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from pydantic import Field, JsonValue

from migrations import restore
from migrations.backup.beside import derived_name, maintenance
from migrations.backup.tools import Tools
from migrations.process import Child
from migrations.restore import Restoring, Side
from migrations.restore.swap import followers
from runbooks.session.events import Check, StepStarted
from runbooks.session.frozen import Frozen
from runbooks.steps.base import Context, Settled, StepKind
from runbooks.steps.parts.dumps import Taken, end_children, program_environment, records_of, server_tools, session_dump


class Params(Frozen):
    """`dump`: the step whose dump is restored, else the first of the six phases. `bin`: where pg_restore is.

    `jobs`: so many tables at a time; a plain dump goes one by one whatever it says.
    """

    dump: str | None = None
    jobs: int = Field(default=1, ge=1, le=64)
    bin: str | None = None


class Result(Frozen):
    """The restored database. `equal`: schema and counted rows are what they were at the dump."""

    database: str
    oid: str
    dump: str
    equal: bool
    differences: tuple[str, ...]
    counted: int


async def run(ctx: Context, params: Params) -> Result:
    """Restore, compare, carry over. Raises Problem; the half-filled database is then dropped."""
    taken = await session_dump(ctx, params.dump)
    tools = await server_tools(ctx, params.bin)
    await _must_be_possible(ctx, taken)
    await restore.check_file(taken.path, taken.sha256)
    name = derived_name(ctx.target.url.database, "gonogo", datetime.now(UTC))
    async with maintenance(ctx.target, ctx.application_name) as connection:
        await _record(ctx, database=name)
        oid = await restore.create_side(connection, ctx.target.url.database, name)
        await _record(ctx, database=name, oid=str(oid))
    try:
        await restore.fill(_restoring(ctx, taken, tools, name, params.jobs))
        await ctx.progress(label="comparing", done=0, total=0, unit="", detail=name)
        side = await restore.settle(ctx.target, name, taken.state, ctx.application_name)
    except BaseException:
        async with maintenance(ctx.target, ctx.application_name) as connection:
            await restore.drop_side(connection, name, oid)
        raise
    await _judge(ctx, side)
    return Result(
        database=name,
        oid=str(oid),
        dump=taken.step,
        equal=not (side.differences or side.rows),
        differences=side.differences,
        counted=side.counted,
    )


async def _must_be_possible(ctx: Context, taken: Taken) -> None:
    async with ctx.connect("read") as connection:
        found = await restore.obstacles(connection, tuple(taken.state.extensions))
        slots = await followers(connection, ctx.target.url.database)
    if found:
        raise restore.impossible(found)
    words = f"{', '.join(slots)} stay with the old database" if slots else "none"
    advice = "What reads from them must be set up anew after the swap." if slots else ""
    ctx.check("slots", "Logical replication slots", "warn" if slots else "ok", words, advice)


def _restoring(ctx: Context, taken: Taken, tools: Tools, name: str, jobs: int) -> Restoring:
    total = len(taken.state.rows)

    async def on_line(line: str) -> None:
        await ctx.output(line + "\n", "err")

    async def on_start(child: Child) -> None:
        await _record(ctx, database=name, pid=child.pid, started=child.started, group=child.group)

    async def on_table(done: int, table: str) -> None:
        await ctx.progress(label=f"restoring into {name}", done=done, total=total, unit="tables", detail=table)

    return Restoring(tools, program_environment(ctx), Path(taken.path), name, on_line, on_start, on_table, jobs)


async def _judge(ctx: Context, side: Side) -> None:
    lines = [f"schema: {line}" for line in side.differences]
    lines += [f"{table}: {then} rows at the dump, {now} now" for table, then, now in side.rows]
    if lines or side.left:
        await ctx.output("\n".join([*lines, *side.left]) + "\n")
    same = "no difference" if not side.differences else f"{len(side.differences)} differences"
    advice = "Do not swap. Look at the lines above, and at the database."
    ctx.check(
        "schema",
        "Schema as at the dump",
        "fail" if side.differences else "ok",
        same,
        advice if side.differences else "",
    )
    counts = f"{side.counted} tables counted, {len(side.rows)} differ"
    ctx.check("rows", "Rows as at the dump", "fail" if side.rows else "ok", counts, advice if side.rows else "")
    if side.versions:
        words = "; ".join(side.versions)
        ctx.check("extensions", "Versions of extensions", "warn", words, "A dump does not name them; see that it fits.")
    if side.uncounted:
        words = f"too large to be counted, or locked: {', '.join(side.uncounted[:5])}"
        ctx.check("uncounted", "Tables not counted", "warn", words, "Look at them before the swap.")
    words = f"{len(side.left)} could not be carried over" if side.left else "carried over"
    advice = "Let somebody who may run the statements above before the swap." if side.left else ""
    ctx.check("settings", "Settings and grants of the database", "fail" if side.left else "ok", words, advice)


async def _record(ctx: Context, **data: JsonValue) -> None:
    await ctx.record(label="restoring", attempt=ctx.attempt, **data)


async def _is_there(ctx: Context, name: str) -> bool:
    async with maintenance(ctx.target, ctx.application_name) as connection:
        return await restore.is_there(connection, name)


async def reconcile(ctx: Context, params: Params, start: StepStarted) -> Settled:
    """End what still restores, and drop the database that was made for it: it is not known to be whole."""
    records = records_of(ctx, start.attempt)
    await end_children(records)
    made: Mapping[str, JsonValue] = next((data for data in records if data.get("oid")), {})
    if made:
        async with maintenance(ctx.target, ctx.application_name) as connection:
            await restore.drop_side(connection, str(made["database"]), int(str(made["oid"])))
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


def shows(params: Params) -> str:
    """What is about to happen, in words."""
    return "the session's dump, restored into a new database beside the live one, then compare"


STEP = StepKind("Restore beside the live database", "target", Params, run, shows, reconcile)
