"""Applying: what the ledger and the catalog hold afterwards, whatever a script or the world does."""

import asyncio
import re
from hashlib import sha256

import psycopg
import pytest

from migrations.apply import ScriptFailed
from migrations.apply import events as e
from migrations.apply.sending import Timeouts
from migrations.problem import Problem, Unavailable
from tests.migrations.applying import Bench, until
from tests.migrations.proxy import holding


async def test_the_ledger_is_what_prisma_leaves(database: str) -> None:
    bench = Bench(database)
    text = "CREATE TABLE a (id int);\nINSERT INTO a VALUES (1), (2);\n"
    result = await bench.apply({"1_a": text, "2_empty": "-- nothing\n"})
    assert [(done.name, done.statements) for done in result.scripts] == [("1_a", 2), ("2_empty", 0)]
    rows = await bench.query(
        "SELECT id, checksum, migration_name, logs, rolled_back_at, applied_steps_count, "
        "started_at <= finished_at, finished_at <= now() FROM _prisma_migrations ORDER BY started_at"
    )
    assert [row[1:] for row in rows] == [
        (sha256(text.encode()).hexdigest(), "1_a", None, None, 1, True, True),
        (sha256(b"-- nothing\n").hexdigest(), "2_empty", None, None, 1, True, True),
    ]
    assert all(
        re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", row[0]) for row in rows
    )
    columns = await bench.query(
        "SELECT column_name, data_type, character_maximum_length, is_nullable, column_default "
        "FROM information_schema.columns WHERE table_name = '_prisma_migrations' ORDER BY ordinal_position"
    )
    assert columns == [
        ("id", "character varying", 36, "NO", None),
        ("checksum", "character varying", 64, "NO", None),
        ("finished_at", "timestamp with time zone", None, "YES", None),
        ("migration_name", "character varying", 255, "NO", None),
        ("logs", "text", None, "YES", None),
        ("rolled_back_at", "timestamp with time zone", None, "YES", None),
        ("started_at", "timestamp with time zone", None, "NO", "now()"),
        ("applied_steps_count", "integer", None, "NO", "0"),
    ]
    assert await bench.value("SELECT count(*) FROM a") == 2
    assert [(s.rows, s.tag) for s in bench.told(e.StatementEnded)] == [(-1, "CREATE TABLE"), (2, "INSERT 0 2")]
    assert await bench.backends() == 0


async def test_a_failing_statement_takes_its_script_with_it(database: str) -> None:
    bench = Bench(database)
    text = "CREATE TABLE b (id int);\n\nSELECT 'ä',\n  nope FROM b;\nCREATE TABLE c ();"
    with pytest.raises(ScriptFailed) as caught:
        await bench.apply({"1_a": "CREATE TABLE a ()", "2_b": text, "3_c": "CREATE TABLE d ()"})
    failed = caught.value
    assert (failed.name, failed.place.statement, failed.place.line, failed.code) == ("2_b", 1, 4, "42703")
    assert failed.place.caret == "LINE 4:   nope FROM b;\n          ^"
    assert failed.known and failed.through == 0
    assert "Nothing of this script is committed." in str(failed)
    assert await bench.rows() == [("1_a", "applied", 1), ("2_b", "failed", 0)]
    logs = await bench.value("SELECT logs FROM _prisma_migrations WHERE migration_name = '2_b'")
    assert "Migration name: 2_b\n\nDatabase error code: 42703\n\nDatabase error:\nERROR: column" in logs
    assert await bench.query("SELECT to_regclass('a'), to_regclass('b'), to_regclass('d')") == [("a", None, None)]


async def test_concurrently_among_others_runs_in_pieces(database: str) -> None:
    bench = Bench(database)
    text = (
        "CREATE TABLE t (a int); INSERT INTO t VALUES (1);\n"
        "CREATE INDEX CONCURRENTLY t_a ON t (a);\nALTER TABLE t ADD COLUMN b int;"
    )
    await bench.apply({"1": text})
    assert await bench.rows() == [("1", "applied", 1)]
    assert await bench.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 't_a'::regclass")
    commits = [(c.through, c.finishing) for c in bench.told(e.Committing)]
    assert commits == [(2, False), (4, True)]


