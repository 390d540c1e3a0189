"""Rules about indexes, partitions, triggers, row security, maintenance: found, left alone, and what they claim."""

import pytest
from hypothesis import given

from migrations.rules import Finding, judge
from migrations.sql import read_script
from tests.migrations.odd_names import NAMES

OURS = frozenset(
    """
    alter-system cluster concurrently-under-timeout create-rule delete-without-where domain-constraint-validate
    domain-constraint-without-not-valid drop-cascade enum-value-rename enum-value-used-at-once
    function-drop-cascade identifier-too-long
    index-concurrently-if-not-exists index-drop-without-concurrently index-without-concurrently
    partition-attach-without-check partition-detach-without-concurrently partition-of-existing
    policy-drop concurrently-refused refresh-without-concurrently reindex-without-concurrently role-in-script
    row-security-off row-security-without-policy schema-drop session-replication-role set-logged set-unlogged
    superuser-needed table-drop table-recreated trigger-disable trigger-drop trigger-left-disabled trigger-recreated
    truncate truncate-cascade type-drop-cascade update-without-where vacuum-full
    """.split()  # noqa: SIM905 (one on each line would hide the file behind them)
)


def codes(text: str) -> list[tuple[str, int]]:
    """What these rules find in a script, as pairs of rule and line."""
    return [(found.rule, found.line) for found in judge(read_script(text)) if found.rule in OURS]


def one(text: str, rule: str) -> Finding:
    """The only finding of a rule."""
    (found,) = (finding for finding in judge(read_script(text)) if finding.rule == rule)
    return found


