"""The script of a way back: which one it is, where its bytes are, and that a person has read them."""

import asyncio
from pathlib import Path
from typing import Literal

from migrations.folder import SCRIPT, Migration, read_folder
from migrations.problem import Misuse, Problem
from runbooks.session.events import Script
from runbooks.steps.base import Context

READS, RUNS = "rollback.read", "rollback.script"
Source = Literal["migration", "file"]


async def migration_named(ctx: Context, name: str) -> Migration:
    """A migration of the folder. Raises Misuse."""
    folder = await asyncio.to_thread(read_folder, ctx.project.folder / ctx.project.migrations)
    found = next((migration for migration in folder if migration.name == name), None)
    if found is None:
        raise Misuse(f"The migrations folder has no {name}.", advice="Write it there, or give the path of a file.")
    return found


async def file_named(ctx: Context, name: str) -> Migration:
    """A file, from the folder of gonogo.toml, as a script without a folder of its own. Raises Misuse."""
    path = ctx.project.folder / name
    try:
        data = await asyncio.to_thread(path.read_bytes)
    except OSError as error:
        where = "Give its path from the folder of gonogo.toml, or the name of a migration."
        raise Misuse(f"{name} cannot be read: {error.strerror}.", advice=where) from None
    return Migration(name=name, path=path, data=data)


def is_applied(ctx: Context) -> bool:
    """Whether this way back has run its script: from then on it stays the same one."""
    section = ctx.view.section
    steps = section.steps if section else ()
    return any(s.uses == RUNS and ctx.view.step(s.id).end == "done" for s in steps)


def brought(ctx: Context, step: str | None) -> tuple[Script, Source, Path]:
    """The script that `step` has brought (else the one step that reads one), reviewed, and its file.

    Raises Misuse if there is none, Problem if nobody has read these bytes.
    """
    section = ctx.view.section
    names = [step] if step else [s.id for s in (section.steps if section else ()) if s.uses == READS]
    found = next((name for name in names if ctx.view.step(name).proposed), None)
    script = ctx.view.step(found).proposed if found else None
    if found is None or script is None:
        raise Misuse("No script was read for this.", advice=f"Run the step that uses {READS} first.")
    review = ctx.view.reviews.get(script.migration)
    if review is None or review.sha256 != script.sha256:
        raise Problem(
            f"{script.migration} is not reviewed: nothing was run.",
            advice="Read it (v), mark it as reviewed, then start this step again.",
        )
    if ctx.result(found).get("source") == "migration":
        return script, "migration", ctx.project.folder / ctx.project.migrations / script.migration / SCRIPT
    return script, "file", ctx.project.folder / script.migration
