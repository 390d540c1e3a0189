"""Which scripts a step applies, and how it goes on after an attempt that was cut short."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from migrations.apply import prepare
from migrations.apply.events import Sending
from migrations.apply.script_run import ScriptToRun
from migrations.apply.settle import Fate, settle
from migrations.prisma.judged import Wanted
from migrations.problem import Problem
from migrations.sql import Way
from migrations.sql.actions import CreateTable
from runbooks.redact.scripts import Hiding
from runbooks.session.events import Script
from runbooks.steps.base import Context
from runbooks.steps.parts.apply_questions import decided
from runbooks.steps.parts.kept_scripts import EDITED, script_text
from runbooks.steps.parts.ledger_reading import planned

END = "End this session, look at what is in the database, and start anew."


@dataclass(frozen=True, slots=True)
class Order:
    """`scripts` are still to be applied; `before` were, by an earlier attempt; `open_rows` are (name, ledger id)."""

    scripts: tuple[ScriptToRun, ...]
    before: tuple[Fate, ...]
    open_rows: tuple[tuple[str, str], ...]


def chosen(ctx: Context, to: str | None) -> tuple[Script, ...]:
    """The reviewed scripts up to and with `to`; the plan ends there already if the document says so."""
    scripts = planned(ctx)
    names = [script.migration for script in scripts]
    if to is None or to not in names:
        return scripts
    return scripts[: names.index(to) + 1]


async def fates(ctx: Context) -> dict[str, Fate]:
    """What became of each script that an earlier attempt of this step began, by name; of the latest attempt at it."""
    records = ctx.progress_of(ctx.step.id)
    if not any(record.get("event") for record in records):
        return {}
    found = await settle(ctx.target, ctx.session, records)
    return {fate.name: fate for fate in found if fate.state != "set aside"}


async def order(ctx: Context, scripts: Sequence[Script], way: Way = "safe") -> Order:
    """Settle what was begun, ask a person what the server cannot tell, and read the scripts. Raises Problem."""
    known = await fates(ctx)
    if changed := [fate for fate in known.values() if fate.state == "changed"]:
        raise Problem(f"{changed[0].name}: {changed[0].words}.", advice=f"Somebody else changed it. {END}")
    todo: list[ScriptToRun] = []
    before: list[Fate] = []
    open_rows: list[tuple[str, str]] = []
    for script in scripts:
        found = known.get(script.migration)
        if found is not None and found.checksum != script.sha256:
            raise Problem(f"{script.migration} is another script than the one that was begun.", advice=END)
        if found is not None and found.state == "applied":
            before.append(found)
            continue
        text = await asyncio.to_thread(script_text, ctx, script)
        ready = await prepare(script.migration, text, script.sha256, way, Hiding(ctx.project))
        if ready.model != script.model:
            raise Problem(
                f"{script.migration} would not be run as the plan says: {ready.model}, not {script.model}.",
                advice=f"All steps that apply must have one model. {END}",
            )
        ready = replace(ready, begun=_begun(ctx, script.migration))
        fate = await decided(ctx, found, ready) if found is not None and found.state == "unknown" else found
        if fate is not None and fate.state == "partly":
            ready = _continued(ready, fate)
        elif fate is not None and fate.open_row:
            open_rows.append((fate.name, fate.row))
        todo.append(ready)
    return Order(tuple(todo), tuple(before), tuple(open_rows))


def _begun(ctx: Context, script: str) -> frozenset[str]:
    """What earlier attempts began to build or to detach: what is INVALID or half done under such a name, they left.

    It was not so when they began, or it would have been refused.
    """
    sent = (r for r in ctx.progress_of(ctx.step.id) if r.get("event") == Sending.__name__ and r.get("name") == script)
    names = (record["index"] if record["there"] and record["index"] else record.get("partition") for record in sent)
    return frozenset(str(name) for name in names if name)


def _continued(ready: ScriptToRun, fate: Fate) -> ScriptToRun:
    done = ready.statements[: fate.through]
    if any(isinstance(action, CreateTable) and action.temporary for s in done for action in s.actions):
        raise Problem(
            f"{fate.name} cannot go on after statement {fate.through}: a temporary table of it is gone.",
            advice="Complete it by hand, then mark it as applied (gonogo resolve).",
        )
    return replace(ready, row=fate.row, through=fate.through, continued=True)


async def still_as_reviewed(ctx: Context, script: ScriptToRun | Wanted) -> None:
    """The file in the project must not have changed since its review. Raises Problem."""
    path = Path(ctx.project.folder / ctx.project.migrations) / script.name / "migration.sql"
    try:
        data = await asyncio.to_thread(path.read_bytes)
    except FileNotFoundError:
        data = b""
    if sha256(data.decode("utf-8", errors="replace").encode()).hexdigest() != script.checksum:
        raise Problem(
            f"{script.name} was edited after it was reviewed; it was not run.",
            advice=EDITED,
        )
