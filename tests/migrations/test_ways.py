"""Each way to run a script against what Prisma does with it, on a second database: the same end, the same schema."""

from collections.abc import Callable
from typing import get_args

import psycopg
import pytest

from migrations import ledger
from migrations.apply import ScriptFailed
from migrations.problem import Problem
from migrations.sql import Way, execution_model, read_script
from tests.migrations.applying import Bench

BEFORE = """
CREATE TABLE t (c int); INSERT INTO t VALUES (1), (1); CREATE INDEX old ON t (c);
CREATE TYPE e AS ENUM ('a'); CREATE TABLE moods (c e);
CREATE PROCEDURE commits() LANGUAGE plpgsql AS 'BEGIN INSERT INTO t VALUES (7); COMMIT; INSERT INTO t VALUES (8); END';
"""
OBJECTS = """
SELECT relname || ' ' || relkind::text || coalesce(' ' || indisvalid, '')
FROM pg_class LEFT JOIN pg_index ON indexrelid = oid WHERE relnamespace = 'public'::regnamespace
AND relname !~ '_prisma_migrations' UNION ALL SELECT attrelid::regclass || '.' || attname FROM pg_attribute
WHERE attnum > 0 AND attrelid IN ('t'::regclass, 'moods'::regclass)
UNION ALL SELECT enumlabel FROM pg_enum UNION ALL SELECT 'row ' || c FROM t UNION ALL SELECT 'mood ' || c FROM moods
ORDER BY 1
"""

SCRIPTS = {
    "all is well": "CREATE TABLE a (); ALTER TABLE t ADD COLUMN d int; CREATE INDEX i ON t (d);",
    "the third statement fails": "CREATE TABLE a ();\nCREATE TABLE b ();\nSELECT nope;\nCREATE TABLE c ();",
    "concurrently alone": "-- why\nCREATE INDEX CONCURRENTLY i ON t (c);\n",
    "concurrently among others": "CREATE TABLE a ();\nCREATE INDEX CONCURRENTLY i ON t (c);\nCREATE TABLE b ();",
    "concurrently after COMMIT": "CREATE TABLE a ();\nCOMMIT;\nCREATE INDEX CONCURRENTLY i ON t (c);",
    "dropped concurrently, alone": "DROP INDEX CONCURRENTLY old;",
    "dropped concurrently, among others": "CREATE TABLE a ();\nDROP INDEX CONCURRENTLY old;",
    "a new enum value is used": "ALTER TYPE e ADD VALUE 'b';\nINSERT INTO moods VALUES ('b');",
    "a new enum value is not used": "ALTER TYPE e ADD VALUE 'b';\nCREATE TABLE a ();",
    "SET LOCAL": "SET LOCAL search_path = pg_temp, public;\nCREATE TABLE a ();",
    "its own transaction": "BEGIN;\nCREATE TABLE a ();\nCOMMIT;\nCREATE TABLE b ();\nSELECT 1/0;",
    "its own transaction fails": "CREATE TABLE a ();\nBEGIN;\nCREATE TABLE b ();\nSELECT 1/0;\nCOMMIT;",
    "its own transactions": "BEGIN;\nCREATE TABLE a ();\nCOMMIT;\nBEGIN;\nCREATE TABLE b ();\nCOMMIT;\n-- the end",
    "COMMIT AND CHAIN": "BEGIN;\nCREATE TABLE a ();\nCOMMIT AND CHAIN;\nCREATE TABLE b ();\nSELECT 1/0;\nCOMMIT;",
    "COMMIT without BEGIN": "CREATE TABLE a ();\nCOMMIT;\nCREATE TABLE b ();\nSELECT 1/0;",
    "a second COMMIT": "BEGIN; CREATE TABLE a (); COMMIT; COMMIT;",
    "ROLLBACK without BEGIN": "CREATE TABLE a ();\nROLLBACK;\nCREATE TABLE b ();",
    "ROLLBACK of its own": "BEGIN; CREATE TABLE a (); ROLLBACK; CREATE TABLE b ();",
    "BEGIN without COMMIT": "BEGIN;\nCREATE TABLE a ();",
    "a transaction begun twice": "BEGIN; BEGIN; CREATE TABLE a (); COMMIT;",
    "concurrently inside its own": "BEGIN; CREATE INDEX CONCURRENTLY i ON t (c); COMMIT;",
    "DO": "CREATE TABLE a ();\nDO $$ BEGIN CREATE TABLE b (); END $$;\nSELECT 1/0;",
    "DO that commits, alone": "DO $$ BEGIN CREATE TABLE a (); COMMIT; PERFORM 1/0; END $$;",
    "DO that commits, among others": "CREATE TABLE a ();\nDO $$ BEGIN COMMIT; END $$;",
    "a call that commits, alone": "CALL commits();",
    "a call that commits, among others": "CREATE TABLE a ();\nCALL commits();",
    "LOCK TABLE": "LOCK TABLE t;\nCREATE TABLE a ();",
    "LOCK TABLE alone": "LOCK TABLE t",
    "VACUUM": "VACUUM t;",
    "SAVEPOINT": "SAVEPOINT s;\nCREATE TABLE a ();\nROLLBACK TO s;\nCREATE TABLE b ();",
    "SET TRANSACTION first": "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;\nCREATE TABLE a ();",
    "the search_path is left": "SELECT pg_catalog.set_config('search_path', '', false);\nCREATE TABLE public.a ();",
    "the role is left": "SET ROLE pg_database_owner;\nCREATE TABLE a ();",
    "timeouts are left": "SET statement_timeout = 1;\nSET lock_timeout = 1;",
    "isolation and read only": "CREATE TABLE a ();\nSET default_transaction_read_only = on;",
    "empty": "-- nothing\n",
    "not parseable": "CREATE TABEL a ();",
    "a byte order mark": "\ufeffCREATE TABLE a ();",
    "a deferred constraint": "CREATE TABLE p (c int PRIMARY KEY); CREATE TABLE a ();\n"
    "CREATE TABLE f (c int REFERENCES p INITIALLY DEFERRED); INSERT INTO f VALUES (1);",
    "a unique index on twins": "CREATE TABLE a ();\nCREATE UNIQUE INDEX i ON t (c);",
    "it ends its session": "CREATE TEMPORARY TABLE x ON COMMIT DROP AS SELECT 1;\nTABLE x;",
}
REFUSED = {"BEGIN without COMMIT", "not parseable", "a byte order mark", "concurrently inside its own"}
"""By every way: Prisma stops there too, or loses all of it."""
REFUSED_BY_SAFE = {*REFUSED, "ROLLBACK without BEGIN"}
SAFER = {
    "concurrently among others",
    "concurrently after COMMIT",
    "dropped concurrently, among others",
    "a new enum value is used",
    "DO that commits, among others",
}
"""Where Prisma stops, and the safe way gets through, in pieces."""
IN_TRANSACTION = {"SAVEPOINT", "LOCK TABLE alone"}
"""Where Prisma stops, because it begins no transaction."""


