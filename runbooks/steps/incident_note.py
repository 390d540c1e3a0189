"""`incident.note`: adds what was done to the project's incident log."""

import asyncio

from runbooks.report.incident import entry, marker
from runbooks.session.events import StepStarted
from runbooks.session.frozen import Frozen
from runbooks.steps.base import Context, Settled, StepKind
from runbooks.steps.parts.appending import append, holds, place_in


class Params(Frozen):
    """`file` is in the project's folder. `text` says what was done; left out, a person is asked."""

    file: str = "docs/incidents.md"
    text: str = ""


class Result(Frozen):
    """`entry` as it was added."""

    file: str
    entry: str


async def run(ctx: Context, params: Params) -> Result:
    """Ask, where nothing is said yet, and add the entry. Raises Misuse, Unavailable."""
    path = place_in(ctx.project.folder, params.file)
    text = params.text
    if not text.strip():
        text = await ctx.ask("what", f"What happened, and what was done? It is added to {params.file}.")
    added = entry(ctx.view, ctx.step.id, ctx.attempt, ctx.clean(text))
    await asyncio.to_thread(append, path, added)
    await ctx.output(added)
    ctx.check("entry", "Incident log", "ok", f"added to {params.file}")
    return Result(file=params.file, entry=added)


async def reconcile(ctx: Context, params: Params, start: StepStarted) -> Settled:
    """The entry is there, or it is not: it ends in a mark of its own."""
    path = place_in(ctx.project.folder, params.file)
    mark = marker(ctx.session, ctx.step.id, start.attempt)
    if await asyncio.to_thread(holds, path, mark):
        return Settled("done", "ok", f"its entry stands in {params.file}", result={"file": params.file, "entry": mark})
    return Settled("stopped", "unknown", f"{params.file} has no entry of it: it can run again")


def shows(params: Params) -> str:
    """The file, and what is written into it."""
    return f"adds to {params.file}: {params.text or 'what you say when it asks'}"


STEP = StepKind("Note it in the incident log", "outside", Params, run, shows, reconcile, asks=("what",))