@pytest.mark.parametrize(
    "text",
    [
        "CREATE TABLE t (c int); CREATE INDEX i ON t (c); DROP INDEX i",
        "CREATE TABLE t (c int); CREATE INDEX i ON t (c); ALTER INDEX i RENAME TO j; DROP INDEX j; REINDEX TABLE t",
        "CREATE TABLE t (c int); CREATE INDEX i ON t (c); REINDEX INDEX i",
        "CREATE TEMP TABLE t (c int); CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (c)",
        "CREATE TABLE t (c int); DROP INDEX IF EXISTS i; CREATE INDEX i ON t (c)",
        "CREATE INDEX i ON ONLY t (c)",
        "ALTER INDEX i ATTACH PARTITION j",
        "CREATE TABLE t (c int) PARTITION BY RANGE (c); CREATE TABLE p PARTITION OF t DEFAULT; "
        "ALTER TABLE t DETACH PARTITION p",
        "CREATE TABLE p (LIKE t); ALTER TABLE t ATTACH PARTITION p FOR VALUES FROM (0) TO (10)",
        "ALTER TABLE p VALIDATE CONSTRAINT k; ALTER TABLE t ATTACH PARTITION p FOR VALUES IN (1)",
        "ALTER TABLE t DETACH PARTITION p FINALIZE",
        "CREATE TABLE t (c int); CREATE TRIGGER g AFTER INSERT ON t EXECUTE FUNCTION f(); "
        "ALTER TABLE t DISABLE TRIGGER g; DROP TRIGGER g ON t",
        "CREATE TRIGGER g AFTER INSERT ON t EXECUTE FUNCTION f(); ALTER TABLE t ENABLE TRIGGER g",
        "SET session_replication_role = origin; RESET session_replication_role",
        "CREATE TABLE t (c int); ALTER TABLE t ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON t USING (c > 0)",
        "CREATE MATERIALIZED VIEW m AS SELECT 1 AS c; CREATE UNIQUE INDEX i ON m (c); "
        "REFRESH MATERIALIZED VIEW CONCURRENTLY m",
        "CREATE UNLOGGED TABLE t (c int); ALTER TABLE t SET LOGGED; ALTER TABLE t SET UNLOGGED",
        "CREATE TABLE t (c int); CLUSTER t USING i; VACUUM t; ANALYZE",
        "CREATE MATERIALIZED VIEW m AS SELECT 1 WITH NO DATA; REFRESH MATERIALIZED VIEW m",
        "CREATE DOMAIN d AS int; ALTER DOMAIN d ADD CHECK (value > 0); ALTER DOMAIN d SET NOT NULL",
        "ALTER DOMAIN d DROP NOT NULL; ALTER DOMAIN d DROP CONSTRAINT k; ALTER DOMAIN d SET DEFAULT 1",
        "CREATE TYPE y AS ENUM ('a'); ALTER TYPE y ADD VALUE 'b'; INSERT INTO t VALUES ('b')",
        "CREATE TYPE y AS ENUM ('a'); ALTER TYPE y RENAME VALUE 'a' TO 'b'; DROP TYPE y CASCADE",
        "ALTER TYPE y ADD VALUE 'b'; ALTER TYPE y ADD VALUE 'c' AFTER 'b'",
        "BEGIN; ALTER TYPE y ADD VALUE 'b'; COMMIT; INSERT INTO t VALUES ('b')",
        "CREATE VIEW v AS SELECT 1; DROP VIEW v CASCADE; DROP FUNCTION f; DROP SEQUENCE q",
        "CREATE SCHEMA s; DROP SCHEMA s CASCADE",
        "CREATE TABLE t (c int); CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING; TRUNCATE t CASCADE",
        "CREATE VIEW v AS SELECT 1 AS c; CREATE RULE r AS ON DELETE TO v DO INSTEAD NOTHING",
        'CREATE EXTENSION IF NOT EXISTS pgcrypto; CREATE EXTENSION "uuid-ossp"; COPY t FROM STDIN',
        "GRANT SELECT ON t TO r; REVOKE ALL ON t FROM r; ALTER DATABASE d SET work_mem = '8MB'",
        f"CREATE TABLE {'a' * 63} (\"{'é' * 31}\" int); COMMENT ON TABLE t IS '{'a' * 99}'",
        f"INSERT INTO t VALUES ('{'a' * 99}', \"{'a' * 99}\"); CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ "
        f"SELECT 1 AS {'a' * 99} $$",
        f"ALTER TABLE t ADD CHECK (c <> E'{'a' * 99}')",
        "SET lock_timeout = 0; CREATE INDEX CONCURRENTLY i ON t (c)",
        "SET lock_timeout = '1h'; CREATE INDEX CONCURRENTLY i ON t (c)",
        "SET LOCAL lock_timeout = '5s'; CREATE INDEX CONCURRENTLY i ON t (c)",
        "SET lock_timeout = '5s'; RESET lock_timeout; CREATE INDEX CONCURRENTLY i ON t (c)",
        "SET lock_timeout = '5s'; RESET ALL; CREATE INDEX CONCURRENTLY i ON t (c)",
        "SET lock_timeout = '5s'; REFRESH MATERIALIZED VIEW CONCURRENTLY m",
        "DELETE FROM t WHERE c = d; UPDATE t SET c = 1 WHERE NOT true; DELETE FROM t WHERE 1 = 2 OR c > 0",
        "CREATE TABLE new_t (c int); INSERT INTO new_t SELECT c FROM t; ALTER TABLE new_t RENAME TO u",
    ],
)
def test_nothing_is_said(text: str) -> None:
    assert codes(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CREATE INDEX i ON t (c);\nDROP INDEX i",
         [("index-without-concurrently", 1), ("index-drop-without-concurrently", 2)]),
        ("DROP INDEX IF EXISTS i, s.j", [("index-drop-without-concurrently", 1)] * 2),
        ("DROP INDEX i CASCADE", [("drop-cascade", 1), ("index-drop-without-concurrently", 1)]),
        ("CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (c)", [("index-concurrently-if-not-exists", 1)]),
        ("DROP INDEX CONCURRENTLY IF EXISTS i;\nCREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (c)",
         []),
        ("REINDEX SYSTEM", [("reindex-without-concurrently", 1)]),
        ("REINDEX (VERBOSE) SCHEMA s", [("reindex-without-concurrently", 1)]),
        ("CREATE TABLE p PARTITION OF t DEFAULT", [("partition-of-existing", 1)]),
        ("CREATE TABLE p (LIKE t);\nINSERT INTO p SELECT * FROM t;\nALTER TABLE t ATTACH PARTITION p DEFAULT", []),
        ("ALTER TABLE p ADD CHECK (c > 0) NOT VALID;\nALTER TABLE t ATTACH PARTITION p DEFAULT",
         [("partition-attach-without-check", 2)]),
        ("DROP TRIGGER g ON t;\nDROP TRIGGER h ON t;\nCREATE TRIGGER g AFTER INSERT ON t EXECUTE FUNCTION f()",
         [("trigger-recreated", 1), ("trigger-drop", 2)]),
        ("DROP TRIGGER g ON t;\nDROP TABLE t", [("table-drop", 2)]),
        ("DROP INDEX i;\nDROP TRIGGER g ON t;\nDROP TABLE t;\nCREATE TABLE t (c int);\nCREATE INDEX i ON t (c);\n"
         "CREATE TRIGGER g AFTER INSERT ON t EXECUTE FUNCTION f()", [("table-recreated", 3)]),
        ("ALTER TABLE t DISABLE TRIGGER g;\nALTER TABLE t ENABLE TRIGGER ALL", [("trigger-disable", 1)]),
        ("ALTER TABLE t DISABLE TRIGGER ALL;\nALTER TABLE t ENABLE TRIGGER g", [("trigger-left-disabled", 1)]),
        ("ALTER TABLE t DISABLE TRIGGER USER;\nALTER TABLE t ENABLE TRIGGER USER", [("trigger-disable", 1)]),
        ("ALTER TABLE t ENABLE TRIGGER g;\nALTER TABLE t DISABLE TRIGGER g", [("trigger-left-disabled", 2)]),
        ("SELECT set_config('session_replication_role', 'replica', true)", [("session-replication-role", 1)]),
        ("ALTER TABLE t ENABLE ROW LEVEL SECURITY;\nCREATE POLICY own ON u USING (true)",
         [("row-security-without-policy", 1)]),
        ("ALTER TABLE t NO FORCE ROW LEVEL SECURITY", [("row-security-off", 1)]),
        ("VACUUM (FULL, ANALYZE) a, b", [("vacuum-full", 1)] * 2),
        ("VACUUM (FULL false) t", []),
        ("VACUUM FULL", [("vacuum-full", 1)]),
        ("CLUSTER", [("cluster", 1)]),
        ("CREATE TABLE IF NOT EXISTS t (c int);\nVACUUM FULL t", [("vacuum-full", 2)]),
        ("ALTER DOMAIN d SET NOT NULL;\nALTER DOMAIN d VALIDATE CONSTRAINT k",
         [("domain-constraint-without-not-valid", 1), ("domain-constraint-validate", 2)]),
        ("ALTER TYPE y ADD VALUE 'it''s';\nALTER TABLE t ALTER c SET DEFAULT 'it''s'",
         [("enum-value-used-at-once", 2)]),
        ("DO $$ BEGIN CREATE TYPE y AS ENUM ('a'); EXCEPTION WHEN duplicate_object THEN NULL; END $$;\n"
         "ALTER TYPE y ADD VALUE 'b';\nINSERT INTO t VALUES ('b')", [("enum-value-used-at-once", 3)]),
        ("DROP MATERIALIZED VIEW m CASCADE;\nDROP FUNCTION f(int) CASCADE",
         [("drop-cascade", 1), ("function-drop-cascade", 2)]),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql RETURN 1;\nDROP FUNCTION f CASCADE;\nDROP FUNCTION g", []),
        ("DROP OPERATOR @@@ (NONE, int) CASCADE;\nDROP TEXT SEARCH CONFIGURATION c CASCADE;\nDROP ROUTINE f CASCADE",
         [("function-drop-cascade", 1), ("function-drop-cascade", 2), ("function-drop-cascade", 3)]),
        ("DROP PROCEDURE p CASCADE;\nDROP AGGREGATE g (int) CASCADE", [("drop-cascade", 1), ("drop-cascade", 2)]),
        ("CREATE OR REPLACE VIEW v AS SELECT 1;\nDROP VIEW v CASCADE", [("drop-cascade", 2)]),
        ("CREATE SCHEMA IF NOT EXISTS s;\nDROP SCHEMA s CASCADE", [("schema-drop", 2)]),
        ("TRUNCATE t, u CASCADE", [("truncate-cascade", 1)] * 2),
        ("CREATE EXTENSION postgis;\nCREATE EVENT TRIGGER e ON ddl_command_start EXECUTE FUNCTION f();\n"
         "COPY t FROM '/tmp/rows'", [("superuser-needed", 1), ("superuser-needed", 2), ("superuser-needed", 3)]),
        ("ALTER SYSTEM RESET ALL", [("alter-system", 1)]),
        ("DROP ROLE r;\nGRANT r TO q;\nALTER ROLE r SET work_mem = '8MB'",
         [("role-in-script", 1), ("role-in-script", 2), ("role-in-script", 3)]),
        ("SET statement_timeout = '90 s';\nDROP INDEX CONCURRENTLY i", [("concurrently-under-timeout", 2)]),
        ("SELECT set_config('lock_timeout', '2500', false);\nREINDEX TABLE CONCURRENTLY t",
         [("concurrently-under-timeout", 2)]),
        ("SET lock_timeout = '5s';\nALTER TABLE t DETACH PARTITION p CONCURRENTLY",
         [("concurrently-under-timeout", 2)]),
        ("DELETE FROM t WHERE true;\nUPDATE t SET c = 1 WHERE 1 = 1 AND true;\nDELETE FROM t WHERE c > 0 OR 'a' = 'a'",
         [("delete-without-where", 1), ("update-without-where", 2), ("delete-without-where", 3)]),
        ("DROP POLICY p ON t;\nDROP POLICY p ON u;\nCREATE POLICY q ON u USING (true);\nCREATE TABLE n (c int);\n"
         "CREATE POLICY p ON n USING (true);\nDROP POLICY p ON n", [("policy-drop", 1)]),
        ("DELETE FROM t WHERE id = id;\nUPDATE t SET c = 1 WHERE t.id = t.id;\nDELETE FROM t WHERE id = c;\n"
         "UPDATE t SET c = 1 FROM o WHERE o.id = t.id", [("delete-without-where", 1), ("update-without-where", 2)]),
        ("CREATE TABLE new_t (c int);\nINSERT INTO new_t SELECT c FROM t;\nDROP TABLE t;\n"
         "ALTER TABLE new_t RENAME TO t", [("table-recreated", 3)]),
        ("DROP TABLE t;\nCREATE VIEW t AS SELECT 1", [("table-recreated", 1)]),
    ],
)  # fmt: skip
def test_what_is_found(text: str, expected: list[tuple[str, int]]) -> None:
    assert codes(text) == expected


