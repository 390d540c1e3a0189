"""`scripts.inspect`: the pending scripts as files."""

import os
import subprocess
from pathlib import Path

import pytest

from migrations.folder import read_folder
from migrations.impact.known import Known, Relation
from migrations.plan import compare
from migrations.sql import Name
from runbooks.planning.planning import make_plan
from runbooks.session.runbook import PHASES, Condition, Item, Phase, Runbook, Step
from tests.runbooks.planning.test_planning import TARGET
from tests.runbooks.steps_context import StepContext

URL = "postgresql://nobody@127.0.0.1:1/never_reached"


def book(*, guarded: bool = True, asks: bool = False) -> Runbook:
    conditions: tuple[Condition, ...] = ("destructive", "blocking") if guarded else ()
    items = tuple(Item(id=when, text="Sure", when=when) for when in conditions)
    steps = (Step(id="ask", title="Ask", uses="migrations.verify", effect="reads"),) if asks else ()
    phases = tuple(Phase(name=n, title=n, items=items, steps=steps if n == "verify" else ()) for n in PHASES)
    return Runbook(name="b", phases=phases)


def put(folder: Path, name: str, data: bytes | None) -> None:
    (folder / "migrations" / name).mkdir(parents=True)
    if data is not None:
        (folder / "migrations" / name / "migration.sql").write_bytes(data)


async def look(
    folder: Path, *, guarded: bool = True, asks: bool = False, to: str | None = None, known: Known | None = None
) -> StepContext:
    """Make the plan of the folder as it is, and run the step."""
    (folder / "migrations").mkdir(exist_ok=True)
    ctx = StepContext(URL, folder, runbook=book(guarded=guarded, asks=asks))
    pending = compare(read_folder(ctx.project.migrations), (), to=to)
    plan = make_plan(
        ctx.project, ctx.environment, ctx.view.runbook, pending, TARGET, first_run=False, mark=None, known=known
    )
    ctx.events.append(plan)
    await ctx.run("scripts.inspect")
    return ctx


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=ana", "-c", "user.email=ana@example.org", "-c", "commit.gpgsign=false"]
    env = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    subprocess.run(["git", *who, *arguments], cwd=folder, env=env, check=True, capture_output=True)


async def test_good_scripts_outside_git_leave_one_amber_line(tmp_path: Path) -> None:
    put(tmp_path, "20260101000000_add", b"ALTER TABLE t ADD c int;\nCALL p();")
    put(tmp_path, "20260102000000_held", b"SELECT 1;")
    ctx = await look(tmp_path, to="20260101000000_add")
    assert {id for id, outcome in ctx.outcomes.items() if outcome != "ok"} == {"git"}
    assert ctx.outcomes["git"] == "warn"
    evidence = ctx.found("pending").evidence
    assert "held back: 20260102000000_held" in evidence
    assert "2 statements, 1 analysed, 1 not: line 2" in evidence
    assert ctx.text().startswith("2 statements, 1 analysed, 1 not: line 2\n20260101000000_add: in one transaction\n")
    assert "  line 1: add column c integer to t\n    ACCESS EXCLUSIVE on t, blocks reads and writes" in ctx.text()


async def test_an_empty_plan_says_that_nothing_will_be_proven(tmp_path: Path) -> None:
    ctx = await look(tmp_path)
    assert ctx.outcomes["pending"] == "warn"
    assert "nothing to apply: nothing will be proven" in ctx.found("pending").evidence


@pytest.mark.parametrize(
    ("data", "words"),
    [(None, "no migration.sql"), (b"\xef\xbb\xbfSELECT 1", "BOM"), (b"SELECT '\xff'", "not UTF-8")],
)
async def test_a_file_that_cannot_be_run_fails(tmp_path: Path, data: bytes | None, words: str) -> None:
    put(tmp_path, "20260101000000_bad", data)
    ctx = await look(tmp_path)
    assert (ctx.outcomes["files"], ctx.outcomes["runnable"]) == ("fail", "fail")
    assert words in ctx.found("files").evidence
    assert ("P3015" in ctx.found("files").advice) == (data is None)


async def test_crlf_and_an_empty_script_are_fine(tmp_path: Path) -> None:
    put(tmp_path, "20260101000000_crlf", b"SELECT 1;\r\nSELECT 2;\r\n")
    put(tmp_path, "20260102000000_empty", b"")
    ctx = await look(tmp_path)
    assert (ctx.outcomes["files"], ctx.outcomes["runnable"]) == ("ok", "ok")
    assert ctx.found("runnable").evidence == "1 in one transaction, 1 nothing to run"


async def test_what_a_failure_keeps_and_what_prisma_would_do_otherwise_is_said_once(tmp_path: Path) -> None:
    for number in range(5):
        put(tmp_path, f"2026010100000{number}_a", b"CREATE TABLE a (i int);\nCREATE TABLE b ();")
    put(tmp_path, "20260101000005_b", b"SELECT 1;\nDROP INDEX CONCURRENTLY x;")
    ctx = await look(tmp_path)
    assert "not in one transaction\n  each statement is committed by itself: from line 2 on" in ctx.text()
    assert ctx.text().count("Prisma from 7.4 on") == 1
    assert "20260101000000_a, 20260101000001_a, 20260101000002_a and 2 more: Prisma from 7.4 on" in ctx.text()
    assert "20260101000005_b: Prisma stops at line 2" in ctx.text()


async def test_a_script_that_postgresql_refuses_fails_with_its_words(tmp_path: Path) -> None:
    put(tmp_path, "20260101000000_typo", b"SELECT 1;\nselct 2;")
    ctx = await look(tmp_path)
    assert ctx.outcomes["runnable"] == "fail"
    assert 'syntax error at or near "selct" (line 2)' in ctx.found("runnable").evidence


