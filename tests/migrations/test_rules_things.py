"""Rules about indexes, partitions, triggers, row security, maintenance: found, left alone, and what they claim."""

import psycopg
import pytest
from hypothesis import given

from migrations.impact.asked import asked_of
from migrations.impact.budgets import Budgets
from migrations.impact.reading import look_up
from migrations.impact.weigh import Scales
from migrations.rules import Finding, judge
from migrations.sql import read_script
from tests.migrations.odd_names import NAMES

OURS = frozenset(
    """
    alter-system cluster concurrently-under-timeout create-rule delete-without-where domain-constraint-validate
    domain-constraint-without-not-valid drop-cascade enum-value-rename enum-value-used-at-once identifier-too-long
    index-concurrently-if-not-exists index-drop-without-concurrently index-without-concurrently
    partition-attach-without-check partition-detach-without-concurrently partition-of-existing
    concurrently-refused refresh-without-concurrently reindex-without-concurrently role-in-script row-security-off
    row-security-without-policy schema-drop session-replication-role set-logged set-unlogged superuser-needed table-drop
    table-recreated trigger-disable trigger-drop trigger-left-disabled trigger-recreated truncate truncate-cascade
    type-drop-cascade update-without-where vacuum-full
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
        "DELETE FROM t WHERE c = c; UPDATE t SET c = 1 WHERE NOT true; DELETE FROM t WHERE 1 = 2 OR c > 0",
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
        ("CREATE TABLE IF NOT EXISTS t (c int);\nVACUUM FULL t", []),
        ("ALTER DOMAIN d SET NOT NULL;\nALTER DOMAIN d VALIDATE CONSTRAINT k",
         [("domain-constraint-without-not-valid", 1), ("domain-constraint-validate", 2)]),
        ("ALTER TYPE y ADD VALUE 'it''s';\nALTER TABLE t ALTER c SET DEFAULT 'it''s'",
         [("enum-value-used-at-once", 2)]),
        ("DO $$ BEGIN CREATE TYPE y AS ENUM ('a'); EXCEPTION WHEN duplicate_object THEN NULL; END $$;\n"
         "ALTER TYPE y ADD VALUE 'b';\nINSERT INTO t VALUES ('b')", [("enum-value-used-at-once", 3)]),
        ("DROP MATERIALIZED VIEW m CASCADE;\nDROP FUNCTION f(int) CASCADE",
         [("drop-cascade", 1), ("drop-cascade", 2)]),
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
        ("CREATE TABLE new_t (c int);\nINSERT INTO new_t SELECT c FROM t;\nDROP TABLE t;\n"
         "ALTER TABLE new_t RENAME TO t", [("table-recreated", 3)]),
        ("DROP TABLE t;\nCREATE VIEW t AS SELECT 1", [("table-recreated", 1)]),
    ],
)  # fmt: skip
def test_what_is_found(text: str, expected: list[tuple[str, int]]) -> None:
    assert codes(text) == expected


def test_an_invalid_index_is_kept_by_if_not_exists(database: str) -> None:
    invalid = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'i'::regclass"
    valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass"
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f"CREATE TABLE t (c int); CREATE INDEX i ON t (c); {invalid}".encode())
        connection.execute("CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (c)")
        assert connection.execute(valid).fetchone() == (False,)
        with pytest.raises(psycopg.errors.DuplicateTable):
            connection.execute("CREATE INDEX CONCURRENTLY i ON t (c)")


def test_readers_wait_for_an_index_that_is_built_anew(database: str) -> None:
    with psycopg.connect(database) as builder, psycopg.connect(database, autocommit=True) as reader:
        builder.execute("CREATE TABLE t (c int); CREATE INDEX i ON t (c)")
        builder.commit()
        builder.execute("REINDEX TABLE t")
        reader.execute("SET lock_timeout = '20ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            reader.execute("SELECT * FROM t")


@pytest.mark.parametrize(
    ("check", "said"),
    [("c > 0", "verifying"), ("c IS NOT NULL AND c >= 0 AND c < 10", "implied by existing constraints")],
)
def test_a_check_proves_the_bounds_of_a_partition(check: str, said: str, database: str) -> None:
    notices: list[str] = []
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE p (c int) PARTITION BY RANGE (c)")
        connection.execute(f"CREATE TABLE t (c int, CHECK ({check})); SET client_min_messages = debug1".encode())
        connection.add_notice_handler(lambda notice: notices.append(notice.message_primary or ""))
        connection.execute("ALTER TABLE p ATTACH PARTITION t FOR VALUES FROM (0) TO (10)")
    assert any(said in notice for notice in notices)


def test_a_detached_partition_has_a_way_out(database: str) -> None:
    """A cancel between its two transactions leaves it pending; FINALIZE ends it."""
    pending = "UPDATE pg_inherits SET inhdetachpending = true"
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE t (c int) PARTITION BY LIST (c); CREATE TABLE p PARTITION OF t FOR VALUES IN (1)"
        )
        connection.execute(pending.encode())
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
            connection.execute("ALTER TABLE t DETACH PARTITION p CONCURRENTLY")
        found = one("ALTER TABLE t DETACH PARTITION p", "partition-detach-without-concurrently")
        assert "ALTER TABLE t DETACH PARTITION p FINALIZE" in found.instead
        connection.execute("ALTER TABLE t DETACH PARTITION p FINALIZE")


def test_attach_lets_others_write_to_the_parent_and_create_does_not(database: str) -> None:
    found = one("CREATE TABLE p PARTITION OF t FOR VALUES IN (1)", "partition-of-existing")
    with psycopg.connect(database) as owner, psycopg.connect(database, autocommit=True) as app:
        owner.execute("CREATE TABLE t (c int) PARTITION BY LIST (c); CREATE TABLE q PARTITION OF t FOR VALUES IN (2)")
        owner.commit()
        app.execute("SET lock_timeout = '20ms'")
        owner.execute(found.safer_sql.encode())
        app.execute("INSERT INTO t VALUES (2)")
        owner.rollback()
        owner.execute("CREATE TABLE p PARTITION OF t FOR VALUES IN (1)")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            app.execute("INSERT INTO t VALUES (2)")


def test_triggers_that_are_switched_off_let_in_what_they_would_refuse(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE o (id int PRIMARY KEY); CREATE TABLE t (c int REFERENCES o)")
        connection.execute("ALTER TABLE t DISABLE TRIGGER USER")
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            connection.execute("INSERT INTO t VALUES (1)")
        connection.execute(
            "ALTER TABLE t DISABLE TRIGGER ALL; INSERT INTO t VALUES (1); ALTER TABLE t ENABLE TRIGGER ALL"
        )
        connection.execute("SET session_replication_role = replica; INSERT INTO t VALUES (2)")
        assert connection.execute("SELECT c FROM t ORDER BY c").fetchall() == [(1,), (2,)]


def test_row_security_without_a_policy_hides_every_row_from_others(database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE t (c int); INSERT INTO t VALUES (1); ALTER TABLE t ENABLE ROW LEVEL SECURITY")
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (1,)
        connection.execute("GRANT SELECT ON t TO pg_monitor; SET LOCAL ROLE pg_monitor")
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (0,)
        connection.execute("RESET ROLE; ALTER TABLE t DISABLE ROW LEVEL SECURITY; SET LOCAL ROLE pg_monitor")
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (1,)


def test_a_replaced_trigger_keeps_nobody_from_reading(database: str) -> None:
    made = "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()"
    found = one(f"DROP TRIGGER g ON t; {made}", "trigger-recreated")
    with psycopg.connect(database) as owner, psycopg.connect(database, autocommit=True) as app:
        owner.execute("CREATE TABLE t (c int)")
        owner.execute("CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'")
        owner.execute(made.encode())
        owner.commit()
        owner.execute(found.safer_sql.encode())
        app.execute("SET lock_timeout = '20ms'")
        app.execute("SELECT FROM t")


def test_findings_name_the_tables_that_the_script_does_not() -> None:
    """Of an index that the script made itself the table is known."""
    found = one("CREATE INDEX CONCURRENTLY i ON t (c); DROP INDEX i", "index-drop-without-concurrently")
    assert found.tables == ("t",)
    assert "read or write t from" in found.message
    assert one("DROP INDEX i; CREATE INDEX i ON t (c, d)", "index-drop-without-concurrently").tables == ("t",)
    unknown = one("DROP INDEX i", "index-drop-without-concurrently")
    assert unknown.tables == ()
    assert "the table of index i" in unknown.message


@pytest.mark.parametrize(
    ("setup", "text", "rule", "severity", "code"),
    [
        ("CREATE TABLE t (c int) PARTITION BY LIST (c)", "CREATE INDEX CONCURRENTLY i ON t (c)",
         "concurrently-refused", "stop", "0A000"),
        ("CREATE TABLE t (c int) PARTITION BY LIST (c); CREATE INDEX i ON t (c)", "DROP INDEX CONCURRENTLY i",
         "concurrently-refused", "stop", "0A000"),
        ("CREATE TABLE t (c int) PARTITION BY LIST (c); CREATE TABLE p PARTITION OF t FOR VALUES IN (1); "
         "CREATE TABLE d PARTITION OF t DEFAULT", "ALTER TABLE t DETACH PARTITION p CONCURRENTLY",
         "concurrently-refused", "stop", "55000"),
        ("CREATE MATERIALIZED VIEW m AS SELECT 1 AS c; CREATE UNIQUE INDEX i ON m (c) WHERE c > 0; "
         "CREATE UNIQUE INDEX j ON m ((c + 1))", "REFRESH MATERIALIZED VIEW CONCURRENTLY m",
         "concurrently-refused", "warn", "55000"),
        ("CREATE TABLE t (c int) PARTITION BY LIST (c); CREATE TABLE p PARTITION OF t FOR VALUES IN (1)",
         "CREATE INDEX i ON t (c)", "index-without-concurrently", "note", None),
        ("CREATE TABLE t (c int); CREATE INDEX i ON t (c)", "DROP INDEX CONCURRENTLY i", None, None, None),
        ("CREATE TABLE t (c int)", "CREATE INDEX CONCURRENTLY i ON t (c)", None, None, None),
        ("CREATE MATERIALIZED VIEW m AS SELECT 1 AS c; CREATE UNIQUE INDEX i ON m (c)",
         "REFRESH MATERIALIZED VIEW CONCURRENTLY m", None, None, None),
        ("CREATE MATERIALIZED VIEW m AS SELECT 1 AS c",
         "CREATE UNIQUE INDEX i ON m (c);\nREFRESH MATERIALIZED VIEW CONCURRENTLY m", None, None, None),
    ],
)  # fmt: skip
async def test_what_only_the_target_can_tell(
    setup: str, text: str, rule: str | None, severity: str | None, code: str | None, database: str
) -> None:
    script = read_script(text)
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
        await connection.execute(setup.encode())
        known = await look_up(connection, asked_of([script]))
        live = [finding for finding in Scales(Budgets(), known).weigh(script, ()).findings if finding.live]
        assert [(finding.rule, finding.severity) for finding in live] == ([(rule, severity)] if rule else [])
        failed = None
        for statement in script.statements:
            try:
                await connection.execute(statement.text.encode())
            except psycopg.Error as error:
                failed = error.sqlstate
        assert failed == code


def test_a_value_used_in_the_transaction_that_adds_it_is_a_stop() -> None:
    adds, uses = "ALTER TYPE y ADD VALUE 'b'", "INSERT INTO t VALUES ('b')"
    assert one(f"BEGIN; {adds}; {uses}; COMMIT", "enum-value-used-at-once").severity == "stop"
    assert one(f"{adds}; {uses}", "enum-value-used-at-once").severity == "warn"


def test_truncate_and_drop_with_cascade_take_what_they_do_not_name(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE o (id int PRIMARY KEY); CREATE TABLE t (c int REFERENCES o)")
        connection.execute("INSERT INTO o VALUES (1); INSERT INTO t VALUES (1); TRUNCATE o CASCADE")
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (0,)
        connection.execute("CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'")
        connection.execute("CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()")
        connection.execute("DROP FUNCTION f CASCADE")
        assert connection.execute("SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal").fetchone() == (0,)


def test_the_running_app_does_not_find_a_renamed_value(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TYPE mood AS ENUM ('sad'); CREATE TABLE t (c mood)")
        connection.execute("ALTER TYPE mood RENAME VALUE 'sad' TO 'low'")
        with pytest.raises(psycopg.errors.InvalidTextRepresentation):
            connection.execute("SELECT * FROM t WHERE c = 'sad'")


def test_names_that_are_cut_to_the_same_are_one(database: str) -> None:
    first, second = (f"CREATE INDEX IF NOT EXISTS {'long_' * 13}{end} ON t (c)" for end in "ab")
    alone = one(first, "identifier-too-long")
    both = [f for f in judge(read_script(f"{first};\n{second}")) if f.rule == "identifier-too-long"]
    assert (alone.severity, [f.severity for f in both]) == ("note", ["warn", "warn"])
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE t (c int)")
        connection.execute(first.encode())
        connection.execute(second.encode())
        rows = connection.execute("SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 't'::regclass")
        assert rows.fetchall() == [(alone.subject,)]


def test_a_domain_s_new_check_holds_for_new_values_at_once(database: str) -> None:
    with psycopg.connect(database) as owner, psycopg.connect(database, autocommit=True) as app:
        owner.execute("CREATE DOMAIN d AS int; CREATE TABLE t (c d); INSERT INTO t VALUES (0)")
        owner.commit()
        found = one("ALTER DOMAIN d ADD CHECK (value > 0)", "domain-constraint-without-not-valid")
        owner.execute(found.safer_sql.encode())
        app.execute("SET lock_timeout = '20ms'; INSERT INTO t VALUES (0)")
        owner.commit()
        with pytest.raises(psycopg.errors.CheckViolation):
            app.execute("INSERT INTO t VALUES (0)")


def test_a_timeout_leaves_an_invalid_index(database: str) -> None:
    """The reader uses another table, and keeps nobody from anything."""
    with psycopg.connect(database) as reader, psycopg.connect(database, autocommit=True) as builder:
        builder.execute("CREATE TABLE t (c int); SET lock_timeout = '50ms'")
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        reader.execute("SELECT * FROM pg_class")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            builder.execute("CREATE INDEX CONCURRENTLY i ON t (c)")
        valid = builder.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass").fetchone()
        assert valid == (False,)


def test_a_rule_calls_twice_what_stands_there_once(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE SEQUENCE q; CREATE TABLE t (c int); CREATE TABLE log (c int)")
        connection.execute("CREATE RULE r AS ON INSERT TO t DO ALSO INSERT INTO log VALUES (new.c)")
        connection.execute("INSERT INTO t VALUES (nextval('q'))")
        assert connection.execute("SELECT * FROM t").fetchall() != connection.execute("SELECT * FROM log").fetchall()


@given(NAMES)
def test_a_name_is_cut_as_the_server_cuts_it(name: str) -> None:
    long = name + "aé" * 30
    text = 'CREATE TABLE "' + long.replace('"', '""') + '" ()'
    (statement,) = read_script(text).statements
    assert one(text, "identifier-too-long").subject == statement.facts.creates_tables[0].name
