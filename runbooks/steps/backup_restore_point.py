"""`backup.restore_point`: a named point in the server's log, to recover to."""

from typing import Annotated

from pydantic import StringConstraints

from migrations.backup import restore_point
from migrations.problem import Problem
from runbooks.session.events import StepStarted
from runbooks.session.frozen import Frozen
from runbooks.steps.base import Context, Settled, StepKind


class Params(Frozen):
    """`name`: what it is called, else by the session. Recovery stops at the first one of a name."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=restore_point.LONGEST)] | None = None


class Result(Frozen):
    """The point, and whether the server says that it archives its log."""

    name: str
    lsn: str
    at: str
    wal_level: str
    archive_mode: str


async def run(ctx: Context, params: Params) -> Result:
    """Make it. Raises Problem where the role or the server does not allow it."""
    name = params.name or f"gonogo_{ctx.session}_{ctx.attempt}"[-restore_point.LONGEST :]
    async with ctx.connect("script") as connection:
        there = await restore_point.archiving(connection)
        if there.obstacle:
            what, advice = there.obstacle
            raise Problem(f"No restore point: {what}.", advice=advice, code="" if there.allowed else "42501")
        await ctx.record(label="making the restore point", attempt=ctx.attempt, name=name)
        point = await restore_point.create(connection, name)
    ctx.check("made", "The restore point is in the log", "ok", f"{point.name} at {point.lsn}, {point.at}")
    what, advice = there.doubt or (there.words, "")
    ctx.check("archived", "Somebody keeps the log", "warn" if there.doubt else "ok", what, advice)
    return Result(
        name=point.name, lsn=point.lsn, at=point.at, wal_level=there.wal_level, archive_mode=there.archive_mode
    )


async def reconcile(ctx: Context, params: Params, start: StepStarted) -> Settled:
    """Whether it was made stands in no catalog. Another one does no harm."""
    return Settled("failed", "fail", "whether the restore point was made is not known; make another, by another name")


def shows(params: Params) -> str:
    """What is about to happen, in words."""
    return f"SELECT pg_create_restore_point('{params.name or 'gonogo_SESSION'}'): a record in the log, no lock"


STEP = StepKind("Make a restore point", "outside", Params, run, shows, reconcile)
