"""What a statement does, as one line and as facts."""

import pytest

from migrations.sql import Facts, Name, read_script


@pytest.mark.parametrize(
    ("text", "summary"),
    [
        ('ALTER TABLE "customers" ADD COLUMN "loyalty_tier" TEXT', "add column loyalty_tier text to customers"),
        ("ALTER TABLE a.t ADD c varchar(20)[] NOT NULL", "add column c varchar(20)[] not null to a.t"),
        ('ALTER TABLE "Orders" DROP COLUMN "legacyCode" CASCADE',
         'drop column "legacyCode" and what depends on it of "Orders"'),
        ("ALTER TABLE t ADD a int, DROP b, ALTER c SET NOT NULL",
         "alter t: add column a integer, drop column b, forbid null in column c"),
        ("ALTER TABLE t ALTER c TYPE bigint USING c::bigint", "change the type of column c to bigint of t"),
        ("ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (c) REFERENCES o (id) NOT VALID",
         "add foreign key on c referencing o without checking it yet to t"),
        ("ALTER TABLE t VALIDATE CONSTRAINT k", "validate constraint k of t"),
        ("CREATE UNIQUE INDEX CONCURRENTLY i ON s.t (a, lower(b))",
         "create unique index i concurrently on s.t (a, expression)"),
        ("CREATE INDEX ON t (a)", "create index on t (a)"),
        ("DROP INDEX CONCURRENTLY i", "drop index i concurrently"),
        ("DROP TABLE a, s.b CASCADE", "drop table a and what depends on it, drop table s.b and what depends on it"),
        ("CREATE OR REPLACE TRIGGER x AFTER INSERT ON t EXECUTE FUNCTION f()", "create or replace trigger x on t"),
        ("ALTER TABLE t DISABLE TRIGGER ALL, SET UNLOGGED", "alter t: disable trigger all, set unlogged"),
        ("ALTER DOMAIN d ADD CONSTRAINT x CHECK (value > 0)", "add constraint x of domain d"),
        ("ALTER DOMAIN s.d SET NOT NULL", "set not null of domain s.d"),
        ("CREATE TABLE t AS SELECT 1", "create table t from a query"),
        ("ALTER TABLE t RENAME a TO b", "rename column a to b of t"),
        ("ALTER TABLE t RENAME TO u", "rename table t to u"),
        ("INSERT INTO t VALUES (1), (2)", "insert 2 rows into t"),
        ("UPDATE t SET a = 1, b = 2", "update a, b in all rows of t"),
        ("DELETE FROM t WHERE a", "delete some rows of t"),
        ("TRUNCATE t CASCADE", "delete all rows (and of all tables that reference it) of t"),
        ("ALTER TYPE mood ADD VALUE 'so''so'", "add value \"so'so\" to type mood"),
        ("SET LOCAL lock_timeout = '5s'", "set lock_timeout to 5s for this transaction"),
        ("DO $$ BEGIN\n NULL;\nEND $$", "run 3 lines of plpgsql"),
        ("VACUUM FULL t", "vacuum full t"),
        ("SELECT  a -- why\n FROM   t", "SELECT a FROM t"),
        ("COMMENT ON TABLE t IS 'x'", "COMMENT ON TABLE t IS 'x'"),
        ("GRANT SELECT ON " + "a" * 100 + " TO r", "GRANT SELECT ON " + "a" * 63 + "…"),
        ('DROP TABLE "a\x1b[2J\nb"', 'drop table "a\ufffd[2J\ufffdb"'),
    ],
)  # fmt: skip
def test_a_statement_in_one_plain_line(text: str, summary: str) -> None:
    (statement,) = read_script(text).statements
    assert statement.summary == summary


@pytest.mark.parametrize(
    "text",
    [
        "ALTER ROLE app PASSWORD 'hunter2'",
        "CREATE USER app WITH PASSWORD 'hunter2'",
        "CREATE SUBSCRIPTION s CONNECTION 'host=h password=hunter2' PUBLICATION p",
        "CREATE USER MAPPING FOR app SERVER s OPTIONS (password 'hunter2')",
        "CREATE SERVER s FOREIGN DATA WRAPPER w OPTIONS (host 'h', password 'hunter2')",
        "ALTER SYSTEM SET primary_conninfo = 'password=hunter2'",
        "SELECT dblink_connect('host=h password=hunter2')",
    ],
)
def test_a_password_is_in_no_line_of_ours(text: str) -> None:
    (statement,) = read_script(text).statements
    assert "hunter2" not in f"{statement.summary} {statement.why_not} {statement.actions}"


T = Name(None, "t")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CREATE TABLE s.t (a int)", Facts(touches=(Name("s", "t"),))),
        ("DROP TABLE t", Facts(touches=(T,))),
        (
            "ALTER TABLE t ADD a int, DROP b",
            Facts(touches=(T,)),
        ),
        (
            "CREATE INDEX CONCURRENTLY i ON t (a)",
            Facts(touches=(T,), concurrently=True, alone=True),
        ),
        ("REINDEX TABLE CONCURRENTLY t", Facts(concurrently=True, alone=True)),
        ("REFRESH MATERIALIZED VIEW CONCURRENTLY t", Facts(touches=(T,), concurrently=True)),
        ("VACUUM", Facts(alone=True)),
        ("ALTER SYSTEM SET work_mem = '1MB'", Facts(alone=True)),
        ("DROP DATABASE d", Facts(alone=True)),
        ("CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p WITH (connect = false)", Facts()),
        ("ALTER SUBSCRIPTION s REFRESH PUBLICATION", Facts(alone=True)),
        ("DISCARD ALL", Facts(alone=True, sets=("*",))),
        ("START TRANSACTION", Facts(control="begin")),
        ("END", Facts(control="commit")),
        ("COMMIT AND CHAIN", Facts(control="commit", chain=True)),
        ("ABORT", Facts(control="rollback")),
        ("ROLLBACK TO SAVEPOINT s", Facts()),
        ("PREPARE TRANSACTION 'x'", Facts(control="prepare")),
        ("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", Facts(control="set_transaction")),
        ("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", Facts(sets=("default_transaction_read_only",))),
        ("SET lock_timeout = 0", Facts(sets=("lock_timeout",))),
        ("RESET ALL", Facts(sets=("*",))),
        ("SELECT pg_catalog.set_config('search_path', '', false)", Facts(sets=("search_path",))),
        ("SELECT f(1)", Facts(sets=("*",))),
        ("DO $$ BEGIN PERFORM 1; END $$", Facts(sets=("*",))),
        ("DO $$ BEGIN EXECUTE 'x'; END $$", Facts(sets=("*",), may_commit=True)),
        ("DO $$ BEGIN COMMIT; END $$", Facts(sets=("*",), may_commit=True, alone=True)),
        ("DO $$ BEGIN PERFORM 'commit;'; -- commit;\n END $$", Facts(sets=("*",), may_commit=True)),
        ("CALL p()", Facts(sets=("*",), may_commit=True)),
        ("ALTER TYPE e ADD VALUE 'v'", Facts(adds_enum_value="v")),
        ("WITH gone AS (DELETE FROM t RETURNING *) SELECT count(*) FROM gone", Facts(touches=(T,))),
    ],
)
def test_the_facts_of_a_statement(text: str, expected: Facts) -> None:
    (statement,) = read_script(text).statements
    assert statement.facts == expected
