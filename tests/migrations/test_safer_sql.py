"""The safer form that a finding gives is SQL that runs as it stands, with the names of the statement at hand."""

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from migrations.locks.claims import claims
from migrations.rules import Rule, judge, rules
from migrations.sql import read_script
from migrations.sql.names import quoted
from tests.migrations.odd_names import NAMES


def safer(rule: str, text: str) -> str:
    """The safer form of the only finding of a rule."""
    (found,) = (finding for finding in judge(read_script(text)) if finding.rule == rule)
    return found.safer_sql


def run(database: str, *scripts: str) -> None:
    """Each statement by itself, as what is CONCURRENTLY must be."""
    with psycopg.connect(database, autocommit=True) as connection:
        for script in scripts:
            for statement in read_script(script).statements:
                connection.execute(statement.text.encode())


WITH_SQL = [rule for rule in rules() if any(f.safer_sql for f in judge(read_script(rule.risky)) if f.rule == rule.code)]


@pytest.mark.parametrize("rule", WITH_SQL, ids=lambda rule: rule.code)
def test_the_safer_sql_of_a_rule_runs_and_is_not_found(rule: Rule, database: str) -> None:
    script = read_script(rule.risky)
    for finding in judge(script):
        if finding.rule == rule.code and finding.safer_sql:
            before = (s.text for s in script.statements[: finding.statement] if not s.facts.control)
            run(database, rule.setup, *before, finding.safer_sql)
            assert rule.code not in {again.rule for again in judge(read_script(finding.safer_sql))}


AGAIN = "-- In the next migration, again and again until it changes no row:\n"
ALONE = "-- In a migration of its own:\n"


@pytest.mark.parametrize("statement", sorted({claim.sql for _, claim in claims()}))
def test_every_safer_form_can_be_read(statement: str) -> None:
    for finding in judge(read_script(statement)):
        script = read_script(finding.safer_sql)
        assert script.error is None
        assert all(one.analysed for one in script.statements)
        assert finding.rule not in {again.rule for again in judge(script)}


PARTED = "CREATE TABLE t (a int NOT NULL, b int DEFAULT 1 CHECK (b > 0), d int GENERATED ALWAYS AS (a + 1) STORED) "
KEPT = "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'; "


@pytest.mark.parametrize(
    ("rule", "setup", "risky", "expected"),
    [
        ("index-without-concurrently", "CREATE TABLE t (c int)", "create unique index if not exists i on t (c)",
         ALONE + "create unique index CONCURRENTLY i on t (c);"),
        ("index-without-concurrently", 'CREATE TABLE "on" ("INDEX" int)',
         'CREATE /* INDEX */ INDEX ON "on" ("INDEX") WHERE "INDEX" > 0 -- why',
         ALONE + 'CREATE /* INDEX */ INDEX CONCURRENTLY ON "on" ("INDEX") WHERE "INDEX" > 0;'),
        ("index-concurrently-if-not-exists", "CREATE TABLE t (c int)",
         "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (c)", ALONE + "CREATE INDEX CONCURRENTLY i ON t (c);"),
        ("index-drop-without-concurrently", 'CREATE TABLE t (c int); CREATE INDEX "I" ON t (c)',
         'DROP INDEX IF EXISTS public."I"', ALONE + 'DROP INDEX CONCURRENTLY IF EXISTS public."I";'),
        ("index-drop-without-concurrently", "SELECT 1", "DROP INDEX i CASCADE", ""),
        ("reindex-without-concurrently", "CREATE TABLE t (c int PRIMARY KEY)",
         "REINDEX (VERBOSE) INDEX t_pkey", ALONE + "REINDEX (VERBOSE) INDEX CONCURRENTLY t_pkey;"),
        ("reindex-without-concurrently", "SELECT 1", "REINDEX SYSTEM", ""),
        ("partition-of-existing", PARTED + "PARTITION BY RANGE (a, b)",
         "CREATE TABLE IF NOT EXISTS p PARTITION OF t FOR VALUES FROM (0, MINVALUE) TO (10, MAXVALUE) "
         "PARTITION BY HASH (b)",
         "CREATE TABLE IF NOT EXISTS p (LIKE t INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED) "
         "PARTITION BY HASH (b);\n"
         "ALTER TABLE t ATTACH PARTITION p FOR VALUES FROM (0, MINVALUE) TO (10, MAXVALUE);"),
        ("partition-of-existing", PARTED + "PARTITION BY HASH (a)",
         "CREATE TABLE p PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 0) WITH (fillfactor = 70)",
         "CREATE TABLE p (LIKE t INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED) "
         "WITH (fillfactor = 70);\nALTER TABLE t ATTACH PARTITION p FOR VALUES WITH (MODULUS 2, REMAINDER 0);"),
        ("partition-of-existing", PARTED + "PARTITION BY LIST (a)", "CREATE TABLE p PARTITION OF t DEFAULT",
         "CREATE TABLE p (LIKE t INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED);\n"
         "ALTER TABLE t ATTACH PARTITION p DEFAULT;"),
        ("partition-of-existing", "SELECT 1", "CREATE TABLE p PARTITION OF t (b DEFAULT 3) FOR VALUES IN (1)", ""),
        ("trigger-recreated", KEPT + "CREATE TABLE t (c int)",
         "DROP TRIGGER IF EXISTS g ON t;\nCREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f() -- new",
         "CREATE OR REPLACE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();"),
        ("trigger-recreated", KEPT + "CREATE TABLE t (c int)",
         "DROP TRIGGER g ON t; CREATE CONSTRAINT TRIGGER g AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()", ""),
        ("trigger-left-disabled", KEPT + "CREATE TABLE t (c int)", "ALTER TABLE t DISABLE TRIGGER ALL -- for now",
         "ALTER TABLE t DISABLE TRIGGER ALL;\nALTER TABLE t ENABLE TRIGGER ALL;"),
        ("domain-constraint-without-not-valid",
         "CREATE DOMAIN d AS int; CREATE TABLE t (c d); INSERT INTO t VALUES (0)",
         "ALTER DOMAIN d ADD CHECK (value > 0) -- why", "ALTER DOMAIN d ADD CHECK (value > 0) NOT VALID;"),
        ("domain-constraint-without-not-valid", 'CREATE DOMAIN "D" AS int; CREATE TABLE t (c "D")',
         'ALTER DOMAIN "D" SET NOT NULL',
         'ALTER DOMAIN "D" ADD CONSTRAINT "D_not_null" CHECK (VALUE IS NOT NULL) NOT VALID;'),
        ("enum-value-rename", "CREATE TYPE \"Mood\" AS ENUM ('it''s', 'b')",
         "ALTER TYPE \"Mood\" RENAME VALUE 'it''s' TO 'a''s'", "ALTER TYPE \"Mood\" ADD VALUE 'a''s' AFTER 'it''s';"),
        ("table-drop", 'CREATE TABLE "T" (c int)', 'DROP TABLE IF EXISTS public."T"',
         'ALTER TABLE IF EXISTS public."T" RENAME TO "T_unused";'),
        ("table-drop", f"CREATE TABLE {'a' * 63} (c int)", f"DROP TABLE {'a' * 63}",
         f"ALTER TABLE {'a' * 63} RENAME TO {'a' * 56}_unused;"),
        ("truncate", "CREATE TABLE t (c int); CREATE TABLE u () INHERITS (t)", "TRUNCATE ONLY t RESTART IDENTITY",
         "CREATE TABLE t_kept AS SELECT * FROM ONLY t;\n" + AGAIN +
         "DELETE FROM ONLY t WHERE ctid = ANY (ARRAY(SELECT ctid FROM ONLY t LIMIT 10000));"),
        ("delete-without-where", 'CREATE SCHEMA s; CREATE TABLE s."T" (c int)', 'DELETE FROM s."T" WHERE 1 = 1',
         'CREATE TABLE s."T_kept" AS SELECT * FROM s."T";\n' + AGAIN +
         'DELETE FROM s."T" WHERE ctid = ANY (ARRAY(SELECT ctid FROM s."T" LIMIT 10000));'),
        ("delete-without-where", "SELECT 1",
         "WITH gone AS (DELETE FROM t RETURNING *) INSERT INTO u SELECT * FROM gone", ""),
        ("index-without-concurrently", "SELECT 1", "DO $$ BEGIN CREATE INDEX i ON t (c); END $$", ""),
        ("partition-detach-without-concurrently", "SELECT 1",
         "DO $$ BEGIN ALTER TABLE t DETACH PARTITION p; END $$", ""),
    ],
)  # fmt: skip
def test_the_safer_sql_of_a_statement(rule: str, setup: str, risky: str, expected: str, database: str) -> None:
    found = safer(rule, risky)
    assert found == expected
    run(database, setup, found)