async def test_the_files_own_transactions_stay_its_own(database: str) -> None:
    bench = Bench(database)
    await bench.apply({"1": "BEGIN;\nCREATE TABLE a ();\nCOMMIT;\nBEGIN;\nCREATE TABLE b ();\nCOMMIT;\n"})
    assert await bench.rows() == [("1", "applied", 1)]
    assert [(c.through, c.finishing) for c in bench.told(e.Committing)] == [(3, False), (6, True)]
    with pytest.raises(ScriptFailed) as caught:
        await bench.apply({"2": "BEGIN; CREATE TABLE c (); COMMIT; BEGIN; CREATE TABLE d (); SELECT 1/0; COMMIT;"})
    assert (caught.value.through, caught.value.place.statement) == (3, 5)
    assert await bench.query("SELECT to_regclass('c'), to_regclass('d')") == [("c", None)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("BEGIN;\nCREATE TABLE a ();\n", "never committed"),
        ("CREATE TABLE a ();\nROLLBACK;", "takes back"),
        ("CREATE TABEL a ();", "cannot be read"),
        ("COPY a FROM STDIN;\n", "COPY"),
    ],
)
async def test_what_would_lose_or_mislead_is_refused_before_the_first_byte(
    database: str, text: str, words: str
) -> None:
    bench = Bench(database)
    with pytest.raises(Problem, match=words):
        await bench.apply({"1": "CREATE TABLE b ()", "2": text})
    assert await bench.value("SELECT to_regclass('_prisma_migrations')") is None


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("CREATE TABLE b ();", False),
        (r"SELECT 'a\b';", True),
        ("CREATE TABLE b (i int); CREATE INDEX CONCURRENTLY x ON b (i);", True),
    ],
)
async def test_a_server_that_reads_backslashes_otherwise_gets_nothing_that_could_be_cut_otherwise(
    database: str, text: str, refused: bool
) -> None:
    bench = Bench(database)
    await bench.query(f"ALTER DATABASE {bench.target.url.database} SET standard_conforming_strings = off")
    if not refused:
        await bench.apply({"1": "CREATE TABLE a ();", "2": text})
        return
    with pytest.raises(Problem, match=r"in 2\. Nothing was sent") as caught:
        await bench.apply({"1": "CREATE TABLE a ();", "2": text})
    assert "standard_conforming_strings = on" in caught.value.advice
    assert await bench.value("SELECT to_regclass('_prisma_migrations')") is None


LEAKS = {
    "role": "CREATE ROLE {0} NOLOGIN; GRANT ALL ON SCHEMA public TO {0}; SET ROLE {0}; CREATE TABLE leak ();",
    "authorization": "CREATE ROLE {0} NOLOGIN; GRANT ALL ON SCHEMA public TO {0}; "
    "SET SESSION AUTHORIZATION {0}; CREATE TABLE leak ();",
    "search_path": "SELECT pg_catalog.set_config('search_path', '', false); CREATE TABLE public.leak ();",
    "timeouts": "SET statement_timeout = '1h'; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0; "
    "CREATE TABLE leak ();",
    "tight timeouts": "CREATE TABLE leak (); SET LOCAL statement_timeout = 1;",
    "read only": "CREATE TABLE leak (); SET TRANSACTION READ ONLY;",
    "isolation": "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; CREATE TABLE leak ();",
    "encoding": "SET client_encoding = 'LATIN1'; CREATE TABLE leak ();",
    "temporary": "CREATE TEMPORARY TABLE t (); CREATE TABLE leak (); PREPARE x AS SELECT 1; LISTEN y;",
}


@pytest.mark.parametrize("leak", LEAKS)
async def test_nothing_that_a_script_leaves_reaches_the_ledger_or_the_next_script(database: str, leak: str) -> None:
    bench = Bench(database)
    role = f"gonogo_leak_{abs(hash(database)) % 100_000}"
    look = (
        "CREATE TABLE seen AS SELECT current_user AS me, session_user AS us, "
        + ", ".join(
            f"current_setting('{name}') AS {name}"
            for name in ("search_path", "lock_timeout", "statement_timeout", "client_encoding", "transaction_read_only")
        )
        + ", to_regclass('t') AS temporary, (SELECT count(*) FROM pg_prepared_statements) AS prepared, 'ä' AS letter"
    )
    try:
        await bench.apply({"1_leak": LEAKS[leak].format(role), "2_look": look})
        assert await bench.rows() == [("1_leak", "applied", 1), ("2_look", "applied", 1)]
        (seen,) = await bench.query("SELECT * FROM seen")
        user = bench.target.url.user
        assert seen == (user, user, '"$user", public', "2s", "20s", "UTF8", "off", None, 0, "ä")
        assert await bench.value("SELECT to_regclass('leak')") == "leak"
    finally:
        await bench.query(f"DO $$ BEGIN IF to_regrole('{role}') IS NOT NULL THEN DROP OWNED BY {role}; END IF; END $$")
        await bench.query(f"DROP ROLE IF EXISTS {role}")


