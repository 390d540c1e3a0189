"""Rules about indexes, partitions, triggers, row security, maintenance: found, left alone, and what they claim."""

import psycopg
import pytest

from migrations.rules import Finding, judge
from migrations.sql import read_script

OURS = frozenset(
    """
    cluster index-concurrently-if-not-exists index-drop-without-concurrently index-without-concurrently
    partition-attach-without-check partition-detach-without-concurrently partition-of-existing
    refresh-without-concurrently reindex-without-concurrently row-security-off row-security-without-policy
    session-replication-role set-logged set-unlogged trigger-disable trigger-drop trigger-left-disabled
    trigger-recreated vacuum-full
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
        "CREATE UNLOGGED TABLE t (c int); ALTER TABLE t SET LOGGED; ALTER TABLE t SET UNLOGGED",
        "CREATE TABLE t (c int); CLUSTER t USING i; VACUUM t; ANALYZE",
        "CREATE MATERIALIZED VIEW m AS SELECT 1 WITH NO DATA; REFRESH MATERIALIZED VIEW m",
    ],
)
def test_nothing_is_said(text: str) -> None:
    assert codes(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CREATE INDEX i ON t (c);\nDROP INDEX i",
         [("index-without-concurrently", 1), ("index-drop-without-concurrently", 2)]),
        ("DROP INDEX IF EXISTS i, s.j CASCADE", [("index-drop-without-concurrently", 1)] * 2),
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
    unknown = one("DROP INDEX i", "index-drop-without-concurrently")
    assert unknown.tables == ()
    assert "the table of index i" in unknown.message
