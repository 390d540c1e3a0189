"""How a script can be run; where the server can tell, it is asked."""

import psycopg
import pytest

from migrations.sql import execution_model, read_script


@pytest.mark.parametrize(
    ("text", "kind", "pieces", "words"),
    [
        ("CREATE TABLE t (); CREATE INDEX ON t ((1))", "transaction", [[0, 1]], "together with the ledger"),
        ("SET TRANSACTION READ WRITE; SELECT 1", "transaction", [[0, 1]], ""),
        ("DO $$ BEGIN CREATE TYPE x AS ENUM (); END $$", "transaction", [[0]], ""),
        ("DO $$ BEGIN COMMIT; END $$", "bare", [[0]], "may commit"),
        ("CALL p()", "bare", [[0]], ""),
        ("CALL p(); SELECT 1", "transaction", [[0, 1]], ""),
        ("SELECT 1; DO $$ BEGIN COMMIT; END $$", "pieces", [[0], [1]], "line 1"),
        ("", "empty", [], ""),
        ("-- nothing\n;/* at all */", "empty", [], ""),
        ("BEGIN; SELECT 1; COMMIT; SELECT 2;", "own", [[0, 1, 2], [3]], "BEGIN and COMMIT"),
        ("BEGIN; SELECT 1; COMMIT AND CHAIN; SELECT 2; COMMIT", "own", [[0, 1, 2], [3, 4]], ""),
        ("BEGIN; SELECT 1; COMMIT; VACUUM", "own", [[0, 1, 2], [3]], ""),
        ("CREATE INDEX CONCURRENTLY i ON t (c)", "pieces", [[0]], "cannot be in a transaction"),
        ("SELECT 1;\nSELECT 2;\nDROP INDEX CONCURRENTLY i;\nSELECT 3", "pieces", [[0, 1], [2], [3]], "line 3"),
        ("ALTER TABLE t DETACH PARTITION p CONCURRENTLY", "pieces", [[0]], ""),
        ("ALTER TYPE e ADD VALUE 'v'; SELECT 1", "transaction", [[0, 1]], ""),
        ("ALTER TYPE e ADD VALUE 'v'; ALTER TYPE e ADD VALUE 'w' AFTER 'v'; UPDATE t SET c = 'w'; UPDATE t SET c = 'v'",
         "pieces", [[0, 1], [2, 3]], "enum value"),
        ("CREATE TYPE e AS ENUM ('a'); ALTER TYPE e ADD VALUE 'v'; UPDATE t SET c = 'v'",
         "transaction", [[0, 1, 2]], ""),
        ("SELECT 1;\nCOMMIT", "own", [[0, 1]], ""),
        ("BEGIN; SELECT 1; COMMIT; COMMIT", "own", [[0, 1, 2], [3]], ""),
        ("COMMIT; VACUUM; SELECT 1; SELECT 2", "own", [[0], [1], [2, 3]], ""),
        ("SELECT 1; BEGIN; SELECT 2; COMMIT; SELECT 3; CALL p()", "own", [[0, 1, 2, 3], [4, 5]], ""),
        ("BEGIN; SELECT 1; COMMIT; CALL p()", "own", [[0, 1, 2], [3]], ""),
        ("BEGIN; SELECT 1; ROLLBACK; ROLLBACK", "own", [[0, 1, 2], [3]], ""),
        ("SELECT 1;\nROLLBACK", "refused", [], "line 2: with Prisma up to 7.3 this ROLLBACK takes back"),
        ("SELECT 1; BEGIN; SELECT 2; ROLLBACK", "refused", [], "without a BEGIN"),
        ("BEGIN; COMMIT AND CHAIN; SELECT 1; ROLLBACK", "own", [[0, 1], [2, 3]], ""),
        ("SELECT 1; COMMIT AND CHAIN; SELECT 2; COMMIT", "refused", [], "25P01"),
        ("BEGIN; SELECT 1; COMMIT AND CHAIN", "refused", [], "never committed"),
        ("CREATE TYPE e AS ENUM (); VACUUM; ALTER TYPE e ADD VALUE 'v'; UPDATE t SET c = 'v'",
         "pieces", [[0], [1], [2], [3]], "enum value"),
        ("BEGIN; SELECT 1", "refused", [], "never committed"),
        ("BEGIN;\nVACUUM;\nCOMMIT", "refused", [], "line 2: this cannot be in a transaction"),
        ("PREPARE TRANSACTION 'x'", "refused", [], "two phases"),
        ("SELEC 1", "refused", [], "syntax error"),
        ("COPY t FROM STDIN", "refused", [], "COPY"),
        ("SELECT 'a\0'", "refused", [], "NUL"),
        ("\\i other.sql", "refused", [], "psql"),
    ],
)  # fmt: skip
def test_how_a_script_is_run(text: str, kind: str, pieces: list[list[int]], words: str) -> None:
    model = execution_model(read_script(text))
    assert (model.kind, [list(piece.indexes) for piece in model.pieces]) == (kind, pieces)
    assert words in model.words
    assert model.words


