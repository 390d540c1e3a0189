"""`restore.side`: the session's dump, restored into a database beside the live one, and compared with the record."""

import time
from datetime import UTC, datetime, timedelta

from pydantic import Field

from migrations import restore
from migrations.restore import Side
from migrations.restore.swap import followers
from migrations.target import privileges
from runbooks.session.events import StepStarted
from runbooks.session.frozen import Frozen
from runbooks.settings.durations import microseconds
from runbooks.steps.base import Context, Settled, StepKind
from runbooks.steps.parts import restored
from runbooks.steps.parts.dump_found import stamp
from runbooks.steps.parts.dumps import Taken, server_tools, session_dump


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
    tested_at: str
    restored_us: int


async def run(ctx: Context, params: Params) -> Result:
    """Restore, compare, carry over. Raises Problem; the half-filled database is then dropped."""
    taken = await session_dump(ctx, params.dump)
    tools = await server_tools(ctx, params.bin)
    superuser = await must_be_possible(ctx, taken)
    await restore.check_file(taken.path, taken.sha256)
    name, oid = await restored.create_side(ctx)
    began = time.monotonic()
    try:
        order = restored.restoring(ctx, taken, tools, name, params.jobs, superuser=superuser)
        left_out = await restore.fill(order)
        took = timedelta(seconds=time.monotonic() - began)
        await ctx.progress(label="comparing", done=0, total=0, unit="", detail=name)
        side = await restore.settle(ctx.target, name, taken.state, ctx.application_name)
    except BaseException:
        await restored.drop_side(ctx, name, oid)
        raise
    await _judge(ctx, side)
    _tell_left_out(ctx, left_out)
    return Result(
        database=name,
        oid=str(oid),
        dump=taken.step,
        equal=not (side.differences or side.rows),
        differences=side.differences,
        counted=side.counted,
        tested_at=stamp(datetime.now(UTC)),
        restored_us=microseconds(took),
    )


async def must_be_possible(ctx: Context, taken: Taken) -> bool:
    """Raises Problem where this role cannot restore beside the live database. Returns whether it is a superuser."""
    async with ctx.connect("read") as connection:
        found = await restore.obstacles(connection, tuple(taken.state.extensions))
        slots = await followers(connection, ctx.target.url.database)
        superuser = (await privileges(connection)).superuser
    if found:
        raise restore.impossible(found)
    words = f"{', '.join(slots)} stay with the old database" if slots else "none"
    advice = "What reads from them must be set up anew after the swap." if slots else ""
    ctx.check("slots", "Logical replication slots", "warn" if slots else "ok", words, advice)
    return superuser


def _tell_left_out(ctx: Context, left_out: tuple[str, ...]) -> None:
    """Grants on PostgreSQL's own functions: without them all data is there, and somebody may do less than before."""
    if left_out:
        advice = "An administrator grants them anew after the swap; the old database, which is kept, has them."
        ctx.check("own-grants", "Grants on PostgreSQL's own things", "ok", f"left out: {', '.join(left_out)}", advice)


async def _judge(ctx: Context, side: Side) -> None:
    await restored.judge(ctx, side, "Do not swap. Look at the lines above, and at the database.")
    words = f"{len(side.left)} could not be carried over" if side.left else "carried over"
    advice = "Let somebody who may run the statements above before the swap." if side.left else ""
    ctx.check("settings", "Settings and grants of the database", "fail" if side.left else "ok", words, advice)


async def reconcile(ctx: Context, params: Params, start: StepStarted) -> Settled:
    """End what still restores, and drop the database that was made for it: it is not known to be whole."""
    return await restored.settle_side(ctx, start)


def shows(params: Params) -> str:
    """What is about to happen, in words."""
    return "the session's dump, restored into a new database beside the live one, then compared"


STEP = StepKind("Restore beside the live database", "target", Params, run, shows, reconcile, names=("dump",))
