"""`restore.swap`: the restored database takes the place, and the name, of the live one."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from pydantic import JsonValue

from migrations.problem import Misuse
from migrations.restore import swap
from runbooks.session.events import Check, StepStarted
from runbooks.session.frozen import Frozen
from runbooks.steps.base import Context, Doubt, Settled, StepKind
from runbooks.steps.parts.dumps import records_of


class Params(Frozen):
    """`side`: the step that restored, else the `restore.side` of this way back."""

    side: str | None = None


class Result(Frozen):
    """`oid` is what the session is pinned to from now on. `kept` is the old database's new name."""

    oid: str
    repinned: dict[str, str]
    kept: str
    ended: int


async def run(ctx: Context, params: Params) -> Result:
    """Ask for the database's name, then swap. Raises Misuse if nothing good was restored, Problem if it cannot be."""
    side = _restored(ctx, params)
    live, name = ctx.target.url.database, str(side["database"])
    await ctx.ask(
        "database",
        f"Every session on {ctx.target.url.shown} will be ended, and {name} takes its name. What was written since the "
        f"dump stays behind in the old database, which is kept. Type the name of the live database: {live}",
        exact=live,
    )
    at = datetime.now(UTC)
    pin = ctx.target.pin
    before = pin.oid if pin else ""
    await ctx.record(label="swapping", attempt=ctx.attempt, side=name, side_oid=str(side["oid"]), live_oid=before)
    swapped = await swap.swap(ctx.target, name, int(str(side["oid"])), at, ctx.application_name)
    _repin(ctx, swapped.oid)
    await ctx.output(f"{live} is the restored database now. The old one is kept as {swapped.kept}.\n")
    ctx.check("swapped", "The live name leads to the restored database", "ok", f"OID {before} → {swapped.oid}")
    ctx.check("kept", "The old database is kept", "ok", swapped.kept, "Drop it when nobody needs it any more.")
    return _result(swapped.oid, swapped.kept, swapped.ended)


def _repin(ctx: Context, oid: int) -> None:
    """From here on the session acts on the restored database."""
    if ctx.target.pin is not None:
        ctx.target.pin = replace(ctx.target.pin, oid=str(oid))


def _result(oid: int, kept: str, ended: int) -> Result:
    return Result(oid=str(oid), repinned={"oid": str(oid)}, kept=kept, ended=ended)


def _restored(ctx: Context, params: Params) -> dict[str, JsonValue]:
    steps = [s.id for s in ctx.view.runbook.steps() if s.uses == "restore.side"]
    names = [params.side] if params.side else steps
    results = [dict(ctx.result(name)) for name in names]
    found = next((r for r in results if r.get("oid")), None)
    if found is None:
        raise Misuse("Nothing was restored yet.", advice="Run the step that restores beside the live database first.")
    if found.get("equal") is not True:
        raise Misuse(
            "The restored database is not what was dumped: it will not take the live one's place.",
            advice="Look at the differences, and restore again.",
        )
    return found


async def reconcile(ctx: Context, params: Params, start: StepStarted) -> Settled | Doubt:
    """The name tells: whose OID it bears now is the database that is live."""
    record: dict[str, Any] = next((dict(d) for d in records_of(ctx, start.attempt) if d.get("side_oid")), {})
    if not record:
        return Settled("stopped", "unknown", "it was cut short before anything was done")
    oid, connects = await swap.look(ctx.target, ctx.application_name)
    if oid is None:
        live = ctx.target.url.database
        return Doubt(
            f"No database is called {live} now. Look, as an administrator, into pg_database for OID "
            f"{record['live_oid']}, which was live, and {record['side_oid']}, which was restored; give the one that is "
            f"to be live the name {live}"
        )
    if not connects:
        await swap.reopen(ctx.target, ctx.application_name)
    if str(oid) == record["side_oid"]:
        kept = await swap.name_of(ctx.target, int(record["live_oid"]), ctx.application_name)
        _repin(ctx, oid)
        words = f"OID {record['live_oid']} → {oid}"
        check = Check(id="swapped", title="The live name leads to the restored database", outcome="ok", evidence=words)
        result = _result(oid, kept, 0).model_dump(mode="json")
        return Settled("done", "ok", "the databases had been swapped", (check,), result)
    return Settled("failed", "fail", "the databases were not swapped; the live one takes connections")


def shows(params: Params) -> str:
    """What is about to happen, in words."""
    return "ends every session on the live database, then renames both databases in one transaction"


STEP = StepKind(
    "Put the restored database in place", "target", Params, run, shows, reconcile, asks=("database",), names=("side",)
)
