"""`target.repin`: the session moves over to the database that was restored elsewhere, as to a point in time."""

from dataclasses import asdict

import psycopg

from migrations import ledger
from migrations.listed import many
from migrations.problem import Misuse, Problem
from migrations.restore.changes import what_changed
from migrations.target import Fingerprint, Pinned, environment_mark, pooling
from migrations.target.connecting import told
from runbooks.planning.identity import Stop, judge_mark
from runbooks.session.events import StepStarted
from runbooks.session.frozen import Frozen
from runbooks.steps.base import Context, Settled, StepKind
from runbooks.steps.parts.dumps import session_dump

SHOWN = 10
TOLD = (
    ("address", "address"),
    ("system_identifier", "system identifier"),
    ("database", "database"),
    ("oid", "OID"),
    ("timeline", "timeline"),
    ("postmaster_start", "server started"),
    ("server_version", "PostgreSQL"),
)


class Params(Frozen):
    """`dump`: the step whose dump the other database is compared with, else the first of the six phases."""

    dump: str | None = None


class Result(Frozen):
    """`repinned` is what the session is pinned to from now on, `was` what it was. `moved_to`: the variable that has
    the new address; empty where the old address leads there."""

    repinned: dict[str, str | bool]
    was: dict[str, str | bool]
    moved_to: str


async def run(ctx: Context, params: Params) -> Result:
    """Look at both, compare, ask, move. Raises Problem, Misuse, Unavailable; the session then stays where it is."""
    there = ctx.restored()
    old, new = await _old(ctx), await _new(ctx, there)
    await _show(ctx, old, new)
    _must_differ(ctx.target.pin, new)
    await _compare(ctx, params, there)
    shown = there.url.shown
    await ctx.ask(
        "database",
        f"From here on this session acts on {shown}: its steps, its commands, its way back. What is at "
        f"{ctx.target.url.shown} is left as it is. Type the new address: {shown}",
        exact=shown,
    )
    before = ctx.target.pin
    moved = there.url.variable if there.url.variable != ctx.target.url.variable else ""
    await ctx.record(attempt=ctx.attempt, moving_to=shown)
    ctx.move_to(there)
    ctx.check("moved", "The session acts on the other database", "ok", shown, "Point the app at it, too.")
    was = _as_target(before, ctx.target.url.shown) if before else {}
    return Result(repinned=_as_target(new, shown), was=was, moved_to=moved)


async def _old(ctx: Context) -> str:
    """What answers at the old address, in words: it may be gone, and need not be there."""
    try:
        async with ctx.connect("read"):
            return "still there, as it was pinned"
    except Problem as problem:
        return problem.what


async def _new(ctx: Context, there: Pinned) -> Fingerprint:
    """Raises Problem if it is a standby, another environment's, or behind a pooler that keeps no sessions."""
    kind = await pooling(there.url)
    if kind == "transaction" or (kind == "session" and ctx.environment.pooler != "session"):
        raise Misuse(f"{there.url.shown} is behind a pooler.", advice="Give the server's own address.")
    there.pooled = kind == "session"
    connection = await there.open("read", application_name=ctx.application_name)
    try:
        mark = await environment_mark(connection)
    except psycopg.Error as error:
        raise told(error, lost=connection.closed, where=there.url.shown) from None
    finally:
        await connection.close()
    new = there.pin
    assert new is not None
    if new.in_recovery:
        raise Problem(
            f"{there.url.shown} is still in recovery: it takes no writes.",
            advice="Let it reach its moment, and promote it (recovery_target_action = 'promote'); then start again.",
        )
    found = f"{new.system_identifier}/{new.database}"
    others = [e.name for e in ctx.project.environments.values() if e.fingerprint == found]
    if others and ctx.environment.name not in others:
        raise Stop(f"{there.url.shown} is the database of {' and '.join(others)}.", advice="Look at the address.")
    judge_mark(ctx.project, ctx.environment, new, mark)
    return new


