"""What steps of this session kept of the target as it was before Migrate, and what it is held against afterwards."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from migrations.catalog.deletions import Deletions
from migrations.catalog.recorded import Recorded
from migrations.problem import Misuse, Problem
from runbooks.steps.base import Context

RECORD = "schema.record"
NAME = "schema.json"
AS_BEFORE = "; recorded before the target was changed, not read again"

T = TypeVar("T")


async def recorded_before(ctx: Context, step: str | None) -> tuple[str, Recorded]:
    """The step that recorded (`step`, else the one `schema.record` of the runbook), and what it kept.

    Raises Misuse if there is no such step, Problem if it has not run or its file is not to be read.
    """
    name = step or _only(ctx)
    return name, await kept_by(ctx, name, Recorded.from_json)


async def first_deletions(ctx: Context, step: str) -> Deletions | None:
    """What others had deleted when this step first recorded, if it did so more than once. Raises Problem."""
    kept = [a.path for a in ctx.view.artefacts if a.step == step and a.name == NAME]
    return (await _read(ctx, step, kept[0], Recorded.from_json)).deletions if len(kept) > 1 else None


async def kept_by(ctx: Context, step: str, read: Callable[[str], T]) -> T:
    """What a step kept as a file, read. Raises Problem if it has not run or its file is not to be read."""
    result = ctx.result(step)
    path = result.get("artefact") or result.get("state")
    if not isinstance(path, str):
        raise Problem(f"The step {step} has recorded nothing in this session.", advice=f"Run {step} before Migrate.")
    return await _read(ctx, step, path, read)


async def _read(ctx: Context, step: str, path: str, read: Callable[[str], T]) -> T:
    try:
        return await asyncio.to_thread(lambda: read((ctx.folder / path).read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        raise Problem(
            f"What {step} recorded cannot be read: {path}.",
            advice="The session folder was changed from outside; compare by hand.",
        ) from None


def kept_before(ctx: Context, name: str) -> Path | None:
    """What this step kept under `name` before a step that changes the target was started; None before that.

    What is read now would be no state before Migrate. Raises Problem if it kept nothing.
    """
    if not any(ctx.view.step(step.id).attempt for step in ctx.view.runbook.steps() if step.effect == "target"):
        return None
    kept = [a.path for a in ctx.view.artefacts if a.step == ctx.step.id and a.name == name]
    if not kept:
        raise Problem(
            "Nothing was recorded here before the target was changed.",
            advice="What was there before cannot be read any more: compare with the dump.",
        )
    return ctx.folder / kept[-1]


async def read_record(path: Path) -> Recorded:
    """Read such a file. Raises OSError, ValueError, KeyError or TypeError."""
    return await asyncio.to_thread(lambda: Recorded.from_json(path.read_text(encoding="utf-8")))


def _only(ctx: Context) -> str:
    steps = [step.id for step in ctx.view.runbook.steps() if step.uses == RECORD]
    if len(steps) != 1:
        found = "no step" if not steps else "more than one step"
        raise Misuse(f"{found.capitalize()} of this runbook uses {RECORD}.", advice='Say which one: from = "its id".')
    return steps[0]
