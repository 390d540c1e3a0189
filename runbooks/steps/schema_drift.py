"""`schema.drift`: the schema, held against what the applied migrations make on a throw-away server."""

import asyncio
import os
from datetime import timedelta
from pathlib import Path

from pydantic import Field

from migrations.listed import many
from runbooks.journal.artefacts import write_private
from runbooks.ledger.drifting import Advance, Asked, DriftStatus, DriftTold, drifted, script_of
from runbooks.session.frozen import Frozen
from runbooks.steps.base import Context, StepKind
from runbooks.steps.parts.duration import Duration
from runbooks.steps.parts.kept_scripts import script_text
from runbooks.steps.parts.ledger_reading import planned

ARTEFACT = "drift.sql"
FIRST = "\\set ON_ERROR_STOP on\n"
"""Else psql goes on after an error, and drops an index whose successor was not built."""
MOST = 50
"""Differences that get a check of their own; a person could not waive more one by one."""
SHOWN = 300
SECRET = "the SQL to undo it holds a secret, which is written nowhere: write it by hand"


class Params(Frozen):
    """`from` is the id of the `schema.drift` of Preflight: what had drifted then is known, and what is new is wrong.

    Where that step could not compare, nothing is known, and all is told as drift.

    `bin`: PostgreSQL's programs to replay with, else those of the target's version, else the wheel's.
    """

    from_: str | None = Field(default=None, alias="from")
    bin: str | None = None
    timeout: Duration = timedelta(minutes=5)


class Result(Frozen):
    """`drifted` are the names of all differences. `compared` is false where the migrations could not be replayed."""

    compared: bool
    drifted: tuple[str, ...]
    artefact: str = ""


async def run(ctx: Context, params: Params) -> Result:
    """Compare. What keeps it from comparing makes the check unknown, not the step fail. Raises Misuse, Problem."""
    known = _known(ctx, params.from_)
    async with ctx.connect("read") as connection:
        found = _without_secrets(ctx, await drifted(connection, await _asked(ctx, params), _advance(ctx)))
    if not found.replayed:
        ctx.check("replayed", "Migrations replayed", "unknown", found.could_not, found.advice)
        return Result(compared=False, drifted=())
    await ctx.output(_text(found))
    _replayed(ctx, found)
    new = [each for each in found.differences if known is None or each.id not in known]
    _differences(ctx, new, found, later=known is not None)
    artefact = await _keep(ctx, found.differences) if found.differences else ""
    return Result(compared=True, drifted=tuple(each.id for each in found.differences), artefact=artefact)


def _without_secrets(ctx: Context, found: DriftStatus) -> DriftStatus:
    """SQL that would run with something else in place of a secret is not offered."""
    kept = tuple(
        each
        if all(ctx.clean(statement) == statement for statement in each.sql)
        else each.model_copy(update={"sql": (), "caution": SECRET})
        for each in found.differences
    )
    return found.model_copy(update={"differences": kept})


def _known(ctx: Context, step: str | None) -> frozenset[str] | None:
    """What had drifted before Migrate; None if that is not known."""
    found = ctx.result(step) if step else {}
    drifted = found.get("drifted")
    return frozenset(str(name) for name in drifted) if found.get("compared") and isinstance(drifted, list) else None


async def _asked(ctx: Context, params: Params) -> Asked:
    wanted = planned(ctx)
    pending = await asyncio.to_thread(lambda: {s.migration: script_text(ctx, s) for s in wanted})
    return Asked(
        project=ctx.project,
        schema=ctx.target.url.schema,
        pending=pending,
        bin=Path(params.bin) if params.bin else None,
        seconds=params.timeout.total_seconds(),
        environ=os.environ,
    )


def _advance(ctx: Context) -> Advance:
    async def advance(done: int, total: int, name: str) -> None:
        await ctx.progress(label="replaying the migrations", done=done, total=total, unit="scripts", detail=name)

    return advance


def _replayed(ctx: Context, found: DriftStatus) -> None:
    title = "Migrations replayed"
    if found.unsure:
        advice = "See the ledger: until that is settled, the differences may not be what they seem."
        ctx.check("replayed", title, "warn", "; ".join(found.unsure), advice)
    else:
        ctx.check("replayed", title, "ok", "; ".join((found.replayed, *found.notes))[:SHOWN])
    if found.foretold:
        advice = "It may need rows or roles that an empty database does not have; or it fails here, too."
        ctx.check("foretold", "Pending scripts replayed", "warn", found.foretold, advice)


def _differences(ctx: Context, new: list[DriftTold], found: DriftStatus, *, later: bool) -> None:
    title = "The schema is as the replay foretold" if later else "The schema is what the migrations make"
    before = len(found.differences) - len(new)
    words = [f"{before} drifted before Migrate, and still do"] if before else []
    words += [f"{many(len(found.ignored), 'is', 'are')} known by gonogo.toml"] if found.ignored else []
    if not new:
        ctx.check("drift", title, "ok", "; ".join(words) or "no difference")
    for each in new[:MOST]:
        evidence = f"the folder: {each.folder}; the target: {each.target}"
        ctx.check(each.id, each.title[:SHOWN], "fail" if later else "warn", evidence, _advice(each))
    if len(new) > MOST:
        more = f"{len(new) - MOST} more, see {ARTEFACT}"
        ctx.check(
            "more", "Other differences", "fail" if later else "warn", more, "Undo them, or name them in gonogo.toml."
        )


def _advice(each: DriftTold) -> str:
    sql = "; ".join(each.sql)
    offered = f"To undo it: {sql if len(sql) <= SHOWN else f'see {ARTEFACT}'}" if sql else ""
    caution = f"{each.caution[:1].upper()}{each.caution[1:]}." if each.caution else ""
    return " ".join(part for part in (offered, caution) if part)


def _text(found: DriftStatus) -> str:
    lines = [f"replayed: {found.replayed}", *(f"not compared: {note}" for note in found.notes)]
    for each in found.differences:
        lines += [each.id, f"  the folder: {each.folder}", f"  the target: {each.target}"]
    return "".join(f"{line}\n" for line in lines)


async def _keep(ctx: Context, differences: tuple[DriftTold, ...]) -> str:
    path = ctx.artefact(ARTEFACT)
    text = "\n".join((FIRST, *map(script_of, differences)))
    await asyncio.to_thread(write_private, path, ctx.clean(text).encode())
    await ctx.keep(ARTEFACT, path)
    return str(path.relative_to(ctx.folder))


def shows(params: Params) -> str:
    """What is about to happen, in words."""
    against = f", beside what {params.from_} found" if params.from_ else ""
    return f"the schema, held against what the migrations make on a throw-away server{against}"


STEP = StepKind("Look for drift", "reads", Params, run, shows, names=("from",))
