"""`rollback.read`: the script that mends or undoes, read and judged like the pending ones, for a person to review."""

import asyncio
from typing import Self

from pydantic import model_validator

from migrations import ledger
from migrations.folder import SCRIPT, Migration, read_folder
from migrations.listed import many
from migrations.plan import compare
from migrations.problem import Misuse
from runbooks.planning.git import committed
from runbooks.planning.one_script import given, keep_copies, known_of, weighed
from runbooks.planning.planning import Analysed, analyse
from runbooks.redact.scripts import Hiding
from runbooks.session.events import Script
from runbooks.session.frozen import Frozen
from runbooks.steps.base import Context, StepKind
from runbooks.steps.parts.mending import Source, file_named, is_applied, migration_named

SHOWN = 10


class Params(Frozen):
    """`migration`: one of the folder, which gets its row in the ledger. `file`: SQL, from the folder of gonogo.toml,
    which gets none. With neither, a person names one of the two."""

    migration: str | None = None
    file: str | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.migration is not None and self.file is not None:
            raise ValueError("a migration or a file, not both")
        return self


class Result(Frozen):
    """`proposed` is what a person has to review before it is run."""

    source: Source
    name: str
    sha256: str
    proposed: Script


async def run(ctx: Context, params: Params) -> Result:
    """Read it, and keep its bytes. Raises Misuse if there is no such script."""
    source, migration = await _chosen(ctx, params)
    also, hide = ctx.project.review.also, Hiding(ctx.project)
    one = await asyncio.to_thread(analyse, migration, also, "safe", hide)
    for name, value in given([one]):
        ctx.capture(name, value, secret=True)
    known = await known_of(ctx.target, [one])
    script = await asyncio.to_thread(weighed, one, known, ctx.project.review)
    await asyncio.to_thread(keep_copies, ctx.folder, [one])
    await ctx.output("\n".join(f"  line {s.line}: {s.summary}" for s in script.statements) + "\n")
    _check_runs(ctx, source, one, script)
    _check_findings(ctx, script)
    await _check_git(ctx, source, migration)
    await _check_ledger(ctx, source, migration)
    return Result(source=source, name=migration.name, sha256=script.sha256, proposed=script)


async def _chosen(ctx: Context, params: Params) -> tuple[Source, Migration]:
    if params.migration is not None:
        return "migration", await migration_named(ctx, params.migration)
    if params.file is not None:
        return "file", await file_named(ctx, params.file)
    known = [str(record["named"]) for record in ctx.progress_of(ctx.step.id) if record.get("named")]
    named = known[-1] if known and is_applied(ctx) else await _asked(ctx)
    source: Source = "migration" if await _is_migration(ctx, named) else "file"
    found = await (migration_named if source == "migration" else file_named)(ctx, named)
    await ctx.record(named=named)
    return source, found


async def _asked(ctx: Context) -> str:
    answer = await ctx.ask(
        "script",
        "Which script is it? The name of a migration in the folder (it is applied with its row in the ledger), or the "
        "path of an SQL file, from the folder of gonogo.toml (it runs in one transaction, without a row).",
    )
    return answer.strip()


async def _is_migration(ctx: Context, name: str) -> bool:
    folder = await asyncio.to_thread(read_folder, ctx.project.folder / ctx.project.migrations)
    return any(migration.name == name for migration in folder)


def _check_runs(ctx: Context, source: Source, one: Analysed, script: Script) -> None:
    title = "How it runs"
    if script.model == "refused":
        ctx.check("runs", title, "fail", script.model_words, "Mend the script, then run this step again.")
    elif source == "file" and script.model != "transaction":
        advice = f"Put it into a migration of its own ({SCRIPT} in a folder beside the others), and name that."
        why = f"{script.model_words}: without a row in the ledger it must be one transaction, or nothing tells how far"
        ctx.check("runs", title, "fail", why, advice)
    else:
        ctx.check("runs", title, "ok", f"{many(len(one.script.statements), 'statement')}: {script.model_words}")


def _check_findings(ctx: Context, script: Script) -> None:
    said = [f"line {f.line}: {f.message}" for f in script.findings if f.severity == "stop" or f.loses_data]
    unread = [f"line {s.line}: not analysed" for s in script.statements if not s.analysed]
    more = f"; and {len(said + unread) - SHOWN} more" if len(said + unread) > SHOWN else ""
    words = "; ".join((said + unread)[:SHOWN]) + more
    advice = "Read it statement by statement (v): a way back may lose data, too." if words else ""
    ctx.check("findings", "What the rules say", "warn" if words else "ok", words or "no stop, no loss of data", advice)


async def _check_git(ctx: Context, source: Source, migration: Migration) -> None:
    folder, name = migration.path.parent, migration.path.name
    known = await committed(folder)
    wanted = f"{name}/{SCRIPT}" if source == "migration" else name
    if known is not None and wanted in known:
        ctx.check("git", "In git, and committed", "ok", f"{migration.name} is committed as it is")
    else:
        advice = "In the night a copy of it is in this session; commit it in the morning, so that it can be found."
        ctx.check("git", "In git, and committed", "warn", f"{migration.name} is not committed as it is", advice)


async def _check_ledger(ctx: Context, source: Source, migration: Migration) -> None:
    title = "The ledger"
    if source == "file":
        ctx.check("ledger", title, "ok", "it gets no row: a file is no migration")
        return
    folder = await asyncio.to_thread(read_folder, ctx.project.folder / ctx.project.migrations)
    async with ctx.connect("read") as conn:
        rows = await ledger.read(conn, ctx.target.url.schema) or ()
    pending = [one.name for one in compare(folder, rows).pending]
    if migration.name in pending:
        others = pending[: pending.index(migration.name)]
        words = f"it is applied alone; pending before it: {', '.join(others[:SHOWN])}" if others else "it is the next"
        advice = "The next deploy applies those too: take them out of the release if they are to stay away."
        ctx.check("ledger", title, "warn" if others else "ok", words, advice if others else "")
    elif is_applied(ctx):
        ctx.check("ledger", title, "ok", "this way back has applied it")
    else:
        raise Misuse(f"{migration.name} is applied already (P3008).", advice="Name the one that is to be applied now.")


def shows(params: Params) -> str:
    """What is read, in words."""
    return f"read {params.migration or params.file or 'the script that a person names'}, for review"


STEP = StepKind("Read the script of the way back", "reads", Params, run, shows, asks=("script",))