async def test_names_against_the_convention(tmp_path: Path) -> None:
    for name in ("20260101000000_fine", "20260231000000_no_such_day", "20260101000000_same_time"):
        put(tmp_path, name, b"SELECT 1;")
    ctx = await look(tmp_path)
    assert ctx.outcomes["names"] == "warn"
    evidence = ctx.found("names").evidence
    assert "20260231000000 is no date" in evidence
    assert "20260101000000_fine and 20260101000000_same_time" in evidence


@pytest.mark.parametrize(("guarded", "outcome"), [(True, "ok"), (False, "warn")])
async def test_loss_of_data_is_listed_and_needs_its_checklist(tmp_path: Path, guarded: bool, outcome: str) -> None:
    put(tmp_path, "20260101000000_drop", b"SELECT 1;\nDROP TABLE orders;")
    ctx = await look(tmp_path, guarded=guarded)
    assert ctx.outcomes["destructive"] == outcome
    assert "line 2: drops table orders" in ctx.found("destructive").evidence


ORDERS = Relation(Name("public", "orders"), "table", rows=41_000_000, heap=5 * 10**9)
TARGET_HAS = Known(relations={Name(None, "orders"): ORDERS})
INDEX = b"-- gonogo: allow index-without-concurrently because it is night\nCREATE INDEX ON orders (c);"


@pytest.mark.parametrize(("guarded", "outcome"), [(True, "ok"), (False, "warn")])
async def test_what_blocks_others_is_listed_with_its_size(tmp_path: Path, guarded: bool, outcome: str) -> None:
    put(tmp_path, "20260101000000_index", INDEX.partition(b"\n")[2])
    ctx = await look(tmp_path, guarded=guarded, known=TARGET_HAS)
    assert (ctx.outcomes["blocking"], ctx.outcomes["sizes"]) == (outcome, "ok")
    said = "orders has 41 million rows, 5 GB: 25 s to 5.6 min, guessed from the size, not rehearsed"
    assert said in ctx.found("blocking").evidence
    assert ctx.found("sizes").evidence == "orders (41 million rows, 5 GB)"
    assert "    SHARE on orders, blocks writes, builds an index: 25 s to 5.6 min\n    stop index-" in ctx.text()
    assert "\norders: 41 million rows, 5 GB\n" in ctx.text()


async def test_what_is_allowed_says_why_and_stops_nobody(tmp_path: Path) -> None:
    put(tmp_path, "20260101000000_index", INDEX)
    ctx = await look(tmp_path, guarded=False, known=TARGET_HAS)
    assert "      allowed: it is night\n" in ctx.text()
    assert ctx.found("blocking").evidence.startswith(
        "at the most SHARE on orders, blocks writes, builds an index: 25 s"
    )
    assert ctx.outcomes["blocking"] == "ok"


async def test_what_could_not_be_read_is_said(tmp_path: Path) -> None:
    put(tmp_path, "20260101000000_index", INDEX)
    ctx = await look(tmp_path, known=Known(missing=("it took too long",)))
    assert (ctx.outcomes["sizes"], ctx.found("sizes").evidence) == ("warn", "it took too long")


async def test_only_what_is_committed_as_it_is_counts_as_in_git(tmp_path: Path) -> None:
    for name in ("20260101000000_a", "20260102000000_b", "20260103000000_c", "20260104000000_d"):
        put(tmp_path, name, b"SELECT 1;")
    git(tmp_path, "init")
    ctx = await look(tmp_path)
    assert "20260101000000_a" in ctx.found("git").evidence, "without any commit"
    (tmp_path / ".gitignore").write_text("*_d/\nsession/\n")
    git(tmp_path, "add", "migrations/20260101000000_a", "migrations/20260102000000_b")
    git(tmp_path, "commit", "-m", "Two")
    (tmp_path / "migrations/20260102000000_b/migration.sql").write_bytes(b"SELECT 2;")
    ctx = await look(tmp_path)
    assert ctx.outcomes["git"] == "fail"
    expected = "not committed as they are: 20260102000000_b, 20260103000000_c, 20260104000000_d"
    assert ctx.found("git").evidence == expected
    git(tmp_path, "add", "--force", "migrations")
    git(tmp_path, "commit", "-m", "All")
    assert (await look(tmp_path)).outcomes["git"] == "ok"


@pytest.mark.parametrize(
    "text, asks, outcome, evidence",
    [
        ("SELECT true;\nSELECT  count(*) = 0\nFROM t", True, "ok", "2 statements beside 1 script"),
        ("SELECT true", False, "warn", "no step of this runbook asks it"),
        (
            "SELECT true;\nDELETE FROM t",
            True,
            "fail",
            "20260101000000_a/verify.sql, line 2: only a SELECT",
        ),
    ],
)
async def test_what_verify_sql_will_ask_is_shown(
    tmp_path: Path, text: str, asks: bool, outcome: str, evidence: str
) -> None:
    put(tmp_path, "20260101000000_a", b"SELECT 1;")
    (tmp_path / "migrations" / "20260101000000_a" / "verify.sql").write_text(text)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "migrations/20260101000000_a/migration.sql")
    git(tmp_path, "commit", "-qm", "one")
    ctx = await look(tmp_path, asks=asks)
    assert ctx.outcomes["verify"] == outcome and ctx.found("verify").evidence.startswith(evidence)
    assert "    line 1: SELECT true\n" in ctx.text()
    assert ctx.found("git").evidence == "not committed as they are: 20260101000000_a/verify.sql"
