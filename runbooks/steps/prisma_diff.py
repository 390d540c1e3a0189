"""`prisma.diff`: what the team's own Prisma would do to the database, beside what the reviewed scripts do."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from migrations.listed import many
from migrations.prisma.diff import Diff, diff, goes_to
from migrations.prisma.layout import find_layout
from migrations.problem import Misuse, Problem
from migrations.rules import Finding, judge
from migrations.sql import Script, read_script
from runbooks.journal.artefacts import write_private
from runbooks.session.frozen import Frozen
from runbooks.steps.base import Context, StepKind
from runbooks.steps.parts.applied import default_schema
from runbooks.steps.parts.duration import Duration
from runbooks.steps.parts.kept_scripts import script_text
from runbooks.steps.parts.ledger_reading import planned
from runbooks.steps.parts.prisma_engine import find_prisma, prisma_environment

if TYPE_CHECKING:
    from migrations.sql.alike import Part

KEPT = "prisma-diff.sql"
NOTHING = "-- Prisma finds nothing to do.\n"
SHOWN = 10


class Params(Frozen):
    """`command`: what stands before `migrate diff`, where the lock file does not say. `schema`: a file or folder, from
    the folder of gonogo.toml. `timeout` is for each call of the command."""

    command: str | None = None
    schema_path: str | None = None
    timeout: Duration = timedelta(minutes=2)


class Result(Frozen):
    """`wanted`: what Prisma would do and no pending script does; `beyond`: the other way round; each counted."""

    artefact: str = ""
    wanted: int = 0
    beyond: int = 0


@dataclass(frozen=True, slots=True)
class Compared:
    """`wanted` are parts of the diff that no script has, `beyond` those of the scripts, with the migration."""

    wanted: tuple["Part", ...]
    beyond: tuple[tuple[str, "Part"], ...]
    losing: tuple[Finding, ...]


async def run(ctx: Context, params: Params) -> Result:
    """Ask Prisma, keep what it prints, and compare. What keeps it from that is a check. Raises Problem."""
    if params.command is not None and not params.command.strip():
        raise Misuse("An empty command is none.", advice="Leave it out, or say what stands before `migrate diff`.")
    try:
        found = await _ask(ctx, params)
    except Problem as problem:
        ctx.check("asked", "Prisma's own diff", "unknown", problem.what, problem.advice)
        return Result()
    if found is None:
        return Result()
    path = ctx.artefact(KEPT)
    await asyncio.to_thread(write_private, path, ctx.clean(found.script or NOTHING).encode())
    kept = await ctx.keep(KEPT, path)
    compared = await asyncio.to_thread(_compared, ctx, found.script)
    await _tell(ctx, found, compared)
    return Result(artefact=kept.path, wanted=len(compared.wanted), beyond=len(compared.beyond))


async def _ask(ctx: Context, params: Params) -> Diff | None:
    """None where it would read another database; a check says so."""
    env = prisma_environment(ctx.child_environment(), ctx.environment, ctx.session)
    runner, version, told = await find_prisma(ctx.project, env, params.command)
    schema = await asyncio.to_thread(_schema, ctx, params, runner.folder, version.major)
    seconds = params.timeout.total_seconds()
    elsewhere = await goes_to(
        runner.cli, schema, url=ctx.target.url, env=env, cwd=runner.folder, timeout=seconds
    )  # fmt: skip
    if elsewhere:
        advice = "See which variable its schema or config takes the address from: gonogo sets those of gonogo.toml."
        ctx.check("asked", "Prisma's own diff", "fail", f"it was not asked: {elsewhere}", advice)
        return None
    found = await diff(runner.cli, version.major, schema, env=env, cwd=runner.folder, timeout=seconds)
    ctx.check("asked", "Prisma's own diff", "ok", f"`{found.command}` (Prisma {version.text}, by {told.why})")
    return found


def _schema(ctx: Context, params: Params, folder: Path, major: int) -> Path:
    if params.schema_path is not None:
        path = ctx.project.folder / params.schema_path
        if not path.exists():
            raise Misuse(f"There is no Prisma schema {path}, which the runbook names.")
        return path
    schema = find_layout(folder, ctx.project.migrations, major).schema
    if schema is None:
        raise Misuse("Only Prisma's config knows where the schema is.", advice='Name it: schema_path = "db/schema".')
    return schema


def _compared(ctx: Context, text: str) -> Compared:
    """Takes a moment: not for the event loop."""
    wanted = read_script(text)
    pending = [(script.migration, read_script(script_text(ctx, script))) for script in planned(ctx)]
    faults = [f"{name}: {script.error.message}" for name, script in (("the diff", wanted), *pending) if script.error]
    if faults:
        raise Problem(f"They cannot be compared. {'; '.join(faults)}.", advice="Compare them by eye.")
    return _apart(wanted, pending, default_schema(ctx))


def _apart(wanted: Script, pending: Sequence[tuple[str, Script]], schema: str) -> Compared:
    from migrations.sql.alike import lacking, parts  # it is slow to load

    asked = parts(wanted, schema)
    done = [(name, part) for name, script in pending for part in parts(script, schema)]
    missing = lacking(asked, [part for _, part in done])
    left = {id(part) for part in lacking([part for _, part in done], asked)}
    lines = {part.line for part in missing}
    losing = tuple(one for one in judge(wanted) if one.loses_data and one.line in lines)
    return Compared(tuple(missing), tuple(pair for pair in done if id(pair[1]) in left), losing)


async def _tell(ctx: Context, found: Diff, compared: Compared) -> None:
    title = "The reviewed scripts do what the schema wants"
    await ctx.output(found.script or NOTHING)
    wanted = [part.form for part in compared.wanted]
    beyond = [f"{name}, line {part.line}: {part.form}" for name, part in compared.beyond]
    await ctx.output("".join(f"only in Prisma's diff: {form}\n" for form in wanted), "note") if wanted else None
    await ctx.output("".join(f"only in the scripts: {form}\n" for form in beyond), "note") if beyond else None
    more = f"; {many(len(beyond), 'thing')} that only the scripts do: listed above" if beyond else ""
    if not wanted:
        ctx.check("diff", title, "ok", f"Prisma would do nothing that no pending script does{more}")
        return
    loses = f", and of these {many(len(compared.losing), 'loses', 'lose')} data" if compared.losing else ""
    rest = f"; and {len(wanted) - SHOWN} more" if wanted[SHOWN:] else ""
    words = f"{many(len(wanted), 'thing')} that no pending script does{loses}: {'; '.join(wanted[:SHOWN])}{rest}{more}"
    advice = "A migration is missing, the schema was changed by hand (drift), or a script does it in other words: look."
    ctx.check("diff", title, "warn", words, advice)


def shows(params: Params) -> str:
    """What is about to happen, in words."""
    return f"{params.command or 'the installed Prisma'} migrate diff, from the database to the schema: it only reads"


STEP = StepKind("Ask Prisma what it would do", "reads", Params, run, shows)
