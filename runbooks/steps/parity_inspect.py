"""`parity.inspect`: the environment that this one should look like, where the migrations should have been before."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta

from migrations.catalog.recorded import name_of
from migrations.listed import listed, many
from migrations.parity import Beside, Fate, Wanted, differing, fates, read_beside
from migrations.problem import Problem
from migrations.sql import read_script
from runbooks.history.waited import Waited, waited
from runbooks.planning.identity import Stop
from runbooks.session.events import Outcome
from runbooks.session.frozen import Frozen
from runbooks.steps.base import Context, StepKind
from runbooks.steps.parts.applied import default_schema, touched_tables
from runbooks.steps.parts.apply_teller import took_text
from runbooks.steps.parts.duration import Duration
from runbooks.steps.parts.kept_scripts import script_text
from runbooks.steps.parts.ledger_reading import planned
from runbooks.steps.parts.other_environment import reading_beside

SHOWN = 10
JUDGED: dict[str, tuple[Outcome, str]] = {
    "applied": ("ok", "applied, from the same bytes"),
    "line ends": ("warn", "applied, from a text with other line ends"),
    "other text": ("fail", "applied, from another text"),
    "failed": ("fail", "begun, and neither finished nor rolled back"),
    "missing": ("fail", "not applied"),
}


class Params(Frozen):
    """`timeout` is for all that is read of the other database."""

    timeout: Duration = timedelta(minutes=1)


class Result(Frozen):
    """`environment` is empty where gonogo.toml names none. `proven` was applied there from the same bytes."""

    environment: str = ""
    reached: bool = False
    proven: tuple[str, ...] = ()


async def run(ctx: Context, params: Params) -> Result:
    """Hold the two against each other. What keeps it from that is a check, not the step's failure. Raises Problem."""
    name = ctx.environment.parity
    if name is None:
        ctx.check("reached", "An environment to compare with", "ok", "gonogo.toml names none (`parity`)")
        return Result()
    there = await _read_there(ctx, name, params.timeout)
    if there is None:
        return Result(environment=name)
    async with ctx.connect("read") as connection:
        here = await read_beside(connection, ctx.target.url.schema)
    wanted = await asyncio.to_thread(_wanted, ctx)
    found = fates(wanted, there.rows or ())
    seen = await asyncio.to_thread(waited, ctx.folder.parent, name, {fate.row for fate in found if fate.row})
    await _applied(ctx, name, found, seen)
    _ledgers(ctx, name, here, there)
    await _schema(ctx, name, here, there, wanted)
    await _rows(ctx, name, here, there)
    return Result(environment=name, reached=True, proven=tuple(f.name for f in found if f.state == "applied"))


async def _read_there(ctx: Context, name: str, timeout: timedelta) -> Beside | None:
    """None where it cannot be read, or must not: then a check says so."""
    title = f"The database of {name}"
    advice = f"See that its address is set here and leads there; or say in a waiver how {name} was checked."
    try:
        async with asyncio.timeout(timeout.total_seconds()):
            found, words = await _read(ctx, name)
    except Stop as stop:
        ctx.check("reached", title, "fail", stop.what, stop.advice)
        return None
    except TimeoutError:
        ctx.check("reached", title, "unknown", f"it was not read within {timeout.total_seconds():g} s", advice)
        return None
    except Problem as problem:
        ctx.check("reached", title, "unknown", problem.what, problem.advice or advice)
        return None
    ctx.check("reached", title, "ok", words)
    return found


async def _read(ctx: Context, name: str) -> tuple[Beside, str]:
    async with reading_beside(ctx, name) as (connection, other):
        here, there = ctx.target.pin, other.pin
        assert here is not None and there is not None
        version = f"{other.url.shown}, PostgreSQL {there.server_version}"
        if there.server_major != here.server_major:
            version += f" (here {here.server_version}: locks and plans may differ)"
        return await read_beside(connection, other.url.schema), version


def _wanted(ctx: Context) -> list[Wanted]:
    """The pending scripts, from the session's own bytes. Raises Problem."""
    return [Wanted(s.migration, s.sha256, script_text(ctx, s)) for s in planned(ctx)]


