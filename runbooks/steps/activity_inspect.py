"""`activity.inspect`: who else is at work in the database, and would be in the way of a migration."""

from collections.abc import Sequence
from datetime import timedelta

from migrations.activity import Activity, Blocker, Session, look
from migrations.catalog.recorded import name_of
from migrations.listed import many
from migrations.sql.names import Name
from runbooks.session.events import Outcome
from runbooks.session.frozen import Frozen
from runbooks.settings.durations import spell
from runbooks.steps.base import Context, StepKind
from runbooks.steps.parts.applied import touched_tables
from runbooks.steps.parts.duration import Duration

NAMED = 5


class Params(Frozen):
    """`older_than`: a transaction of this age is long. `holding`: a lock held for this long counts as held."""

    older_than: Duration = timedelta(minutes=5)
    holding: Duration = timedelta(seconds=10)


class Result(Frozen):
    """How many of each there were. `hidden` are sessions that the role may not see into."""

    long_transactions: int
    dumps: int
    blockers: int
    lock_waiters: int
    hidden: int


async def run(ctx: Context, params: Params) -> Result:
    """Look once. Raises Problem, Unavailable."""
    async with ctx.connect("read") as connection:
        found = await look(connection, older_than=params.older_than, holding=params.holding)
    await _tell(ctx, found)
    _hidden(ctx, found)
    _long(ctx, found.long_transactions, params)
    _dumps(ctx, found.dumps)
    _blockers(ctx, found, params, await touched_tables(ctx))
    return Result(
        long_transactions=len(found.long_transactions),
        dumps=len(found.dumps),
        blockers=len(found.blockers),
        lock_waiters=len(found.lock_waiters),
        hidden=len(found.hidden),
    )


async def _tell(ctx: Context, found: Activity) -> None:
    """Every session that a check names, once, and how to end it."""
    sessions = {
        s.pid: s for s in (*found.long_transactions, *found.dumps, *(b.session for b in found.blockers), *found.hidden)
    }
    for session in sessions.values():
        await ctx.output(f"{session.words}\n")
        if session.sql_to_end:
            await ctx.output(f"  to end it: {session.sql_to_end}\n")
    for waiter in found.lock_waiters:
        by = ", ".join("a prepared transaction" if pid == 0 else f"pid {pid}" for pid in waiter.blocked_by)
        await ctx.output(f"pid {waiter.pid} waits for {waiter.mode} on {waiter.on}, held up by {by}\n")


def _hidden(ctx: Context, found: Activity) -> None:
    title = "Every session can be seen into"
    if not found.hidden:
        words = "the role reads all statistics" if found.reads_all else "no session of another role is here now"
        ctx.check("sight", title, "ok", words)
        return
    advice = f"{found.advice_to_see} Else look with another role, and say in the waiver what you saw."
    ctx.check("sight", title, "warn", f"{len(found.hidden)} hidden: {_some(found.hidden)}", advice)


def _long(ctx: Context, sessions: Sequence[Session], params: Params) -> None:
    title = f"No transaction is older than {spell(params.older_than)}"
    advice = (
        f"It keeps indexes from being built concurrently, and its locks held. Wait for it, or end it. {_ends(sessions)}"
    )
    _report(ctx, "long-transactions", title, "warn" if sessions else "ok", _some(sessions), advice)


def _dumps(ctx: Context, sessions: Sequence[Session]) -> None:
    advice = (
        "It reads every table until it ends: a change of a table waits for it, and all readers wait behind the change. "
        "Wait for its end."
    )
    _report(ctx, "dumps", "No dump is running", "fail" if sessions else "ok", _some(sessions), advice)


def _blockers(ctx: Context, found: Activity, params: Params, touched: frozenset[Name]) -> None:
    title = "Nobody is in the way"
    if not found.blockers:
        waiting = len(found.lock_waiters)
        words = (
            f"{many(waiting, 'session waits', 'sessions wait')} for locks of prepared transactions or others not seen"
            if waiting
            else ""
        )
        _report(ctx, "blockers", title, "warn" if waiting else "ok", words, "See the prepared transactions.")
        return
    failing = [b for b in found.blockers if b.blocks or _names(b) & touched]
    words = "; ".join(_words(blocker) for blocker in (failing or found.blockers)[:NAMED])
    more = len(found.blockers) - NAMED
    words += f"; and {more} more" if more > 0 else ""
    age = "" if failing else f" It holds locks for over {spell(params.holding)}, on tables that no script is about."
    advice = f"Talk to its owner, wait for it, or end it.{age} {_ends([b.session for b in found.blockers])}"
    _report(ctx, "blockers", title, "fail" if failing else "warn", words, advice)


def _words(blocker: Blocker) -> str:
    held = f", holds locks on {', '.join(blocker.tables[:NAMED])}" if blocker.tables else ""
    blocks = f", holds up pid {', '.join(map(str, blocker.blocks[:NAMED]))}" if blocker.blocks else ""
    return f"{blocker.session.words}{held}{blocks}"


def _names(blocker: Blocker) -> set[Name]:
    return {name_of(table) for table in blocker.tables}


def _some(sessions: Sequence[Session]) -> str:
    more = len(sessions) - NAMED
    return "; ".join(s.words for s in sessions[:NAMED]) + (f"; and {more} more" if more > 0 else "")


def _ends(sessions: Sequence[Session]) -> str:
    return " ".join(s.sql_to_end for s in sessions[:NAMED] if s.sql_to_end)


def _report(ctx: Context, id: str, title: str, outcome: Outcome, words: str, advice: str) -> None:
    ctx.check(id, title, outcome, words, "" if outcome == "ok" else advice.strip())


def shows(params: Params) -> str:
    """What is about to happen, in words."""
    return f"transactions over {spell(params.older_than)}, running dumps, who holds locks and who waits for them"


STEP = StepKind("Who else is at work", "reads", Params, run, shows)
