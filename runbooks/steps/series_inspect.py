"""`series.inspect`: whether this stage of a series is the one whose turn it is, as earlier sessions here have it."""

import asyncio

from migrations.problem import Misuse
from runbooks.history.stages import DoneStage, stages_done
from runbooks.session.frozen import Frozen
from runbooks.session.series import STAGES, Series, stage_words
from runbooks.steps.base import Context, Nothing, StepKind


class Done(Frozen):
    """A stage that an earlier session has done; `at` is when that was opened."""

    stage: int
    session: str
    at: str


class Result(Frozen):
    """`done` are the stages before, and whatever else is done."""

    series: str
    stage: int
    done: tuple[Done, ...]


async def run(ctx: Context, params: Nothing) -> Result:
    """Look at the journals of earlier sessions on this environment. Raises Misuse if the runbook is of no series."""
    opened = ctx.view.opened
    series = opened.runbook.series if opened is not None else None
    if opened is None or series is None:
        raise Misuse("This runbook is of no series.", advice="Write `series` and `stage` in its `toml runbook` block.")
    done = await asyncio.to_thread(
        stages_done, ctx.folder.parent, opened.project, opened.environment, series.name, besides=ctx.session
    )
    ctx.check("stage", "Stage", "ok", series.words)
    _order(ctx, series, done)
    _again(ctx, series, done)
    for number in range(1, len(STAGES) + 1):
        found = next((one for one in done if one.stage == number), None)
        here = "this session" if number == series.stage else ""
        state = f"done {found.at[:10]} in {found.session}" if found else here or "not done yet"
        await ctx.output(f"{stage_words(number)}: {state}\n")
    return Result(
        series=series.name,
        stage=series.stage,
        done=tuple(Done(stage=one.stage, session=one.session, at=one.at) for one in done),
    )


def _order(ctx: Context, series: Series, done: list[DoneStage]) -> None:
    """The stages before this one are done."""
    known = {one.stage for one in done}
    missing = [stage for stage in range(1, series.stage) if stage not in known]
    if missing:
        words = "; ".join(stage_words(stage) for stage in missing)
        advice = "Do it first. Where it was done without a session of this machine, waive this and say when and how."
        ctx.check("order", "The stages before", "fail", f"no session here has done {words}", advice)
    else:
        ctx.check(
            "order", "The stages before", "ok", ", ".join(f"{one.stage} in {one.session}" for one in done) or "none"
        )


def _again(ctx: Context, series: Series, done: list[DoneStage]) -> None:
    """Neither this one nor a later one is done."""
    if later := [one for one in done if one.stage >= series.stage]:
        words = "; ".join(f"stage {one.stage} was done {one.at[:10]} in {one.session}" for one in later)
        ctx.check("again", "Its turn", "warn", words, "Is it the right runbook? What is done again must bear that.")


STEP = StepKind("Whose turn it is in the series", "reads", Nothing, run)
