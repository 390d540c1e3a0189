"""`ledger.resolve`: marks migrations in the ledger as rolled back or as applied; none of their SQL is run."""

from collections.abc import Sequence

from migrations.doctor import Facts
from migrations.doctor.reading import read_facts, wished_traces
from migrations.doctor.wish import Wish, changes_for, is_so, objections, seen
from migrations.ledger import Row
from migrations.ledger.lock import locked
from migrations.ledger.marking import Change, NoteApplied, SetAside, write
from migrations.listed import listed
from migrations.own.register import Event
from migrations.problem import Problem
from runbooks.session.events import StepStarted
from runbooks.session.frozen import Frozen
from runbooks.steps.base import Context, Doubt, Settled, StepKind
from runbooks.steps.parts.registering import unwritten


class Params(Frozen):
    """Names of migrations, one or more. Undo what a script did, or complete it, before its row is marked.

    `baseline`: each one up to and with it. `one_row`: of several rows that say applied, one is kept. `anyway`: also
    where the catalog does not look like it. `seen`: the ledger must be as it was when a person looked at it. `ask`: a
    person is to say why.
    """

    rolled_back: str | tuple[str, ...] = ()
    applied: str | tuple[str, ...] = ()
    baseline: str | None = None
    one_row: str | tuple[str, ...] = ()
    anyway: bool = True
    seen: str = ""
    ask: bool = False


class Result(Frozen):
    """How many rows were marked as rolled back, what was noted as applied, and the ledger as it was left."""

    marked: int
    applied: tuple[str, ...]
    reading: tuple[tuple[str, str, str], ...]


async def run(ctx: Context, params: Params) -> Result:
    """Mark them, all or none, under the lock. Raises Problem: P1002, P3008, P3012, P3017, or what stands against it."""
    if params.ask:
        await ctx.ask("reason", "Why is the ledger changed by hand? It goes into the record.")
    schema = ctx.target.url.schema
    async with ctx.connect("ledger") as conn, locked(conn):
        facts = await read_facts(conn, ctx.project.folder / ctx.project.migrations, schema)
        if params.seen not in ("", seen(facts)):
            raise Problem(
                "The ledger, or the folder, is not as it was when this was decided.",
                advice="Nothing was written. Somebody else is at work: talk to them, then look again.",
            )
        wish = wish_of(params, facts)
        changes = changes_for(wish, facts)
        _effects(ctx, params, objections(wish, facts, await wished_traces(conn, wish, facts)))
        await ctx.output("".join(f"{change.words}\n" for change in changes))
        if changes:
            await write(conn, changes, schema=schema)
        left = await read_facts(conn, ctx.project.folder / ctx.project.migrations, schema)
    if why := await unwritten(ctx, [_line(change) for change in changes]):
        ctx.check("register", "The register in the target", "warn", f"the marks stand in the ledger, and {why}")
    ctx.check("marked", "The ledger says so", "ok", _words(params, changes, facts))
    return Result(
        marked=sum(isinstance(change, SetAside) for change in changes),
        applied=tuple(change.name for change in changes if isinstance(change, NoteApplied)),
        reading=reading_of(left.rows or ()),
    )


def wish_of(params: Params, facts: Facts) -> Wish:
    """The parameters as a wish. A migration that never began needs no mark to be pending."""
    return Wish(
        applied=_many(params.applied),
        rolled_back=tuple(name for name in _many(params.rolled_back) if name in facts.by_name),
        baseline=params.baseline,
        one_row=_many(params.one_row),
    )


def _many(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


def reading_of(rows: Sequence[Row]) -> tuple[tuple[str, str, str], ...]:
    """The migrations that are applied, with the checksum and the time that their rows have."""
    done = {row.applied.name: row.applied for row in rows if not row.applied.rolled_back and not row.applied.failed}
    return tuple((row.name, row.checksum, row.finished_at or "") for row in done.values())


def _line(change: Change) -> tuple[str, str, Event]:
    if isinstance(change, NoteApplied):
        return change.name, change.checksum, "marked as applied"
    return change.name, "", "marked as rolled back"


def _effects(ctx: Context, params: Params, against: tuple[str, ...]) -> None:
    if not against:
        return ctx.check("effects", "What is in the catalog", "ok", "nothing stands against it")
    if not params.anyway:
        raise Problem(f"{against[0]}.", advice="Nothing was written. Revert or complete it first, then mark it.")
    ctx.check("effects", "What is in the catalog", "warn", "; ".join(against), "Is this known, and meant?")


def _words(params: Params, changes: Sequence[Change], facts: Facts) -> str:
    aside = tuple(dict.fromkeys(change.name for change in changes if isinstance(change, SetAside)))
    noted = tuple(change.name for change in changes if isinstance(change, NoteApplied))
    unknown = tuple(name for name in _many(params.rolled_back) if name not in facts.by_name)
    pending = " (pending again)" if aside and not noted and not params.one_row else ""
    parts = (
        f"marked as rolled back: {listed(aside)}{pending}" if aside else "",
        f"noted as applied: {listed(noted)}" if noted else "",
        f"the ledger has no row of {listed(unknown)}" if unknown else "",
    )
    return "; ".join(part for part in parts if part) or "it said so before; nothing had to be marked"


async def reconcile(ctx: Context, params: Params, start: StepStarted) -> Settled | Doubt:
    """Everything is written in one transaction: the ledger tells whether it was."""
    async with ctx.connect("read") as conn:
        facts = await read_facts(conn, ctx.project.folder / ctx.project.migrations, ctx.target.url.schema)
    wish = wish_of(params, facts)
    try:
        left = changes_for(wish, facts)
    except Problem as problem:
        if problem.code != "P3008" or not is_so(wish, facts):
            return Doubt(f"{problem.what} Look at the ledger with `gonogo status {ctx.environment.name}`")
        left = ()
    if not left:
        return Settled("done", "ok", "the ledger says so")
    return Settled("stopped", "unknown", "nothing was written. Start the step again")


def shows(params: Params) -> str:
    """What is about to happen, in words."""
    parts = (
        ("mark the failed row of {} as rolled back", _many(params.rolled_back)),
        ("note {} as applied", _many(params.applied)),
        ("note every migration up to and with {} as applied", _many(params.baseline or ())),
        ("keep one row of {}", _many(params.one_row)),
    )
    done = ", ".join(words.format(listed(found)) for words, found in parts if found)
    return f"{done or 'look at the ledger'}; in the ledger alone, no SQL of theirs is run or undone"


STEP = StepKind("Mark migrations in the ledger", "target", Params, run, shows, reconcile, asks=("reason",))
