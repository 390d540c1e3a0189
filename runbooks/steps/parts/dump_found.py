"""A dump that gonogo did not make: where it is, what is in it, and how that is told."""

import asyncio
import glob
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import JsonValue

from migrations.backup import found
from migrations.backup.found import Compared, Found, written_at
from migrations.backup.read import Progress, Reading
from migrations.backup.tools import Tools
from migrations.listed import many
from migrations.problem import Misuse, Problem
from migrations.process import Child
from runbooks.journal.artefacts import write_private
from runbooks.steps.base import Context
from runbooks.steps.parts.dumps import program_environment

MIB = 2**20
SHOWN = 5
GRAIN = timedelta(seconds=2)
"""So coarse may the times of a file system be."""
AHEAD = timedelta(minutes=5)
"""So far ahead of this one may another machine's clock be."""


@dataclass(frozen=True, slots=True)
class Made:
    """A run block of this session that wrote a dump: when it was begun, how long it took, what it said."""

    step: str
    began: datetime
    took_us: int
    lines: tuple[str, ...]


def made_by(ctx: Context, step: str) -> Made:
    """Raises Misuse where it has not run, or not to its end."""
    view = ctx.view.step(step)
    if view.end != "done":
        raise Misuse(f"{step} has not run to its end in this session.", advice=f"Run {step} first.")
    lines = tuple(line.text for line in view.lines if line.stream != "note")
    return Made(step, datetime.fromisoformat(view.started_at), view.took, lines)


def printed(made: Made, pattern: str) -> str:
    """What the last line that holds the pattern says: its first group, else all that it matches. Raises Problem."""
    for line in reversed(made.lines):
        if match := re.search(pattern, line):
            return (match[1] if match.re.groups else match[0]).strip()
    raise Problem(
        f"{made.step} printed no line that matches {pattern}.",
        advice="Look at what it said, and correct `printed` in the runbook.",
    )


async def newest(ctx: Context, pattern: str, since: datetime | None = None) -> Path:
    """The newest file or folder that a path or a glob leads to. Raises Problem where none is as young as `since`."""
    return await asyncio.to_thread(_newest, str(ctx.project.folder / Path(pattern).expanduser()), since)


def _newest(where: str, since: datetime | None) -> Path:
    there = [Path(name).resolve() for name in ([where] if Path(where).exists() else glob.glob(where))]  # noqa: PTH207, a Path takes no absolute pattern
    try:
        dated = sorted((written_at(path), path) for path in there if not path.name.endswith(".partial"))
    except OSError as error:
        raise Problem(f"{where} cannot be looked at: {error.strerror}.", advice="Check what it is.") from None
    if not dated:
        raise Problem(f"No dump lies at {where}.", advice="Look where the script writes to, and correct the runbook.")
    at, path = dated[-1]
    if since is not None and at < since - GRAIN:
        raise Problem(
            f"{path} was there before the script ran: it was written to last at {at:%Y-%m-%d %H:%M:%S} UTC.",
            advice="The script wrote nothing there. Look at what it said.",
        )
    return path


async def read_back(ctx: Context, tools: Tools, path: Path) -> Found:
    """Read every byte of it, and show how far that is. Raises Problem."""

    async def on_progress(progress: Progress) -> None:
        label = {"read back": "reading every byte back", "hash": "hashing"}.get(progress.stage, "reading")
        detail = f"{progress.size / MIB:.1f} MiB {progress.table}".rstrip()
        await ctx.progress(label=label, done=progress.done, total=progress.total, unit="tables", detail=detail)

    async def on_start(child: Child) -> None:
        await ctx.record(label="reading", attempt=ctx.attempt, pid=child.pid, started=child.started, group=child.group)

    reading = Reading(tools, program_environment(ctx), on_progress=on_progress, on_start=on_start)
    try:
        return await found.read(path, reading)
    except OSError as error:
        raise Problem(f"The dump {path} cannot be read: {error.strerror}.", advice="Bring it back there.") from None


