"""`backup.retention`: dumps that nobody needs any more are removed, on a person's word."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import Field

from migrations.backup.files import SUFFIX, remove, size_of
from migrations.hashing import fingerprint
from migrations.listed import listed
from migrations.problem import Problem, Unavailable
from runbooks.history.backups import Kept, backups, database_of, kept
from runbooks.history.retention import Verdict, judge
from runbooks.session.events import StepStarted
from runbooks.session.frozen import Frozen
from runbooks.settings.durations import spell
from runbooks.steps.base import Context, Settled, StepKind
from runbooks.steps.parts.dump_found import MIB
from runbooks.steps.parts.dumps import DUMPING, records_of
from runbooks.steps.parts.duration import Duration

REMOVE, KEEP = "remove", "keep"
SHOWN = 5


class Params(Frozen):
    """What is older than `older_than` goes, but the `keep` newest stay, whatever their age."""

    keep: int = Field(default=3, ge=1, le=1000)
    older_than: Duration = timedelta(days=30)


class Result(Frozen):
    """`removed` are paths, `freed` their bytes; `kept` so many dumps of this database are left."""

    removed: tuple[str, ...]
    freed: int
    kept: int


async def run(ctx: Context, params: Params) -> Result:
    """Say which, ask, remove. Raises Problem where the newest of those that stay is not what was recorded."""
    verdicts, others, unread = await _verdicts(ctx, params)
    if unread:
        words = f"{listed(unread, SHOWN)} cannot be read: whether a dump is needed there is not known"
        ctx.check("unread", "All sessions were asked", "warn", words, "Look at them before you let a dump go.")
    going = [each.dump for each in verdicts if not each.stays]
    for each in verdicts:
        await ctx.output(f"{'stays' if each.stays else 'goes '} {_told(each.dump)}{_why(each)}\n")
    if others:
        await ctx.output(f"{others} more lie there that no session on this environment has written: left alone\n")
    left = len(verdicts) - len(going)
    if not going:
        ctx.check("removed", "Old dumps", "ok", f"none to remove; {left} of this database are kept")
        return Result(removed=(), freed=0, kept=left)
    await _one_must_be_good(verdicts)
    names = listed([dump.path.name for dump in going], SHOWN)
    size = f"{sum(dump.bytes for dump in going) / MIB:.1f} MiB"
    asked = f"Remove {len(going)} of this database's dumps for good, {size}? {left} stay, see the output"
    question = f"{asked}. To be removed: {names}"
    if await ctx.ask("remove", question, choices=(REMOVE, KEEP)) == KEEP:
        ctx.check("removed", "Old dumps", "ok", f"{len(going)} may go, and were kept on a person's word")
        return Result(removed=(), freed=0, kept=len(verdicts))
    await _must_still_go(ctx, params, going)
    await _remove(ctx, going)
    freed = sum(dump.bytes for dump in going)
    words = f"{len(going)} removed, {freed / MIB:.1f} MiB; {left} of this database are kept"
    ctx.check("removed", "Old dumps", "ok", words)
    return Result(removed=tuple(str(dump.path) for dump in going), freed=freed, kept=left)


async def _verdicts(ctx: Context, params: Params) -> tuple[tuple[Verdict, ...], int, tuple[str, ...]]:
    """And how many dumps lie beside them that are none of these, and which sessions could not be read."""
    plan = ctx.view.plan
    if plan is None:
        return (), 0, ()
    root, database = ctx.folder.parent, database_of(plan.target)
    known = await asyncio.to_thread(backups, root, ctx.environment.name, database, besides=ctx.session)
    dumps = [*known.dumps, *_own(ctx)]
    sizes = await asyncio.to_thread(_sizes, [dump.path for dump in dumps])
    results = [dict(ctx.result(step.id)) for step in ctx.view.runbook.steps() if step.uses in DUMPING]
    needed = {**known.needed, **{Path(str(one["path"])): ctx.session for one in results if one.get("path")}}
    now = datetime.now(UTC)
    found = judge(dumps, sizes, needed, now=now, keep=params.keep, older_than=params.older_than)
    paths = {each.dump.path for each in found}
    return found, await asyncio.to_thread(_others, {path.parent for path in paths}, paths), known.unread


def _own(ctx: Context) -> list[Kept]:
    """What this session has dumped."""
    results = (ctx.result(step.id) for step in ctx.view.runbook.steps() if step.uses == "backup.dump")
    return [kept(ctx.folder, result, open=True) for result in results if result.get("path")]


def _sizes(paths: Sequence[Path]) -> dict[Path, int]:
    found = dict[Path, int]()
    for path in paths:
        try:
            found[path] = size_of(path)
        except OSError:
            continue
    return found


def _others(folders: set[Path], known: set[Path]) -> int:
    suffixes = tuple(SUFFIX.values())
    return sum(path.suffix in suffixes and path not in known for folder in folders for path in folder.iterdir())


async def _must_still_go(ctx: Context, params: Params, going: Sequence[Kept]) -> None:
    """Raises Problem if one of them is needed by now: a person may take hours to answer."""
    now, _, _ = await _verdicts(ctx, params)
    paths = {dump.path for dump in going}
    stays = [each for each in now if each.stays and each.dump.path in paths]
    if stays:
        raise Problem(
            f"{stays[0].dump.path.name} stays by now: {stays[0].stays}.",
            advice="Nothing was removed. Run this again, and see what goes then.",
        )


async def _one_must_be_good(verdicts: Sequence[Verdict]) -> None:
    """Raises Problem unless one that stays has the recorded bytes."""
    newest = next(each.dump for each in verdicts if each.stays and each.stays != "it is not what was recorded")
    try:
        sha256, _ = await asyncio.to_thread(fingerprint, newest.path)
    except OSError as error:
        raise Unavailable(f"{newest.path} cannot be read: {error.strerror}.", advice="Nothing was removed.") from None
    if sha256 != newest.sha256:
        raise Problem(
            f"{newest.path.name}, the newest dump that would stay, is not what session {newest.session} read back.",
            advice="Nothing was removed. Take a new dump first, and look at the disk.",
        )


async def _remove(ctx: Context, going: Sequence[Kept]) -> None:
    for dump in going:
        await ctx.record(label="removing", attempt=ctx.attempt, removing=str(dump.path))
        try:
            await asyncio.to_thread(remove, dump.path)
        except OSError as error:
            advice = "See who owns it; what stands before it in the output is removed."
            raise Unavailable(f"{dump.path} could not be removed: {error.strerror}.", advice=advice) from None
        await ctx.output(f"removed {dump.path}\n")


def _told(dump: Kept) -> str:
    return f"{dump.path} ({dump.bytes / MIB:.1f} MiB, taken {dump.taken_at[:16]}Z, session {dump.session})"


def _why(each: Verdict) -> str:
    return f": {each.stays}" if each.stays else ""


async def reconcile(ctx: Context, params: Params, start: StepStarted) -> Settled:
    """The files tell which are gone."""
    begun = [Path(str(data["removing"])) for data in records_of(ctx, start.attempt) if data.get("removing")]
    gone = [path.name for path in begun if not path.exists()]
    return Settled("stopped", "unknown", f"it was cut short; removed: {', '.join(gone) or 'nothing'}")


def shows(params: Params) -> str:
    """What is about to happen, in words."""
    return (
        f"lists the dumps that gonogo made of this database; those older than {spell(params.older_than)} are removed "
        f"once a person has said so, but never the {params.keep} newest, nor that of a session that has not ended"
    )


STEP = StepKind("Remove old dumps", "outside", Params, run, shows, reconcile, asks=("remove",))
