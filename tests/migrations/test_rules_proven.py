"""What each rule claims, the server confirms: the lock, what it blocks, the rewrite, the failure."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from psycopg import errors

from migrations.locks import Lock
from migrations.rules import Rule, judge, rules
from migrations.sql import read_script

# Rows are locked one by one: the table's own lock keeps nobody out.
EXPECTED = {"writes of the same rows": ""}
STRENGTH = [lock.mode for lock in Lock]

Connection = psycopg.Connection[tuple[object, ...]]


@pytest.fixture(params=rules(), ids=lambda rule: rule.code)
def rule(request: pytest.FixtureRequest) -> Rule:
    found: Rule = request.param
    return found


def test_the_risky_form_is_found_and_the_safer_one_is_not(rule: Rule) -> None:
    assert rule.code in {finding.rule for finding in judge(read_script(rule.risky), also=(rule.code,))}
    assert rule.code not in {finding.rule for finding in judge(read_script(rule.safer), also=(rule.code,))}


def test_the_server_confirms_it(rule: Rule, database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(rule.setup)
        if rule.fails:
            with pytest.raises(psycopg.Error) as caught:
                connection.execute(rule.risky)
            assert caught.value.sqlstate == rule.fails
            connection.rollback()
        elif any(statement.facts.alone for statement in read_script(rule.risky).statements):
            prove_alone(rule, connection, database)
        elif rule.lock or rule.rewrites:
            with connection.transaction(force_rollback=True):
                prove(rule, connection, database)
        for statement in read_script(rule.safer).statements:
            connection.execute(statement.text)


def prove(rule: Rule, connection: Connection, database: str) -> None:
    table = scalar(connection, "SELECT 't'::regclass::oid")
    schema = scalar(connection, "SELECT relnamespace::regnamespace::text FROM pg_class WHERE oid = %s", table)
    node = scalar(connection, "SELECT pg_relation_filenode(%s::oid)", table)
    connection.execute(rule.risky)
    if rule.lock:
        assert strongest_lock(connection, table) == rule.lock.mode
        assert blocked(database, f"{schema}.t") == EXPECTED.get(rule.blocks, rule.blocks)
    if rule.rewrites:
        assert scalar(connection, "SELECT pg_relation_filenode(%s::oid)", table) != node


def prove_alone(rule: Rule, connection: Connection, database: str) -> None:
    """What cannot be in a transaction: its lock is seen where it waits for a reader."""
    if rule.lock is None:
        return
    waiting = "SELECT mode FROM pg_locks WHERE relation = 't'::regclass AND NOT granted"
    node = scalar(connection, "SELECT pg_relation_filenode('t')")
    with ThreadPoolExecutor(1) as thread, psycopg.connect(database) as reader:
        reader.execute("SELECT FROM t")
        running = thread.submit(connection.execute, rule.risky.encode())
        modes = (reader.execute(waiting).fetchone() for _ in range(1000) if reader.execute("SELECT pg_sleep(0.01)"))
        assert next(mode for mode in modes if mode) == (rule.lock.mode,)
        assert rule.lock.blocks == rule.blocks
        reader.rollback()
        running.result()
    if rule.rewrites:
        assert scalar(connection, "SELECT pg_relation_filenode('t')") != node


def scalar(connection: Connection, query: str, *values: object) -> object:
    row = connection.execute(query, values).fetchone()
    assert row is not None
    return row[0]


def strongest_lock(connection: Connection, table: object) -> str:
    rows = connection.execute(
        "SELECT mode FROM pg_locks WHERE relation = %s AND pid = pg_backend_pid() AND granted", (table,)
    ).fetchall()
    modes = [str(mode) for (mode,) in rows]
    return max(modes, key=STRENGTH.index, default="")


def blocked(database: str, table: str) -> str:
    """What other sessions cannot do to the table now; DDL only where nothing else is kept out."""
    with psycopg.connect(database, autocommit=True) as other:
        does = {"reads": "ACCESS SHARE", "writes": "ROW EXCLUSIVE", "DDL": "SHARE UPDATE EXCLUSIVE"}
        if not scalar(other, "SELECT relkind IN ('r', 'p') FROM pg_class WHERE oid = %s::regclass", table):
            return "reads" if not readable(other, table) else ""  # nobody writes to a materialized view
        refused = [word for word, mode in does.items() if not lockable(other, table, mode)]
    return " and ".join(word for word in refused if word != "DDL") or "".join(refused)


def readable(connection: Connection, table: str) -> bool:
    connection.execute("SET lock_timeout = '20ms'")
    try:
        connection.execute(f"SELECT FROM {table}".encode())
    except errors.LockNotAvailable:
        return False
    return True


def lockable(connection: Connection, table: str, mode: str) -> bool:
    try:
        with connection.transaction():
            connection.execute(f"LOCK TABLE {table} IN {mode} MODE NOWAIT".encode())
    except errors.LockNotAvailable:
        return False
    return True
