"""`parity_required`: what is pending was applied on the environment beside before, or the session does not begin."""

import asyncio
from collections.abc import Sequence

from migrations import ledger
from migrations.folder import Migration
from migrations.listed import listed
from migrations.parity import Fate, Wanted, fates
from migrations.problem import Problem, Unavailable
from runbooks.planning.identity import Stop
from runbooks.steps.base import Context
from runbooks.steps.parts.other_environment import reading_beside

SECONDS = 10.0
STATES = {
    "missing": "not applied",
    "failed": "begun, and neither finished nor rolled back",
    "other text": "applied from another text",
    "applied": "marked as applied, not run",
    "line ends": "marked as applied, not run",
}


async def staging_first(ctx: Context, pending: Sequence[Migration], *, emergency: bool) -> None:
    """Raises Stop for what was not applied there from the same bytes, Problem where that cannot be read.

    In the emergency lane both are told, and hold nothing up.
    """
    name = ctx.environment.parity
    if not ctx.environment.parity_required or name is None or not pending:
        return
    title = f"Applied on {name} before"
    try:
        found = await _found(ctx, name, pending)
        if lacking := [f"{fate.name}: {STATES[fate.state]}" for fate in found if not _is_proven(fate)]:
            raise Stop(
                f"On {name} not all of it was applied before, as gonogo.toml requires. {listed(tuple(lacking))}.",
                advice=f"Run it on {name} first, and use the app there.",
            )
    except Problem as problem:
        if not emergency:
            raise
        ctx.check("staging-first", title, "warn", f"{problem.what} In an emergency this holds nothing up.")
        return
    ctx.check("staging-first", title, "ok", proven_words(found))


def proven_words(found: Sequence[Fate]) -> str:
    """How all of them were applied there."""
    apart = sum(fate.state == "line ends" for fate in found)
    same = f"text, {apart} of them with other line ends" if apart else "bytes"
    return f"{len(found)} of {len(found)}, from the same {same}"


async def _found(ctx: Context, name: str, pending: Sequence[Migration]) -> tuple[Fate, ...]:
    try:
        async with asyncio.timeout(SECONDS), reading_beside(ctx, name) as (connection, other):
            rows = await ledger.rows(connection, other.url.schema)
    except TimeoutError:
        raise Unavailable(f"The ledger of {name} was not read within {SECONDS:.0f} s.") from None
    return fates([Wanted(one.name, one.checksum, one.text) for one in pending], rows or ())


def _is_proven(fate: Fate) -> bool:
    return fate.state in ("applied", "line ends") and not fate.marked
