"""`parity.inspect`, between two databases: what is pending in one was applied in the other, or was not."""

import hashlib
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from migrations.folder import Migration
from migrations.ledger import NAME, TABLE
from migrations.parity import Fate
from migrations.problem import Misuse
from migrations.target import Pinned, marking
from runbooks.journal import Journal
from runbooks.planning.allowed import judge_conditions, may_begin
from runbooks.planning.identity import Stop
from runbooks.running.staging_first import proven_words, staging_first
from runbooks.session import events as e
from runbooks.session.runbook import PHASES, Phase, Runbook
from runbooks.session.view import RunView
from runbooks.settings.project import Environment, Project
from runbooks.settings.setting import Setting, read_urls, secrets
from tests.runbooks.conftest import Clock, opening, the_plan
from tests.runbooks.steps_context import StepContext

BOTH = """
CREATE TABLE orders (id int PRIMARY KEY, code text); CREATE TYPE status AS ENUM ('new'); CREATE VIEW v AS SELECT 1 AS x;
"""
SCRIPTS = (
    "ALTER TABLE orders ADD note text; CREATE INDEX orders_code ON orders (code);",
    "ALTER TYPE status ADD VALUE 'old';\n",
)
SESSION = "20260130T020304Z-staging-7f3a"


def row(number: int, **over: Any) -> dict[str, Any]:
    """The ledger's row of a script, applied in 90 seconds."""
    text = SCRIPTS[number] if number < len(SCRIPTS) else ""
    return {
        "id": f"row-{number}",
        "checksum": hashlib.sha256(text.encode()).hexdigest(),
        "migration_name": f"m{number}",
        "started_at": "2026-01-30 02:00Z",
        "finished_at": "2026-01-30 02:01:30Z",
        "applied_steps_count": 1,
        **over,
    }


def fill(url: str, sql: str, rows: list[dict[str, Any]]) -> None:
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(f"{BOTH}{TABLE.format(NAME)};{sql}".encode())
        for each in rows:
            columns, places = ", ".join(each), ", ".join(f"%({name})s" for name in each)
            conn.execute(f"INSERT INTO {NAME} ({columns}) VALUES ({places})".encode(), each)


class Two:
    """Production here, staging there; the two scripts are pending here."""

    def __init__(self, make: Callable[..., str], folder: Path) -> None:
        self.here, self.there, self.folder = make("parity_production"), make("parity_staging"), folder

    def context(self, environ: Mapping[str, str] | None = None) -> StepContext:
        there = {"STAGING_URL": self.there} if environ is None else environ
        ctx = StepContext(self.here, self.folder, environ=there)
        ctx.environment = Environment(name="production", parity="staging")
        staging = Environment(name="staging", url="STAGING_URL")
        ctx.project = replace(ctx.project, environments={"production": ctx.environment, "staging": staging})
        ctx.plan(*SCRIPTS)
        return ctx

    async def judged(self, rows: list[dict[str, Any]], there: str = "", here: str = "") -> StepContext:
        """What the step says where staging has these rows in its ledger, and this was done there and here."""
        fill(self.there, there, rows)
        fill(self.here, here, [])
        ctx = self.context()
        async with ctx.connect():
            pass
        await ctx.run("parity.inspect")
        return ctx


@pytest.fixture
def two(databases: Callable[..., str], tmp_path: Path) -> Two:
    return Two(databases, tmp_path)


async def test_it_is_quiet_where_no_environment_is_named(database: str, tmp_path: Path) -> None:
    ctx = StepContext(database, tmp_path)
    result = await ctx.run("parity.inspect")
    assert (result.environment, ctx.outcomes) == ("", {"reached": "ok"})
    assert ctx.found("reached").evidence == "gonogo.toml names none (`parity`)"


async def test_what_was_applied_there_from_the_same_bytes(two: Two) -> None:
    ctx = await two.judged([row(0), row(1)], there="".join(SCRIPTS) + "INSERT INTO orders VALUES (1, 'x');")
    assert ctx.outcomes == {"reached": "ok", "applied": "ok", "history": "ok", "schema": "ok", "rows": "ok"}
    assert ctx.found("applied").evidence == "2 of 2, from the same bytes, in 3 min 0 s together"
    assert "m0: applied, from the same bytes; 2026-01-30 02:01 UTC, it took 1 min 30 s, how many waited" in ctx.text()
    assert ctx.found("rows").evidence.startswith("orders: about 0 here, ")


