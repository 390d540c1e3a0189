"""`ledger.verify`: the ledger after the run."""

from migrations.listed import listed, many
from migrations.plan import Applied
from runbooks.session.frozen import Frozen
from runbooks.steps.base import Context, Nothing, StepKind
from runbooks.steps.parts.ledger_reading import Reading, held_back, planned, read_both


class Result(Frozen):
    """Names. `applied` are this session's."""

    applied: tuple[str, ...]
    pending: tuple[str, ...]
    held_back: tuple[str, ...]
    failed: tuple[str, ...]


async def run(ctx: Context, params: Nothing) -> Result:
    """Read folder and ledger again. Raises Misuse, Problem or Unavailable."""
    reading, later = await read_both(ctx), held_back(ctx)
    pending = tuple(m.name for m in reading.plan.pending if m.name not in later)
    _pending(ctx, pending, later)
    evidence = f"P3009: {listed(reading.plan.failed)}" if reading.plan.failed else "none"
    advice = "Go back to Migrate's error: it says what is committed. Complete or undo it, then mark it."
    outcome = "fail" if reading.plan.failed else "ok"
    ctx.check(
        "failed-rows",
        "No failed migration",
        "fail" if outcome == "fail" else "ok",
        evidence,
        advice * bool(reading.plan.failed),
    )
    done = _checksums(ctx, reading)
    return Result(applied=done, pending=pending, held_back=later, failed=reading.plan.failed)


def _pending(ctx: Context, pending: tuple[str, ...], later: tuple[str, ...]) -> None:
    if pending:
        advice = (
            "Start Migrate's step again; or, if these came in since the plan was made, leave them to another session."
        )
        return ctx.check("pending", "Nothing is pending", "fail", listed(pending), advice)
    ctx.check("pending", "Nothing is pending", "ok", f"held back: {listed(later)}" if later else "none")


def _checksums(ctx: Context, reading: Reading) -> tuple[str, ...]:
    """This session's scripts stand in the ledger with the checksum that was reviewed."""
    rows = [row for row in reading.rows or () if not row.rolled_back and not row.failed]
    scripts = planned(ctx)
    good = tuple(s.migration for s in scripts if any(_is(row, s.migration, s.sha256) for row in rows))
    wrong = tuple(s.migration for s in scripts if s.migration not in good)
    if wrong:
        advice = "Somebody else changed the ledger or the database. Find out who, before you go on."
        ctx.check("checksums", "Applied as reviewed", "fail", f"not in the ledger as reviewed: {listed(wrong)}", advice)
    else:
        ctx.check("checksums", "Applied as reviewed", "ok", f"{many(len(good), 'migration')}, checksums equal")
    if edited := reading.plan.changed:
        advice = "These files differ from what was applied. Restore them from git."
        ctx.check("edited", "No file edited after it was applied", "warn", listed(edited), advice)
    return good


def _is(row: Applied, name: str, sha256: str) -> bool:
    return row.name == name and row.checksum == sha256


STEP = StepKind("The ledger after the run", "reads", Nothing, run)