async def compared(ctx: Context, dump: Found) -> Compared:
    """Hold it against the catalog, and report what differs. Raises Problem for a dump of another database."""
    name = ctx.target.url.database
    if dump.database and dump.database != name:
        raise Problem(
            f"{dump.path.name} says that it is of the database {dump.database}, not of {name}.",
            advice="See which address the script dumps: this session's stands in its environment.",
        )
    async with ctx.connect("read") as connection:
        there = await found.compare(connection, dump, ctx.target.url.schema)
    rows = sum(dump.rows.values())
    read = f"{dump.size / MIB:.1f} MiB ({dump.format}), {many(rows, 'row')} of {many(len(dump.rows), 'table')}"
    ctx.check("read-back", "Every byte was read back", "ok", read)
    advice = "It is no backup of this database: see what the script leaves out, or which database it dumps."
    missing = (
        f"the rows of {many(len(there.missing), 'table')} are not: {_some(there.missing)}" if there.missing else ""
    )
    words = missing or f"{many(len(dump.rows), 'table')}, as the catalog has them"
    ctx.check("complete", "All tables are in it", "fail" if missing else "ok", words, advice if missing else "")
    surplus, empty = unlike(there)
    if surplus:
        advice = "See that it is a dump of this database, of now."
        ctx.check("surplus", "Nothing else is in it", "warn", surplus, advice)
    if empty:
        advice = "See whether the script leaves their rows out."
        ctx.check("empty", "No table was left empty", "warn", empty, advice)
    return there


def unlike(there: Compared) -> tuple[str, str]:
    """What is in the dump alone, and what is empty there alone, in words; empty where it is as the database."""
    surplus = f"tables that the database does not have: {_some(there.surplus)}" if there.surplus else ""
    empty = f"without a row in the dump, and with rows in the database: {_some(there.empty)}" if there.empty else ""
    return surplus, empty


def private(ctx: Context, path: Path) -> None:
    """A dump is a secret: report who else may read it."""
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        words = f"others on this machine may read it (mode {mode:04o})"
        ctx.check("private", "Nobody else reads it", "warn", words, f"chmod go= {path}")


def age(ctx: Context, taken: datetime, max_age: timedelta, known_by: str) -> str:
    """Report how old it is. Returns until when it is good, in RFC 3339."""
    now = datetime.now(UTC)
    minutes = max(0, int((now - taken).total_seconds() // 60))
    old = now - taken > max_age or is_to_come(taken)
    words = f"taken at {taken:%Y-%m-%d %H:%M} UTC ({known_by}), {minutes // 60} h {minutes % 60:02} min ago"
    if is_to_come(taken):
        words = f"taken at {taken:%Y-%m-%d %H:%M} UTC ({known_by}), which is still to come: how old it is is not known"
    ctx.check("age", "Young enough", "fail" if old else "ok", words, "Take a new one." if old else "")
    return stamp(min(taken, now) + max_age)


def is_to_come(at: datetime) -> bool:
    """Whether a clock that says this is wrong: such a dump would never grow old."""
    return at - datetime.now(UTC) > AHEAD


async def keep_state(ctx: Context, there: Compared) -> str:
    """What a restore is compared with, as an artefact; its path inside the session's folder."""
    path = ctx.artefact("state.json")
    await asyncio.to_thread(lambda: write_private(path, there.state.to_json(ctx.clean).encode()))
    await ctx.keep("state", path)
    return str(path.relative_to(ctx.folder))


async def looked_at(ctx: Context, path: Path) -> tuple[list[JsonValue], Mapping[str, JsonValue] | None]:
    """The marks of a dump, and what an earlier attempt of this step found in a dump with the same. Raises Problem."""
    now = await asyncio.to_thread(_marks, path)
    records = reversed(ctx.progress_of(ctx.step.id))
    found = (data.get("result") for data in records if data.get("marks") == now and data.get("at") == str(path))
    return now, next((result for result in found if isinstance(result, dict)), None)


def _marks(path: Path) -> list[JsonValue]:
    """What tells a file or folder from one that was written to since, without reading it."""
    try:
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        return [[file.name, file.stat().st_size, str(file.stat().st_mtime_ns)] for file in files]
    except OSError as error:
        raise Problem(f"The dump {path} cannot be read: {error.strerror}.", advice="Bring it back there.") from None


def stamp(at: datetime) -> str:
    """As results have it: RFC 3339 UTC."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _some(names: tuple[str, ...]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