async def test_how_many_waited_stands_in_the_journal_of_staging(two: Two, clock: Clock) -> None:
    with closing(Journal.create(two.folder / SESSION, clock)) as journal:
        journal.append(opening(), sync=False)
        label = "1 of 2  m0"
        for behind, longest in ((2, 700_000), (5, 1_400_000), (1, 100)):
            queue = {"rows": [], "behind": behind, "longest_us": longest}
            progress = e.StepProgress(step="apply", attempt=1, data={"label": label, "queue": queue})
            journal.append(progress, sync=False)
        for name, id in (("m0", "row-0"), ("m1", "row-1")):
            data = {"event": "ScriptEnded", "name": name, "row": id, "label": f"1 of 2  {name}"}
            journal.append(e.StepProgress(step="apply", attempt=1, data=data), sync=False)
    ctx = await two.judged([row(0), row(1)], there="".join(SCRIPTS))
    lines = ctx.text().splitlines()
    assert lines[0].endswith(f"at most 5 seen waiting, the longest for 1.4 s (session {SESSION})")
    assert lines[1].endswith(f"nobody was seen waiting (session {SESSION})")


@pytest.mark.parametrize(
    "over, outcome, words",
    [
        (None, "fail", "not applied"),
        ({"checksum": "0" * 64}, "fail", "applied, from another text; 2026-01-30"),
        ({"finished_at": None}, "fail", "begun, and neither finished nor rolled back at 2026-01-30"),
        ({"rolled_back_at": "2026-01-30 02:02Z", "finished_at": None}, "fail", "not applied"),
        ({"applied_steps_count": 0}, "warn", "marked as applied, not run: applied, from the same bytes"),
        (
            {"checksum": hashlib.sha256(SCRIPTS[1].replace("\n", "\r\n").encode()).hexdigest()},
            "warn",
            "applied, from a text with other line ends",
        ),
    ],
)
async def test_what_was_not_applied_there_as_it_is_here(
    two: Two, over: dict[str, Any] | None, outcome: str, words: str
) -> None:
    ctx = await two.judged([row(0), *([row(1, **over)] if over is not None else [])], there=SCRIPTS[0])
    assert "applied" not in ctx.outcomes and ctx.outcomes["applied/m1"] == outcome
    assert ctx.found("applied/m1").evidence.startswith(words)


async def test_what_differs_apart_from_what_is_pending(two: Two) -> None:
    odd = "CREATE TABLE only_there (x int); COMMENT ON VIEW v IS 'odd'; GRANT SELECT ON v TO public"
    here = "CREATE INDEX by_hand ON orders (code); CREATE TABLE only_here (x int)"
    ctx = await two.judged([row(0), row(1), row(2)], there="".join(SCRIPTS) + odd, here=here)
    assert (ctx.outcomes["applied"], ctx.outcomes["schema"], ctx.outcomes["history"]) == ("ok", "warn", "warn")
    found = ctx.found("schema").evidence
    assert "- table only_there" in found and "+ table only_here" in found and "~ view v comment: odd → none" in found
    assert "orders" not in found and "status" not in found and "privileges:" not in found
    assert ctx.found("history").evidence == "only on staging: m2"


@pytest.mark.parametrize("environ", [{}, {"STAGING_URL": "postgresql://u:hunter2secret@localhost:9/shop"}])
async def test_what_cannot_be_reached_is_not_known(two: Two, environ: dict[str, str]) -> None:
    fill(two.here, "", [])
    ctx = two.context(environ)
    result = await ctx.run("parity.inspect")
    assert (result.reached, ctx.outcomes) == (False, {"reached": "unknown"})
    assert "hunter2secret" not in repr(ctx.checks) and ctx.found("reached").advice


async def test_it_waits_for_nobody_for_long(two: Two) -> None:
    fill(two.there, "", [])
    with psycopg.connect(two.there) as other:
        other.execute(f"LOCK TABLE {NAME} IN ACCESS EXCLUSIVE MODE".encode())
        ctx = two.context()
        async with ctx.connect():
            pass
        await ctx.run("parity.inspect", timeout="300ms")
    assert ctx.outcomes == {"reached": "unknown"}
    assert ctx.found("reached").evidence == "it was not read within 0.3 s"


