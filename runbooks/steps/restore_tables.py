"""`restore.tables`: single tables, put back to what the session's dump has of them, in one transaction."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import psycopg
from pydantic import JsonValue

from migrations import restore
from migrations.apply.sending import Timeouts
from migrations.backup.beside import beside
from migrations.problem import Misuse, Problem
from migrations.process import Child
from migrations.restore import tables as of_tables
from migrations.restore.entries import Entry, read_entries, write_entries
from migrations.restore.staging import Difference, Stage, put_back, rows_beside, told
from migrations.restore.stream import Archive, Copied, Sink, data_into
from runbooks.session.events import StepStarted
from runbooks.session.frozen import Frozen
from runbooks.steps.base import Context, Doubt, Settled, StepKind
from runbooks.steps.parts.dumps import Taken, program_environment, records_of, server_tools, session_dump
from runbooks.steps.parts.one_commit import Committing, committed_or_not

LOCK = 10_000


class Params(Frozen):
    """`tables`: each as `schema.table`. `new_rows`: what becomes of the rows that came since the dump. `side`: the
    step that restored beside the live database, if the rows are to come from there and not from the dump itself."""

    tables: tuple[str, ...]
    new_rows: Literal["keep", "delete"] = "keep"
    dump: str | None = None
    side: str | None = None
    bin: str | None = None


class Result(Frozen):
    """By table: rows that came back, rows that were put back, rows that had come since. `transaction` did it."""

    tables: dict[str, tuple[int, int, int]]
    transaction: str


async def run(ctx: Context, params: Params) -> Result:
    """Look, stage, ask, then change all of them or none. Raises Problem, Misuse, Unavailable."""
    taken = await session_dump(ctx, params.dump)
    delete_new = params.new_rows == "delete"
    async with Committing(ctx, Timeouts(lock=LOCK, statement=0, idle_in_transaction=0), begin=False) as work:
        try:
            found = await of_tables.look(work.connection, params.tables, taken.state)
            if delete_new and (swept := await of_tables.swept_along(work.connection, found)):
                raise Problem(
                    f"Rows that came since cannot be deleted: {'; '.join(swept)}.",
                    advice='Name those tables too, or keep the new rows (new_rows = "keep").',
                )
            stages = [Stage(work.connection, table, number) for number, table in enumerate(found)]
            await _filled(ctx, params, taken, stages)
            before = {stage.table.name: await stage.difference() for stage in stages}
            words = told(before, delete_new=delete_new)
            await ctx.output(words.replace("; ", "\n") + "\n")
            await ctx.ask("tables", f"{words}. Type the first table's name: {params.tables[0]}", exact=params.tables[0])
            await work.begin()
            did = await put_back(stages, work.connection, delete_new=delete_new)
            await work.commit()
        except psycopg.Error as error:
            raise _refused(error) from error
    _judge(ctx, before, did)
    rows = {name: (one.gone, one.changed, one.new) for name, one in did.items()}
    return Result(tables=rows, transaction=work.xid)


async def _filled(ctx: Context, params: Params, taken: Taken, stages: Sequence[Stage]) -> None:
    """Make the stages, and fill them from the database beside, or from the dump. Raises Problem."""
    for stage in stages:
        await stage.make()
        await ctx.progress(label="staging", done=0, total=0, unit="", detail=stage.table.name)
    if params.side is not None:
        await _from_side(ctx, params.side, stages)
    else:
        await _from_dump(ctx, params, taken, stages)
    for stage in stages:
        await stage.filled(of_tables.counted(taken.state, stage.table.name))


async def _from_side(ctx: Context, side: str, stages: Sequence[Stage]) -> None:
    result = ctx.result(side)
    if result.get("equal") is not True:
        raise Misuse(f"{side} has restored nothing that is as it was dumped.", advice=f"Run {side} first.")
    async with beside(ctx.target, str(result["database"]), ctx.application_name) as other:
        for stage in stages:
            async with stage.connection.cursor().copy(stage.taking(stage.columns).encode()) as copy:
                async for data in rows_beside(other, stage):
                    await copy.write(data)
    database = str(result["database"])
    advice = f'When nobody needs it any more, as its owner: DROP DATABASE "{database}"'
    ctx.check("side", "The database beside is still there", "ok", database, advice)


async def _from_dump(ctx: Context, params: Params, taken: Taken, stages: Sequence[Stage]) -> None:
    await restore.check_file(taken.path, taken.sha256)
    tools, env = await server_tools(ctx, params.bin), program_environment(ctx)
    by_name = {stage.table.name: stage for stage in stages}
    entries, path = await read_entries(tools, taken.path, env), ctx.artefact("entries.txt")

    def wanted(entry: Entry) -> bool:
        return entry.sort == "TABLE DATA"

    async def started(child: Child) -> None:
        await ctx.record(attempt=ctx.attempt, pid=child.pid, started=child.started, group=child.group)

    async def into(copied: Copied) -> str:
        stage = by_name.get(copied.table)
        if stage is None:
            raise Problem(f"The dump has rows of {copied.table}, which was not asked for.", advice="Look at the dump.")
        return stage.taking(copied.columns)

    await asyncio.to_thread(write_entries, path, _only(entries, by_name), wanted)
    archive = Archive(tools, env, Path(taken.path), path, started)
    await data_into(archive, Sink(stages[0].connection, into, archive.skips))


def _only(entries: Sequence[Entry], names: Mapping[str, Stage]) -> tuple[Entry, ...]:
    """The entries that may hold these tables' rows: names in a table of contents are not quoted."""
    plain = {" ".join(of_tables.parts(name)) for name in names}
    return tuple(entry for entry in entries if any(entry.rest.startswith(f"{name} ") for name in plain))


def _judge(ctx: Context, before: Mapping[str, Difference], did: Mapping[str, Difference]) -> None:
    moved = [name for name, one in did.items() if one != before[name]]
    words = "; ".join(f"{name}: {one.gone} back, {one.changed} put back" for name, one in did.items())
    ctx.check("tables", "The tables are as at the dump", "ok", words)
    if moved:
        advice = "Somebody still writes: see who, and look whether what they wrote is as it should be."
        ctx.check(
            "moved", "Written to meanwhile", "warn", f"between the question and the change: {', '.join(moved)}", advice
        )


def _refused(error: psycopg.Error) -> Problem:
    return Problem(
        f"The tables could not be put back: {error.diag.message_primary or 'the connection was lost'}.",
        advice="It was rolled back: nothing was changed. A violated key needs the other table: name it with these.",
        code=error.sqlstate or "",
        detail=error.diag.message_detail or "",
    )


async def reconcile(ctx: Context, params: Params, start: StepStarted) -> Settled | Doubt:
    """The server says what became of the transaction."""
    state = await committed_or_not(ctx, records_of(ctx, start.attempt))
    if not isinstance(state, str):
        return state
    result: Mapping[str, JsonValue] = Result(tables={}, transaction=state).model_dump(mode="json")
    return Settled("done", "ok", f"transaction {state} was committed: the tables are as at the dump", result=result)


def shows(params: Params) -> str:
    """What is about to happen, in words."""
    source = f"from what {params.side} restored" if params.side else "from the session's dump"
    fate = "stay" if params.new_rows == "keep" else "are deleted"
    return f"puts back {', '.join(params.tables)} {source}, in one transaction; rows that came since {fate}"


STEP = StepKind(
    "Put single tables back", "target", Params, run, shows, reconcile, asks=("tables",), names=("dump", "side")
)
