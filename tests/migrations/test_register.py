"""The register in the target: a line for each start and each end, never changed, and in nobody's way."""

from typing import Any

import psycopg
import pytest

from migrations import ledger
from migrations.anchoring import clock_ahead, write_to_log
from migrations.apply import events as e
from migrations.apply.script_failed import ScriptFailed
from migrations.catalog import row_counts, snapshot
from migrations.own import heads, register
from migrations.own.heads import Whose
from migrations.own.register import Who
from migrations.problem import Problem
from migrations.server import ThrowawayServer
from tests.migrations.applying import SESSION, Bench

WHO = Who(SESSION, "ana@example.org", "bastion-1", "CHG-1", "ab" * 32)
LINES = "SELECT migration, event FROM gonogo.register ORDER BY id"
RUNS = "SELECT migration, outcome, started IS NOT NULL, ended >= started FROM gonogo.runs ORDER BY started"


@pytest.fixture
def bench(database: str) -> Bench:
    return Bench(database)


async def test_each_script_has_a_line_at_its_start_and_at_its_end(bench: Bench) -> None:
    with pytest.raises(ScriptFailed):
        await bench.apply({"1": "CREATE TABLE a ()", "2": "SELECT 1/0", "3": "SELECT 1"}, register=WHO)
    assert await bench.query(LINES) == [("1", "started"), ("1", "applied"), ("2", "started"), ("2", "failed")]
    assert await bench.query(RUNS) == [("1", "applied", True, True), ("2", "failed", True, True)]
    told = await bench.query("SELECT DISTINCT session, operator, host, ticket, plan, role FROM gonogo.register")
    assert told == [(SESSION, "ana@example.org", "bastion-1", "CHG-1", "ab" * 32, "postgres")]
    rows = await bench.query("SELECT r.checksum = p.checksum FROM gonogo.register r JOIN _prisma_migrations p "
                             "ON p.id = r.row_id")  # fmt: skip
    assert rows == [(True,)] * 4


async def test_nothing_is_made_without_being_asked_for(bench: Bench) -> None:
    await bench.apply({"1": "SELECT 1"})
    assert await bench.value("SELECT to_regnamespace('gonogo') IS NULL")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE gonogo.register SET event = 'applied'",
        "DELETE FROM gonogo.register",
        "TRUNCATE gonogo.register",
        "DELETE FROM gonogo.heads",
        "SET session_replication_role = replica; DELETE FROM gonogo.register",
    ],
)
async def test_lines_are_never_changed(bench: Bench, change: str) -> None:
    await bench.apply({"1": "SELECT 1"}, register=WHO)
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
        await bench.query(change)
    assert len(await bench.query(LINES)) == 2


async def test_it_is_in_nobodys_way(bench: Bench) -> None:
    conn = await bench.target.open("read", application_name="test")
    try:
        before = await snapshot(conn)
        await register.make(conn)
        assert await snapshot(conn) == before
        assert await ledger.other_tables(conn) == 0
        assert await row_counts(conn, exact_below=10) == {}
    finally:
        await conn.close()


async def test_a_script_that_leaves_the_session_changed_has_its_end_written(bench: Bench) -> None:
    await bench.apply({"1": "SET search_path = ''; CREATE ROLE gonogo_reg; SET ROLE gonogo_reg"}, register=WHO)
    assert await bench.query(LINES) == [("1", "started"), ("1", "applied")]
    await bench.query("DROP ROLE gonogo_reg")


async def test_a_script_does_not_start_without_its_line(bench: Bench) -> None:
    await bench.query("CREATE SCHEMA gonogo; CREATE TABLE gonogo.register (id int)")
    with pytest.raises(Problem, match="register"):
        await bench.apply({"1": "CREATE TABLE a ()"}, register=WHO)
    assert await bench.rows() == [] and await bench.value("SELECT to_regclass('a') IS NULL")


async def test_a_script_that_has_ended_has_ended_line_or_not(bench: Bench) -> None:
    async def lose(event: e.ApplyEvent) -> None:
        if isinstance(event, e.Committing):
            await bench.query("ALTER TABLE gonogo.register RENAME TO other")

    bench.on = lose
    await bench.apply({"1": "SELECT 1"}, register=WHO)
    assert [state for _, state, _ in await bench.rows()] == ["applied"]
    assert "gonogo.register" in bench.told(e.Notice)[-1].text


