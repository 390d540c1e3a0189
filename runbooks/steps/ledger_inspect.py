"""`ledger.inspect`: what the ledger says before anything is applied, and what is pending."""

from collections.abc import Sequence

from migrations.doctor import State, StateName
from migrations.doctor.history import Edit
from migrations.listed import listed, many
from migrations.plan import compare
from runbooks.ledger.examined import examine
from runbooks.session.events import Outcome
from runbooks.session.frozen import Frozen
from runbooks.session.gates import worst
from runbooks.steps.base import Context, Nothing, StepKind
from runbooks.steps.parts.ledger_reading import held_back

ASKED: dict[str, tuple[str, tuple[StateName, ...]]] = {
    "failed-rows": ("No failed migration", ("failed", "cut-short")),
    "edited": ("No file edited after it was applied", ("edited",)),
    "missing": ("Nothing applied that the folder lacks", ("ahead", "removed")),
}
"""What is always looked for: the check, and what the doctor finds that is against it."""
FOUND: dict[str, tuple[str, tuple[StateName, ...]]] = {
    "scripts": ("Every folder has its script", ("without-script",)),
    "lock": ("Prisma's lock", ("lock-held",)),
    "changed": ("The ledger as it was read before", ("changed-by-others",)),
    "duplicates": ("One row for each migration", ("duplicate",)),
    "again": ("Pending again", ("rolled-back",)),
    "order": ("Order", ("out-of-order",)),
}
"""What is told only where it is found."""
LEDGER: tuple[StateName, ...] = ("other-provider", "prisma-8", "no-baseline", "ledger-elsewhere")
SHOWN = 5
"""So many edits are told in the check; the output has all of them."""
OUTCOMES: dict[str, Outcome] = {"stop": "fail", "warn": "warn", "note": "ok"}


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
    async with ctx.connect("read") as conn:
        found = await examine(conn, ctx.target, ctx.project, ctx.environment, ctx.folder.parent, besides=ctx.session)
    rows, later = found.facts.rows, held_back(ctx)
    plan = compare(found.facts.folder or (), tuple(row.applied for row in rows or ()))
    pending = tuple(m.name for m in plan.pending if m.name not in later)
    usual = (
        f"{many(len(plan.applied), 'migration')} applied"
        if rows is not None
        else "no ledger yet: this is the first run"
    )
    _told(ctx, found.states, "ledger", "Ledger", LEDGER, usual)
    for check, (title, against) in ASKED.items():
        _told(ctx, found.states, check, title, against, "none")
    for check, (title, against) in FOUND.items():
        _told(ctx, found.states, check, title, against)
    _history(ctx, found.history)
    _pending(ctx, pending, later)
    await ctx.output("".join(f"{line}\n" for state in found.states for line in state.details))
    await ctx.output("".join(f"not by gonogo: {edit.words}\n" for edit in found.history))
    await ctx.output("".join(f"pending: {name}\n" for name in pending))
    await ctx.output("".join(f"held back: {name}\n" for name in later))
    return Result(
        first_run=rows is None,
        applied=len(plan.applied),
        pending=pending,
        held_back=later,
        failed=plan.failed,
        edited=plan.changed,
        missing=plan.missing,
    )


def _told(
    ctx: Context, states: Sequence[State], check: str, title: str, against: tuple[StateName, ...], usual: str = ""
) -> None:
    found = [state for state in states if state.name in against]
    if not found and not usual:
        return
    evidence = "; ".join(f"{state.code}: {state.what}" if state.code else state.what for state in found)
    advice = " ".join(f"{state.cause} {state.advice}" for state in found if state.severity != "note")
    outcome = worst([OUTCOMES[state.severity] for state in found])
    ctx.check(check, title, outcome, evidence or usual, advice)


def _history(ctx: Context, edits: Sequence[Edit]) -> None:
    """Told, and nothing held: it may have been right."""
    if edits:
        words = f"{len(edits)}: {listed([edit.words for edit in edits], SHOWN)}"
        ctx.check("history", "In the ledger, and not by gonogo", "ok", words)


def _pending(ctx: Context, pending: tuple[str, ...], later: tuple[str, ...]) -> None:
    if pending:
        after = f"; held back: {listed(later)}" if later else ""
        return ctx.check("pending", "Pending migrations", "ok", f"{len(pending)}: {listed(pending)}{after}")
    advice = "Is it the right folder, the right commit, the right database? If so, end the session."
    ctx.check("pending", "Pending migrations", "warn", "nothing to apply: nothing will be proven", advice)


STEP = StepKind("Ledger and pending migrations", "reads", Nothing, run)
