"""`migrations.apply`: applies the reviewed scripts."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, Self

from pydantic import model_validator

from migrations.listed import many
from migrations.prisma.judged import Fate as PrismaFate
from migrations.sql import Way
from runbooks.session.events import Script, StepStarted
from runbooks.steps.base import Context, Doubt, Settled, StepKind
from runbooks.steps.parts.applying import chosen
from runbooks.steps.parts.native_engine import Limits, Result, ScriptResult, apply_natively, settled_natively
from runbooks.steps.parts.prisma_engine import ENGINE, apply_by_prisma, settled_by_prisma

OF_PRISMA = frozenset({"to", "engine", "command"})
"""The parameters that `engine = "prisma"` takes."""

WAYS = {"prisma-7.3": "up to 7.3", "prisma-7.4": "from 7.4 on"}


class Params(Limits):
    """`to`: the last migration to apply.

    With `engine = "prisma"` the team's own Prisma command applies; `command` is what stands before `migrate deploy`,
    if package.json and the lock file are not to say so. All else holds for the native engine alone.

    `pause`: a person is asked between two transactions whether to go on.
    `model`: gonogo's own way to run a script, or exactly that of Prisma up to 7.3, or from 7.4 on.
    """

    to: str | None = None
    model: Way = "safe"
    pause: bool = False
    engine: Literal["native", "prisma"] = "native"
    command: str | None = None

    @model_validator(mode="after")
    def _of_one_engine(self) -> Self:
        if self.engine == ENGINE and (others := sorted(self.model_fields_set - OF_PRISMA)):
            raise ValueError(f'engine = "prisma" knows nothing of {", ".join(others)}')
        if self.engine != ENGINE and self.command is not None:
            raise ValueError('command needs engine = "prisma"')
        return self


async def run(ctx: Context, params: Params) -> Result:
    """Apply what is pending. Raises ScriptFailed, Problem or Unavailable."""
    scripts = chosen(ctx, params.to)
    if not scripts:
        ctx.check("applied", "Scripts applied", "warn", "nothing to apply: nothing will be proven")
        return Result(scripts=(), stopped=False)
    if params.engine == ENGINE:
        return await _by_prisma(ctx, params, scripts)
    return await apply_natively(ctx, params, scripts, params.model, pause=params.pause)


async def _by_prisma(ctx: Context, params: Params, scripts: Sequence[Script]) -> Result:
    deployed = await apply_by_prisma(ctx, params.to, params.command)
    result = _of_fates(deployed.after.judged.of("applied"), scripts, stopped=deployed.stopped)
    evidence = f"{len(result.scripts)} of {many(len(scripts), 'script')}, by Prisma's own command"
    if deployed.stopped:
        words = f"{evidence}; stopped as asked, before it was run"
        ctx.check("applied", "Scripts applied", "fail", words, "Start the step again to go on.")
    else:
        ctx.check("applied", "Scripts applied", "ok", evidence)
    return result


def _of_fates(applied: Sequence[PrismaFate], scripts: Sequence[Script], *, stopped: bool = False) -> Result:
    statements = {script.migration: len(script.statements) for script in scripts}
    done = (
        ScriptResult(name=fate.name, id=fate.row, statements=statements[fate.name], took=fate.took, committed=True)
        for fate in applied
    )
    return Result(scripts=tuple(done), stopped=stopped)


async def reconcile(ctx: Context, params: Params, start: StepStarted) -> Settled | Doubt:
    """What the server says of an attempt that was cut short, and a person of the statement that it cannot tell of."""
    if params.engine == ENGINE:
        return await _reconcile_prisma(ctx, params, start)
    return await settled_natively(ctx, chosen(ctx, params.to), params.model)


async def _reconcile_prisma(ctx: Context, params: Params, start: StepStarted) -> Settled | Doubt:
    settled, after = await settled_by_prisma(ctx, params.to, start)
    if settled is None:
        return Doubt("What the ledger said before is lost. Look at what Prisma says now (prisma migrate status)")
    if after is None or settled.end != "done":
        return settled
    result = _of_fates(after.judged.of("applied"), chosen(ctx, params.to))
    return replace(settled, result=result.model_dump(mode="json"))


def shows(params: Params) -> str:
    """What is about to happen, in words."""
    last = f"up to {params.to}, " if params.to else ""
    if params.engine == ENGINE:
        command = params.command or "as package.json and the lock file say"
        return f"apply the reviewed scripts, {last}by Prisma's own command ({command}), asked first where it goes"
    way = f" as Prisma {WAYS[params.model]} does" if params.model in WAYS else ""
    pause = ", asking between transactions" if params.pause else ""
    return f"apply the reviewed scripts, {last}one after the other{way}{pause}; {params.words}"


ASKS = ("effect-*", "lock-timeout", "go-on-*")
STEP = StepKind("Apply the migrations", "target", Params, run, shows, reconcile, asks=ASKS)
