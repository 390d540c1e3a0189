"""What the rules about things say of them, the server shows: indexes, partitions, triggers, domains, cascades."""

import psycopg
import pytest

from migrations.catalog.effects import effects_of
from migrations.impact.asked import asked_of
from migrations.impact.budgets import Budgets
from migrations.impact.reading import look_up
from migrations.impact.weigh import Scales
from migrations.rules import Finding, judge
from migrations.sql import read_script


def one(text: str, rule: str) -> Finding:
    """The only finding of a rule."""
    (found,) = (finding for finding in judge(read_script(text)) if finding.rule == rule)
    return found


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
        ("CREATE TABLE t (c int); CREATE INDEX i ON t (c)", "DROP INDEX CONCURRENTLY i", None, None, None),
        ("CREATE TABLE t (c int)", "CREATE INDEX CONCURRENTLY i ON t (c)", None, None, None),
        ("CREATE TABLE t (c int) PARTITION BY LIST (c); CREATE TABLE p PARTITION OF t FOR VALUES IN (1)",
         "ALTER TABLE t DETACH PARTITION p CONCURRENTLY", None, None, None),
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


@pytest.mark.parametrize(
    ("setup", "text", "rule", "words"),
    [
        ("CREATE TABLE t (c int) PARTITION BY LIST (c); CREATE TABLE p PARTITION OF t FOR VALUES IN (1)",
         "CREATE INDEX i ON t (c)", "index-without-concurrently", "any partition of it"),
        ("CREATE TABLE t (c int) PARTITION BY LIST (c); CREATE INDEX i ON t (c)",
         "DROP INDEX i", "index-drop-without-concurrently", "any partition of it"),
        ("CREATE TABLE t (c int) PARTITION BY LIST (c); CREATE TABLE p PARTITION OF t FOR VALUES IN (1); "
         "CREATE TABLE d PARTITION OF t DEFAULT",
         "ALTER TABLE t DETACH PARTITION p", "partition-detach-without-concurrently", "read or write t or p"),
    ],
)  # fmt: skip
async def test_nothing_is_offered_that_the_target_would_refuse(
    setup: str, text: str, rule: str, words: str, database: str
) -> None:
    script = read_script(text)
    assert one(text, rule).safer_sql
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
        await connection.execute(setup.encode())
        known = await look_up(connection, asked_of([script]))
    (found,) = Scales(Budgets(), known).weigh(script, judge(script)).findings
    assert (found.rule, found.safer_sql, found.live) == (rule, "", False)
    assert words in found.message
    assert found.instead


def test_truncate_and_drop_with_cascade_take_what_they_do_not_name(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE o (id int PRIMARY KEY); CREATE TABLE t (c int REFERENCES o)")
        connection.execute("INSERT INTO o VALUES (1); INSERT INTO t VALUES (1); TRUNCATE o CASCADE")
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (0,)
        connection.execute("CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'")
        connection.execute("CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()")
        connection.execute("DROP FUNCTION f CASCADE")
        assert connection.execute("SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal").fetchone() == (0,)


COMPARED = (
    "CREATE OPERATOR CLASS c FOR TYPE int USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, "
    "OPERATOR 5 >, FUNCTION 1 btint4cmp(int, int)"
)


@pytest.mark.parametrize(
    ("setup", "drop", "left"),
    [
        ("CREATE TABLE t (a int, b int GENERATED ALWAYS AS (f(a)) STORED)", "DROP FUNCTION f CASCADE", "a"),
        ("CREATE TABLE t (a int, b int) PARTITION BY LIST (f(a))", "DROP ROUTINE f CASCADE", None),
        ("CREATE OPERATOR @@@ (FUNCTION = f, RIGHTARG = int);"
         "CREATE TABLE t (a int, b int GENERATED ALWAYS AS (@@@ a) STORED)",
         "DROP OPERATOR @@@ (NONE, int) CASCADE", "a"),
        ("CREATE TEXT SEARCH CONFIGURATION c (COPY = simple);"
         "CREATE TABLE t (a text, b tsvector GENERATED ALWAYS AS (to_tsvector('c', a)) STORED)",
         "DROP TEXT SEARCH CONFIGURATION c CASCADE", "a"),
        ("CREATE TEXT SEARCH DICTIONARY d (TEMPLATE = simple); CREATE TEXT SEARCH CONFIGURATION c (COPY = simple);"
         "ALTER TEXT SEARCH CONFIGURATION c ALTER MAPPING FOR word WITH d;"
         "CREATE TABLE t (a text, b tsvector GENERATED ALWAYS AS (to_tsvector('c', a)) STORED)",
         "DROP TEXT SEARCH DICTIONARY d CASCADE", "a"),
        (f"{COMPARED}; CREATE TABLE t (a int, b int) PARTITION BY RANGE (a c)",
         "DROP OPERATOR CLASS c USING btree CASCADE", None),
        (f"{COMPARED}; CREATE TABLE t (a int, b int) PARTITION BY RANGE (a c)",
         "DROP OPERATOR FAMILY c USING btree CASCADE", None),
        ("CREATE ACCESS METHOD m TYPE TABLE HANDLER heap_tableam_handler; CREATE TABLE t (a int, b int) USING m",
         "DROP ACCESS METHOD m CASCADE", None),
        ("CREATE LANGUAGE l HANDLER plpgsql_call_handler;"
         "CREATE FUNCTION g(int) RETURNS int IMMUTABLE LANGUAGE l AS 'BEGIN RETURN $1; END';"
         "CREATE TABLE t (a int, b int GENERATED ALWAYS AS (g(a)) STORED)", "DROP LANGUAGE l CASCADE", "a"),
        ("CREATE TABLE t (a int, b int DEFAULT f(1))", "DROP FUNCTION f CASCADE", "a, b"),
    ],
)  # fmt: skip
def test_columns_go_with_what_they_are_computed_with(setup: str, drop: str, left: str | None, database: str) -> None:
    assert one(drop, "function-drop-cascade").loses_data
    assert effects_of([("m", read_script(drop))], "public").opaque
    columns = "attrelid = to_regclass('t') AND attnum > 0 AND NOT attisdropped"
    with psycopg.connect(database) as connection:
        connection.execute(
            f"CREATE FUNCTION f(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1'; {setup}".encode()
        )
        connection.execute(drop.encode())
        rows = connection.execute(f"SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute WHERE {columns}")
        assert rows.fetchone() == (left,)
        connection.rollback()


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
