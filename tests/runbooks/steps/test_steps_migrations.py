"""The steps around applying: what a person is told, and how an attempt goes on after it was cut short."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from migrations import ledger
from migrations.problem import Problem
from runbooks.ledger.examined import examine
from runbooks.ledger.status import status_from
from runbooks.steps.base import Settled
from tests.migrations.applying import until
from tests.runbooks.apply_session import APPLY, Session
from tui.printed import status_lines

Start = Callable[..., Session]


@pytest.fixture
def start(database: str, tmp_path: Path) -> Start:
    """`start({name: text})`: a session on a fresh database."""
    return lambda scripts, **over: Session(database, tmp_path, scripts, **over)


async def test_inspect_apply_verify(start: Start) -> None:
    ctx = start(
        {"1_a": "CREATE TABLE a (id int);\nINSERT INTO a VALUES (1);", "2_b": "CREATE TABLE b ();", "3_c": "x"},
        held_back=("3_c",),
    )
    inspected = await ctx.run("ledger.inspect")
    assert (inspected.first_run, inspected.pending, inspected.held_back) == (True, ("1_a", "2_b"), ("3_c",))
    assert set(ctx.outcomes.values()) == {"ok"}
    result = await ctx.run(APPLY, lock_timeout="2s", statement_timeout="10min", concurrent_timeout="0")
    assert [(s.name, s.statements, s.committed) for s in result.scripts] == [("1_a", 2, True), ("2_b", 1, True)]
    assert ctx.found("applied").evidence == "2 of 2 scripts, 3 statements"
    assert "1 of 2  1_a\n  2 statements, one transaction\n" in ctx.text()
    assert "  2 of 2  insert" in ctx.text() and "1 row" in ctx.text()
    assert all(json.dumps(record) for _, record in ctx.recorded)
    verified = await ctx.run("ledger.verify")
    assert (verified.applied, verified.pending) == (("1_a", "2_b"), ())
    assert set(ctx.outcomes.values()) == {"ok"}


async def test_inspect_tells_what_gonogo_did_not_write(start: Start) -> None:
    ctx = start({"1": "SELECT 1", "2": "SELECT 2"})
    await ctx.run(APPLY, to="1")
    await ctx.run("ledger.inspect")
    assert "history" not in ctx.outcomes
    ctx.query("UPDATE _prisma_migrations SET applied_steps_count = 0, finished_at = started_at")
    await ctx.run("ledger.inspect")
    assert ctx.found("history").outcome == "ok"
    assert ctx.found("history").evidence.startswith("1: 1: noted as applied at ")
    assert "not by gonogo: 1: noted as applied at " in ctx.text()
    async with ctx.connect("read") as conn:
        found = await examine(conn, ctx.target, ctx.project, ctx.environment, ctx.folder.parent)
    lines = status_lines(status_from(found, ctx.target, ctx.environment))
    assert any(line.startswith("· not by gonogo: 1: noted as applied at ") for line in lines)


async def test_verify_sees_what_is_pending_failed_or_not_as_reviewed(start: Start) -> None:
    ctx = start({"1": "SELECT 1", "2": "SELECT 2", "3": "SELECT 3"})
    await ctx.run(APPLY, to="2")
    ctx.query("UPDATE _prisma_migrations SET checksum = 'x' WHERE migration_name = '1'")
    ctx.query("UPDATE _prisma_migrations SET finished_at = NULL WHERE migration_name = '2'")
    await ctx.run("ledger.verify")
    assert ctx.outcomes == {"pending": "fail", "failed-rows": "fail", "checksums": "fail", "edited": "warn"}
    assert ctx.found("failed-rows").evidence == "P3009: 2"


async def test_inspect_names_what_prisma_would_stop_at_and_what_it_hides(start: Start) -> None:
    ctx = start({"1": "SELECT 1", "2": "SELECT 2", "3": "SELECT 3"})
    await ctx.run(APPLY, to="2")
    (ctx.project.migrations / "1" / "migration.sql").write_text("SELECT 11")
    ctx.query("UPDATE _prisma_migrations SET migration_name = 'gone' WHERE migration_name = '2'")
    ctx.query(
        "INSERT INTO _prisma_migrations (id, checksum, migration_name, logs) "
        "VALUES ('x', 'x', '3', E'Database error:\\nERROR: no luck')"
    )
    await ctx.run("ledger.inspect")
    assert ctx.outcomes == {"ledger": "ok", "failed-rows": "fail", "edited": "warn", "missing": "warn", "pending": "ok"}
    assert "P3009: 3" in ctx.found("failed-rows").evidence and "ERROR: no luck" in ctx.found("failed-rows").evidence
    assert (ctx.found("edited").evidence, ctx.found("missing").evidence) == (
        "Edited after it was applied: 1.",
        "Applied, and newer than anything in the folder: gone.",
    )


async def test_inspect_of_a_full_database_and_of_an_empty_plan(start: Start) -> None:
    ctx = start({"1": "SELECT 1"})
    ctx.query("CREATE TABLE old ()")
    await ctx.run("ledger.inspect")
    assert ctx.found("ledger").evidence.startswith("P3005")
    ctx.query("DROP TABLE old")
    await ctx.run(APPLY)
    await ctx.run("ledger.inspect")
    assert ctx.found("pending").evidence == "nothing to apply: nothing will be proven"


async def test_the_kept_bytes_are_the_reviewed_ones_or_nothing_runs(start: Start) -> None:
    ctx = start({"1": "CREATE TABLE a ()"})
    (kept,) = (ctx.folder / "scripts").iterdir()
    kept.write_text("CREATE TABLE b ()")
    with pytest.raises(Problem, match="not what was reviewed"):
        await ctx.run(APPLY)
    kept.unlink()
    with pytest.raises(Problem, match="gone"):
        await ctx.run(APPLY)


async def test_after_a_failure_the_step_starts_the_script_anew(start: Start) -> None:
    ctx = start({"1": "CREATE TABLE a ()", "2": "CREATE TABLE b (); INSERT INTO c VALUES (1, 'secret');"})
    with pytest.raises(Problem) as caught:
        await ctx.run(APPLY)
    assert "LINE 1: CREATE TABLE b (); INSERT INTO c" in ctx.text("err")
    assert caught.value.code == "42P01"
    ctx.query("CREATE TABLE c (a int, b text)")
    result = await ctx.run(APPLY)
    assert ctx.rows() == [("1", "applied"), ("2", "rolled back"), ("2", "applied")]
    assert [s.name for s in result.scripts] == ["1", "2"]
    assert ctx.found("applied").evidence == "2 of 2 scripts, 3 statements"


async def test_values_of_rows_stay_out_of_the_transcript(start: Start) -> None:
    ctx = start({"1": "CREATE TABLE a (b text UNIQUE); INSERT INTO a VALUES ('ana'), ('ana');"})
    with pytest.raises(Problem) as caught:
        await ctx.run(APPLY)
    assert caught.value.code == "23505"
    assert "ana)" not in ctx.text("err") + caught.value.detail + str(caught.value)
    assert "ana)" in ctx.query("SELECT logs FROM _prisma_migrations")[0][0]


PIECES = (
    "CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1); SET application_name = 'x';\n"
    "CREATE UNIQUE INDEX CONCURRENTLY t_a ON t (a);\nCREATE TABLE u AS SELECT current_setting('application_name') AS n;"
)


async def test_a_script_in_pieces_goes_on_where_it_broke(start: Start) -> None:
    ctx = start({"1": PIECES})
    with pytest.raises(Problem):
        await ctx.run(APPLY)
    assert ctx.query("SELECT indisvalid FROM pg_index WHERE indexrelid = 't_a'::regclass") == [(False,)]
    ctx.query("DELETE FROM t WHERE ctid = '(0,1)'")
    await ctx.run(APPLY)
    assert ctx.rows() == [("1", "applied")]
    assert "dropped the INVALID index public.t_a" in ctx.text("note")
    assert ctx.query("SELECT indisvalid FROM pg_index WHERE indexrelid = 't_a'::regclass") == [(True,)]
    assert ctx.query("SELECT n FROM u") == [("x",)], "what the script had SET holds for its later statements"


async def test_an_invalid_index_of_its_own_first_statement_is_built_anew(start: Start) -> None:
    ctx = start({"1": "CREATE UNIQUE INDEX CONCURRENTLY t_a ON t (a);"})
    ctx.query("CREATE TABLE t (a int)")
    ctx.query("INSERT INTO t VALUES (1), (1)")
    async with ctx.connect("ledger") as conn:
        await ledger.create(conn)
    with pytest.raises(Problem):
        await ctx.run(APPLY)
    ctx.query("DELETE FROM t WHERE ctid = '(0,1)'")
    await ctx.run(APPLY)
    assert "dropped the INVALID index public.t_a" in ctx.text("note")
    assert ctx.query("SELECT indisvalid FROM pg_index WHERE indexrelid = 't_a'::regclass") == [(True,)]


async def test_an_invalid_index_of_somebody_else_is_not_touched_and_not_believed(start: Start) -> None:
    ctx = start({"1": "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS t_a ON t (a);"})
    ctx.query("CREATE TABLE t (a int)")
    ctx.query("INSERT INTO t VALUES (1), (1)")
    with psycopg.connect(ctx.url, autocommit=True) as conn, pytest.raises(psycopg.errors.UniqueViolation):
        conn.execute("CREATE UNIQUE INDEX CONCURRENTLY t_a ON t (a)")
    async with ctx.connect("ledger") as conn2:
        await ledger.create(conn2)
    with pytest.raises(Problem, match="INVALID index"):
        await ctx.run(APPLY)
    assert ctx.query("SELECT indisvalid FROM pg_index WHERE indexrelid = 't_a'::regclass") == [(False,)]


async def _killed(ctx: Session, when: Callable[[dict[str, Any]], bool], **params: Any) -> None:
    """Run the step, and let the runner die at the first record of which `when` is true: nothing is sent after it."""

    class Killed(BaseException):
        pass

    recorded = ctx.record

    async def record(**data: Any) -> None:
        await recorded(**data)
        if when(data):
            raise Killed

    ctx.record = record  # type: ignore[method-assign]
    try:
        await ctx.run(APPLY, **params)
    except Killed:
        pass
    finally:
        ctx.record = recorded  # type: ignore[method-assign]


HALF = "only as far as statement 2"


@pytest.mark.parametrize(
    ("answer", "rows", "tables"),
    [
        ("it took effect", [("1", "applied")], (None, None)),
        (HALF, [("1", "applied")], (None, "b")),
        ("it did not", [("1", "rolled back"), ("1", "applied")], ("a", "b")),
    ],
)
async def test_of_one_query_without_a_reply_a_person_says_how_far_it_came(
    start: Start, answer: str, rows: list[tuple[str, str]], tables: tuple[str | None, ...]
) -> None:
    ctx = start({"1": "CREATE TABLE a ();\nCOMMIT;\nCREATE TABLE b ();"}, way="prisma-7.3")
    await _killed(ctx, lambda record: record["event"] == "Sending", model="prisma-7.3")
    ctx.answers[f"effect-{ctx.recorded[-1][1]['row']}"] = answer
    settled = await ctx.reconcile(model="prisma-7.3")
    assert isinstance(settled, Settled) and len(ctx.asked) == 1
    if settled.end != "done":
        await ctx.run(APPLY, model="prisma-7.3")
    assert len(ctx.asked) == 1, "once"
    assert "all from statement 1 on was sent, and no reply to it was seen" in ctx.asked[0]
    assert ctx.rows() == rows
    assert ctx.query("SELECT to_regclass('a')::text, to_regclass('b')::text") == [tables]


async def test_another_way_than_that_of_the_plan_is_refused(start: Start) -> None:
    ctx = start({"1": "CREATE TABLE a (); CREATE TABLE b ();"})
    with pytest.raises(Problem, match="batch, not transaction"):
        await ctx.run(APPLY, model="prisma-7.3")


async def test_a_person_may_end_it_between_two_transactions_and_go_on_later(start: Start) -> None:
    ctx = start({"1": "CREATE TABLE a (i int);\nCREATE INDEX CONCURRENTLY x ON a (i);\nCREATE TABLE b ();"})
    ctx.answers["*"] = "stop"
    assert (await ctx.run(APPLY, pause=True)).stopped
    assert "statement 2 of 3, from line 2 on" in ctx.asked[0]
    assert ctx.found("applied").evidence == "0 of 1 script, 0 statements; stopped as asked, in the middle of 1"
    ctx.answers["*"] = "go on"
    await ctx.run(APPLY, pause=True)
    assert len(ctx.asked) == 2
    assert ctx.rows() == [("1", "applied")]


async def test_an_orphaned_statement_is_ended_before_anything_is_read(start: Start) -> None:
    """The runner is gone, its statement goes on in the server, and would commit unseen."""
    ctx = start({"1": "SELECT 1"})
    async with await psycopg.AsyncConnection.connect(
        ctx.url, autocommit=True, application_name=f"gonogo {ctx.session} script"
    ) as orphan:
        task = asyncio.ensure_future(orphan.execute("SELECT pg_sleep(60)"))
        await ctx.record(event="Connected", backends=[])
        ctx.recorded[-1] = ("migrations-apply", ctx.recorded[-1][1])
        await ctx.reconcile()
        with pytest.raises(psycopg.OperationalError):
            await task


async def test_stopped_between_scripts_it_goes_on_later(start: Start) -> None:
    ctx = start({"1": "SELECT 1", "2": "SELECT 2"})
    ctx.stop_asked = True
    result = await ctx.run(APPLY)
    assert (result.stopped, ctx.outcome) == (True, "fail")
    ctx.stop_asked = False
    await ctx.run(APPLY)
    assert ctx.rows() == [("1", "applied"), ("2", "applied")]


async def test_a_longer_lock_timeout_is_typed_with_a_reason_and_holds_once(start: Start) -> None:
    ctx = start({"1": "ALTER TABLE t ADD COLUMN b int; CREATE TABLE seen AS SELECT current_setting('lock_timeout');"})
    async with ctx.connect("ledger") as conn:
        await ledger.create(conn)
    ctx.query("CREATE TABLE t (a int)")
    quick = {"lock_timeout": "200ms", "retry_for": "0"}
    with psycopg.connect(ctx.url) as holder:
        holder.execute("LOCK TABLE t")
        with pytest.raises(Problem, match="55P03"):
            await ctx.run(APPLY, **quick)
        for answer in ("", "0: never", "10s", "100ms: shorter"):
            ctx.answers["lock-timeout"] = answer
            with pytest.raises(Problem, match="neither 'keep'"):
                await ctx.run(APPLY, **quick)
        ctx.answers["lock-timeout"] = "keep"
        with pytest.raises(Problem, match="55P03"):
            await ctx.run(APPLY, **quick)
        assert "pg_terminate_backend" in ctx.asked[-1] and "lock_timeout is 200ms" in ctx.asked[-1]
    ctx.answers["lock-timeout"] = "7s: the report is over"
    await ctx.run(APPLY, **quick)
    assert ctx.query("SELECT * FROM seen") == [("7s",)]
    assert "lock_timeout is 7s in this attempt, not 200ms: the report is over\n" in ctx.text("note")
    asked = len(ctx.asked)
    await ctx.run(APPLY, **quick)
    assert len(ctx.asked) == asked


CUT = {
    "in a transaction": ("INSERT INTO log VALUES (1); ALTER TABLE t ADD COLUMN b int", ""),
    "building": ("CREATE INDEX CONCURRENTLY t_a ON t (a); INSERT INTO log VALUES (1)", "dropped the INVALID index"),
    "detaching": ("ALTER TABLE t DETACH PARTITION t1 CONCURRENTLY; INSERT INTO log VALUES (1)", "it is completed"),
}


@pytest.mark.parametrize("kind", CUT)
async def test_killed_between_two_tries_it_goes_on_where_it_was(start: Start, kind: str) -> None:
    script, said = CUT[kind]
    ctx = start({"1": script})
    async with ctx.connect("ledger") as conn:
        await ledger.create(conn)
    ctx.query("CREATE TABLE log (n int)")
    ctx.query(f"CREATE TABLE t (a int) {'PARTITION BY RANGE (a)' if kind == 'detaching' else ''}")
    if kind == "detaching":
        ctx.query("CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (9)")
    limits = {"lock_timeout": "300ms", "concurrent_timeout": "700ms"}
    with psycopg.connect(ctx.url) as holder:
        holder.execute("SELECT * FROM t" if kind == "detaching" else "LOCK TABLE t IN ROW EXCLUSIVE MODE")
        await _killed(ctx, lambda record: record["event"] == "Retried", **limits)
    settled = await ctx.reconcile()
    assert settled is not None and settled.end == "stopped"
    await ctx.run(APPLY, **limits)
    assert said in ctx.text("note")
    assert ctx.query("SELECT n FROM log") == [(1,)]
    assert ctx.query("SELECT indexrelid FROM pg_index WHERE NOT indisvalid") == []
    assert [row for row in ctx.rows() if row[1] != "rolled back"] == [("1", "applied")]


async def test_who_waits_for_whom_is_data_of_the_progress_and_each_try_is_told(start: Start) -> None:
    ctx = start({"1": "ALTER TABLE t ADD COLUMN b int"})
    async with ctx.connect("ledger") as conn:
        await ledger.create(conn)
    ctx.query("CREATE TABLE t (a int)")
    async with (
        await psycopg.AsyncConnection.connect(ctx.url, application_name="nightly") as holder,
        await psycopg.AsyncConnection.connect(ctx.url, application_name="web", autocommit=True) as reader,
    ):
        await holder.execute("SELECT * FROM t")
        task = asyncio.ensure_future(ctx.run(APPLY, lock_timeout="30s", queue_wait="500ms"))
        await until(lambda: _rows(ctx, "us"))
        await asyncio.wait_for(reader.execute("SELECT * FROM t"), 30)
        await until(lambda: _noted(ctx))
        await holder.rollback()
        await asyncio.wait_for(task, 30)
    assert "nightly holds it, idle in transaction (SELECT)" in (await _rows(ctx, "holds"))[0]
    assert (await _rows(ctx, "us"))[0] == "our statement waits for ACCESS EXCLUSIVE on public.t"
    assert "web waits behind it (ACCESS SHARE)" in (await _rows(ctx, "behind"))[0]
    assert "Try 1 came to nothing: cancelled by the guard" in ctx.text("note")
    assert json.dumps(ctx.progressed)
    (retried, *_) = (record for _, record in ctx.recorded if record["event"] == "Retried")
    assert "again in" in str(retried["note"]) and "nightly" in str(retried["holders"])


async def _rows(ctx: Session, role: str) -> list[str]:
    queues: list[Any] = [data["queue"] for data in ctx.progressed if "queue" in data]
    return [row["text"] for queue in queues for row in queue["rows"] if row["role"] == role]


async def _noted(ctx: Session) -> bool:
    return "Try 1" in ctx.text("note")


async def test_resolve_marks_only_where_the_row_is(start: Start) -> None:
    ctx = start({"1": "SELECT 1", "2": "SELECT 1/0"})
    assert (await ctx.run("ledger.resolve", rolled_back="2")).marked == 0
    with pytest.raises(Problem):
        await ctx.run(APPLY)
    assert (await ctx.run("ledger.resolve", rolled_back="2")).marked == 1
    assert "pending again" in ctx.found("marked").evidence
    assert (await ctx.run("ledger.resolve", rolled_back="2")).marked == 0
    assert (await ctx.run("ledger.resolve", rolled_back="nope")).marked == 0
    assert "no row" in ctx.found("marked").evidence
    with pytest.raises(Problem) as caught:
        await ctx.run("ledger.resolve", rolled_back="1")
    assert caught.value.code == "P3012"


@pytest.mark.parametrize(
    ("query", "expect", "outcome"),
    [
        ("SELECT count(*) FROM pg_class WHERE relname = 'pg_class'", 1, "ok"),
        ("SELECT true", True, "ok"),
        ("SELECT 1", True, "fail"),
        ("SELECT 1.50", "1.50", "ok"),
        ("SELECT sum(g) FROM generate_series(1, 3) g WHERE 'a%' LIKE 'a%'", 6, "ok"),
        ("VALUES (1), (2)", [1, 2], "ok"),
        ("VALUES (1, 'a'), (2, NULL)", [[1, "a"], [2, None]], "ok"),
        ("VALUES (1), (2)", [2, 1], "fail"),
        ("SELECT 1 WHERE false", [], "ok"),
        ("SELECT 1 WHERE false", 1, "fail"),
    ],
)
async def test_a_query_and_its_answer(start: Start, query: str, expect: Any, outcome: str) -> None:
    ctx = start({})
    await ctx.run("sql.check", query=query, expect=expect)
    assert ctx.outcome == outcome


@pytest.mark.parametrize(
    "query", ["CREATE TABLE a ()", "SELECT 1; COMMIT; CREATE TABLE a ()", "SELECT nope", "SELECT pg_sleep(60)"]
)
async def test_a_query_cannot_change_anything_or_run_for_ever(start: Start, query: str) -> None:
    ctx = start({})
    with pytest.raises(Problem):
        await ctx.run("sql.check", query=query, timeout="300ms")
    assert ctx.query("SELECT to_regclass('a')") == [(None,)]
