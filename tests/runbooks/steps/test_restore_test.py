"""`backup.restore_test`: a dump restored on a throw-away server and at the side; and what Preflight knows of it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from dumping import fill, names

from migrations.problem import Problem
from migrations.restore import Side
from migrations.server import ThrowawayServer
from runbooks.history.sessions import create_folder
from runbooks.journal import Journal
from runbooks.session import events as e
from runbooks.steps import catalogue
from runbooks.steps.parts.restore_tested import check_restore_test
from runbooks.steps.parts.restored import judge
from tests.runbooks.conftest import book_of, opening, outside
from tests.runbooks.steps_context import TARGET, StepContext

BOOK = book_of(backup=outside(dump="backup.dump", test="backup.restore_test"))
GRANTS = """
CREATE ROLE "Reader one";
GRANT SELECT ON customers TO "Reader one";
ALTER TABLE "Ord""ers 26" OWNER TO "Reader one";
"""


@pytest.fixture
def ctx(server: ThrowawayServer, databases: Callable[..., str], tmp_path: Path) -> StepContext:
    """A session on a filled database."""
    url = databases()
    fill(url)
    environ = {"PATH": f"{server.bin}:/usr/bin:/bin", "XDG_STATE_HOME": str(tmp_path / "state")}
    return StepContext(url, tmp_path, runbook=BOOK, environ=environ)


@pytest.mark.parametrize(("into", "format"), [("server", "plain"), ("side", "directory")])
async def test_a_dump_is_restored_and_thrown_away(
    ctx: StepContext, server: ThrowawayServer, tmp_path: Path, into: str, format: str
) -> None:
    url = ctx.target.url.text.get_secret_value()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(GRANTS.encode())
    try:
        dump = await ctx.run("backup.dump", id="dump", format=format)
        result = await ctx.run("backup.restore_test", id="test", into=into)
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute('DROP OWNED BY "Reader one" CASCADE; DROP ROLE "Reader one"')
    assert (result.equal, result.counted, result.differences, result.server) == (True, 2, (), server.major)
    assert result.dump_sha256 == dump.sha256 and result.restored_us > 0
    shown = {(data["done"], data["detail"]) for data in ctx.progressed if data.get("unit") == "tables"}
    assert {done for done, _ in shown} == {0, 1} and {str(name)[:9] for _, name in shown} >= {"public.cu"}
    assert set(ctx.outcomes.values()) == {"ok"}
    where = "dropped again" if into == "side" else f"a throw-away PostgreSQL {server.major}"
    assert where in ctx.found("restored").evidence
    assert names(tmp_path / "state" / "gonogo" / "dumps") == [Path(dump.path).name], "nothing is left"
    with psycopg.connect(url) as connection:
        beside = "SELECT count(*) FROM pg_database WHERE datname LIKE current_database() || '\\_%'"
        assert connection.execute(beside.encode()).fetchone() == (0,)


async def test_a_dump_that_is_not_what_was_recorded(ctx: StepContext) -> None:
    """Rows that the record has and the dump has not, as with a dump of another moment."""
    await ctx.run("backup.dump", id="dump")
    state = ctx.folder / str(ctx.result("dump")["state"])
    state.write_text(state.read_text().replace('"rows": 200', '"rows": 201'))
    result = await ctx.run("backup.restore_test", into="side")
    assert not result.equal and ctx.outcomes["rows"] == "fail"
    assert "public.customers: 201 rows at the dump, 200 now" in ctx.text()


@pytest.mark.soak
async def test_an_extension_that_this_machine_does_not_have(ctx: StepContext, tmp_path: Path) -> None:
    await ctx.run("backup.dump", id="dump")
    state = ctx.folder / str(ctx.result("dump")["state"])
    state.write_text(state.read_text().replace('"extensions": {', '"extensions": {"timescaledb": "2",'))
    with pytest.raises(Problem, match="The extension timescaledb is not installed"):
        await ctx.run("backup.restore_test")
    assert len(names(tmp_path / "state" / "gonogo" / "dumps")) == 1


async def test_what_another_version_makes_of_the_schema_is_no_failure(ctx: StepContext) -> None:
    side = Side("x", 1, ("~ table a privileges: +postgres=arwdDxtm, -postgres=arwdDxt",), (), (), 1, (), ())
    await judge(ctx, side, "Do not swap.", other=18)
    assert ctx.outcomes == {"schema": "warn", "rows": "ok"}
    await judge(ctx, side, "Do not swap.")
    assert [check.outcome for check in ctx.checks[2:]] == ["fail", "ok"]


def test_what_it_changes() -> None:
    kind = catalogue()["backup.restore_test"]
    assert (kind.effect_with({}), kind.effect_with({"into": "side"})) == ("outside", "target")


def tried(days: int, **more: Any) -> e.StepEnded:
    at = (datetime.now(UTC) - timedelta(days=days)).isoformat()
    result = {"tested_at": at, "restored_us": 90_000_000, "equal": True, **more}
    return e.StepEnded(step="test", attempt=1, end="done", outcome="ok", result=result)


@pytest.mark.parametrize(
    ("ended", "outcome", "words"),
    [
        (None, "warn", "never"),
        (tried(3), "ok", "3 days ago, in 1m30s (session 20260130"),
        (tried(40), "warn", "40 days ago"),
        (tried(3, equal=False), "warn", "never"),
    ],
)
async def test_what_preflight_says(
    tmp_path: Path, clock: Callable[[], datetime], ended: e.StepEnded | None, outcome: str, words: str
) -> None:
    ctx = StepContext("postgresql://nobody@localhost:1/shop", tmp_path, runbook=BOOK)
    ctx.plan()
    await check_restore_test(ctx)
    assert ctx.checks == [], "only where gonogo.toml asks for it"
    name = "20260130T020304Z-staging-1aaa"
    journal = Journal.create(create_folder(tmp_path, name), clock)
    plan = e.PlanMade(hash="ab" * 32, target=TARGET, protected=False, scripts=())
    for event in (opening(session=name, environment="staging"), plan, *([ended] if ended else [])):
        journal.append(event, sync=False)
    journal.close()
    ctx.environment = replace(ctx.environment, restore_test_max_age=timedelta(days=30))
    await check_restore_test(ctx)
    assert ctx.found("restore-test").outcome == outcome and words in ctx.found("restore-test").evidence
    ctx.events += [tried(0)]
    ctx.checks.clear()
    await check_restore_test(ctx)
    assert f"(session {ctx.session})" in ctx.found("restore-test").evidence, "this session's own counts"
