"""What does harm where one does not look for it: inside of another statement, behind a name, in a constant."""

import pytest

from migrations.rules import Finding, judge
from migrations.sql import read_script

SQL_FUNCTION = "LANGUAGE sql AS"


def found(text: str) -> set[str]:
    script = read_script(text)
    assert script.error is None
    return {finding.rule for finding in judge(script)}


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("DELETE FROM t USING o", "delete-without-where"),
        ("UPDATE t SET c = 1 FROM o JOIN p ON o.id = p.id", "update-without-where"),
        ("MERGE INTO t USING o ON true WHEN MATCHED THEN DELETE", "delete-without-where"),
        ("MERGE INTO t USING o ON t.c = o.c WHEN NOT MATCHED BY SOURCE THEN DELETE", "merge-with-delete"),
        ("WITH m AS (MERGE INTO t USING o ON t.c = o.c WHEN MATCHED THEN DELETE RETURNING *) SELECT * FROM m",
         "merge-with-delete"),
        ("MERGE INTO t USING o ON 1 = 1 WHEN MATCHED THEN UPDATE SET c = 1", "update-without-where"),
        ("CREATE TABLE n AS WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d", "delete-without-where"),
        ("COPY (DELETE FROM t RETURNING *) TO '/dev/null'", "delete-without-where"),
        ("COPY (WITH d AS (DELETE FROM t RETURNING *) TABLE d) TO '/dev/null'", "delete-without-where"),
        ("CREATE TEMP TABLE t (c int); DROP TABLE public.t", "table-drop"),
        ("CREATE TEMP TABLE t AS SELECT c FROM t; TRUNCATE public.t", "truncate"),
        ("CREATE TEMP TABLE t (c int); DROP TABLE t; DROP TABLE t", "table-drop"),
        ("CREATE TEMP TABLE n (c int); ALTER TABLE n RENAME TO t; DROP TABLE public.t", "table-drop"),
        (f"CREATE FUNCTION f() RETURNS void {SQL_FUNCTION} 'TRUNCATE t';"
         f"CREATE FUNCTION f(int) RETURNS void {SQL_FUNCTION} ''; SELECT f()", "truncate"),
        (f"CREATE FUNCTION f() RETURNS void {SQL_FUNCTION} ''; SELECT other.f()", "not-analysed"),
        ("SELECT pg_catalog.query_to_xml('TRUNCATE t', true, true, '')", "not-analysed"),
        ("INSERT INTO o SELECT purge()", "not-analysed"),
        ("UPDATE t SET c = purge(c) WHERE c = 1", "not-analysed"),
        ("DELETE FROM t WHERE c IN (SELECT purge(1))", "not-analysed"),
        ("MERGE INTO t USING o ON t.c = o.c WHEN MATCHED THEN UPDATE SET c = purge(o.c)", "not-analysed"),
        ("CREATE TABLE n AS SELECT purge()", "not-analysed"),
        ("COPY (SELECT purge()) TO '/dev/null'", "not-analysed"),
        (f"CREATE FUNCTION f() RETURNS int {SQL_FUNCTION} 'DELETE FROM t RETURNING 1'; INSERT INTO o VALUES (f())",
         "delete-without-where"),
        ("CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql RETURN 1; DROP FUNCTION f CASCADE",
         "function-drop-cascade"),
        ("ALTER TABLE t DROP CONSTRAINT t_pkey CASCADE", "drop-cascade"),
        ("DROP COLLATION c CASCADE", "type-drop-cascade"),
    ],
)  # fmt: skip
def test_it_is_found(text: str, rule: str) -> None:
    assert rule in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "CREATE TEMP TABLE n (c int); UPDATE n SET c = 1; DROP TABLE n",
        "CREATE TEMP TABLE n (c int); ALTER TABLE n RENAME TO m; DROP TABLE m",
        "MERGE INTO t USING o ON t.c = o.c WHEN MATCHED AND o.gone THEN DELETE",
        "MERGE INTO t USING o ON t.c = o.c WHEN MATCHED THEN UPDATE SET c = o.d",
        "MERGE INTO t USING o ON true WHEN MATCHED AND t.c = 1 THEN DELETE WHEN NOT MATCHED THEN DO NOTHING",
        "SELECT pg_catalog.setval('s', 1, false)",
        f"CREATE FUNCTION s.f() RETURNS int {SQL_FUNCTION} 'SELECT 1'; SELECT s.f(); SELECT f()",
        f"CREATE FUNCTION f() RETURNS int {SQL_FUNCTION} 'SELECT 1'; INSERT INTO o VALUES (public.f(), lower('A'))",
        f"CREATE FUNCTION f() RETURNS int {SQL_FUNCTION} 'TRUNCATE t'; DROP FUNCTION f; "
        f"CREATE FUNCTION f() RETURNS int {SQL_FUNCTION} 'SELECT 1'; SELECT f()",
        f"CREATE FUNCTION f() RETURNS int {SQL_FUNCTION} 'SELECT 1'; DROP FUNCTION f CASCADE",
        "CREATE TABLE n (id int PRIMARY KEY); ALTER TABLE n DROP CONSTRAINT n_pkey CASCADE",
        "CREATE SCHEMA n CREATE TABLE a (id int) CREATE VIEW v AS TABLE a; CREATE INDEX ON n.a (id); DROP TABLE n.a",
    ],
)
def test_what_only_looks_like_it_is_not(text: str) -> None:
    assert found(text) == set()


