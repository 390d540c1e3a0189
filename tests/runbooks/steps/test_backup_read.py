"""A dump by the team's own script, as a session takes it: found, read back, compared, restored from."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from dumping import MIGRATE, fill
from pydantic import ValidationError

from migrations.problem import Misuse, Problem
from migrations.server import ThrowawayServer
from runbooks.session import events as e
from runbooks.session.runbook import Step
from runbooks.steps.backup_read import Params
from tests.runbooks.conftest import book_of
from tests.runbooks.steps_context import StepContext

BOOK = book_of(backup=(Step(id="read", title="Read", uses="backup.read", effect="reads"),))


@pytest.fixture
def live(databases: Callable[..., str]) -> str:
    """A filled database."""
    url = databases()
    fill(url)
    return url


@pytest.fixture
def ctx(live: str, tmp_path: Path, server: ThrowawayServer) -> StepContext:
    """A session on it, with the server's own programs."""
    context = StepContext(live, tmp_path, runbook=BOOK, environ={"PATH": f"{server.bin}:/usr/bin:/bin"})
    context.at = datetime.now(UTC).isoformat()
    return context


async def script(ctx: StepContext, text: str) -> None:
    """The run block `own`, and what it said as the session knows it."""
    await ctx.run("shell", id="own", script=f"umask 077; mkdir -p backups; {text}")
    ended = ctx.events.pop()
    assert isinstance(ended, e.StepEnded)
    said = [e.StepOutput(step="own", attempt=ctx.attempt, stream="out", text=t) for _, t in ctx.said]
    ctx.events += [*said, ended.model_copy(update={"took": 5})]


def named(way: str) -> dict[str, Any]:
    return {
        "glob": {"from": "own", "file": "backups/*"},
        "line": {"from": "own", "printed": "^Backup written to (.+)"},
        "variable": {"from": "own", "variable": "BACKUP_FILE"},
    }[way]


@pytest.mark.parametrize(
    ("command", "way", "format"),
    [
        ("pg_dump -Fc -f backups/a.dump", "glob", "custom"),
        ("pg_dump | gzip > backups/a.sql.gz; echo Backup written to backups/a.sql.gz", "line", "plain"),
        ("pg_dump -Fd -j 2 -f backups/a", "variable", "directory"),
    ],
)
async def test_a_dump_of_the_teams_own_script(
    ctx: StepContext, tmp_path: Path, command: str, way: str, format: str
) -> None:
    """Without an address: libpq's variables lead to the target."""
    ctx._environ["BACKUP_FILE"] = "backups/a"
    await script(ctx, command)
    result = await ctx.run("backup.read", id="read", **named(way))
    assert (result.format, result.rows) == (format, {"public.customers": 200, 'public."Ord""ers 26"': 5000})
    assert ctx.outcomes == dict.fromkeys(("read-back", "complete", "age"), "ok")
    assert "when own began" in ctx.found("age").evidence
    assert Path(result.path).is_relative_to(tmp_path / "backups") and result.taken_at < result.stale_at
    assert ctx.cleaned_by and threading.get_ident() not in ctx.cleaned_by, "a large schema holds the event loop up"
    read = len(ctx.progressed)
    again = await ctx.run("backup.read", id="read", **named(way))
    assert again == result and read and not ctx.progressed, "it is not read a second time"
    assert "not written to since" in ctx.found("read-back").evidence


async def test_the_way_back_from_it(ctx: StepContext, live: str) -> None:
    await script(ctx, "pg_dump -Fc -f backups/a.dump")
    await ctx.run("backup.read", id="read", **named("glob"))
    with psycopg.connect(live, autocommit=True) as connection:
        connection.execute(MIGRATE.encode())
    await ctx.run("changes.show")
    assert "not from when it was taken" in ctx.found("loss").evidence
    side = await ctx.run("restore.side")
    assert (side.dump, side.equal, side.counted) == ("read", True, 2)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("pg_dump -Fp -f backups/a; truncate -s -200 backups/a", "cannot be read back: it is no backup"),
        ("pg_dump -Fc -f backups/a; truncate -s 3000 backups/a", "cannot be read back: it is no backup"),
        ("pg_dump -Ft -f backups/a", "is a tar archive"),
        ("pg_dump -Fc -d postgres -f backups/a", "says that it is of the database postgres"),
        ("touch -d '1 hour ago' backups/a", "was there before the script ran"),
        (":", "No dump lies at"),
    ],
)
async def test_what_is_no_dump(ctx: StepContext, command: str, words: str) -> None:
    await script(ctx, command)
    with pytest.raises(Problem, match=words):
        await ctx.run("backup.read", **named("glob"))


async def test_what_is_missing_and_who_may_read_it(ctx: StepContext) -> None:
    await script(ctx, "pg_dump --exclude-table=customers -f backups/a.sql; chmod 644 backups/a.sql")
    await ctx.run("backup.read", **named("glob"))
    assert {id: o for id, o in ctx.outcomes.items() if o != "ok"} == {"complete": "fail", "private": "warn"}
    assert "public.customers" in ctx.found("complete").evidence
    await ctx.run("backup.read", **named("glob"))
    assert ctx.found("complete").outcome == "fail", "what was wrong with it is told again"


async def test_an_old_one_from_cron(ctx: StepContext) -> None:
    await script(ctx, "pg_dump -f backups/a.sql; touch -d '1 day ago' backups/a.sql")
    await ctx.run("backup.read", file="backups/*.sql")
    assert ctx.found("age").outcome == "fail" and "the time of its file" in ctx.found("age").evidence
    await ctx.run("shell", script="touch -d '+1 day' backups/a.sql")
    await ctx.run("backup.read", file="backups/*.sql")
    assert ctx.found("age").outcome == "fail" and "still to come" in ctx.found("age").evidence


async def test_what_the_step_takes(ctx: StepContext) -> None:
    for wrong in ({}, {"file": "a", "variable": "B"}, {"printed": "x"}, {"from": "own", "printed": "("}):
        with pytest.raises(ValidationError):
            Params.model_validate(wrong)
    with pytest.raises(Misuse, match="own has not run to its end"):
        await ctx.run("backup.read", **named("glob"))
