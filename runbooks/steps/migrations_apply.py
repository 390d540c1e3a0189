"""`migrations.apply`: applies the reviewed scripts."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from migrations.apply import ApplyResult, ApplyRun, apply
from migrations.apply.guard import Budgets
from migrations.apply.script_failed import ScriptFailed
from migrations.apply.sending import Timeouts
from migrations.listed import listed
from migrations.prisma.judged import Fate as PrismaFate
from migrations.problem import Problem
from migrations.sql import Way
from runbooks.session.events import Check, Script, StepStarted
from runbooks.session.frozen import Frozen
from runbooks.steps.base import Context, Doubt, Settled, StepKind
from runbooks.steps.parts.apply_questions import may_go_on
from runbooks.steps.parts.apply_teller import Teller
from runbooks.steps.parts.applying import Order, chosen, fates, order, still_as_reviewed
from runbooks.steps.parts.duration import Duration
from runbooks.steps.parts.limits import NONE, Limit, limit_milliseconds, limit_text
from runbooks.steps.parts.lock_timeout import lock_timeout_for
from runbooks.steps.parts.prisma_engine import ENGINE, apply_by_prisma, settled_by_prisma
from runbooks.steps.parts.registering import caught_up, registrar

OF_PRISMA = frozenset({"to", "engine", "command"})
"""The parameters that `engine = "prisma"` takes."""

WAYS = {"prisma-7.3": "up to 7.3", "prisma-7.4": "from 7.4 on"}


class Params(Frozen):
    """`to`: the last migration to apply. Timeouts hold for each statement; `"0"` is none.

    With `engine = "prisma"` the team's own Prisma command applies; `command` is what stands before `migrate deploy`,
    if package.json and the lock file are not to say so. All else holds for the native engine alone.

    What runs CONCURRENTLY waits for old transactions, without harm: it has no lock timeout, and one of its own.
    Others wait behind our statement no longer than `queue_wait` each, and `queue_total` together, while it waits for a
    lock; no longer than `held_wait` each while it works under one. `retry_for` is for all tries that a lock ended.
    `pause`: a person is asked between two transactions whether to go on.
    `model`: gonogo's own way to run a script, or exactly that of Prisma up to 7.3, or from 7.4 on.
    """

    to: str | None = None
    lock_timeout: Annotated[Duration, Field(gt=NONE)] = timedelta(seconds=5)
    queue_wait: Limit = timedelta(seconds=2)
    queue_total: Limit = timedelta(seconds=20)
    held_wait: Limit = timedelta(seconds=30)
    retry_for: Limit = timedelta(minutes=10)
    statement_timeout: Limit = timedelta(minutes=15)
    concurrent_timeout: Limit = timedelta(hours=4)
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


class ScriptResult(Frozen):
    """`id` is the ledger's; `took` is in microseconds, 0 where an earlier attempt applied it."""

    name: str
    id: str
    statements: int
    took: int
    committed: bool


class Result(Frozen):
    """What this session has applied, in order."""

    scripts: tuple[ScriptResult, ...]
    stopped: bool


async def run(ctx: Context, params: Params) -> Result:
    """Apply what is pending. Raises ScriptFailed, Problem or Unavailable."""
    scripts = chosen(ctx, params.to)
    if not scripts:
        ctx.check("applied", "Scripts applied", "warn", "nothing to apply: nothing will be proven")
        return Result(scripts=(), stopped=False)
    if params.engine == ENGINE:
        return await _by_prisma(ctx, params, scripts)
    todo = await order(ctx, scripts, params.model)
    await caught_up(ctx, todo.before)
    lock_timeout = await lock_timeout_for(ctx, params.lock_timeout, params.queue_wait)
    params = params.model_copy(update={"lock_timeout": lock_timeout})
    try:
        result = await apply(_run(ctx, params, todo, tuple(s.migration for s in scripts)))
    except ScriptFailed as failed:
        await ctx.output(f"{failed.text}\n", "err")
        raise
    return _result(ctx, todo, result, len(scripts))


async def _by_prisma(ctx: Context, params: Params, scripts: Sequence[Script]) -> Result:
    deployed = await apply_by_prisma(ctx, params.to, params.command)
    result = _of_fates(deployed.after.judged.of("applied"), scripts, stopped=deployed.stopped)
    evidence = f"{len(result.scripts)} of {len(scripts)} scripts, by Prisma's own command"
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