@pytest.mark.parametrize(
    "text",
    [
        "SELECT dblink_connect('host=db password=hunter2')",
        "SELECT dblink_connect($$host = db user=app password = 'hunter2'$$)",
        "SELECT dblink_exec('postgres://app:hunter2@db/shop', 'TRUNCATE t')",
        "INSERT INTO hooks (url) VALUES ('https://app:hunter2@example.org/x')",
        "DO $do$ BEGIN PERFORM dblink_connect('host=db password=hunter2'); END $do$",
        "SET app.jwt_secret = 'hunter2'",
        "SET LOCAL \"app.settings.apiKey\" TO 'hunter2'",
        "SELECT set_config('app.token', 'hunter2', false)",
        "ALTER DATABASE shop SET app.jwt_secret = 'hunter2'",
        "ALTER ROLE app IN DATABASE shop SET app.password TO 'hunter2'",
        "ALTER ROLE CURRENT_USER PASSWORD 'hunter2'",
        "CREATE SERVER s FOREIGN DATA WRAPPER w OPTIONS (host 'db', password 'hunter2')",
        "ALTER SERVER s OPTIONS (SET db_passwd 'hunter2')",
    ],
)
def test_a_secret_is_found_and_never_repeated(text: str) -> None:
    script = read_script(text)
    findings = judge(script)
    assert "secret-in-script" in {finding.rule for finding in findings}
    assert "hunter2" not in told(findings) + " ".join(statement.summary for statement in script.statements)


@pytest.mark.parametrize(
    "text",
    [
        "SET password_encryption = 'scram-sha-256'",
        "SET search_path = app_keys",
        "SELECT set_config('app.user_id', '7', true)",
        "INSERT INTO links (url) VALUES ('https://example.org:8080/@someone'), ('a=b password')",
        "UPDATE t SET note = 'password = ?' WHERE c = 1",
        "SELECT dblink_connect('host=db user=app') FROM t WHERE false",
        "INSERT INTO t (sql) VALUES ('UPDATE u SET password = 1 WHERE id = 2')",
        "ALTER DATABASE shop SET timezone = 'UTC'",
        "CREATE SERVER s FOREIGN DATA WRAPPER w OPTIONS (host 'db', port '5432')",
        "ALTER SERVER s OPTIONS (DROP password)",
    ],
)
def test_what_is_no_secret_is_not(text: str) -> None:
    assert "secret-in-script" not in found(text)


EVIL = '"a\x1b[2J\u202eb[/red]"'


@pytest.mark.parametrize(
    "text",
    [
        "ALTER ROLE {0} PASSWORD 'x'",
        "CREATE USER {0} PASSWORD 'x'",
        "ALTER SYSTEM SET {0} = 1",
        "SET {0} = 1; RESET {0}; ALTER TABLE {0} RENAME {0} TO c",
        "CREATE USER MAPPING FOR {0} SERVER {0} OPTIONS (password 'x')",
        "CREATE SUBSCRIPTION {0} CONNECTION 'password=x' PUBLICATION {0}",
        "ALTER TABLE {0} ADD COLUMN {0} {0} DEFAULT {0}(1), DROP COLUMN {0}, ADD CONSTRAINT {0} CHECK ({0} > 0)",
        "ALTER TABLE {0} ALTER COLUMN {0} TYPE {0} USING {0}({0}), ALTER {0} SET NOT NULL, DROP CONSTRAINT {0} CASCADE",
        "DROP TABLE {0} CASCADE; DROP FUNCTION {0} CASCADE; DROP TYPE {0} CASCADE; DROP SCHEMA {0} CASCADE",
        "ALTER TABLE {0} RENAME TO b; ALTER TYPE {0} RENAME VALUE 'a\x1b' TO 'b\x1b'; ALTER SCHEMA {0} RENAME TO c",
        "SELECT {0}.{0}(); CALL {0}(); DO LANGUAGE {0} ''; CREATE EXTENSION {0}; CREATE ROLE {0}; DROP ROLE {0}",
        "ALTER TABLE {0} DISABLE TRIGGER {0}; DROP TRIGGER {0} ON {0}; CREATE RULE {0} AS ON DELETE TO {0} DO NOTHING",
        "DROP TABLE {0}; -- gonogo: allow table-drop because \x1b[2J\n-- gonogo: allow \x1b[2J because x",
    ],
)
def test_names_bring_no_control_codes_to_a_screen(text: str) -> None:
    script = read_script(text.format(EVIL))
    findings = judge(script)
    assert script.error is None and findings
    shown = told(findings) + "".join(s.summary + s.why_not for s in script.statements)
    assert {char for char in shown if not char.isprintable()} <= {"\n"}


def told(findings: tuple[Finding, ...]) -> str:
    """All that is said of a script."""
    return "".join(x.message + x.instead + x.safer_sql + (x.allowed or "") + "".join(x.tables) for x in findings)


def test_a_statement_of_many_parts_is_written_out_once() -> None:
    parts = ", ".join(f"ADD COLUMN c{n} int NOT NULL" for n in range(2_000))
    (finding,) = judge(read_script(f"ALTER TABLE t {parts}"))
    assert finding.safer_sql.count("ADD COLUMN") == 2_000
