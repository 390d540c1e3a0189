"""`backup.restore_test`: the dump restored where nobody is, compared, timed, and thrown away again."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field, JsonValue

from migrations import activity, backup, restore
from migrations.backup.beside import beside
from migrations.backup.tools import Tools
from migrations.replay.given import facts
from migrations.restore import trial
from migrations.restore.trial import Trial
from migrations.server.programs import server_bin
from runbooks.history.sessions import dumps_folder
from runbooks.session.events import StepStarted
from runbooks.session.frozen import Frozen
from runbooks.session.runbook import Effect
from runbooks.settings.durations import microseconds, spell
from runbooks.steps.base import Context, Settled, StepKind
from runbooks.steps.parts import restored
from runbooks.steps.parts.dump_found import MIB, stamp
from runbooks.steps.parts.dumps import KEPT, Taken, end_children, records_of, server_tools, session_dump

ADVICE = "This dump is no way back. Look at the lines above, and dump again."


class Params(Frozen):
    """`dump`: the step whose dump is restored, else the first of the six phases.

    `into`: a throw-away `server` on this machine, or a database at the `side` of the live one, which is dropped
    again. `folder`: where the server's data lie meanwhile, else beside the dumps. `jobs`: so many tables at a time.
    """

    dump: str | None = None
    into: Literal["server", "side"] = "server"
    jobs: int = Field(default=1, ge=1, le=64)
    folder: str | None = None
    bin: str | None = None


class Result(Frozen):
    """`equal`: schema and counted rows are what they were at the dump. `restored_us`: the restore alone, in
    microseconds. `server`: the major version that it was restored into."""

    dump: str
    dump_sha256: str
    into: str
    server: int
    tested_at: str
    restored_us: int
    equal: bool
    differences: tuple[str, ...]
    counted: int


async def run(ctx: Context, params: Params) -> Result:
    """Restore, compare, throw away. Raises Misuse, Problem, Unavailable."""
    taken = await session_dump(ctx, params.dump)
    tools = await server_tools(ctx, params.bin)
    await restore.check_file(taken.path, taken.sha256)
    tried = await (_on_server if params.into == "server" else _at_the_side)(ctx, params, taken, tools)
    pin = ctx.target.pin
    other = tried.major if pin is not None and pin.server_major != tried.major else None
    await restored.judge(ctx, tried.side, ADVICE, other=other)
    _tell(ctx, params, taken, tried, other)
    return Result(
        dump=taken.step,
        dump_sha256=taken.sha256,
        into=params.into,
        server=tried.major,
        tested_at=stamp(datetime.now(UTC)),
        restored_us=microseconds(tried.took),
        equal=not (tried.side.differences or tried.side.rows),
        differences=tried.side.differences,
        counted=tried.side.counted,
    )


def _tell(ctx: Context, params: Params, taken: Taken, tried: Trial, other: int | None) -> None:
    where = f"a throw-away PostgreSQL {tried.major} on this machine"
    if params.into == "side":
        where = f"{tried.side.database}, beside the live database, dropped again"
    length = timedelta(seconds=max(1, round(tried.took.total_seconds())))
    advice = "It is not of the target's version, whose programs are not installed here." if other else ""
    words = f"{taken.path.name} into {where}, in {spell(length)}"
    ctx.check("restored", "The dump was restored", "warn" if other else "ok", words, advice)


async def _on_server(ctx: Context, params: Params, taken: Taken, tools: Tools) -> Trial:
    inherited = ctx.child_environment()
    where = Path(params.folder).expanduser() if params.folder else dumps_folder(ctx.project, inherited)
    where = ctx.project.folder / where
    async with ctx.connect("read") as connection:
        there = await facts(connection)
        size, _ = await activity.sizes(connection)
    free = await asyncio.to_thread(backup.space, where)
    words = f"{free // MIB} MiB free in {where}, the database has {size // MIB} MiB"
    advice = "" if free > size else "Make room, or name another folder."
    ctx.check("disk-space", "Room for the restored data", "ok" if free > size else "warn", words, advice)
    bin = await server_bin(there.major, inherited)
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="restore-test-", dir=where))
    order = restored.restoring(ctx, taken, tools, trial.NAME, params.jobs)
    try:
        return await trial.on_throwaway(order, taken.state, there, folder=folder, bin=bin, env=_quiet(inherited))
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _quiet(inherited: Mapping[str, str]) -> dict[str, str]:
    """No address of any database."""
    return {**{name: inherited[name] for name in KEPT if name in inherited}, "LC_ALL": "C"}


async def _at_the_side(ctx: Context, params: Params, taken: Taken, tools: Tools) -> Trial:
    async with ctx.connect("read") as connection:
        if found := await restore.obstacles(connection, tuple(taken.state.extensions)):
            raise restore.impossible(found)
    name, oid = await restored.create_side(ctx)
    began = time.monotonic()
    try:
        await restore.fill(restored.restoring(ctx, taken, tools, name, params.jobs))
        took = timedelta(seconds=time.monotonic() - began)
        async with beside(ctx.target, name, ctx.application_name) as connection:
            await connection.execute("ANALYZE")
            side = await restore.compare(connection, taken.state)
    finally:
        await restored.drop_side(ctx, name, oid)
    assert ctx.target.pin is not None
    return Trial(side, took, ctx.target.pin.server_major)


def effect_of(params: Mapping[str, JsonValue]) -> Effect:
    """A database beside the live one is on the target's server."""
    return "target" if params.get("into") == "side" else "outside"


async def reconcile(ctx: Context, params: Params, start: StepStarted) -> Settled:
    """A throw-away server goes with whoever started it; a database beside the live one is dropped now."""
    if params.into == "side":
        return await restored.settle_side(ctx, start)
    await end_children(records_of(ctx, start.attempt))
    return Settled("failed", "fail", "the restore test was cut short; the live database was not touched")


def shows(params: Params) -> str:
    """What is about to happen, in words."""
    where = "a throw-away server on this machine"
    if params.into == "side":
        where = "a new database beside the live one, which is dropped again"
    return f"the session's dump, restored into {where}, compared, and timed"


STEP = StepKind("Try a restore", "outside", Params, run, shows, reconcile, effect_of, names=("dump",))