ODD = [
    ("index-without-concurrently", "CREATE INDEX {i} ON {t} ({c})"),
    ("index-concurrently-if-not-exists", "CREATE INDEX CONCURRENTLY IF NOT EXISTS {i} ON {t} ({c})"),
    ("index-drop-without-concurrently", "CREATE INDEX {i} ON {t} ({c}); DROP INDEX {s}.{i}"),
    ("reindex-without-concurrently", "REINDEX TABLE {s}.{t}"),
    ("partition-detach-without-concurrently", "ALTER TABLE {p} DETACH PARTITION {i}"),
    ("partition-of-existing", "CREATE TABLE {i} PARTITION OF {p} FOR VALUES IN (2)"),
    ("trigger-left-disabled", "ALTER TABLE {t} DISABLE TRIGGER {g}"),
    ("vacuum-full", "VACUUM FULL {t}"),
    ("truncate", "TRUNCATE {s}.{t}"),
    ("table-drop", "DROP TABLE {t}"),
    ("domain-constraint-without-not-valid", "ALTER DOMAIN {d} SET NOT NULL"),
]
"""Rules, and statements that they find something in, whatever the names."""


@pytest.mark.parametrize(("rule", "template"), ODD, ids=[rule for rule, _ in ODD])
@given(names=st.lists(NAMES, min_size=7, max_size=7, unique=True))
@settings(max_examples=settings().max_examples // 5, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_odd_names_are_kept(rule: str, template: str, names: list[str], database: str) -> None:
    s, t, c, i, g, p, d = map(quoted, names)
    setup = (
        f"DROP SCHEMA IF EXISTS {s} CASCADE; CREATE SCHEMA {s}; SET search_path = {s}; CREATE TABLE {t} ({c} int); "
        f"CREATE FUNCTION {g}() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'; "
        f"CREATE TRIGGER {g} BEFORE INSERT ON {t} FOR EACH ROW EXECUTE FUNCTION {g}(); "
        f"CREATE TABLE {p} ({c} int) PARTITION BY LIST ({c}); CREATE DOMAIN {d} AS int; "
    )
    if rule == "partition-detach-without-concurrently":
        setup += f"CREATE TABLE {i} PARTITION OF {p} FOR VALUES IN (1)"
    given = {"s": s, "t": t, "c": c, "i": i, "g": g, "p": p, "d": d}
    *before, risky = (part.format(**given) for part in template.rpartition("; "))
    found = safer(rule, risky)
    assert found
    run(database, setup + "".join(before), found)
