"""The state of schema and rows that a step of this session kept before Migrate."""

import asyncio
from pathlib import Path

from migrations.catalog.recorded import Recorded
from migrations.problem import Misuse, Problem
from runbooks.steps.base import Context

RECORD = "schema.record"
NAME = "schema.json"


async def recorded_before(ctx: Context, step: str | None) -> tuple[str, Recorded]:
    """The step that recorded (`step`, else the one `schema.record` of the runbook), and what it kept.

    Raises Misuse if there is no such step, Problem if it has not run or its file is not to be read.
    """
    name = step or _only(ctx)
    result = ctx.result(name)
    path = result.get("artefact") or result.get("state")
    if not isinstance(path, str):
        raise Problem(f"The step {name} has recorded nothing in this session.", advice=f"Run {name} before Migrate.")
    try:
        return name, await read_record(ctx.folder / path)
    except (OSError, ValueError, KeyError, TypeError):
        raise Problem(
            f"What {name} recorded cannot be read: {path}.",
            advice="The session folder was changed from outside; compare by hand.",
        ) from None


async def read_record(path: Path) -> Recorded:
    """Read such a file. Raises OSError, ValueError, KeyError or TypeError."""
    return await asyncio.to_thread(lambda: Recorded.from_json(path.read_text(encoding="utf-8")))


def _only(ctx: Context) -> str:
    steps = [step.id for step in ctx.view.runbook.steps() if step.uses == RECORD]
    if len(steps) != 1:
        found = "no step" if not steps else "more than one step"
        raise Misuse(f"{found.capitalize()} of this runbook uses {RECORD}.", advice='Say which one: from = "its id".')
    return steps[0]
