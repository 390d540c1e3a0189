"""`migrations.verify`: asks the target what the verify.sql beside each applied script says must be true."""

import asyncio
from datetime import timedelta

from migrations.folder import VERIFY
from migrations.listed import many
from migrations.sql import read_script
from migrations.sql.veil import Veil
from migrations.verify_sql import Claim, Claims, came_instead, read_claims
from runbooks.redact.scripts import Hiding
from runbooks.session.events import Script
from runbooks.session.frozen import Frozen
from runbooks.steps.base import Context, StepKind
from runbooks.steps.parts.duration import Duration
from runbooks.steps.parts.kept_scripts import verify_bytes
from runbooks.steps.parts.ledger_reading import planned

LONGEST = 300
"""Characters of a statement that are told."""


class Params(Frozen):
    """`timeout` is for each statement."""

    timeout: Duration = timedelta(seconds=30)


class Result(Frozen):
    """`failed` are places: `MIGRATION/verify.sql:LINE`."""

    asked: int
    failed: tuple[str, ...]


async def run(ctx: Context, params: Params) -> Result:
    """Ask everything. Raises Problem, Unavailable."""
    beside = [script for script in planned(ctx) if script.verify]
    if not beside:
        ctx.check("verify", f"What {VERIFY} asks", "ok", f"no script of this session has a {VERIFY}")
        return Result(asked=0, failed=())
    asked, failed = 0, list[str]()
    async with ctx.connect("read") as connection:
        for script in beside:
            claims, told, veil = await _reviewed(ctx, script)
            for claim, shown in zip(claims.claims, told.claims, strict=True):
                await ctx.progress(label=script.migration, done=asked, unit="statements")
                asked += 1
                other = veil.words(await came_instead(connection, claim, timeout=params.timeout))
                failed += await _tell(ctx, script.migration, shown, other)
    if asked and not failed:
        ctx.check(
            "verify", f"What {VERIFY} asks", "ok", f"{asked} of {many(asked, 'statement is', 'statements are')} true"
        )
    return Result(asked=asked, failed=tuple(failed))


async def _tell(ctx: Context, migration: str, claim: Claim, other: str) -> tuple[str, ...]:
    """Where it is not true, as a check of its own."""
    place = f"{migration}/{VERIFY}:{claim.line}"
    await ctx.output(f"{place}: {other or 'true'}\n")
    if not other:
        return ()
    text = " ".join(claim.text.split())
    text = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    advice = "Find out why before you go on: the migration is applied, and is not what its author meant it to be."
    title = f"{migration}/{VERIFY}, line {claim.line}"
    ctx.check(place, title, "fail", f"{text} must be true; instead came {other}", advice)
    return (place,)


async def _reviewed(ctx: Context, script: Script) -> tuple[Claims, Claims, Veil]:
    """What was reviewed, the same as it may be shown, and what hides the rest. Raises Problem."""
    assert script.verify is not None
    name = f"{script.migration}/{VERIFY}"
    data = await asyncio.to_thread(verify_bytes, ctx, script)
    claims, told, veil = await asyncio.to_thread(_read, data, Hiding(ctx.project))
    if claims.wrong:
        words = "; ".join(f"line {each.line}: {each.words}" for each in claims.wrong)
        ctx.check(name, name, "fail", f"it cannot be asked: {words}", "Ask by hand what it means to ask.")
        return Claims(), Claims(), veil
    return claims, told, veil


def _read(data: bytes, hide: Hiding) -> tuple[Claims, Claims, Veil]:
    veil = hide(read_script(data.decode("utf-8", errors="replace")))
    return read_claims(data), read_claims(veil.text.encode() if veil else data), veil


def shows(params: Params) -> str:
    """What is about to happen, in words."""
    return f"what each {VERIFY} beside a script says must be true, read-only"


STEP = StepKind(f"Ask what {VERIFY} says", "reads", Params, run, shows)