async def test_the_two_must_be_two(two: Two) -> None:
    fill(two.here, "", [])
    ctx = two.context({"STAGING_URL": two.here})
    async with ctx.connect():
        pass
    await ctx.run("parity.inspect")
    assert ctx.outcomes == {"reached": "fail"}
    assert "the very database of this session" in ctx.found("reached").evidence
    pin = ctx.target.pin
    assert pin is not None
    known = f"{pin.system_identifier}/{pin.database}"
    ctx.project = replace(
        ctx.project,
        environments={**ctx.project.environments, "production": replace(ctx.environment, fingerprint=known)},
    )
    await ctx.run("parity.inspect")
    assert "belongs to production" in ctx.found("reached").evidence
    with psycopg.connect(two.there, autocommit=True) as conn:
        conn.execute(marking("parity_staging", "production").encode())
    ctx = two.context()
    async with ctx.connect():
        pass
    await ctx.run("parity.inspect")
    assert "the database itself says that it is production" in ctx.found("reached").evidence


def test_the_address_of_the_other_is_for_gonogo_alone(tmp_path: Path) -> None:
    one = Environment(name="one", url="ONE_URL", direct_url="ONE_DIRECT")
    other = Environment(name="other", url="OTHER_URL", direct_url="OTHER_DIRECT")
    names = ("ONE_URL", "ONE_DIRECT", "OTHER_URL", "OTHER_DIRECT")
    environ = {name: f"postgresql://u:p@{name.lower().replace('_', '-')}/db" for name in names}
    project = Project(
        name="p", folder=tmp_path, sha256="", migrations=tmp_path, environments={"one": one, "other": other}
    )
    urls = read_urls(one, environ)
    book = Runbook(name="b", phases=tuple(Phase(name=n, title=n) for n in PHASES))
    setting = Setting(tmp_path, project, one, book, urls, Pinned(urls["ONE_URL"]), environ)
    assert setting.beside("other").url.host == "other-direct"
    children = setting.child_environment(RunView())
    assert {name for name in children if "_URL" in name or "_DIRECT" in name} == {"ONE_URL", "ONE_DIRECT"}
    assert "p" in secrets(project, environ).values()
    with pytest.raises(Misuse, match="OTHER_URL is not set"):
        replace(setting, environ={}).beside("other")


PENDING = tuple(Migration(f"m{number}", Path(), text.encode()) for number, text in enumerate(SCRIPTS))


async def test_where_staging_comes_first_the_session_does_not_begin_without_it(two: Two) -> None:
    fill(two.there, SCRIPTS[0], [row(0), row(1, applied_steps_count=0)])
    fill(two.here, "", [])
    ctx = two.context()
    async with ctx.connect():
        pass
    await staging_first(ctx, PENDING, emergency=False)
    assert ctx.outcomes == {}, "parity alone asks for nothing"
    ctx.environment = replace(ctx.environment, parity_required=True)
    with pytest.raises(Stop, match=r"On staging not all of it was applied before.*m1: marked as applied, not run"):
        await staging_first(ctx, PENDING, emergency=False)
    await staging_first(ctx, PENDING[:1], emergency=False)
    assert ctx.found("staging-first").evidence == "1 of 1, from the same bytes"
    ctx.checks.clear()
    await staging_first(ctx, PENDING, emergency=True)
    assert ctx.found("staging-first").outcome == "warn"
    lost = two.context({})
    lost.environment = replace(lost.environment, parity_required=True)
    with pytest.raises(Misuse):
        await staging_first(lost, PENDING, emergency=False)


def test_other_line_ends_are_not_told_as_the_same_bytes() -> None:
    found = [Fate("m0", "applied"), Fate("m1", "line ends")]
    assert proven_words(found) == "2 of 2, from the same text, 1 of them with other line ends"


def test_an_environment_says_what_it_may_be_used_for() -> None:
    anything, little = Environment(name="dev"), Environment(name="production", allowed=("run", "backup"))
    for mode in ("walk", "backup", "resolve"):
        may_begin(anything, mode)
    may_begin(little, "walk")
    with pytest.raises(Misuse, match="does not allow `gonogo resolve` on production"):
        may_begin(little, "resolve")
    strict = Environment(name="production", refused=("first_run", "destructive"))
    made = the_plan()
    judge_conditions(anything, made)
    judge_conditions(replace(strict, refused=("first_run",)), made)
    with pytest.raises(Stop, match="production refuses what is destructive: drop-column"):
        judge_conditions(strict, made)