def timeouts_of(params: Params) -> Timeouts:
    """The timeouts that parameters give."""
    return Timeouts(
        lock=limit_milliseconds(params.lock_timeout),
        statement=limit_milliseconds(params.statement_timeout),
        concurrent=limit_milliseconds(params.concurrent_timeout),
    )


def _run(ctx: Context, params: Params, todo: Order, all_names: tuple[str, ...]) -> ApplyRun:
    return ApplyRun(
        target=ctx.target,
        session=ctx.session,
        application_name=ctx.application_name,
        scripts=todo.scripts,
        on=Teller(ctx, all_names).tell,
        timeouts=timeouts_of(params),
        budgets=Budgets(
            queue_wait=params.queue_wait.total_seconds(),
            queue_total=params.queue_total.total_seconds(),
            held_wait=params.held_wait.total_seconds(),
            retry_for=params.retry_for.total_seconds(),
        ),
        roll_back_rows=todo.open_rows,
        stop_asked=lambda: ctx.stop_asked,
        go_on=partial(may_go_on, ctx) if params.pause else None,
        before_script=lambda script: still_as_reviewed(ctx, script),
        register=registrar(ctx),
    )


def _result(ctx: Context, todo: Order, result: ApplyResult, planned: int) -> Result:
    before = [ScriptResult(name=f.name, id=f.row, statements=f.statements, took=0, committed=True) for f in todo.before]
    now = [
        ScriptResult(name=s.name, id=s.row, statements=s.statements, took=s.took, committed=True)
        for s in result.scripts
    ]
    done = (*before, *now)
    evidence = f"{len(done)} of {planned} scripts, {sum(s.statements for s in done)} statements"
    if len(done) < planned:
        left = listed(tuple(s.name for s in todo.scripts[len(now) :]))
        advice = "Start the step again to go on."
        where = f"in the middle of {result.amid}" if result.amid else f"before {left}"
        ctx.check("applied", "Scripts applied", "fail", f"{evidence}; stopped as asked, {where}", advice)
    else:
        ctx.check("applied", "Scripts applied", "ok", evidence)
    return Result(scripts=done, stopped=result.stopped)


async def reconcile(ctx: Context, params: Params, start: StepStarted) -> Settled | Doubt:
    """What the server says of an attempt that was cut short, and a person of the statement that it cannot tell of."""
    if params.engine == ENGINE:
        return await _reconcile_prisma(ctx, params, start)
    scripts, known = chosen(ctx, params.to), await fates(ctx)
    if changed := [fate for fate in known.values() if fate.state == "changed"]:
        return Doubt(f"{changed[0].name}: {changed[0].words}. Look at the ledger, and for what the script makes")
    if any(fate.state == "unknown" for fate in known.values()):
        try:
            await order(ctx, scripts, params.model)
        except Problem as problem:
            return Doubt(f"{problem.what} Look into the database for what the script does")
        known = await fates(ctx)
    applied = [fate for fate in known.values() if fate.state == "applied"]
    evidence = f"{len(applied)} of {len(scripts)} scripts are applied"
    if len(applied) == len(scripts):
        await caught_up(ctx, applied)
        done = tuple(
            ScriptResult(name=f.name, id=f.row, statements=f.statements, took=0, committed=True) for f in applied
        )
        check = Check(id="applied", title="Scripts applied", outcome="ok", evidence=evidence)
        result = Result(scripts=done, stopped=False).model_dump(mode="json")
        return Settled("done", "ok", evidence, (check,), result)
    cut = "; ".join(f"{fate.name}: {fate.words}" for fate in known.values() if fate.state != "applied")
    words = f"{evidence}{f'; {cut}' if cut else ''}. Start the step again: it goes on from there."
    return Settled("stopped", "unknown", words)


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
    limits = (
        f"lock_timeout {limit_text(params.lock_timeout)}, statement_timeout {limit_text(params.statement_timeout)}, "
        f"CONCURRENTLY {limit_text(params.concurrent_timeout)}"
    )
    guard = (
        f"give way when others wait behind it for {limit_text(params.queue_wait)} (together "
        f"{limit_text(params.queue_total)}; while it works under its lock, {limit_text(params.held_wait)}), "
        f"and try again for {limit_text(params.retry_for)}"
    )
    way = f" as Prisma {WAYS[params.model]} does" if params.model in WAYS else ""
    pause = ", asking between transactions" if params.pause else ""
    return f"apply the reviewed scripts, {last}one after the other{way}{pause}; {limits}; {guard}"


ASKS = ("effect-*", "lock-timeout", "go-on-*")
STEP = StepKind("Apply the migrations", "target", Params, run, shows, reconcile, asks=ASKS)
