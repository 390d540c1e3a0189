"""`target.inspect`: whether the target is what a migration needs it to be."""

from collections.abc import Sequence
from datetime import timedelta

from migrations.activity import Activity, Standby, look
from migrations.catalog.ownership import not_owned, schema_exists
from migrations.catalog.recorded import name_of
from migrations.listed import many
from migrations.sql.names import Name
from migrations.target import Fingerprint, Pooling, Privileges, pooling, privileges
from runbooks.session.events import Outcome
from runbooks.session.frozen import Frozen
from runbooks.settings.durations import spell
from runbooks.steps.base import Context, StepKind
from runbooks.steps.parts.applied import default_schema, touched_tables
from runbooks.steps.parts.duration import Duration
from runbooks.steps.parts.restore_tested import check_restore_test

OLDEST, NEWEST = 13, 18
"""Major versions of PostgreSQL: what gonogo reads is in the catalogs since the first, and was tried up to the last."""
LAG_BYTES = 64 * 2**20
NAMED = 5


class Params(Frozen):
    """`max_lag`: a standby that is further behind is worth a word."""

    max_lag: Duration = timedelta(seconds=30)


class Result(Frozen):
    """What was found. `server_version` as the server spells it."""

    address: str
    database: str
    server_version: str
    role: str
    superuser: bool
    pooling: str
    standbys: int
    prepared_transactions: int


async def run(ctx: Context, params: Params) -> Result:
    """Look at it. Raises Problem, Unavailable."""
    async with ctx.connect("read") as connection:
        pin = ctx.target.pin
        assert pin is not None
        allowed = await privileges(connection)
        activity = await look(connection)
        foreign = await not_owned(connection)
        there = await schema_exists(connection, default_schema(ctx))
    kind = await pooling(ctx.target.url)
    _address(ctx)
    _pooled(ctx, kind)
    _server(ctx, pin)
    _role(ctx, allowed)
    _may_create(ctx, allowed, there)
    _may_alter(ctx, allowed, foreign, await touched_tables(ctx))
    _standbys(ctx, activity, params)
    _prepared(ctx, activity)
    await check_restore_test(ctx)
    return Result(
        address=ctx.target.url.shown,
        database=pin.database,
        server_version=pin.server_version,
        role=allowed.role,
        superuser=allowed.superuser,
        pooling=kind,
        standbys=len(activity.standbys),
        prepared_transactions=len(activity.prepared_transactions),
    )


def _address(ctx: Context) -> None:
    url = ctx.target.url
    ignored = f"; without effect here: {', '.join(url.ignored)}" if url.ignored else ""
    schema = f", schema {url.schema}" if url.schema else ""
    ctx.check("url", f"{url.variable} is understood", "ok", f"{url.shown}{schema}, as {url.user or '?'}{ignored}")


def _pooled(ctx: Context, kind: Pooling) -> None:
    title, variable = "Direct connection", ctx.target.url.variable
    looks = ctx.target.url.looks_pooled
    advice = "Set direct_url in gonogo.toml to the name of a variable that holds the server's own address."
    if kind == "direct":
        words = f"direct, though {looks}" if looks else "direct"
        ctx.check("pooling", title, "ok", words)
    elif kind == "session" and ctx.environment.pooler == "session":
        ctx.check("pooling", title, "ok", "through a pooler, in session mode as gonogo.toml says")
    elif kind == "session":
        advice += ' If the pooler is in session mode, say pooler = "session" there.'
        ctx.check("pooling", title, "fail", f"{variable} leads through a pooler, its mode is not proven", advice)
    else:
        ctx.check("pooling", title, "fail", f"{variable} leads through a pooler in transaction mode", advice)


def _server(ctx: Context, pin: Fingerprint) -> None:
    outcome: Outcome = "ok"
    advice = ""
    if pin.server_major < OLDEST:
        outcome, advice = "fail", f"gonogo reads PostgreSQL {OLDEST} and later."
    elif pin.server_major > NEWEST:
        outcome, advice = "warn", f"gonogo was tried up to PostgreSQL {NEWEST}. Rehearse first, or take a newer gonogo."
    ctx.check("server-version", "Server version", outcome, f"PostgreSQL {pin.server_version}", advice)
    if pin.in_recovery:
        ctx.check("recovery", "Takes writes", "fail", "the server is a standby", "Give the address of the primary.")
    else:
        ctx.check("recovery", "Takes writes", "ok", f"primary, timeline {pin.timeline}")