async def test_a_tight_timeout_does_not_reach_the_ledgers_last_word(database: str) -> None:
    bench = Bench(database)
    slow = (
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.3); RETURN NEW; END';"
        "CREATE TRIGGER slow BEFORE UPDATE ON _prisma_migrations FOR EACH ROW EXECUTE FUNCTION slow();"
        "SET LOCAL statement_timeout = '50ms';"
    )
    await bench.apply({"1": slow})
    assert await bench.rows() == [("1", "applied", 1)]


async def test_the_roles_own_default_role_holds_for_each_script(database: str) -> None:
    bench = Bench(database)
    await bench.query("CREATE ROLE gonogo_owner; CREATE ROLE gonogo_login LOGIN PASSWORD 'x' IN ROLE gonogo_owner")
    try:
        await bench.query(
            "ALTER ROLE gonogo_login SET role = 'gonogo_owner'; GRANT ALL ON SCHEMA public TO gonogo_owner"
        )
        _, _, place = database.partition("@")
        login = Bench(f"postgresql://gonogo_login:x@{place}")
        await login.apply({"1": "CREATE TABLE a ()", "2": "SET ROLE NONE; VACUUM a;", "3": "CREATE TABLE b ()"})
        owners = await bench.query("SELECT relowner::regrole::text FROM pg_class WHERE relname IN ('a', 'b')")
        assert owners == [("gonogo_owner",), ("gonogo_owner",)]
    finally:
        await bench.query("DROP OWNED BY gonogo_owner, gonogo_login; DROP ROLE gonogo_login, gonogo_owner")


async def test_a_concurrent_build_waits_for_old_transactions_longer_than_for_a_lock(database: str) -> None:
    bench = Bench(database)
    await bench.apply({"1": "CREATE TABLE t (a int)"})
    waited = "query_start < clock_timestamp() - interval '700 ms' AND wait_event_type = 'Lock'"
    async with await psycopg.AsyncConnection.connect(database) as holder:
        await holder.execute("INSERT INTO t VALUES (1)")
        script = {
            "2": "CREATE INDEX CONCURRENTLY t_a ON t (a); CREATE TABLE s AS SELECT current_setting('lock_timeout');"
        }
        task = asyncio.ensure_future(bench.apply(script, timeouts=Timeouts(lock=200)))
        await until(
            lambda: bench.value(f"SELECT count(*) FROM pg_stat_activity WHERE query ~ '^CREATE IND' AND {waited}")
        )
        await holder.rollback()
        await task
    assert await bench.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 't_a'::regclass")
    assert await bench.query("SELECT * FROM s") == [("200ms",)], "afterwards the lock timeout is in force again"
    assert any(running.queue.ours for running in bench.told(e.Running))


async def test_a_script_may_lower_a_timeout_and_never_raise_one(database: str) -> None:
    bench = Bench(database)
    text = (
        "SET lock_timeout = 0; CREATE TABLE s AS SELECT current_setting('lock_timeout') AS a;"
        "SET lock_timeout = '1s'; INSERT INTO s SELECT current_setting('lock_timeout');"
    )
    await bench.apply({"1": text})
    assert await bench.query("SELECT a FROM s") == [("2s",), ("1s",)]
    assert any("lock_timeout to 0" in notice.text for notice in bench.told(e.Notice))


async def test_notices_are_told(database: str) -> None:
    bench = Bench(database)
    await bench.apply({"1": "DROP TABLE IF EXISTS nope; CREATE TABLE a ();"})
    assert [(n.severity, n.text) for n in bench.told(e.Notice)] == [("NOTICE", 'table "nope" does not exist, skipping')]