def test_findings_name_the_tables_that_the_script_does_not() -> None:
    """Of an index that the script made itself the table is known."""
    found = one("CREATE INDEX CONCURRENTLY i ON t (c); DROP INDEX i", "index-drop-without-concurrently")
    assert found.tables == ("t",)
    assert "read or write t from" in found.message
    assert one("DROP INDEX i; CREATE INDEX i ON t (c, d)", "index-drop-without-concurrently").tables == ("t",)
    unknown = one("DROP INDEX i", "index-drop-without-concurrently")
    assert unknown.tables == ()
    assert "the table of index i" in unknown.message


def test_a_value_used_in_the_transaction_that_adds_it_is_a_stop() -> None:
    adds, uses = "ALTER TYPE y ADD VALUE 'b'", "INSERT INTO t VALUES ('b')"
    assert one(f"BEGIN; {adds}; {uses}; COMMIT", "enum-value-used-at-once").severity == "stop"
    assert one(f"{adds}; {uses}", "enum-value-used-at-once").severity == "warn"


@given(NAMES)
def test_a_name_is_cut_as_the_server_cuts_it(name: str) -> None:
    long = name + "aé" * 30
    text = 'CREATE TABLE "' + long.replace('"', '""') + '" ()'
    (statement,) = read_script(text).statements
    assert one(text, "identifier-too-long").subject == statement.facts.touches[0].name
