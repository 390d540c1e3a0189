"""What a verify.sql may ask, and what comes of it on a real server."""

from datetime import timedelta

import psycopg
import pytest

from migrations.verify_sql import Claim, came_instead, read_claims

TIMEOUT = timedelta(seconds=20)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT true",
        "VALUES (true)",
        "WITH a AS (SELECT 1) SELECT count(*) = 1 FROM a; SELECT own_function()",
        "TABLE t",
    ],
)
def test_what_can_be_asked(text: str) -> None:
    assert read_claims(text.encode()).wrong == ()


@pytest.mark.parametrize(
    "text, line, words",
    [
        ("DELETE FROM t", 1, "only a SELECT"),
        ("SELECT true;\nWITH d AS (DELETE FROM t RETURNING 1) SELECT true FROM d", 2, "only a SELECT"),
        ("SELECT 1 INTO x", 1, "only a SELECT"),
        ("SELECT true; COMMIT", 1, "only a SELECT"),
        ("DO $$ BEGIN END $$", 1, "only a SELECT"),
        ("SELECT set_config('a.b', 'c', false)", 1, "only a SELECT"),
        ("EXPLAIN SELECT 1", 1, "only a SELECT"),
        ("SELECT true FROM t FOR UPDATE", 1, "it locks rows"),
        ("SELECT true;\nSELEC", 2, "it cannot be read"),
        ("-- nothing", 1, "there is no statement in it"),
        ("\ufeffSELECT true", 1, "a byte order mark"),
    ],
)
def test_what_cannot_be_asked(text: str, line: int, words: str) -> None:
    (wrong,) = read_claims(text.encode()).wrong
    assert (wrong.line, words in wrong.words) == (line, True)


@pytest.mark.parametrize(
    "query, came",
    [
        ("SELECT true", ""),
        ("SELECT count(*) = 3 FROM t -- all of them", ""),
        ("SELECT count(*) = 4 FROM t", "false"),
        ("SELECT NULL::boolean", "NULL"),
        ("SELECT true WHERE false", "no row"),
        ("SELECT true FROM t", "more than one row"),
        ("SELECT true, true", "2 columns, where one is to be true"),
        ("SELECT", "0 columns, where one is to be true"),
        ("SELECT 't'::text", "t, which is no boolean"),
        ("SELECT 1", "1, which is no boolean"),
        ("SELECT 1 / 0 = 1", "an error: division by zero (22012)"),
        ("SELECT true FROM gone", 'an error: relation "gone" does not exist (42P01)'),
        ("SELECT writes()", "an error: cannot execute DELETE in a read-only transaction (25006)"),
        (
            "SELECT true; COMMIT; DELETE FROM t",
            "an error: cannot insert multiple commands into a prepared statement (42601)",
        ),
    ],
)
async def test_what_comes_instead_of_true(database: str, query: str, came: str) -> None:
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as conn:
        await conn.execute(
            """CREATE TABLE t (x int); INSERT INTO t VALUES (1), (2), (3);
            CREATE FUNCTION writes() RETURNS boolean LANGUAGE sql AS 'DELETE FROM t; SELECT true'"""
        )
        assert await came_instead(conn, Claim(1, query), timeout=TIMEOUT) == came
        assert await came_instead(conn, Claim(1, "SELECT count(*) = 3 FROM t"), timeout=TIMEOUT) == ""


async def test_it_has_only_so_much_time(database: str) -> None:
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as conn:
        came = await came_instead(conn, Claim(1, "SELECT pg_sleep(60) IS NULL"), timeout=timedelta(milliseconds=50))
        assert came == "no answer within 0.05 s (57014)"
        assert await came_instead(conn, Claim(1, "SELECT true"), timeout=TIMEOUT) == ""
