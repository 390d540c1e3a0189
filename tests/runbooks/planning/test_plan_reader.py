"""A plan made of a real folder, ledger and target; and what it takes to see that it is still the same one."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg
import pytest
from fix_command import SmallProject

from migrations.folder import BESIDE
from migrations.problem import Problem
from migrations.target import Pinned
from runbooks.document import read_runbook
from runbooks.planning.plan_reader import PlanReader
from runbooks.redact import Redactor
from runbooks.session.events import PlanMade
from runbooks.session.view import RunView, fold
from runbooks.settings import project as projects
from runbooks.settings.setting import Setting, read_urls
from runbooks.steps import catalogue
from runbooks.steps.parts.kept_scripts import script_text
from tests.runbooks.conftest import opening
from tests.runbooks.steps_context import StepContext

INDEX = "CREATE INDEX ON orders (c)"


@pytest.fixture
def target(small: SmallProject) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(small.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE orders (c int); INSERT INTO orders SELECT generate_series(1, 40)")
        connection.execute("ANALYZE orders")
        yield connection


async def reader(small: SmallProject, redactor: Redactor | None = None, *, redact: tuple[str, ...] = ()) -> PlanReader:
    project = replace(projects.load(small.folder / "gonogo.toml"), redact=redact)
    environment = project.environment("here")
    urls = read_urls(environment, small.env)
    pinned = Pinned(urls["SMALL_URL"])
    await (await pinned.open("read", application_name="gonogo test")).close()
    book = read_runbook(small.folder / "small.md", catalogue=catalogue())
    folder = small.folder / "session"
    folder.mkdir(exist_ok=True)
    return PlanReader(Setting(folder, project, environment, book, urls, pinned, small.env), redactor)


def view_with(plan: PlanMade | None, small: SmallProject, gonogo: str = version("gonogo")) -> RunView:
    book = read_runbook(Path(small.folder / "small.md"), catalogue=catalogue())
    events = [opening(runbook=book, gonogo=gonogo), *([plan] if plan else [])]
    return fold((seq, "2026-01-31T02:03:04.000000Z", event) for seq, event in enumerate(events))


async def test_the_target_is_in_the_plan(small: SmallProject, target: psycopg.Connection[Any]) -> None:
    small.migration("20260102000000_index", INDEX)
    made = await (await reader(small)).make(view_with(None, small))
    assert [(table.name, table.rows, table.bytes) for table in made.tables] == [("orders", 40, 8192)]
    (touch,) = made.scripts[1].statements[0].touches
    assert (touch.relation, touch.lock, touch.blocks) == ("orders", "SHARE", "writes")
    assert {finding.severity for finding in made.scripts[1].findings} == {"note"}
    assert made.unread == ()


async def test_a_table_that_somebody_has_locked_does_not_hold_up_the_opening(
    small: SmallProject, target: psycopg.Connection[Any]
) -> None:
    small.migration("20260102000000_index", INDEX)
    with psycopg.connect(small.url) as holder:
        holder.execute("LOCK TABLE orders")
        made = await (await reader(small)).make(view_with(None, small))
    assert (made.tables[0].rows, made.tables[0].bytes, made.unread) == (40, 8192, ())
    assert "size as of its last ANALYZE" in made.tables[0].words


async def test_scripts_are_analysed_once_in_a_runner(small: SmallProject, target: psycopg.Connection[Any]) -> None:
    plans = await reader(small)
    view = view_with(None, small)
    first = await plans.make(view)
    (before,) = plans.analysed
    small.migration("20260102000000_index", INDEX)
    second = await plans.make(view)
    assert plans.analysed[0] is before
    assert (len(second.scripts), len(plans.analysed)) == (2, 2)
    assert second.hash != first.hash


async def test_a_resume_believes_the_plan_of_the_same_gonogo_and_analyses_nothing(
    small: SmallProject, target: psycopg.Connection[Any]
) -> None:
    small.migration("20260102000000_index", INDEX)
    plan = await (await reader(small)).make(view_with(None, small))
    resumed = await reader(small)
    assert await resumed.differs(view_with(plan, small)) is None
    assert not resumed.analysed
    target.execute("INSERT INTO orders SELECT generate_series(1, 100000)")
    target.execute("ANALYZE orders")
    assert await resumed.differs(view_with(plan, small)) is None, "the size is not in the hash"
    older = await reader(small)
    assert await older.differs(view_with(plan, small, gonogo="0.0.1")) is None
    assert len(older.analysed) == 2


async def test_what_became_different_is_said(small: SmallProject, target: psycopg.Connection[Any]) -> None:
    path = small.migration("20260102000000_index", INDEX)
    plans = await reader(small)
    view = view_with(await plans.make(view_with(None, small)), small)
    path.write_text(f"{INDEX} -- again")
    small.migration("20260103000000_new", "SELECT 1")
    said = await plans.differs(view)
    assert said == ("the plan is another one now: 20260103000000_new is pending now; 20260102000000_index was edited")
    path.write_bytes(b"\xff")
    assert "20260102000000_index was edited" in (await plans.differs(view) or "")


async def test_secrets_are_taken_out_of_the_copy_and_what_is_run_has_them(
    small: SmallProject, target: psycopg.Connection[Any]
) -> None:
    text = (
        "ALTER ROLE nobody PASSWORD 'hunter2-hunter2';\nINSERT INTO orders VALUES (1, 'ana@x') RETURNING 'kn0wn-to-us'"
    )
    path = small.migration("20260102000000_secret", text)
    redactor = Redactor({"KEY": "kn0wn-to-us"})
    plans = await reader(small, redactor, redact=("orders.*",))
    plan = await plans.make(view_with(None, small))
    script = plan.scripts[1]
    copy = (small.folder / "session" / "scripts" / f"{script.sha256}.sql").read_bytes()
    assert script.sha256 == hashlib.sha256(text.encode()).hexdigest() != script.copy_sha256
    assert script.copy_sha256 == hashlib.sha256(copy).hexdigest()
    assert copy.decode() == (
        "ALTER ROLE nobody PASSWORD '«redacted:password»';\n"
        "INSERT INTO orders VALUES ('«redacted:orders.*»', '«redacted:orders.*»') RETURNING '«redacted:KEY»'"
    )
    told = plan.model_dump_json() + redactor.text("so hunter2-hunter2 was refused")
    assert not any(secret in told for secret in ("hunter2", "ana@x", "kn0wn"))
    assert "secret-in-script" in [finding.rule for finding in script.findings]
    assert [copy.decode()[s.start : s.end][:6] for s in script.statements] == ["ALTER ", "INSERT"]
    assert await plans.differs(view_with(plan, small)) is None
    fresh = Redactor({})
    await (await reader(small, fresh)).learn(view_with(plan, small))
    assert "hunter2" not in fresh.text("hunter2-hunter2")
    ctx = StepContext(small.url, small.folder, migrations=small.folder / "migrations")
    ctx.folder = small.folder / "session"
    assert script_text(ctx, script) == text
    path.write_text(text + " ")
    with pytest.raises(Problem, match="was edited after it was reviewed"):
        script_text(ctx, script)


async def test_what_stands_beside_a_script_is_kept_and_an_edit_of_it_is_another_plan(
    small: SmallProject, target: psycopg.Connection[Any]
) -> None:
    script = small.migration("20260102000000_index", INDEX)
    for file in BESIDE:
        script.with_name(file).write_text(f"SELECT true -- {file}")
    plans = await reader(small)
    view = view_with(await plans.make(view_with(None, small)), small)
    assert view.plan is not None
    verify = view.plan.scripts[1].verify
    assert verify is not None
    for sha256, file in ((verify.sha256, "verify.sql"), (view.plan.to_review[2].sha256, "rollback.sql")):
        kept = small.folder / "session" / "scripts" / f"{sha256}.sql"
        assert kept.read_text() == f"SELECT true -- {file}"
    assert await plans.differs(view) is None
    edits = [("verify.sql", "SELECT not false"), ("rollback.sql", None), ("rollback.md", "otherwise")]
    for file, text in edits:
        beside = script.with_name(file)
        beside.write_text(text) if text else beside.unlink()
        again = await reader(small)
        said = f"the plan is another one now: the {file} of 20260102000000_index was edited"
        assert await plans.differs(view) == said
        assert await again.differs(view) == said
        beside.write_text(f"SELECT true -- {file}")
