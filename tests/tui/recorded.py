"""A session for the app to look at: real events through the real fold; what the app sends is kept."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import JsonValue
from textual.app import App
from textual.pilot import Pilot

from runbooks.faces.meanwhile import Told
from runbooks.session import events as e
from runbooks.session.commands import Command
from runbooks.session.runbook import PHASES, Advice, Item, Option, Phase, PhaseName, Runbook, Step
from runbooks.session.view import RunView, advance

START = datetime(2026, 1, 31, 2, 3, 4, tzinfo=UTC)
NOW = START + timedelta(minutes=12, seconds=31)
SHA = "ab" * 32
ANA = e.By(name="ana@example.org", os_user="ana", host="bastion-1", ssh="198.51.100.7 50022")


def clock() -> datetime:
    """It stands still."""
    return NOW


class Recorded:
    """A client whose events are played by hand."""

    def __init__(self, folder: Path, *events: e.Event) -> None:
        self.view = RunView()
        self.folder = folder
        self.has_pen = True
        self.meanwhile: Told | None = None
        self.sent: list[Command] = []
        self.refusal: str | None = None
        self.secrets: tuple[str, ...] = ()
        self.closed = False
        self._gone = False
        self._changed = asyncio.Event()
        self.play(*events)

    def play(self, *events: e.Event, at: datetime | None = None) -> None:
        """More events, a second apart from the start on, or all at one time."""
        for event in events:
            seq = self.view.seq + 1
            moment = at or START + timedelta(seconds=10 * seq)
            head = hashlib.sha256(str(seq).encode()).hexdigest()
            self.view = advance(self.view, seq, moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), event, head)
        self._changed.set()

    def leave(self) -> None:
        """The runner goes away."""
        self._gone = True
        self._changed.set()

    async def changes(self) -> AsyncIterator[RunView]:
        """As the real client does."""
        while True:
            self._changed.clear()
            yield self.view
            if self._gone or self.view.ended is not None:
                return
            await self._changed.wait()

    def taken_out(self) -> tuple[str, ...]:
        """What stood in what was sent."""
        return self.secrets

    async def send(self, command: Command) -> str | None:
        """Keep it."""
        self.sent.append(command)
        return self.refusal

    async def close(self) -> None:
        """Nothing is held."""
        self.closed = True


async def settle(pilot: Pilot[Any], condition: Callable[[], object]) -> None:
    """Wait until the condition holds, for at most 200 turns of the app."""
    for _ in range(200):
        if condition():
            return
        await pilot.pause(0.02)
    raise AssertionError("it did not come to pass")


# A session of a shop --------------------------------------------------------------------------

CONTACTS = "On call: +49 30 1234567 (database), +49 30 7654321 (shop)\nVendor: support@db.example"

STEPS: dict[PhaseName, tuple[Step, ...]] = {
    "backup": (
        Step(
            id="dump",
            title="Dump the database",
            uses="backup.dump",
            effect="outside",
            required=True,
            shows="pg_dump --format=custom, 4 jobs, into the dumps folder",
        ),
    ),
    "preflight": (
        Step(id="target", title="The target is the one that was meant", uses="target.check", effect="reads"),
        Step(id="activity", title="Nobody is in the way", uses="activity.check", effect="reads", required=True),
    ),
    "migrate": (
        Step(id="same", title="Everything as reviewed", uses="plan.check", effect="reads"),
        Step(
            id="apply",
            title="Apply the migrations",
            uses="migrations.apply",
            effect="target",
            required=True,
            shows="5 scripts, one after the other, on orders@db-1.prod:5432\nlock_timeout 3s, statement_timeout 15min",
        ),
        Step(id="counts", title="Row counts", uses="rows.count", effect="reads"),
    ),
    "verify": (Step(id="schema", title="The schema is what the scripts say", uses="schema.check", effect="reads"),),
    "deploy": (
        Step(
            id="deploy", title="Deploy version 2", uses="shell", effect="outside", shows="./deploy.sh v2", required=True
        ),
    ),
    "smoke": (Step(id="shop", title="The shop answers", uses="http.check", effect="reads"),),
}
ITEMS: dict[PhaseName, tuple[Item, ...]] = {
    "backup": (Item(id="offsite", text="The dump is stored away from the database host", evidence="where"),),
    "preflight": (
        Item(id="told", text="Support was told"),
        Item(id="needed", text="The data is truly no longer needed", required=True, when="destructive"),
    ),
    "migrate": (Item(id="traffic", text="Traffic looks normal"), Item(id="watch", text="Someone watches the app")),
}
PROSE = {
    "migrate": "The old version of the app goes on running. Stop at the first thing that is not as it was rehearsed.",
    "backup": "Take the dump before anything changes.",
}


def runbook() -> Runbook:
    """Six phases, a checklist, two ways back."""
    phases = tuple(
        Phase(
            name=name,
            title=name.capitalize(),
            prose=PROSE.get(name, ""),
            steps=STEPS[name],
            items=ITEMS.get(name, ()),
        )
        for name in PHASES
    )
    forward = Option(
        id="forward",
        title="Fix it forward",
        costs="10 min",
        loses="nothing",
        prose="Write the next script, and have it reviewed.",
    )
    restore = Option(
        id="restore",
        title="Restore from the backup",
        costs="20 min",
        loses="everything written since the dump",
        until="verify",
        prose="Through a side database; the live one is renamed and kept.",
        steps=(
            Step(id="side", title="Restore into a side database", uses="restore.side", effect="outside"),
            Step(id="swap", title="Swap the databases", uses="restore.swap", effect="target"),
        ),
    )
    return Runbook(
        name="production",
        sha256=SHA,
        phases=phases,
        options=(forward, restore),
        troubleshooting=(Advice(see="lock timeout", do="See who blocks under Preflight, wait, run again."),),
        contacts=CONTACTS,
    )


SCRIPTS = {
    "20260301120000_orders_by_customer": (
        "-- Orders are looked up by customer.\n"
        'CREATE INDEX CONCURRENTLY "orders_customer_idx"\n'
        '  ON "orders" ("customer_id");\n'
    ),
    "20260302090000_drop_legacy": (
        "-- Version 1 of the app stopped using these.\n"
        "UPDATE products SET note = E'it\\'s gone' WHERE note IS NULL;\n"
        "\n"
        'ALTER TABLE "orders"\n'
        '  DROP COLUMN "legacy_code";\n'
        "\n"
        'DROP TABLE "legacy_exports";\n'
    ),
}
_SPANS = {
    "20260301120000_orders_by_customer": ((2, "create index orders_customer_idx on orders", "CREATE INDEX"),),
    "20260302090000_drop_legacy": (
        (2, "update products", "UPDATE"),
        (4, 'drop column "legacy_code" of orders', "ALTER TABLE"),
        (7, 'drop table "legacy_exports"', "DROP TABLE"),
    ),
}
_FINDINGS = {
    "20260301120000_orders_by_customer": (),
    "20260302090000_drop_legacy": (
        e.Finding(
            rule="drop-column",
            severity="stop",
            statement=1,
            line=5,
            message="The column and what it holds are gone at COMMIT.",
            loses_data=True,
            lock="ACCESS EXCLUSIVE",
            blocks="reads and writes",
            tables=("orders",),
            instead="Drop it a release after the app stopped reading it.",
            source="https://www.postgresql.org/docs/current/sql-altertable.html",
        ),
        e.Finding(
            rule="drop-table",
            severity="stop",
            statement=2,
            line=7,
            message="The table and its rows are gone at COMMIT.",
            loses_data=True,
            lock="ACCESS EXCLUSIVE",
            blocks="reads and writes",
            tables=("legacy_exports",),
        ),
        e.Finding(
            rule="update-without-batches",
            severity="note",
            statement=0,
            line=2,
            message="All rows at once: short here, since the table is small.",
            lock="ROW EXCLUSIVE",
            blocks="nothing but the same rows",
            tables=("products",),
        ),
    ),
}


def script(name: str, text: str | None = None) -> e.Script:
    """A pending script of the plan, with its spans."""
    body = SCRIPTS[name] if text is None else text
    spans = _SPANS.get(name, ())
    statements = []
    for line, summary, word in spans:
        start = body.index(word)
        end = body.find(";", start)
        statements.append(
            e.Statement(line=line, start=start, end=end if end >= 0 else len(body), summary=summary, analysed=True)
        )
    data = body.encode("utf-8", "replace")
    return e.Script(
        migration=name,
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        model="transaction" if "CONCURRENTLY" not in body else "bare",
        statements=tuple(statements),
        findings=_FINDINGS.get(name, ()),
    )


def keep_scripts(folder: Path) -> None:
    """Write the scripts where the session keeps them."""
    (folder / "scripts").mkdir(parents=True, exist_ok=True)
    for name, text in SCRIPTS.items():
        (folder / "scripts" / f"{script(name).sha256}.sql").write_bytes(text.encode())


BEFORE = "20260114T020304Z-production-1c9e"
PREVIOUS = e.Previous(
    session=BEFORE,
    head="ef" * 32,
    took={
        step: e.Took(session=BEFORE, us=us)
        for step, us in (("dump", 198_000_000), ("target", 90_000), ("activity", 60_000), ("same", 310_000))
    }
    | {"apply": e.Took(session=BEFORE, us=252_000_000), "side": e.Took(session=BEFORE, us=700_000_000)},
)
"""An earlier session, which went as far as Migrate and was rolled back by hand after a restore."""


def opened(**over: object) -> e.SessionOpened:
    """The first event."""
    values: dict[str, Any] = {
        "gonogo": "0.1.0",
        "session": "20260131T020304Z-production-7f3a",
        "environment": "production",
        "protected": True,
        "project": "shop",
        "project_sha256": SHA,
        "runbook": runbook(),
        "operator": ANA,
        "ticket": "CHG-4821",
        "previous": PREVIOUS,
        **over,
    }
    return e.SessionOpened(**values)


def planned(*, destructive: bool = True) -> e.PlanMade:
    """The plan: two scripts, one of which drops things."""
    return e.PlanMade(
        hash="cd" * 32,
        target=e.Target(
            address="orders@db-1.prod:5432",
            system_identifier="7421955110034482133",
            database="orders",
            oid="16384",
            in_recovery=False,
            postmaster_start="2026-01-02T03:04:05Z",
            timeline="00000001",
            server_version="15.8",
        ),
        protected=True,
        scripts=tuple(script(name) for name in SCRIPTS),
        conditions={"destructive": ("drops orders.legacy_code", "drops legacy_exports")} if destructive else {},
    )


def started(name: str, attempt: int = 1) -> e.StepStarted:
    """A step starts."""
    step = next((s for s in runbook().steps() if s.id == name), None)
    return e.StepStarted(
        step=name,
        attempt=attempt,
        title=step.title if step else name,
        uses=step.uses if step else name,
        effect=step.effect if step else "reads",
        why="start",
    )


def ended(name: str, *checks: e.Check, attempt: int = 1, **over: Any) -> e.StepEnded:
    """A step ends; green unless something else is said."""
    values: dict[str, Any] = {"end": "done", "outcome": "ok", "took": 1_400_000, **over}
    return e.StepEnded(step=name, attempt=attempt, checks=checks, **values)


def dumped(attempt: int = 1) -> e.StepEnded:
    """The dump has ended; good for an hour."""
    check = e.Check(id="read", title="Every byte was read back", outcome="ok", evidence="312 MB, 14 tables")
    taken = {"taken_at": "2026-01-31T02:03:30.000000Z", "stale_at": "2026-01-31T03:03:30.000000Z"}
    result = {**taken, "duration_us": 190_000_000, "path": "/var/dumps/orders.dump"}
    return ended("dump", check, attempt=attempt, result=result, took=202_000_000)


def ticked(item: str, evidence: str = "") -> e.ItemTicked:
    """A person ticks."""
    return e.ItemTicked(item=item, state="done", evidence=evidence, by=ANA)


def went(phase: PhaseName, following: PhaseName) -> Sequence[e.Event]:
    """GO, and the next phase opens."""
    return e.Decided(what="go", phase=phase, by=ANA), e.PhaseOpened(phase=following)


def to_backup() -> list[e.Event]:
    """The opening is over; the dump waits for a start."""
    return [
        opened(),
        started("opening"),
        planned(),
        ended("opening"),
        e.PhaseOpened(phase="backup"),
    ]


CHECKS = (
    e.Check(id="url", title="URL understood", outcome="ok", evidence="DIRECT_URL, direct"),
    e.Check(id="version", title="Server version", outcome="ok", evidence="PostgreSQL 15.8, pg_dump 15.8"),
    e.Check(
        id="hidden",
        title="Other sessions are visible",
        outcome="warn",
        evidence="the role shop may not see their queries and times",
        advice="GRANT pg_read_all_stats TO shop;",
    ),
)


def to_preflight() -> list[e.Event]:
    """The dump is taken; Preflight has an amber check, two reviews and two items open."""
    return [
        *to_backup(),
        started("dump"),
        e.StepOutput(step="dump", attempt=1, stream="out", text="dumping 14 tables\nreading back 312 MB\n"),
        dumped(),
        ticked("offsite", "vault:db-dumps/2026-01-31"),
        *went("backup", "preflight"),
        started("target"),
        ended("target", *CHECKS, outcome="warn"),
        started("activity"),
        ended("activity", e.Check(id="long", title="No long transaction", outcome="ok")),
    ]


def reviewed(name: str) -> e.ScriptReviewed:
    """A person has read a script."""
    return e.ScriptReviewed(migration=name, sha256=script(name).sha256, by=ANA)


def past_preflight() -> list[e.Event]:
    """Nothing holds Preflight any more."""
    waiver = e.Waived(subject="target/hidden", outcome="warn", reason="the DBA looked for us", by=ANA)
    return [*to_preflight(), waiver, ticked("told"), ticked("needed"), *(reviewed(name) for name in SCRIPTS)]


def to_migrate() -> list[e.Event]:
    """The scripts are being applied."""
    return [
        *past_preflight(),
        *went("preflight", "migrate"),
        started("same"),
        ended("same", took=310_000),
        started("apply"),
        e.StepOutput(
            step="apply",
            attempt=1,
            stream="note",
            text="20260301120000_orders_by_customer\n"
            'CREATE INDEX CONCURRENTLY "orders_customer_idx"\n  ON "orders" ("customer_id");\n',
        ),
        e.StepProgress(
            step="apply",
            attempt=1,
            data={
                "label": "1 of 2  20260301120000_orders_by_customer",
                "done": 128,
                "total": 200,
                "unit": "MB",
                "detail": "SHARE UPDATE EXCLUSIVE · blocks DDL only · 0 waiting",
            },
        ),
    ]


def branch(depth: int, role: str, text: str, took: int) -> dict[str, JsonValue]:
    """A row of the tree of who waits for whom."""
    return {"depth": depth, "role": role, "pid": 77 + depth, "text": text, "took": took}


def to_waiting() -> list[e.Event]:
    """A statement of the second script waits for a lock; what was tried before came to nothing."""
    rows: list[JsonValue] = [
        branch(0, "holds", "pid 4711 nightly holds it, idle in transaction (SELECT)", 252_000_000),
        branch(1, "us", "our statement waits for ACCESS EXCLUSIVE on orders", 1_400_000),
        branch(2, "behind", "pid 4720 [red]web[/] waits behind it (ACCESS SHARE)", 1_100_000),
        branch(2, "behind", "pid 4721 web waits behind it (ACCESS SHARE)", 300_000),
    ]
    data: dict[str, JsonValue] = {
        "label": "2 of 2  20260302090000_drop_legacy",
        "number": 2,
        "count": 3,
        "done": 1,
        "total": 3,
        "unit": "statements",
        "detail": 'drop column "legacy_code" of orders',
        "elapsed_us": 1_500_000,
        "estimate_us": [5_000, 40_000],
        "queue": {"rows": rows, "behind": 20, "longest_us": 1_100_000},
    }
    return [*to_migrate(), e.StepProgress(step="apply", attempt=1, data=data)]


def screen_text(app: App[Any]) -> str:
    """What the terminal shows, row by row."""
    strips = app.screen._compositor.render_strips(app.size)
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)
