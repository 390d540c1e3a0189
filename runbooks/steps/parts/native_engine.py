"""Scripts applied by gonogo itself, each with its row in the ledger; and what became of them after a crash."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Annotated

from pydantic import Field

from migrations.apply import ApplyResult, ApplyRun, apply
from migrations.apply.guard import Budgets
from migrations.apply.script_failed import ScriptFailed
from migrations.apply.script_run import ScriptToRun
from migrations.apply.sending import Timeouts
from migrations.listed import listed, many
from migrations.problem import Problem
from migrations.sql import Way
from runbooks.session.events import Check, Script
from runbooks.session.frozen import Frozen
from runbooks.steps.base import Context, Doubt, Settled
from runbooks.steps.parts.apply_questions import may_go_on
from runbooks.steps.parts.apply_teller import Teller
from runbooks.steps.parts.applying import Order, fates, order, still_as_reviewed
from runbooks.steps.parts.duration import Duration
from runbooks.steps.parts.limits import NONE, Limit, limit_milliseconds, limit_text
from runbooks.steps.parts.lock_timeout import lock_timeout_for
from runbooks.steps.parts.registering import caught_up, registrar


class Limits(Frozen):
    """Timeouts hold for each statement; `"0"` is none.

    What runs CONCURRENTLY waits for old transactions, without harm: it has no lock timeout, and one of its own.
    Others wait behind our statement no longer than `queue_wait` each, and `queue_total` together, while it waits for a
    lock; no longer than `held_wait` each while it works under one. `retry_for` is for all tries that a lock ended.
    """

    lock_timeout: Annotated[Duration, Field(gt=NONE)] = timedelta(seconds=5)
    queue_wait: Limit = timedelta(seconds=2)
    queue_total: Limit = timedelta(seconds=20)
    held_wait: Limit = timedelta(seconds=30)
    retry_for: Limit = timedelta(minutes=10)
    statement_timeout: Limit = timedelta(minutes=15)
    concurrent_timeout: Limit = timedelta(hours=4)

    @property
    def words(self) -> str:
        """In one line."""
        return (
            f"lock_timeout {limit_text(self.lock_timeout)}, statement_timeout {limit_text(self.statement_timeout)}, "
            f"CONCURRENTLY {limit_text(self.concurrent_timeout)}; "
            f"give way when others wait behind it for {limit_text(self.queue_wait)} (together "
            f"{limit_text(self.queue_total)}; while it works under its lock, {limit_text(self.held_wait)}), "
            f"and try again for {limit_text(self.retry_for)}"
        )


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


async def apply_natively(
    ctx: Context, limits: Limits, scripts: Sequence[Script], way: Way = "safe", *, pause: bool = False
) -> Result:
    """Apply what an earlier attempt has not. Raises ScriptFailed, Problem or Unavailable."""
    todo = await order(ctx, scripts, way)
    await caught_up(ctx, todo.before)
    limits = await asked_limits(ctx, limits)
    run = replace(
        run_of(ctx, limits, todo.scripts, tuple(script.migration for script in scripts)),
        roll_back_rows=todo.open_rows,
        go_on=partial(may_go_on, ctx) if pause else None,
        before_script=lambda script: still_as_reviewed(ctx, script),
    )
    return _result(ctx, todo, await told_failure(ctx, run), len(scripts))


async def asked_limits(ctx: Context, limits: Limits) -> Limits:
    """The limits, after a person was asked for a longer lock timeout where the last attempt ran out of it."""
    lock_timeout = await lock_timeout_for(ctx, limits.lock_timeout, limits.queue_wait)
    return limits.model_copy(update={"lock_timeout": lock_timeout})


async def told_failure(ctx: Context, run: ApplyRun) -> ApplyResult:
    """Apply, and show where it failed. Raises ScriptFailed, Problem or Unavailable."""
    try:
        return await apply(run)
    except ScriptFailed as failed:
        await ctx.output(f"{failed.text}\n", "err")
        raise


def timeouts_of(limits: Limits) -> Timeouts:
    """The timeouts that parameters give."""
    return Timeouts(
        lock=limit_milliseconds(limits.lock_timeout),
        statement=limit_milliseconds(limits.statement_timeout),
        concurrent=limit_milliseconds(limits.concurrent_timeout),
    )


def run_of(ctx: Context, limits: Limits, scripts: tuple[ScriptToRun, ...], names: tuple[str, ...]) -> ApplyRun:
    """How this session applies scripts. `names` are those that it is at, the ones of earlier attempts too."""
    return ApplyRun(
        target=ctx.target,
        session=ctx.session,
        application_name=ctx.application_name,
        scripts=scripts,
        on=Teller(ctx, names).tell,
        timeouts=timeouts_of(limits),
        budgets=Budgets(
            queue_wait=limits.queue_wait.total_seconds(),
            queue_total=limits.queue_total.total_seconds(),
            held_wait=limits.held_wait.total_seconds(),
            retry_for=limits.retry_for.total_seconds(),
        ),
        stop_asked=lambda: ctx.stop_asked,
        register=registrar(ctx),
    )


def _result(ctx: Context, todo: Order, result: ApplyResult, planned: int) -> Result:
    before = [ScriptResult(name=f.name, id=f.row, statements=f.statements, took=0, committed=True) for f in todo.before]
    now = [
        ScriptResult(name=s.name, id=s.row, statements=s.statements, took=s.took, committed=True)
        for s in result.scripts
    ]
    done = (*before, *now)
    evidence = f"{len(done)} of {many(planned, 'script')}, {many(sum(s.statements for s in done), 'statement')}"
    if len(done) < planned:
        left = listed(tuple(s.name for s in todo.scripts[len(now) :]))
        advice = "Start the step again to go on."
        where = f"in the middle of {result.amid}" if result.amid else f"before {left}"
        ctx.check("applied", "Scripts applied", "fail", f"{evidence}; stopped as asked, {where}", advice)
    else:
        ctx.check("applied", "Scripts applied", "ok", evidence)
    return Result(scripts=done, stopped=result.stopped)


async def settled_natively(ctx: Context, scripts: Sequence[Script], way: Way = "safe") -> Settled | Doubt:
    """What the server says of an attempt that was cut short; what it cannot tell, a person is asked."""
    known = await fates(ctx)
    if changed := [fate for fate in known.values() if fate.state == "changed"]:
        return Doubt(f"{changed[0].name}: {changed[0].words}. Look at the ledger, and for what the script makes")
    if any(fate.state == "unknown" for fate in known.values()):
        try:
            await order(ctx, scripts, way)
        except Problem as problem:
            return Doubt(f"{problem.what} Look into the database for what the script does")
        known = await fates(ctx)
    applied = [fate for fate in known.values() if fate.state == "applied"]
    evidence = f"{len(applied)} of {many(len(scripts), 'script is', 'scripts are')} applied"
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