def _role(ctx: Context, allowed: Privileges) -> None:
    may = {
        "owns the database": allowed.owns_database,
        "creates databases": allowed.createdb,
        "reads all statistics": allowed.reads_all_stats,
        "ends other sessions": allowed.may_signal_backend,
    }
    can = ["superuser"] if allowed.superuser else [words for words, yes in may.items() if yes]
    cannot = [] if allowed.superuser else [words for words, yes in may.items() if not yes]
    evidence = f"{allowed.role}: {', '.join(can) or 'an ordinary role'}"
    evidence += f"; not: {', '.join(cannot)}" if cannot else ""
    ctx.check("role", "Role", "ok", evidence)


def _may_create(ctx: Context, allowed: Privileges, there: bool) -> None:
    title, schema = "The role may create", default_schema(ctx)
    creates = allowed.can_create_in_schema if there else allowed.can_create_schema
    may = "may" if creates else "may not"
    if there:
        words, grant = f"create tables in the schema {schema}", f"GRANT CREATE ON SCHEMA {schema}"
    else:
        words, grant = (
            f"create the schema {schema}, which is not there yet",
            f"GRANT CREATE ON DATABASE {ctx.target.url.database}",
        )
    advice = f"As its owner: {grant} TO {allowed.role}; or migrate as another role."
    ctx.check(
        "may-create", title, "ok" if creates else "fail", f"{allowed.role} {may} {words}", "" if creates else advice
    )


def _may_alter(ctx: Context, allowed: Privileges, foreign: Sequence[str], touched: frozenset[Name]) -> None:
    title = "The role owns the tables that the scripts are about"
    concerned = [table for table in foreign if name_of(table) in touched]
    if concerned:
        more = f" and {len(concerned) - NAMED} more" if len(concerned) > NAMED else ""
        words = f"{allowed.role} is no member of the owners of {', '.join(concerned[:NAMED])}{more}"
        advice = "Only an owner may change a table: migrate as its owner, or be made a member."
        ctx.check("may-alter", title, "warn", words, advice)
    else:
        words = (
            f"{many(len(foreign), 'table has another owner', 'tables have other owners')}, no script's concern"
            if foreign
            else ""
        )
        ctx.check("may-alter", title, "ok", words)


def _standbys(ctx: Context, activity: Activity, params: Params) -> None:
    title = "Standbys keep up"
    if not activity.standbys:
        ctx.check("standbys", title, "ok", "none is connected")
        return
    words = "; ".join(_standby(standby) for standby in activity.standbys)
    if any(standby.lag_bytes is None for standby in activity.standbys) and not activity.reads_all:
        ctx.check("standbys", title, "warn", f"the lag is hidden: {words}", activity.advice_to_see)
    elif any(_behind(standby, params.max_lag) for standby in activity.standbys):
        advice = "A migration writes much WAL. Wait until they have caught up, or find out what holds them."
        ctx.check("standbys", title, "warn", words, advice)
    else:
        ctx.check("standbys", title, "ok", words)


def _behind(standby: Standby, most: timedelta) -> bool:
    late = standby.lag_seconds is not None and standby.lag_seconds > most.total_seconds()
    return late or (standby.lag_bytes or 0) > LAG_BYTES


def _standby(standby: Standby) -> str:
    words = [standby.state or "state hidden", *([standby.sync] if standby.sync else [])]
    if standby.lag_bytes is not None:
        words.append(f"{standby.lag_bytes / 2**20:.1f} MiB behind")
    if standby.lag_seconds is not None:
        words.append(f"{standby.lag_seconds:.1f} s late")
    return f"{standby.name or 'unnamed'} ({standby.client}): {', '.join(words)}"


def _prepared(ctx: Context, activity: Activity) -> None:
    title, found = "No prepared transaction", activity.prepared_transactions
    words = "; ".join(f"{p.gid} of {p.user}, since {p.since}" for p in found[:NAMED])
    ends = " ".join(p.sql_to_end for p in found[:NAMED])
    advice = f"It holds its locks until somebody ends it. If its owner has given it up: {ends}"
    ctx.check("prepared", title, "warn" if found else "ok", words, advice if found else "")


def shows(params: Params) -> str:
    """What is about to happen, in words."""
    return f"address, pooling, version, role, standbys (behind by over {spell(params.max_lag)}), prepared transactions"


STEP = StepKind("Look at the target", "reads", Params, run, shows)
