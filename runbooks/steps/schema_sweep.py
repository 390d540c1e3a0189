"""`schema.sweep`: what is half done, switched off, or runs out, before the migration and after it."""

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import Field

from migrations.catalog.effects import Effects
from migrations.catalog.sweep import Flaw, Kind, from_json, held_against, sweep, to_json
from migrations.listed import listed
from runbooks.journal.artefacts import write_private
from runbooks.session.events import Outcome
from runbooks.session.frozen import Frozen
from runbooks.steps.base import Context, StepKind
from runbooks.steps.parts.applied import plan_effects, touched_tables
from runbooks.steps.parts.records_kept import AS_BEFORE, kept_before, kept_by

NAME = "sweep.json"
NAMED = 20
TITLES: dict[Kind, str] = {
    "invalid-index": "Invalid index",
    "not-validated": "Constraint not validated",
    "disabled-trigger": "Disabled trigger",
    "pending-detach": "Partition half detached",
    "sequence-end": "Sequence near its end",
    "statistics": "No statistics",
}
ADVICE: dict[Kind, str] = {
    "invalid-index": "Find out why it failed, drop it, then build what is missing.",
    "not-validated": "When all rows keep to it, validate it.",
    "disabled-trigger": "It has seen nothing of what was written meanwhile. To switch it on:",
    "pending-detach": "To end it:",
    "sequence-end": "In a migration of its own: a new type of a column writes its table anew, while nobody can use it.",
    "statistics": "Till then the planner guesses. Autovacuum may never see to it: a new column changes no row.",
}
IN_THE_WAY: tuple[Kind, ...] = ("invalid-index", "disabled-trigger", "pending-detach")
"""What is worth a word before Migrate, where the scripts touch its table."""


class Params(Frozen):
    """`from` is the id of the sweep before Migrate: then only what is new counts against this session.

    `percent`: sequences that have used up so much of their numbers. `rows`: tables of about so many rows and more
    should have statistics.
    """

    from_: str | None = Field(default=None, alias="from")
    percent: int = Field(default=80, ge=1, le=100)
    rows: int = Field(default=10_000, ge=1)


class Result(Frozen):
    """`artefact` holds all that was found, and is relative to the session folder. `new` and `mended` are names."""

    artefact: str
    found: int
    new: tuple[str, ...] = ()
    mended: tuple[str, ...] = ()


async def run(ctx: Context, params: Params) -> Result:
    """Look, and where `from` is given, hold it against what was there before. Raises Problem."""
    if params.from_ is not None:
        return await _after(ctx, params, params.from_)
    if earlier := kept_before(ctx, NAME):
        flaws = from_json(await asyncio.to_thread(earlier.read_text, "utf-8"))
        return await _told_before(ctx, earlier, flaws, AS_BEFORE)
    flaws = await _sweep(ctx, params)
    return await _told_before(ctx, await _keep(ctx, flaws), flaws, "")


async def _sweep(ctx: Context, params: Params) -> tuple[Flaw, ...]:
    async with ctx.connect("read") as connection:
        flaws = await sweep(connection, percent=params.percent, rows=params.rows)
    await ctx.output("".join(f"{flaw.kind}: {_words(flaw)}\n" for flaw in flaws) or "nothing\n")
    return flaws


async def _keep(ctx: Context, flaws: Sequence[Flaw]) -> Path:
    path = ctx.artefact(NAME)
    await asyncio.to_thread(write_private, path, to_json(flaws).encode())
    await ctx.keep(NAME, path)
    return path


async def _told_before(ctx: Context, path: Path, flaws: Sequence[Flaw], note: str) -> Result:
    touched = await touched_tables(ctx)
    due = [f for f in flaws if f.kind == "sequence-end" or (f.kind in IN_THE_WAY and f.table in touched)]
    for flaw in due[:NAMED]:
        _named(ctx, flaw, "fail" if flaw.kind == "sequence-end" and flaw.weight == "stop" else "warn")
    _more(ctx, due[NAMED:], "warn")
    told = _listed(flaw for flaw in flaws if flaw not in due)
    ctx.check("found", "Half done, switched off, running out", "ok", f"{told or 'nothing'}{note}")
    return Result(artefact=str(path.relative_to(ctx.folder)), found=len(flaws))


async def _after(ctx: Context, params: Params, step: str) -> Result:
    before = await kept_by(ctx, step, from_json)
    effects = await plan_effects(ctx)
    flaws = await _sweep(ctx, params)
    path = await _keep(ctx, flaws)
    swept = held_against(before, flaws)
    judged = [(flaw, _outcome(flaw, effects)) for flaw in swept.new]
    bad = [(flaw, outcome) for flaw, outcome in judged if outcome != "ok"]
    for flaw, outcome in bad[:NAMED]:
        _named(ctx, flaw, outcome)
    _more(ctx, [flaw for flaw, _ in bad[NAMED:]], "fail")
    small = _listed(flaw for flaw, outcome in judged if outcome == "ok")
    ctx.check(
        "new", "Nothing else is left behind", "ok", f"of little matter: {small}" if small else f"since the step {step}"
    )
    if swept.kept:
        words = f"{_listed(swept.kept)}; not this session's doing"
        ctx.check("before", "Was there before", "ok", words)
    if swept.mended:
        ctx.check("mended", "Mended", "ok", _listed(swept.mended))
    return Result(
        artefact=str(path.relative_to(ctx.folder)),
        found=len(flaws),
        new=tuple(flaw.name for flaw, _ in bad),
        mended=tuple(flaw.name for flaw in swept.mended),
    )


def _outcome(flaw: Flaw, effects: Effects) -> Outcome:
    """How bad it is that it is there now, and was not before."""
    if flaw.weight == "stop":
        as_written = flaw.kind == "not-validated" and flaw.table in effects.not_validated
        return "warn" if as_written else "fail"
    return "ok" if flaw.weight == "note" else "warn"


def _named(ctx: Context, flaw: Flaw, outcome: Outcome) -> None:
    wait = "Wait until it is built, and run this again."
    advice = wait if flaw.weight == "passing" else f"{ADVICE[flaw.kind]} {flaw.mend}".strip()
    ctx.check(f"{flaw.kind}/{flaw.name}", TITLES[flaw.kind], outcome, _words(flaw), advice)


def _more(ctx: Context, flaws: Sequence[Flaw], outcome: Outcome) -> None:
    if flaws:
        ctx.check("more", "And more", outcome, _listed(flaws), f"All of them stand in this step's {NAME}.")


def _words(flaw: Flaw) -> str:
    parts = f" ({', '.join(flaw.parts)})" if flaw.parts else ""
    return f"{flaw.name.removeprefix('public.')}{parts}: {flaw.words}"


def _listed(flaws: Iterable[Flaw]) -> str:
    """Their names by kind, not too many of them."""
    by_kind: dict[Kind, list[str]] = {}
    for flaw in flaws:
        by_kind.setdefault(flaw.kind, []).append(flaw.name.removeprefix("public."))
    return "; ".join(f"{TITLES[kind].lower()}: {listed(tuple(found), 5)}" for kind, found in by_kind.items())


def shows(params: Params) -> str:
    """What is about to happen, in words."""
    against = f", held against what {params.from_} found" if params.from_ else ""
    return f"invalid indexes, constraints not validated, disabled triggers, sequences near their end …{against}"


STEP = StepKind("Look for what is half done", "reads", Params, run, shows, names=("from",))
