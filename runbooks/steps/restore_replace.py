"""`restore.replace`: the session's dump put back into the live database itself, in one transaction.

For roles that may neither create nor rename databases; where they may, a side database is the better way.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg
from pydantic import JsonValue

from migrations import restore
from migrations.apply.sending import Timeouts
from migrations.listed import many
from migrations.problem import Problem
from migrations.process import Child
from migrations.restore import in_place
from migrations.restore.entries import beside, read_entries, write_entries
from migrations.restore.stream import Archive
from runbooks.session.events import StepStarted
from runbooks.session.frozen import Frozen
from runbooks.steps.base import Context, Doubt, Settled, StepKind
from runbooks.steps.parts.dumps import program_environment, records_of, server_tools, session_dump
from runbooks.steps.parts.one_commit import Committing, committed_or_not

LOCK = 10_000
"""Milliseconds to wait for a table that somebody holds."""


class Params(Frozen):
    """`dump`: the step whose dump is put back, else the first of the six phases. `bin`: where pg_restore is."""

    dump: str | None = None
    bin: str | None = None


class Result(Frozen):
    """`dropped`: so many things were taken away first. `restored`: the transaction that did it."""

    database: str
    dump: str
    dropped: int
    restored: str


async def run(ctx: Context, params: Params) -> Result:
    """Look, ask, then do all of it or nothing. Raises Problem, Misuse, Unavailable."""
    taken = await session_dump(ctx, params.dump)
    tools = await server_tools(ctx, params.bin)
    await restore.check_file(taken.path, taken.sha256)
    async with ctx.connect("read") as connection:
        present = await in_place.look(connection, taken.state.extensions)
        who = await in_place.others(connection)
    env = program_environment(ctx)
    entries = ctx.artefact("entries.txt")
    found = await read_entries(tools, taken.path, env)
    await asyncio.to_thread(write_entries, entries, found, beside(present.schemas, present.extensions))
    words = (
        f"{many(who, 'other session is', 'other sessions are')} on the database, to wait and then see the dump"
        if who
        else "nobody else is there"
    )
    ctx.check("sessions", "Who else is on it", "warn" if who else "ok", words, "Stop the writers first." if who else "")
    live = ctx.target.url.database
    await ctx.ask(
        "database",
        f"In one transaction, all in {ctx.target.url.shown} is dropped ({many(len(present.drops), 'thing')}), and "
        f"the dump of {taken.at} takes its place. What was written since is lost, unless the present was dumped, too. "
        f"Type the name of the database: {live}",
        exact=live,
    )

    async def started(child: Child) -> None:
        await ctx.record(attempt=ctx.attempt, pid=child.pid, started=child.started, group=child.group)

    archive = Archive(tools, env, Path(taken.path), entries, started)
    xid = await _in_one(ctx, archive, present, taken.state)
    ctx.check("replaced", "The dump is in place", "ok", f"compared before its COMMIT, transaction {xid}")
    return Result(database=live, dump=taken.step, dropped=len(present.drops), restored=xid)


async def _in_one(ctx: Context, archive: Archive, present: in_place.Present, state: Any) -> str:
    async def say(words: str) -> None:
        await ctx.progress(label="restoring in place", done=0, total=0, unit="", detail=words)

    async with Committing(ctx, Timeouts(lock=LOCK, statement=0, idle_in_transaction=0)) as work:
        try:
            await in_place.replace(work.connection, present, archive, state, say)
        except psycopg.Error as error:
            raise _refused(error) from error
        await work.commit()
        return work.xid


def _refused(error: psycopg.Error) -> Problem:
    return Problem(
        f"The dump could not be put back in place: {error.diag.message_primary or 'the connection was lost'}.",
        advice="It was rolled back: the database is as it was. Mend what is named, or restore beside the live one.",
        code=error.sqlstate or "",
        detail=error.diag.message_detail or "",
    )


async def reconcile(ctx: Context, params: Params, start: StepStarted) -> Settled | Doubt:
    """The server says what became of the transaction."""
    records = records_of(ctx, start.attempt)
    state = await committed_or_not(ctx, records)
    if isinstance(state, str):
        taken = await session_dump(ctx, params.dump)
        result: Mapping[str, JsonValue] = Result(
            database=ctx.target.url.database, dump=taken.step, dropped=0, restored=state
        ).model_dump(mode="json")
        return Settled("done", "ok", f"transaction {state} was committed: the dump is in place", result=result)
    return state


def shows(params: Params) -> str:
    """What is about to happen, in words."""
    return "in one transaction: drops everything that is there, puts the session's dump in its place, compares, commits"


STEP = StepKind(
    "Put the dump back in place", "target", Params, run, shows, reconcile, asks=("database",), names=("dump",)
)