SETUP = """
CREATE TABLE t (c int); CREATE INDEX i ON t (c); CREATE TABLE o (c int PRIMARY KEY);
CREATE TABLE p (c int) PARTITION BY LIST (c); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
CREATE MATERIALIZED VIEW m AS SELECT 1 AS c; CREATE UNIQUE INDEX mi ON m (c);
CREATE TYPE e AS ENUM ('a'); CREATE TABLE moods (c e)
"""


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE INDEX CONCURRENTLY j ON t (c)",
        "CREATE INDEX j ON t (c)",
        "DROP INDEX CONCURRENTLY i",
        "DROP INDEX i",
        "REINDEX TABLE CONCURRENTLY t",
        "REINDEX INDEX i",
        "REINDEX SCHEMA public",
        "ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY",
        "ALTER TABLE p DETACH PARTITION p1",
        "REFRESH MATERIALIZED VIEW CONCURRENTLY m",
        "VACUUM t",
        "ANALYZE t",
        "CLUSTER t USING i",
        "CLUSTER",
        "CREATE DATABASE never_made",
        "DROP DATABASE IF EXISTS never_made",
        "ALTER SYSTEM RESET work_mem",
        "DISCARD ALL",
        "DISCARD PLANS",
        "CHECKPOINT",
        "ALTER TYPE e ADD VALUE 'b'",
        "CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p WITH (connect = false)",
        "CREATE SUBSCRIPTION s CONNECTION 'host=/nowhere' PUBLICATION p",
        "DROP SUBSCRIPTION IF EXISTS s",
        "DO $$ BEGIN COMMIT; END $$",
        "DO $$ BEGIN PERFORM 1; END $$",
        "LOCK TABLE t",
        "COMMENT ON TABLE t IS 'x'",
    ],
)
def test_the_server_agrees_on_what_must_stand_alone(statement: str, database: str) -> None:
    (read,) = read_script(statement).statements
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(SETUP)
        connection.execute("BEGIN")
        try:
            connection.execute(statement.encode())
        except psycopg.Error as error:
            assert error.sqlstate in ("25001", "2D000"), error
            assert read.facts.alone
        else:
            assert not read.facts.alone or "DROP SUBSCRIPTION" in statement  # alone only where it has a slot
        connection.execute("ROLLBACK")


def test_the_pieces_of_a_new_enum_value_work_and_one_transaction_does_not(database: str) -> None:
    text = "ALTER TYPE e ADD VALUE 'b'; INSERT INTO moods VALUES ('b')"
    script = read_script(text)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(SETUP)
        with pytest.raises(psycopg.errors.UnsafeNewEnumValueUsage):
            connection.execute(text)
        for piece in execution_model(script).pieces:
            with connection.transaction():
                for index in piece.indexes:
                    connection.execute(script.statements[index].text.encode())