def _must_differ(pin: Fingerprint | None, new: Fingerprint) -> None:
    """A database that was restored has another identity, timeline, or start of its server."""
    if pin is not None and (pin.identity, pin.timeline, pin.postmaster_start) == (
        new.identity,
        new.timeline,
        new.postmaster_start,
    ):
        raise Misuse(
            f"{new.address} is the database that this session is on already.",
            advice="Set the variable that restored_url names in gonogo.toml to the address of the restored one; if the "
            "runner was started without it, leave, wait a minute until it is gone, and resume with it set.",
        )


async def _show(ctx: Context, old: str, new: Fingerprint) -> None:
    pin = ctx.target.pin
    rows = [f"{'':18}{'was pinned':34}restored"]
    for field, words in TOLD:
        was = str(getattr(pin, field)) if pin else "?"
        now = str(getattr(new, field))
        rows.append(f"{words:18}{was:34}{now}{'' if was == now else '   (another)'}")
    await ctx.output("\n".join([*rows, f"at the old address: {old}"]) + "\n")
    same = [words for field, words in TOLD[1:3] if pin and getattr(pin, field) == getattr(new, field)]
    other = "" if len(same) == 2 else "; a restore of the files would keep both, a dump has a new system identifier"
    ctx.check("identity", "Identity", "ok", f"same {' and '.join(same)}" if same else f"nothing is the same{other}")
    if pin and pin.server_major != new.server_major:
        words = f"PostgreSQL {pin.server_version} → {new.server_version}"
        ctx.check("version", "Another major version", "warn", words, "See that the app runs on it.")


async def _compare(ctx: Context, params: Params, there: Pinned) -> None:
    """Whether it is of a moment before Migrate."""
    planned = {script.migration for script in ctx.view.plan.scripts} if ctx.view.plan else set()
    connection = await there.open("read", application_name=ctx.application_name)
    try:
        rows = await ledger.read(connection, there.url.schema) or ()
        done = [row.name for row in rows if row.name in planned and not row.rolled_back]
        last = max((row.finished_at or row.started_at for row in rows if not row.rolled_back), default="")
        words = f"the last that its ledger has is of {last}" if last else "it has no ledger"
        if done:
            advice = "The moment was too late: restore to one before Migrate began, or go on from here knowingly."
            ctx.check("moment", "Before Migrate", "warn", f"already there: {', '.join(done[:SHOWN])}; {words}", advice)
        else:
            ctx.check("moment", "Before Migrate", "ok", f"nothing of this session's plan is there; {words}")
        await _against_the_dump(ctx, params, connection, there)
    except psycopg.Error as error:
        raise told(error, lost=connection.closed, where=there.url.shown) from None
    finally:
        await connection.close()


async def _against_the_dump(
    ctx: Context, params: Params, connection: psycopg.AsyncConnection[object], there: Pinned
) -> None:
    try:
        taken = await session_dump(ctx, params.dump)
    except Misuse:
        ctx.check("schema", "Schema", "ok", "there is no dump of this session to compare with")
        return
    changes = await what_changed(connection, taken.state, there.url.schema)
    lines = [line for line in changes.schema if not line.startswith("~ extension ")]
    await ctx.output("".join(f"  {line}\n" for line in lines[:SHOWN]))
    advice = "Look at the lines above: is this the moment that was meant?" if lines else ""
    same = f"{many(len(lines), 'difference')} from the dump of {taken.at}" if lines else f"as at the dump of {taken.at}"
    ctx.check("schema", "Schema", "warn" if lines else "ok", same, advice)


def _as_target(pin: Fingerprint, shown: str) -> dict[str, str | bool]:
    values = {key: value for key, value in asdict(pin).items() if key != "server_major"}
    return {**values, "address": shown}


async def reconcile(ctx: Context, params: Params, start: StepStarted) -> Settled:
    """Nothing outside was changed: without its end, the session has not moved."""
    return Settled("stopped", "unknown", "the session has not moved. Start the step again.")


def shows(params: Params) -> str:
    """What is about to happen, in words."""
    return "compares the restored database with this session's, and after a typed yes acts on that one from then on"


STEP = StepKind(
    "Move the session to the restored database",
    "outside",
    Params,
    run,
    shows,
    reconcile,
    asks=("database",),
    names=("dump",),
)