def prisma(url: str, text: str, way: Way) -> str:
    """Send a script as Prisma does. Returns the server's code, or nothing; what it leaves open is lost."""
    script = read_script(text)
    whole = way == "prisma-7.3" or bool(script.error) or execution_model(script, way).kind != "split"
    return sent(url, [text] if whole else [statement.text for statement in script.statements])


def sent(url: str, parts: list[str]) -> str:
    """The server's code for the first of these queries that fails."""
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
        for part in parts:
            try:
                connection.execute(part.encode())
            except psycopg.Error as error:
                return error.sqlstate or "?"
    return ""


async def gonogo(bench: Bench, name: str, way: Way) -> str:
    """Run a script by gonogo. Returns the server's code, nothing, or `refused`."""
    try:
        await bench.apply({"1": SCRIPTS[name]}, way)
    except ScriptFailed as failed:
        assert failed.known or name == "DO that commits, alone"
        return failed.code
    except Problem as problem:
        assert problem.advice
        return "refused"
    return ""


async def anew(*urls: str) -> None:
    """The same beginning, with a ledger of its own, in each."""
    for url in urls:
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
            await connection.execute(BEFORE)
            await ledger.create(connection)


Ending = tuple[str, list[tuple[str, str, int]], list[tuple[str]]]


async def ending(url: str, code: str, rows: list[tuple[str, str, int]]) -> Ending:
    return code, rows, await Bench(url).query(OBJECTS)


OFTEN = [name for n, name in enumerate(SCRIPTS) if n % 3 == 2 or name in SAFER | IN_TRANSACTION | REFUSED_BY_SAFE]
"""By the safe way: some, and what ends otherwise by it."""


@pytest.mark.parametrize(
    ("way", "names"),
    [
        pytest.param("safe", OFTEN, id="safe"),
        *(pytest.param(way, [*SCRIPTS], id=f"{way}-all", marks=pytest.mark.soak) for way in get_args(Way)),
    ],
)
async def test_each_script_ends_as_it_does_with_prisma(
    databases: Callable[..., str], way: Way, names: list[str]
) -> None:
    ours, theirs = databases(), databases()
    found, expected = dict[str, Ending](), dict[str, Ending]()
    for name in names:
        text = SCRIPTS[name]
        await anew(ours, theirs)
        bench = Bench(ours)
        code = await gonogo(bench, name, way)
        found[name] = await ending(ours, code, await bench.rows())
        if name in (REFUSED_BY_SAFE if way == "safe" else REFUSED):
            expected[name] = await ending(theirs, "refused", [])
            continue
        if way == "safe" and name in IN_TRANSACTION:
            code = sent(theirs, ["BEGIN", text, "COMMIT"])
        elif way == "safe" and name in SAFER:
            code = sent(theirs, [statement.text for statement in read_script(text).statements])
        else:
            code = prisma(theirs, text, "prisma-7.3" if way == "safe" else way)
        expected[name] = await ending(theirs, code, [("1", "failed", 0) if code else ("1", "applied", 1)])
    assert found == expected
