"""The dump that a session took, for the steps of the walk back."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from migrations.backup.state import State
from migrations.backup.tools import Tools, tools
from migrations.problem import Misuse, Problem
from migrations.process import Child, alive, end
from runbooks.steps.base import Context

DUMPING = ("backup.dump", "backup.read", "backup.proof")
"""Steps whose result may be a dump that a restore can start from."""
KEPT = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH")


@dataclass(frozen=True, slots=True)
class Taken:
    """A dump as its step reported it. `at` is RFC 3339 UTC; `counted_at` is when the database's own counters were
    read, which for a dump of others is later."""

    step: str
    path: Path
    sha256: str
    at: str
    state: State
    counted_at: str = ""


def program_environment(ctx: Context) -> dict[str, str]:
    """All that PostgreSQL's programs see: the target, English, and no address but this one."""
    inherited = ctx.child_environment()
    kept = {name: inherited[name] for name in KEPT if name in inherited}
    return {**kept, "LC_ALL": "C", **ctx.target.url.libpq_environment()}


async def server_tools(ctx: Context, bin: str | None) -> Tools:
    """The programs for the target. `bin` is where they are, if not in the usual places. Raises Unavailable."""
    if ctx.target.pin is None:
        async with ctx.connect("read"):
            pass
    assert ctx.target.pin is not None
    folder = Path(bin).expanduser() if bin else None
    return await tools(ctx.target.pin.server_major, bin=folder, env=ctx.child_environment())


async def session_dump(ctx: Context, step: str | None) -> Taken:
    """The dump of `step`, else of the first step of the six phases that has one. Raises Misuse if there is none."""
    name, result = _result(ctx, step)
    try:
        text = await asyncio.to_thread((ctx.folder / str(result["state"])).read_text, encoding="utf-8")
        state = State.from_json(text)
        at = str(result["taken_at"])
        counted = str(result.get("counted_at") or at)
        return Taken(name, Path(str(result["path"])), str(result["sha256"]), at, state, counted)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Problem(
            f"What was recorded with the dump of {name} cannot be read.",
            advice="Look into the session's folder: somebody has changed what it keeps.",
            detail=type(error).__name__,
        ) from error


def _result(ctx: Context, step: str | None) -> tuple[str, Mapping[str, JsonValue]]:
    phases = ctx.view.runbook.phases
    names = [step] if step else [s.id for phase in phases for s in phase.steps if s.uses in DUMPING]
    for name in names:
        if (result := ctx.result(name)).get("state"):
            return name, result
    snapshot = next((str(ctx.result(name)["what"]) for name in names if ctx.result(name).get("by") == "snapshot"), "")
    by_hand = f"What was proven is the snapshot {snapshot}, which its provider restores" if snapshot else ""
    raise Misuse(
        f"There is no dump of this session{f' by {step}' if step else ''}.",
        advice=f"{by_hand or 'Restore by hand from an older one'}, or go forward with a corrected migration.",
    )


async def end_children(records: list[Mapping[str, JsonValue]]) -> None:
    """End every program that a step recorded and that still runs. Raises Problem if one does not end."""
    for data in records:
        pid, group = data.get("pid"), data.get("group")
        if isinstance(pid, int) and isinstance(group, int):
            child = Child(pid, str(data.get("started")), group)
            if alive(child):
                await end(child)


def records_of(ctx: Context, attempt: int) -> list[Mapping[str, JsonValue]]:
    """What an attempt of this step recorded, oldest first."""
    return [data for data in ctx.progress_of(ctx.step.id) if data.get("attempt") == attempt]
