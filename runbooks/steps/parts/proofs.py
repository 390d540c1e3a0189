"""What can prove that there is a way back: each way, and why it does not serve now."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from pydantic import JsonValue

from migrations.backup import found as found_dump
from migrations.backup.files import size_of
from migrations.backup.found import written_at
from migrations.hashing import fingerprint
from migrations.listed import many
from migrations.problem import Problem
from runbooks.history.backups import Kept, backups, database_of
from runbooks.settings.durations import spell
from runbooks.steps.base import Context
from runbooks.steps.parts import dump_found
from runbooks.steps.parts.dump_found import stamp
from runbooks.steps.parts.dumps import server_tools

Proven = Literal["read back", "same bytes", "only named"]
DUMPS = ("backup.dump", "backup.read")
NONE = "none"
_GIVEN = re.compile(r"(\S+)\s+(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)Z?")


@dataclass(frozen=True, slots=True)
class Proof:
    """`what` is a path or an id, `words` what is told of it, `doubts` what a person should look at. Times are RFC 3339
    UTC."""

    proven: Proven
    what: str
    words: str
    taken_at: str
    path: str = ""
    sha256: str = ""
    state: str = ""
    counted_at: str = ""
    restore_point: str = ""
    lsn: str = ""
    doubts: str = ""


class NotProven(Exception):
    """Why one of the ways does not serve now."""


def _must_be_young(max_age: timedelta, at: datetime, what: str) -> None:
    if datetime.now(UTC) - at > max_age:
        raise NotProven(f"{what} more than {spell(max_age)} ago")


def _must_be_past(at: datetime, what: str) -> None:
    if dump_found.is_to_come(at):
        raise NotProven(f"{what} at {stamp(at)[:16]}Z, which is still to come: how old it is is not known")


async def by_dump(ctx: Context, max_age: timedelta) -> Proof:
    """A dump of this session, which read it back; hashed again only where its time is later. Raises NotProven."""
    steps = [s for phase in ctx.view.runbook.phases for s in phase.steps if s.uses in DUMPS]
    views = {step.id: ctx.view.step(step.id) for step in steps}
    good = {id: view for id, view in views.items() if view.ended_well}
    if not good:
        raise NotProven("no step of this session has taken or read one")
    step, view = max(good.items(), key=lambda item: str(item[1].result["taken_at"]))
    path, taken = Path(str(view.result["path"])), str(view.result["taken_at"])
    _must_be_young(max_age, datetime.fromisoformat(taken), f"{path.name} was taken")
    how = " and not written to since"
    if not await asyncio.to_thread(_as_it_was, path, view.result, view.ended_at):
        if await _sha256(ctx, path) != view.result.get("sha256"):
            raise NotProven(f"{path} is not there, or was written to after it was read back")
        how = "; its SHA-256 is the recorded one"
    words = f"{path.name}, by {step} of this session, read back by {view.ended_at[:16]}Z{how}"
    kept = {key: str(view.result.get(key) or "") for key in ("path", "sha256", "state", "counted_at")}
    return Proof("read back", str(path), words, taken, **kept)


def _as_it_was(path: Path, result: Mapping[str, JsonValue], ended_at: str) -> bool:
    try:
        latest = datetime.fromisoformat(ended_at) + dump_found.GRAIN
        return size_of(path) == result.get("bytes") and written_at(path) <= latest
    except OSError:
        return False


async def by_recent(ctx: Context, max_age: timedelta, file: str | None, bin: str | None) -> Proof:
    """One by an earlier session, whose bytes are those that it read; else one at `file`, read back now.

    Raises NotProven, Problem.
    """
    plan = ctx.view.plan
    database = database_of(plan.target) if plan else ""
    root, name = ctx.folder.parent, ctx.environment.name
    since = datetime.now(UTC) - max_age
    known = await asyncio.to_thread(backups, root, name, database, besides=ctx.session, since=since)
    why = f"no session of the last {spell(max_age)} has left one"
    for kept in known.dumps:
        if datetime.fromisoformat(kept.taken_at) < since:
            break
        if await _sha256(ctx, kept.path) == kept.sha256:
            return _of_session(kept)
        why = f"{kept.path.name} of session {kept.session} is gone, or is not what it was"
    if file is None:
        raise NotProven(why)
    return await _at_file(ctx, max_age, file, bin)


def _of_session(kept: Kept) -> Proof:
    words = (
        f"{kept.path.name}, taken at {kept.taken_at[:16]}Z, read back by session {kept.session}; "
        "its SHA-256 is the recorded one"
    )
    state = str(kept.state) if kept.state.is_file() else ""
    path = str(kept.path)
    gone = "" if state else f"what a restore is compared with is gone ({kept.state}): restore it by hand, or dump anew"
    return Proof("same bytes", path, words, kept.taken_at, path=path, sha256=kept.sha256, state=state, doubts=gone)


async def _sha256(ctx: Context, path: Path) -> str:
    """Empty where it is not there. The same bytes are not hashed twice in one session."""
    try:
        marks, known = await dump_found.looked_at(ctx, path)
        if known:
            return str(known.get("sha256"))
        await ctx.progress(label="hashing", done=0, total=0, unit="", detail=path.name)
        sha256, _ = await asyncio.to_thread(fingerprint, path)
    except (OSError, Problem):
        return ""
    await ctx.record(label="hashed", attempt=ctx.attempt, at=str(path), marks=marks, result={"sha256": sha256})
    return sha256


async def _at_file(ctx: Context, max_age: timedelta, file: str, bin: str | None) -> Proof:
    path = await dump_found.newest(ctx, file)
    marks, known = await dump_found.looked_at(ctx, path)
    if known:
        proof = Proof(**known)  # type: ignore[arg-type]
    else:
        _must_be_young(max_age, written_at(path), f"{path.name} was written")
        _must_be_past(written_at(path), f"{path.name} was written")
        proof = await _read(ctx, path, bin)
        await ctx.record(label="read", attempt=ctx.attempt, at=str(path), marks=marks, result=asdict(proof))
    _must_be_young(max_age, datetime.fromisoformat(proof.taken_at), f"{path.name} was taken")
    return proof


async def _read(ctx: Context, path: Path, bin: str | None) -> Proof:
    dump = await dump_found.read_back(ctx, await server_tools(ctx, bin), path)
    async with ctx.connect("read") as connection:
        there = await found_dump.compare(connection, dump, ctx.target.url.schema)
    if dump.database and dump.database != ctx.target.url.database:
        raise NotProven(f"{path.name} says that it is of the database {dump.database}")
    if there.missing:
        raise NotProven(
            f"{path.name} lacks the rows of {many(len(there.missing), 'table')}: {', '.join(there.missing[:5])}"
        )
    return Proof(
        proven="read back",
        what=str(path),
        words=f"{path.name}, taken at {stamp(dump.taken)[:16]}Z, read back by this session",
        taken_at=stamp(dump.taken),
        path=str(path),
        sha256=dump.sha256,
        state=await dump_found.keep_state(ctx, there),
        counted_at=stamp(datetime.now(UTC)),
        doubts="; ".join(filter(None, dump_found.unlike(there))),
    )


async def by_snapshot(ctx: Context, max_age: timedelta, block: str | None, pattern: str | None) -> Proof:
    """An id alone, which nobody here can look into, and a restore point that was made after it was begun.

    Raises NotProven.
    """
    points = (ctx.result(step.id) for step in ctx.view.runbook.steps() if step.uses == "backup.restore_point")
    point = next((one for one in points if one.get("lsn")), None)
    if point is None:
        raise NotProven("no restore point was made in this session (backup.restore_point)")
    if block is not None and pattern is not None:
        made = dump_found.made_by(ctx, block)
        name, taken, by = dump_found.printed(made, pattern), made.began, f"printed by {made.step}"
    else:
        (name, taken), by = await _given(ctx, max_age), "given by a person"
    _must_be_young(max_age, taken, f"the snapshot {name} was begun")
    if datetime.fromisoformat(str(point["at"])) < taken:
        raise NotProven(f"the restore point is older than the snapshot {name}, and cannot be reached from it")
    words = (
        f"snapshot {name}, {by}, begun at {stamp(taken)[:16]}Z: nothing here has looked into it. "
        f"Restore point {point['name']} at {point['lsn']}"
    )
    where = {"restore_point": str(point["name"]), "lsn": str(point["lsn"])}
    return Proof("only named", name, words, stamp(taken), **where)


async def _given(ctx: Context, max_age: timedelta) -> tuple[str, datetime]:
    """What a person says; known to later attempts of the step for as long as it is young enough."""
    for data in ctx.progress_of(ctx.step.id):
        if data.get("given") and datetime.now(UTC) - (known := _snapshot_of(str(data["given"])))[1] <= max_age:
            return known
    answer = await ctx.ask(
        "snapshot",
        f"Which snapshot of {ctx.target.url.shown}, not older than {spell(max_age)}, is the way back? Its "
        f"id, and when it was begun in UTC, such as: snap-0abc 2026-01-31T02:03Z. If there is none: {NONE}",
    )
    found = _snapshot_of(answer)
    await ctx.record(label="given", attempt=ctx.attempt, given=answer)
    return found


def _snapshot_of(answer: str) -> tuple[str, datetime]:
    if answer.strip().lower() == NONE:
        raise NotProven("a person says that there is no snapshot")
    try:
        found = _GIVEN.fullmatch(answer.strip())
        taken = datetime.fromisoformat(f"{found[2]}T{found[3]}+00:00") if found else None
    except ValueError:
        taken = None
    if found is None or taken is None:
        raise NotProven(f"“{answer}” is no id with a time such as 2026-01-31T02:03Z behind it")
    _must_be_past(taken, f"{found[1]} was begun")
    return found[1], taken
