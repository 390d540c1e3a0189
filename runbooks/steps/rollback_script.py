"""`rollback.script`: runs the script that a person reviewed on a way back: a migration, or SQL in one transaction."""

import asyncio
from dataclasses import replace
from typing import Any

from pydantic import Field

from migrations import ledger
from migrations.apply import prepare
from migrations.apply.script_run import ScriptToRun
from migrations.apply.settle import settle_alone
from migrations.ledger.reversing import Reversed, reversals
from migrations.listed import many
from migrations.problem import Problem
from runbooks.redact.scripts import Hiding
from runbooks.session.events import Check, Script, StepStarted
from runbooks.steps.base import Context, Doubt, Settled, StepKind
from runbooks.steps.parts.kept_scripts import reviewed_text
from runbooks.steps.parts.mending import brought
from runbooks.steps.parts.native_engine import (
    Limits,
    Result,
    ScriptResult,
    apply_natively,
    asked_limits,
    run_of,
    settled_natively,
    told_failure,
)


class Params(Limits):
    """`from`: the step that read it, else the one of this way back. `reverses`: the migrations that it undoes, else
    those of this session's plan. Of them, what the ledger has as failed is marked with it, and nothing else."""

    from_: str | None = Field(default=None, alias="from")
    reverses: str | tuple[str, ...] = ()


async def run(ctx: Context, params: Params) -> Result:
    """Run it. Raises ScriptFailed, Problem, Misuse or Unavailable."""
    script, source, _ = brought(ctx, params.from_)
    if source == "migration":
        return await apply_natively(ctx, params, (script,))
    return await _alone(ctx, params, script)


async def _alone(ctx: Context, params: Params, script: Script) -> Result:
    """In one transaction, in which the rows of what it undoes are marked, where Prisma would mark them."""
    if (before := await settle_alone(ctx.target, ctx.session, ctx.progress_of(ctx.step.id))) is not None:
        if before.state == "applied" and before.checksum == script.sha256:
            return _result(ctx, script.migration, before.row, before.statements, 0)
        if before.state == "unknown":
            await _settled_by_a_person(ctx, before.words)
    ready = await _ready(ctx, params, script)
    undone = await _undone(ctx, params)
    limits = await asked_limits(ctx, params)
    for one in undone:
        await ctx.output(f"{one.name}: {one.words}\n")
    order = run_of(ctx, limits, (ready,), (script.migration,))
    rows = tuple(row for one in undone for row in one.rows)
    done = await told_failure(ctx, replace(order, marks=rows))
    if not done.scripts:
        raise Problem("It was stopped before it began: nothing was run.", advice="Start the step again to go on.")
    told = "; ".join(f"{one.name}: {one.words}" for one in undone) or "no migration is named that it undoes"
    ctx.check("ledger", "What the ledger says of what was undone", "ok", told)
    return _result(ctx, script.migration, ready.row, len(ready.statements), done.scripts[0].took)


async def _settled_by_a_person(ctx: Context, words: str) -> None:
    """Raises Problem if it did take effect."""
    text = f"An earlier attempt may have committed it: {words}. Look at what it changes: is all of that there?"
    if await ctx.ask("effect", text, choices=("all of it", "nothing of it")) == "all of it":
        raise Problem(
            "It is there already, by your word: it was not run again.",
            advice="Waive this step, and say so there; mark the failed rows of what it undid (gonogo resolve).",
        )


async def _ready(ctx: Context, params: Params, script: Script) -> ScriptToRun:
    _, _, path = brought(ctx, params.from_)
    text = await asyncio.to_thread(reviewed_text, ctx, script, path)
    ready = await prepare(script.migration, text, script.sha256, "safe", Hiding(ctx.project))
    if ready.model != "transaction":
        raise Problem(
            f"{script.migration} cannot run in one transaction.",
            advice="Put it into a migration of its own, and read that one.",
        )
    for value, name in ready.veil.given.items():
        ctx.capture(name, value, secret=True)
    return ready


async def _undone(ctx: Context, params: Params) -> tuple[Reversed, ...]:
    planned = tuple(script.migration for script in ctx.view.plan.scripts) if ctx.view.plan else ()
    named = (params.reverses,) if isinstance(params.reverses, str) else params.reverses
    async with ctx.connect("read") as conn:
        rows = await ledger.rows(conn, ctx.target.url.schema)
    began = {row.applied.name for row in rows or ()}
    return reversals(rows, named or tuple(name for name in planned if name in began))


def _result(ctx: Context, name: str, row: str, statements: int, took: int) -> Result:
    ctx.check("applied", "Script run", "ok", f"{name}: {many(statements, 'statement')}, committed together")
    done = ScriptResult(name=name, id=row, statements=statements, took=took, committed=True)
    return Result(scripts=(done,), stopped=False)


async def reconcile(ctx: Context, params: Params, start: StepStarted) -> Settled | Doubt:
    """The server says whether its transaction was committed."""
    script, source, _ = brought(ctx, params.from_)
    if source == "migration":
        return await settled_natively(ctx, (script,))
    fate = await settle_alone(ctx.target, ctx.session, ctx.progress_of(ctx.step.id))
    if fate is None or fate.state == "nothing":
        words = fate.words if fate else "it had not begun"
        return Settled("stopped", "unknown", f"{words}. Start the step again.")
    if fate.state != "applied":
        return Doubt(f"{fate.words}. Look at what the script changes")
    done = ScriptResult(name=fate.name, id=fate.row, statements=fate.statements, took=0, committed=True)
    check = Check(id="applied", title="Script run", outcome="ok", evidence=f"{fate.name}: {fate.words}")
    result: dict[str, Any] = Result(scripts=(done,), stopped=False).model_dump(mode="json")
    return Settled("done", "ok", fate.words, (check,), result)


def shows(params: Params) -> str:
    """What is about to happen, in words."""
    return (
        f"run the reviewed script of this way back: a migration with its row, a file as one transaction; {params.words}"
    )


ASKS = ("effect", "effect-*", "lock-timeout")
STEP = StepKind("Run the script of the way back", "target", Params, run, shows, reconcile, asks=ASKS, names=("from",))
