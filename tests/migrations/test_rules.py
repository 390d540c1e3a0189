"""What is found in a script, and what is left alone because nobody has it yet."""

import importlib
import pkgutil

import pytest

from migrations import rules as package
from migrations.rules import judge, rules
from migrations.sql import read_script


def codes(text: str) -> list[tuple[str, int]]:
    """The findings of a script as pairs of rule and line."""
    return [(finding.rule, finding.line) for finding in judge(read_script(text))]


def test_every_file_is_a_rule_named_like_it() -> None:
    files = {module.name for module in pkgutil.iter_modules(package.__path__)} - set(package.HELPERS)
    assert {rule.code.replace("-", "_") for rule in rules()} == files
    for name in files:
        assert importlib.import_module(f"migrations.rules.{name}").__doc__


@pytest.mark.parametrize(
    "text",
    [
        "CREATE TABLE t (c int); CREATE INDEX i ON t (c)",
        'CREATE TABLE "T" (c int); ALTER TABLE "T" ADD CONSTRAINT k FOREIGN KEY (c) REFERENCES o (id)',
        "CREATE TABLE t (c int); ALTER TABLE t RENAME TO u; ALTER TABLE u ALTER c SET NOT NULL, ALTER c TYPE bigint",
        "CREATE TABLE t (c int); ALTER TABLE t SET SCHEMA s; CREATE INDEX i ON s.t (c)",
        "CREATE TABLE t (c int); ALTER TABLE t RENAME c TO d; DROP TABLE t",
        "CREATE TEMP TABLE t AS SELECT 1; DELETE FROM t; TRUNCATE t; UPDATE t SET c = 1; DROP TABLE t",
        "ALTER TABLE t ADD c int; ALTER TABLE t RENAME c TO d",
        "ALTER TABLE t ADD COLUMN c int DEFAULT 0 NOT NULL",
        "CREATE MATERIALIZED VIEW m AS SELECT 1 AS c; CREATE INDEX i ON m (c)",
        "CREATE INDEX CONCURRENTLY i ON t (c)",
        "DROP VIEW v; DROP TYPE y; DROP SCHEMA s",
        "DELETE FROM t WHERE c = 1; UPDATE t SET c = 1 FROM o WHERE o.c = t.c; DELETE FROM t USING o WHERE o.c = t.c",
        "CREATE USER MAPPING FOR r SERVER s",
        "INSERT INTO t SELECT * FROM o",
        "REFRESH MATERIALIZED VIEW CONCURRENTLY m; SELECT 1",
        "",
    ],
)
def test_nothing_is_said_of_what_hurts_nobody(text: str) -> None:
    assert codes(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CREATE TABLE s.t (c int);\nCREATE INDEX i ON t (c)", [("index-without-concurrently", 2)]),
        ('CREATE TABLE "T" (c int);\nCREATE INDEX i ON t (c)', [("index-without-concurrently", 2)]),
        ("CREATE TABLE t (c int);\nDROP TABLE t;\nDROP TABLE t", [("table-drop", 3)]),
        ("CREATE TABLE IF NOT EXISTS t (c int);\nDROP TABLE t", [("table-drop", 2)]),
        ("CREATE TABLE IF NOT EXISTS t (c int);\nTRUNCATE t", [("truncate", 2)]),
        ("CREATE TABLE t (c int);\nALTER TABLE t RENAME TO u;\nCREATE INDEX i ON t (c)",
         [("index-without-concurrently", 3)]),
        ("DROP TABLE t;\nCREATE TABLE t (c int);\nCREATE INDEX i ON t (c)", [("table-recreated", 1)]),
        ("DROP TABLE t, u;\nCREATE TABLE u ()", [("table-drop", 1), ("table-recreated", 1)]),
        ("ALTER TABLE t DROP a, ADD b text", [("column-rename-as-drop-and-add", 1)]),
        ("ALTER TABLE t ADD b text;\nALTER TABLE t DROP a", [("column-rename-as-drop-and-add", 2)]),
        ("ALTER TABLE t DROP a;\nALTER TABLE u ADD b text", [("column-drop", 1)]),
        ("ALTER TABLE t ADD b text;\nUPDATE t SET b = a WHERE true;\nALTER TABLE t DROP a",
         [("update-without-where", 2), ("work-under-exclusive-lock", 2), ("column-drop", 3)]),
        ("ALTER TABLE t ADD b text; ALTER TABLE t DROP b", []),
        ("ALTER TABLE t ADD b jsonb;\nALTER TABLE t DROP a, ADD c text;\nALTER TABLE t RENAME b TO a",
         [("column-drop", 2)]),
        ("ALTER TABLE t ADD b text;\nUPDATE t SET b = 'x'",
         [("update-without-where", 2), ("work-under-exclusive-lock", 2)]),
        ("WITH gone AS (DELETE FROM t RETURNING *) INSERT INTO u SELECT * FROM gone", [("delete-without-where", 1)]),
        ("CREATE INDEX CONCURRENTLY i ON t (c);\nDROP INDEX CONCURRENTLY j",
         [("concurrently-among-others", 1), ("concurrently-among-others", 2)]),
        ("DROP EXTENSION citext CASCADE", [("type-drop-cascade", 1)]),
        ("DROP OWNED BY r", [("schema-drop", 1)]),
        ("ALTER TABLE t ADD CONSTRAINT p CHECK (c IS NOT NULL AND d IS NOT NULL) NOT VALID;\n"
         "ALTER TABLE t VALIDATE CONSTRAINT p;\nALTER TABLE t ALTER c SET NOT NULL, ALTER d SET NOT NULL",
         [("validate-in-same-transaction", 2)]),
        ("ALTER TABLE t ADD CONSTRAINT p CHECK (c IS NOT NULL OR d) NOT VALID;\n"
         "ALTER TABLE t VALIDATE CONSTRAINT p;\nALTER TABLE t ALTER c SET NOT NULL",
         [("validate-in-same-transaction", 2), ("not-null-on-existing", 3)]),
        ("ALTER TABLE t ADD CONSTRAINT p CHECK (c IS NOT NULL) NOT VALID;\nALTER TABLE t ALTER c SET NOT NULL",
         [("not-null-on-existing", 2)]),
        ("DROP TABLE t;\nselct 1", [("table-drop", 1), ("not-analysed", 2)]),
        ("SELECT 1;\n/* open", [("not-analysed", 1)]),
        ("DO $$ BEGIN END $$", []),
    ],
)  # fmt: skip
def test_what_is_found(text: str, expected: list[tuple[str, int]]) -> None:
    assert codes(text) == expected


