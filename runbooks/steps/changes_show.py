"""`changes.show`: what changed since the dump, and so what a restore would lose."""

from dataclasses import replace

from migrations.listed import many
from migrations.restore.changes import Changes, Written, what_changed
from runbooks.session.events import Outcome
from runbooks.session.frozen import Frozen
from runbooks.steps.base import Context, StepKind
from runbooks.steps.parts.dumps import Taken, session_dump

SHOWN = 40


class Params(Frozen):
    """`dump`: the step whose dump is compared with, else the first of the six phases."""

    dump: str | None = None


class Result(Frozen):
    """`rows` are writes by table: inserted, updated, deleted. `nothing`: there is nothing to roll back."""

    since: str
    applied: tuple[str, ...]
    unfinished: tuple[str, ...]
    schema_lines: tuple[str, ...]
    rows: dict[str, tuple[int, int, int]]
    nothing: bool


async def run(ctx: Context, params: Params) -> Result:
    """Compare. Reads only. Raises Misuse if the session has no dump."""
    taken = await session_dump(ctx, params.dump)
    async with ctx.connect("read") as connection:
        changes = await what_changed(connection, taken.state, ctx.target.url.schema)
    if _restored(ctx):
        return await _after(ctx, taken.at, changes)
    unfinished = tuple(name for name in changes.open if not _all_or_nothing(ctx, name))
    nothing = not (changes.committed or unfinished)
    await _tell(ctx, taken.at, changes)
    _judge(ctx, changes, unfinished, nothing)
    _loss(ctx, taken, changes)
    return Result(
        since=taken.at,
        applied=changes.applied,
        unfinished=changes.open,
        schema_lines=changes.schema,
        rows={table: (w.inserted, w.updated, w.deleted) for table, w in sorted(changes.written.items())},
        nothing=nothing,
    )


def _restored(ctx: Context) -> bool:
    """Whether the session acts on what was restored: swapped in, put in its place, or elsewhere."""
    pin = ctx.target.pin
    results = [ctx.result(step.id) for step in ctx.view.runbook.steps() if step.uses.startswith("restore.")]
    return bool(ctx.view.moved.pinned) or any(
        r.get("restored") or (pin is not None and "kept" in r and r.get("oid") == pin.oid) for r in results
    )


async def _after(ctx: Context, since: str, changes: Changes) -> Result:
    """Read again at the GO that follows the restore. The counters of a new database tell nothing of the old one."""
    # A dump does not name the versions of extensions; restore.side has told of them.
    schema = tuple(line for line in changes.schema if not line.startswith("~ extension "))
    changes = replace(changes, written={}, schema=schema)
    await _tell(ctx, since, changes)
    left = len(changes.applied) + len(changes.schema)
    words = f"{many(left, 'difference')} from the dump" if left else "as at the dump: nothing of the migration is left"
    ctx.check("restored", "The restored database is in place", "fail" if left else "ok", words)
    return Result(
        since=since,
        applied=changes.applied,
        unfinished=changes.open,
        schema_lines=changes.schema,
        rows={},
        nothing=not left,
    )


def _all_or_nothing(ctx: Context, migration: str) -> bool:
    """Whether a failed script ran in one transaction, and so left nothing behind."""
    scripts = ctx.view.plan.scripts if ctx.view.plan else ()
    return any(s.migration == migration and s.model == "transaction" for s in scripts)


def _judge(ctx: Context, changes: Changes, unfinished: tuple[str, ...], nothing: bool) -> None:
    words = f"{many(len(changes.applied), 'migration')} applied, {many(len(changes.schema), 'difference')} of schema"
    advice, outcome = "", "ok"
    if nothing:
        words = "nothing was committed: there is nothing to roll back"
        advice = "Do not restore. End the session, or mark a failed migration as rolled back and correct it."
        outcome = "warn"
    elif unfinished and not changes.committed:
        words = f"unfinished: {', '.join(unfinished)}; part of it may have been committed"
    ctx.check("committed", "Something to roll back", _outcome(outcome), words, advice)


def _loss(ctx: Context, taken: Taken, changes: Changes) -> None:
    total = sum(w.total for w in changes.written.values())
    loss = (
        f"{many(total, 'row')} written to {many(len(changes.written), 'table')} since the dump"
        if total
        else "no rows written"
    )
    least = any(w.least for w in changes.written.values())
    words = f"at least {loss}" if least else loss
    if taken.counted_at != taken.at:
        words += f"; counted from {taken.counted_at[:16]} on, when the dump was read back, not from when it was taken"
    ctx.check("loss", "What a restore would lose", "ok", words)


def _outcome(word: str) -> Outcome:
    return "warn" if word == "warn" else "ok"


async def _tell(ctx: Context, since: str, changes: Changes) -> None:
    lines = [f"Since the dump of {since}:"]
    lines += [f"  applied: {name}" for name in changes.applied]
    lines += [f"  begun and not finished: {name}" for name in changes.open]
    lines += _some([f"  schema: {line}" for line in changes.schema])
    written = sorted(changes.written.items(), key=lambda item: -item[1].total)
    lines += _some([f"  {table}: {_rows(w)}" for table, w in written])
    if len(lines) == 1:
        lines.append("  nothing")
    await ctx.output("\n".join(lines) + "\n")


def _some(lines: list[str]) -> list[str]:
    more = len(lines) - SHOWN
    return [*lines[:SHOWN], f"  and {more} more"] if more > 0 else lines


def _rows(written: Written) -> str:
    parts = [(written.inserted, "inserted"), (written.updated, "updated"), (written.deleted, "deleted")]
    words = ", ".join(f"{count} {what}" for count, what in parts if count) or "not known"
    return f"at least {words} (the counters began anew)" if written.least else words


STEP = StepKind("What changed since the dump", "reads", Params, run, names=("dump",))
