"""`ledger.inspect`: what the ledger says before anything is applied, and what is pending."""

from migrations.plan import Applied
from runbooks.frozen import Frozen
from runbooks.steps.base import Context, Nothing, StepKind
from runbooks.steps.parts.ledger_reading import Reading, held_back, names, read_both


class Result(Frozen):
    """Names; `pending` in Prisma's order."""

    first_run: bool
    applied: int
    pending: tuple[str, ...]
    held_back: tuple[str, ...]
    failed: tuple[str, ...]
    edited: tuple[str, ...]
    missing: tuple[str, ...]


async def run(ctx: Context, params: Nothing) -> Result:
    """Read folder and ledger. Raises Misuse, Problem or Unavailable."""
    reading = await read_both(ctx)
    plan, later = reading.plan, held_back(ctx)
    pending = tuple(m.name for m in plan.pending if m.name not in later)
    _ledger(ctx, reading)
    _failed(ctx, reading)
    _edited(ctx, plan.changed)
    _missing(ctx, plan.missing)
    _pending(ctx, pending, later, tuple(m.name for m in plan.pending if m.data is None))
    await ctx.output("".join(f"pending: {name}\n" for name in pending))
    await ctx.output("".join(f"held back: {name}\n" for name in later))
    return Result(
        first_run=reading.rows is None,
        applied=len(plan.applied),
        pending=pending,
        held_back=later,
        failed=plan.failed,
        edited=plan.changed,
        missing=plan.missing,
    )


def _ledger(ctx: Context, reading: Reading) -> None:
    if reading.rows is not None:
        ctx.check("ledger", "Ledger", "ok", f"{len(reading.plan.applied)} migrations applied")
    elif reading.tables:
        evidence = f"P3005: no ledger, and {reading.tables} tables are there already"
        advice = (
            "Baseline first: mark the migrations that made these tables as applied (prisma migrate resolve --applied)."
        )
        ctx.check("ledger", "Ledger", "fail", evidence, advice)
    else:
        ctx.check("ledger", "Ledger", "ok", "no ledger yet: this is the first run on this database")


def _failed(ctx: Context, reading: Reading) -> None:
    failed = reading.plan.failed
    if not failed:
        return ctx.check("failed-rows", "No failed migration", "ok", "none")
    rows = [row for row in reading.rows or () if row.failed]
    advice = (
        "Find out what of it took effect. Undo or complete that first; then mark it, by ledger.resolve "
        "or prisma migrate resolve."
    )
    evidence = "; ".join(f"{row.name}, started {row.started_at}{_why(row)}" for row in rows)
    ctx.check("failed-rows", "No failed migration", "fail", f"P3009: {evidence}", advice)


def _why(row: Applied) -> str:
    """The server's error out of what Prisma or gonogo wrote."""
    lines = [line.strip() for line in (row.logs or "").splitlines()]
    error = next((line for line in lines if line.startswith("ERROR")), "")
    return f" ({error})" if error else ""


def _edited(ctx: Context, changed: tuple[str, ...]) -> None:
    evidence = names(changed) or "none"
    advice = "Prisma does not look at this. Restore the file from git, and put the change into a new migration."
    ctx.check(
        "edited", "No file edited after it was applied", *(("warn", evidence, advice) if changed else ("ok", evidence))
    )


def _missing(ctx: Context, missing: tuple[str, ...]) -> None:
    evidence = names(missing) or "none"
    advice = "The folder is older than the database, or another branch was applied. Check out the right commit."
    ctx.check(
        "missing",
        "Nothing applied that the folder lacks",
        *(("warn", evidence, advice) if missing else ("ok", evidence)),
    )


def _pending(ctx: Context, pending: tuple[str, ...], later: tuple[str, ...], empty: tuple[str, ...]) -> None:
    if empty:
        advice = "Remove the folder, or give it its migration.sql."
        ctx.check("scripts", "Every pending folder has its script", "fail", f"P3015: {names(empty)}", advice)
    if pending:
        after = f"; held back: {names(later)}" if later else ""
        return ctx.check("pending", "Pending migrations", "ok", f"{len(pending)}: {names(pending)}{after}")
    advice = "Is it the right folder, the right commit, the right database? If so, end the session."
    ctx.check("pending", "Pending migrations", "warn", "nothing to apply: nothing will be proven", advice)


STEP = StepKind("Ledger and pending migrations", "reads", Nothing, run)