def test_what_cannot_be_read_is_a_stop_and_what_is_not_looked_into_a_warning() -> None:
    (refused,) = judge(read_script("selct 1"))
    (unknown,) = judge(read_script("CALL p()"))
    assert (refused.severity, unknown.severity) == ("stop", "warn")


def test_filling_a_column_that_the_script_added_loses_nothing() -> None:
    fills, _ = judge(read_script("ALTER TABLE t ADD b text; UPDATE t SET b = 'x'"))
    (overwrites,) = judge(read_script("UPDATE t SET b = 'x'"))
    assert (fills.severity, fills.loses_data) == ("warn", False)
    assert (overwrites.severity, overwrites.loses_data) == ("stop", True)


def test_a_verifier_and_no_password_are_no_secret() -> None:
    text = "ALTER ROLE r PASSWORD NULL; ALTER ROLE r PASSWORD 'SCRAM-SHA-256$4096:abc'"
    assert "secret-in-script" not in {code for code, _ in codes(text)}


def test_a_finding_never_repeats_the_secret() -> None:
    findings = judge(read_script("ALTER ROLE app PASSWORD 'hunter2'"))
    assert "secret-in-script" in {finding.rule for finding in findings}
    assert "hunter2" not in repr(findings)


def test_a_finding_names_the_table_as_a_person_would_write_it() -> None:
    (finding,) = judge(read_script('CREATE INDEX i ON shop."Order Items" (c)'))
    assert finding.tables == ('shop."Order Items"',)
    assert 'ON shop."Order Items"' in finding.instead


@pytest.mark.parametrize(
    ("values", "severity", "loses_data"),
    [
        ("a = 1", "stop", True),
        ("a = coalesce(a, 1)", "warn", False),
        ("a = coalesce(u.a, 1), b = coalesce(b, a)", "warn", False),
        ("a = coalesce(a, 1), b = 2", "stop", True),
        ("a = coalesce(b, a)", "stop", True),
        ("a = lower(coalesce(a, 'x'))", "stop", True),
    ],
)
def test_an_update_that_keeps_what_is_there_loses_nothing(values: str, severity: str, loses_data: bool) -> None:
    (finding,) = judge(read_script(f"UPDATE u SET {values}"))
    assert (finding.severity, finding.loses_data) == (severity, loses_data)