async def test_a_held_lock_ends_the_wait_and_names_the_holder(database: str) -> None:
    bench = Bench(database)
    await bench.query("CREATE TABLE t ()")
    await bench.query("CREATE TABLE _prisma_migrations_other ()")
    bench = Bench(f"{database}&schema=app")
    async with await psycopg.AsyncConnection.connect(database, application_name="nightly") as holder:
        await holder.execute("LOCK TABLE public.t")
        with pytest.raises(ScriptFailed) as caught:
            await bench.apply({"1": "ALTER TABLE public.t ADD COLUMN a int"}, timeouts=Timeouts(lock=900))
    assert caught.value.code == "55P03"
    assert "nightly" in caught.value.advice
    assert await bench.rows() == [("1", "failed", 0)]


async def test_a_cancel_that_came_before_its_statement_is_sent_again(database: str) -> None:
    async with holding(database, b"SELECT pg_sleep(") as (through, proxy):
        bench = Bench(through)
        bench.plain = database
        task = asyncio.ensure_future(bench.apply({"1": "SELECT pg_sleep(60)"}, timeouts=Timeouts(statement=0)))
        await proxy.seen.wait()
        task.cancel()
        cancelled = "query ~ '^SELECT pg_catalog.pg_cancel_backend' AND state = 'idle'"
        await until(lambda: bench.value(f"SELECT count(*) FROM pg_stat_activity WHERE {cancelled}"))
        proxy.release.set()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 30)


async def test_a_cancel_never_reaches_a_commit(database: str) -> None:
    """The trigger makes COMMIT slow; the cancel arrives in the middle of it, and comes too late."""
    bench = Bench(database)
    slow = (
        "CREATE TABLE t (a int);"
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(1.5); RETURN NULL; END';"
        "CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION slow();"
    )
    await bench.apply({"1": slow})
    task = asyncio.ensure_future(bench.apply({"2": "INSERT INTO t VALUES (1)"}))
    active = "SELECT count(*) FROM pg_stat_activity WHERE query = 'COMMIT' AND state = 'active'"
    await until(lambda: bench.value(active))
    task.cancel()
    result = await task
    assert [done.name for done in result.scripts] == ["2"]
    assert (await bench.rows())[1] == ("2", "applied", 1)


async def test_a_full_database_without_a_ledger_is_not_touched(database: str) -> None:
    bench = Bench(database)
    await bench.query("CREATE TABLE old ()")
    with pytest.raises(Problem) as caught:
        await bench.apply({"1": "CREATE TABLE a ()"})
    assert caught.value.code == "P3005"
    assert await bench.value("SELECT to_regclass('_prisma_migrations')") is None


async def test_a_script_that_is_not_the_reviewed_one_is_refused(database: str) -> None:
    from migrations.apply import prepare

    with pytest.raises(Problem, match="checksum"):
        await prepare("1", "SELECT 1", "0" * 64)


async def test_the_schema_of_the_url_holds_for_scripts_and_ledger(database: str) -> None:
    bench = Bench(f"{database}&schema=My%20App")
    await bench.apply({"1": "CREATE TABLE a (); SET search_path = public;", "2": "CREATE TABLE b ()"})
    found = await bench.query(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = '\"My App\"'::regnamespace ORDER BY 1"
    )
    assert found == [("_prisma_migrations",), ("a",), ("b",)]


async def test_stopping_finishes_the_script(database: str) -> None:
    bench = Bench(database)
    asked = iter([False, True])
    result = await bench.apply({"1": "CREATE TABLE a ()", "2": "CREATE TABLE b ()"}, stop_asked=lambda: next(asked))
    assert ([done.name for done in result.scripts], result.stopped) == (["1"], True)


async def test_a_server_that_is_gone_is_said_to_be(database: str) -> None:
    bench = Bench(database)
    kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name ~ 'gonogo'"

    async def on(event: e.ApplyEvent) -> None:
        if isinstance(event, e.ScriptEnded):
            await bench.query(kill)

    bench.on = on
    with pytest.raises(Unavailable, match="was lost"):
        await bench.apply({"1": "CREATE TABLE a ()", "2": "CREATE TABLE b ()"})
    assert await bench.rows() == [("1", "applied", 1)]


async def test_a_database_that_may_not_be_written_is_told_in_words(database: str) -> None:
    bench = Bench(database)
    await bench.query(f"ALTER DATABASE {bench.target.url.database} SET default_transaction_read_only = on")
    with pytest.raises(Problem, match="read-only transaction") as caught:
        await bench.apply({"1": "CREATE TABLE a ()"})
    assert caught.value.code == "25006"