async def test_an_end_that_is_found_out_later_is_written_then(bench: Bench) -> None:
    await bench.apply({"1": "SELECT 1"}, register=WHO)
    conn = await bench.target.open("ledger", application_name="test")
    try:
        await register.write(conn, WHO, "2", "sum", "row-2", "started")
        for _ in range(2):
            await register.catch_up(conn, SESSION, "row-2", "applied")
    finally:
        await conn.close()
    assert (await bench.query(LINES))[2:] == [("2", "started"), ("2", "applied")]


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        ("", "GRANT CREATE ON DATABASE"),
        ("CREATE SCHEMA gonogo", "GRANT CREATE, USAGE ON SCHEMA gonogo TO gonogo_poor"),
        (
            "made",
            "GRANT USAGE ON SCHEMA gonogo TO gonogo_poor; "
            "GRANT INSERT, SELECT ON ALL TABLES IN SCHEMA gonogo TO gonogo_poor",
        ),
    ],
)
async def test_the_rights_that_are_needed_are_said(bench: Bench, prepare: str, words: str) -> None:
    conn: psycopg.AsyncConnection[Any] = await bench.target.open("read", application_name="test")
    try:
        if prepare == "made":
            await register.make(conn)
        elif prepare:
            await conn.execute(prepare.encode())
        assert "gonogo.register is" in await register.may(conn)
        await conn.execute("CREATE ROLE gonogo_poor; SET ROLE gonogo_poor")
        with pytest.raises(Problem) as caught:
            await register.may(conn)
        assert words in caught.value.advice
        await conn.execute("RESET ROLE")
        if prepare:
            await conn.execute(caught.value.advice.partition("run: ")[2].partition(" Or leave")[0].encode())
            await conn.execute("SET ROLE gonogo_poor")
            await register.make(conn)
            assert await register.may(conn) == "gonogo.register is there"
            await register.write(conn, WHO, "1", "sum", "row", "started")
    finally:
        await conn.execute("RESET ROLE; DROP OWNED BY gonogo_poor; DROP ROLE gonogo_poor")
        await conn.close()


WHOSE = Whose(SESSION, "here", "ana@example.org", "bastion-1", "CHG-1")


async def test_heads_are_kept_beside_the_register_and_read_back(bench: Bench) -> None:
    async with await bench.target.open("read", application_name="test") as conn:
        with pytest.raises(Problem, match="not there"):
            await heads.write(conn, WHOSE, "go", 7, "ab" * 32)
        await register.make(conn)
        await heads.write(conn, WHOSE, "go", 7, "ab" * 32)
        kept = await heads.read(conn)
    assert [(k.session, k.environment, k.host, k.why, k.seq, k.head) for k in kept] == [
        (SESSION, "here", "bastion-1", "go", 7, "ab" * 32)
    ]


async def test_a_register_without_heads_gets_them(bench: Bench) -> None:
    async with await bench.target.open("read", application_name="test") as conn:
        await register.TABLE.make(conn)
        await register.make(conn)
        await heads.write(conn, WHOSE, "end", 8, "cd" * 32)
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
            await conn.execute("UPDATE gonogo.heads SET seq = 9")


async def test_a_line_reaches_the_log_of_a_server_with_its_usual_settings(
    bench: Bench, server: ThrowawayServer
) -> None:
    """What only a superuser sets is as it came; the name that the connection bears is in no line of the log."""
    line = "gonogo: it's 7:" + "ab" * 32 + " \\ $$ %"
    async with await bench.target.open("read", application_name="gonogo-by-name") as conn:
        await write_to_log(conn, line)
        ahead, within = await clock_ahead(conn)
        await conn.execute("SET log_min_messages = fatal")
        with pytest.raises(Problem, match="log_min_messages"):
            await write_to_log(conn, line)
    logged = (server.folder / "server.log").read_text()
    assert f"LOG:  {line}\n" in logged and "gonogo-by-name" not in logged
    assert abs(ahead) <= within + 1000, "it is one machine"