async def _applied(ctx: Context, name: str, found: Sequence[Fate], seen: Mapping[str, Waited]) -> None:
    title = f"Applied on {name} before"
    proven = 0
    for fate in found:
        outcome, words = JUDGED[fate.state]
        words = f"{words}{_when(fate, seen.get(fate.row))}"
        await ctx.output(f"{fate.name}: {words}\n")
        if fate.marked and outcome == "ok":
            outcome, words = "warn", f"marked as applied, not run: {words}"
        proven += outcome == "ok"
        if outcome != "ok":
            advice = f"Apply it on {name} first, and use the app there; or say in a waiver why it goes without."
            ctx.check(f"applied/{fate.name}", f"{fate.name} on {name}", outcome, words, advice)
    if proven == len(found):
        took = f", in {took_text(sum(fate.took for fate in found))} together" if found else ""
        ctx.check("applied", title, "ok", f"{proven} of {len(found)}, from the same bytes{took}")


def _when(fate: Fate, seen: Waited | None) -> str:
    if fate.state in ("missing", "failed"):
        return f" at {fate.at[:16]}Z" if fate.at else ""
    at, took = fate.at[:16].replace("T", " "), took_text(fate.took)
    behind = "how many waited is not known here"
    if seen is not None:
        most = f"at most {seen.behind} seen waiting, the longest for {took_text(seen.longest)}"
        behind = f"{most if seen.behind else 'nobody was seen waiting'} (session {seen.session})"
    return f"; {at} UTC, it took {took}, {behind}"


def _ledgers(ctx: Context, name: str, here: Beside, there: Beside) -> None:
    """What one of them has applied, and the other neither has nor is about to."""
    mine, others = _done(here), _done(there)
    pending = {script.migration for script in planned(ctx)} | set(ctx.view.plan.held_back if ctx.view.plan else ())
    ahead = tuple(sorted(others - mine - pending))
    behind = tuple(sorted(mine - others))
    words = [f"only on {name}: {listed(ahead)}"] if ahead else []
    words += [f"only here: {listed(behind)}"] if behind else []
    if words:
        advice = "The two do not have the same history, so what went well there may not go well here."
        ctx.check("history", "The same history", "warn", "; ".join(words), advice)
    else:
        ctx.check("history", "The same history", "ok", f"{many(len(mine & others), 'migration')} on both")


def _done(beside: Beside) -> set[str]:
    return {r.applied.name for r in beside.rows or () if r.applied.finished_at and not r.applied.rolled_back}


async def _schema(ctx: Context, name: str, here: Beside, there: Beside, wanted: Sequence[Wanted]) -> None:
    def compared() -> tuple[str, ...]:
        scripts = [read_script(each.text) for each in wanted]
        return differing(here.catalog, there.catalog, scripts, default_schema(ctx))

    lines = await asyncio.to_thread(compared)
    title = f"The schema is that of {name}"
    apart = "apart from what the pending scripts name, and from owners and privileges"
    if not lines:
        ctx.check("schema", title, "ok", f"no difference, {apart}")
        return
    await ctx.output("".join(f"{line}\n" for line in (f"+ here, - on {name}:", *lines)))
    more = f"; and {len(lines) - SHOWN} more" if len(lines) > SHOWN else ""
    advice = f"What went well on {name} may not go well here: look at each (+ is here only, - is there only)."
    ctx.check("schema", title, "warn", f"{'; '.join(lines[:SHOWN])}{more} ({apart})", advice)


async def _rows(ctx: Context, name: str, here: Beside, there: Beside) -> None:
    """The tables that the scripts touch: how many rows they have, about."""
    touched = await touched_tables(ctx)
    rows = [
        f"{table.removeprefix('public.')}: about {count.rows} here, {there.sizes[table].rows} on {name}"
        for table, count in sorted(here.sizes.items())
        if name_of(table) in touched and table in there.sizes
    ]
    await ctx.output("".join(f"{row}\n" for row in rows))
    words = "; ".join(rows[:SHOWN]) or "no table that both have is touched"
    ctx.check("rows", "Rows of the tables that are touched", "ok", words)


def shows(params: Params) -> str:
    """What is about to happen, in words."""
    return "what is pending here, applied there before; ledger, schema and rows of both, read only"


STEP = StepKind("Look at the environment beside", "reads", Params, run, shows)
