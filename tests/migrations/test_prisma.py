"""What Prisma would do with a script, in words, and what a failure leaves committed."""

import pytest

from migrations.sql import Way, execution_model, read_script
from migrations.sql.prisma import unread

READ = (
    "CREATE TABLE t (excluded int, storage int)",
    "INSERT INTO t VALUES ('DROP INDEX CONCURRENTLY i') ON CONFLICT (c) DO UPDATE SET c = excluded.c",
    "CREATE INDEX CONCURRENTLY i ON t (c) -- REINDEX",
    "CREATE SEQUENCE s INCREMENT 1 START 1",
    "VACUUM t",
    "ALTER TABLE t ALTER COLUMN c SET DEFAULT 'x SET STORAGE'",
    "COMMENT ON TABLE t IS 'x'",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$",
    "SELECT 'a' /* LOCK */",
    "COMMIT",
)
UNREAD = {
    "DO $$ BEGIN END $$": "DO",
    "do language plpgsql 'BEGIN END'": "DO",
    "DROP INDEX CONCURRENTLY i": "DROP INDEX CONCURRENTLY",
    "REINDEX TABLE t": "REINDEX",
    "REFRESH MATERIALIZED VIEW m": "REFRESH",
    "-- why\nLOCK TABLE t": "LOCK",
    "CLUSTER t USING i": "CLUSTER",
    "VACUUM (ANALYZE) t": "VACUUM (…)",
    "ALTER SEQUENCE s RESTART": "ALTER SEQUENCE",
    "CREATE SEQUENCE s START 1 INCREMENT 1": "START … INCREMENT",
    "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO r": "ALTER DEFAULT PRIVILEGES",
    "ALTER TABLE t ADD PRIMARY KEY USING INDEX i": "USING INDEX",
    "ALTER TABLE t ADD EXCLUDE USING gist (c WITH &&)": "EXCLUDE",
    "ALTER TABLE t ATTACH PARTITION p DEFAULT": "ATTACH PARTITION",
    "COMMENT ON FUNCTION f() IS 'x'": "COMMENT ON FUNCTION",
    "CREATE OR REPLACE RULE r AS ON INSERT TO t DO NOTHING": "CREATE RULE",
    "CREATE PUBLICATION p": "CREATE PUBLICATION",
    "CREATE STATISTICS s ON a, b FROM t": "CREATE STATISTICS",
    "CREATE AGGREGATE a (int) (sfunc = f, stype = int)": "CREATE AGGREGATE",
    "ALTER TABLE t SET SCHEMA s": "SET SCHEMA",
    "ALTER TABLE t ALTER c SET STORAGE plain": "SET STORAGE",
    "ALTER TABLE t ALTER c SET STATISTICS 1": "SET STATISTICS",
}


@pytest.mark.parametrize("text", READ)
def test_what_its_parser_reads(text: str) -> None:
    script = read_script(text)
    assert script.error is None
    assert unread(script.statements) is None


@pytest.mark.parametrize("text", UNREAD)
def test_what_its_parser_does_not_read(text: str) -> None:
    script = read_script(f"SELECT 1; {text}")
    assert script.error is None
    assert unread(script.statements) == (script.statements[1], UNREAD[text])


BY_ITSELF = "each statement is committed by itself: from line 2 on a failure keeps those before"
EACH = "Prisma from 7.4 on commits each statement by itself: a failure keeps those before"
ALONE = "this cannot be in one transaction with others (25001)"
CIC = "SELECT 1;\nCREATE INDEX CONCURRENTLY i ON t (c);\nSELECT 2;\nSELECT 3"


@pytest.mark.parametrize(
    ("way", "text", "kept", "prisma"),
    [
        ("safe", "SELECT 1", "", ""),
        ("safe", "BEGIN; SELECT 1; SELECT 2; COMMIT", "", ""),
        ("safe", "SELECT 1; SELECT 2", "", EACH),
        ("safe", "SELECT 1; DO $$ BEGIN END $$", "", ""),
        ("safe", "SET LOCAL lock_timeout = 1; SELECT 2", "", EACH.replace(":", ", where SET LOCAL has no effect:")),
        ("safe", CIC, "a failure keeps from line 2 on statement 1, from line 3 on statements 1 to 2",
         f"Prisma up to 7.3 stops at line 2: {ALONE}. {EACH}"),
        ("safe", "SELECT 1;\nDROP INDEX CONCURRENTLY i", BY_ITSELF, f"Prisma stops at line 2: {ALONE}"),
        ("safe", "ALTER TYPE e ADD VALUE 'v';\nUPDATE t SET c = 'v'", BY_ITSELF,
         "Prisma up to 7.3 stops at line 2: a new enum value is used before it is committed (55P04)"),
        ("safe", "CALL p()", "what it commits in its middle stays if it fails after that", ""),
        ("safe", "SET search_path = ''", "",
         "Prisma would look for its ledger along the search_path that is left behind"),
        ("safe", "SET search_path = ''; RESET search_path", "", EACH),
        ("safe", "DO $$ BEGIN END $$; SET ROLE r", "",
         "Prisma would write its ledger as the role that is left behind"),
        ("safe", "SET statement_timeout = 1", "",
         "Prisma would keep this statement_timeout for the migrations after it"),
        ("prisma-7.3", "SELECT 1; SELECT 2", "", EACH),
        ("prisma-7.3", "SELECT 1;\nCOMMIT;\nSELECT 2", "a failure keeps from line 3 on statements 1 to 2", EACH),
        ("prisma-7.4", "SELECT 1;\nSELECT 2", BY_ITSELF,
         "Prisma up to 7.3 sends all of it as one query, of which a failure keeps nothing"),
        ("prisma-7.4", "SELECT 1;\nDO $$ BEGIN END $$", "", ""),
        ("prisma-7.4", CIC, BY_ITSELF,
         f"Prisma up to 7.3 stops at line 2: {ALONE}"),
    ],
)  # fmt: skip
def test_what_is_said_of_a_run(way: Way, text: str, kept: str, prisma: str) -> None:
    model = execution_model(read_script(text), way)
    assert (model.kept, model.prisma) == (kept, prisma)


@pytest.mark.parametrize(
    ("way", "text", "words"),
    [
        ("prisma-7.3", "SELECT 1", "all of it as one query, as Prisma does"),
        ("prisma-7.3", CIC, f"as Prisma does; it will stop at line 2: {ALONE}"),
        ("prisma-7.4", "SELECT 1;\nLOCK t", "as one query, as Prisma does: its parser does not read line 2 (LOCK)"),
        ("prisma-7.4", CIC, "statement by statement, as Prisma does from 7.4 on"),
    ],
)
def test_why_it_is_run_so(way: Way, text: str, words: str) -> None:
    assert words in execution_model(read_script(text), way).words
