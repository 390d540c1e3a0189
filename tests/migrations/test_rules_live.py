"""Rules that look at the target: what they find there, the server does; and what they leave alone, it accepts."""

from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest

from migrations.impact.asked import asked_of
from migrations.impact.budgets import Budgets
from migrations.impact.reading import look_up
from migrations.impact.weigh import Scales
from migrations.rules import Finding, Rule, judge, rules
from migrations.sql import read_script
from tests.migrations.pretended import grown

Connection = psycopg.AsyncConnection[Any]
LIVE = [rule for rule in rules() if rule.only_live]


@pytest.fixture
async def connection(database: str) -> AsyncIterator[Connection]:
    async with await psycopg.AsyncConnection.connect(database, autocommit=True, prepare_threshold=None) as connection:
        yield connection


async def run(connection: Connection, text: str) -> None:
    for statement in read_script(text).statements:
        await connection.execute(statement.text.encode())


async def found(connection: Connection, *texts: str) -> list[Finding]:
    """What is found in the last of some pending scripts."""
    scripts = [read_script(text) for text in texts]
    scales = Scales(Budgets(), await look_up(connection, asked_of(scripts)))
    return [list(scales.weigh(script, judge(script)).findings) for script in scripts][-1]


async def codes(connection: Connection, *texts: str) -> list[str]:
    return [finding.rule for finding in await found(connection, *texts) if finding.live]


@pytest.mark.parametrize("rule", LIVE, ids=lambda rule: rule.code)
async def test_what_only_the_target_shows(rule: Rule, connection: Connection) -> None:
    assert rule.code not in {finding.rule for finding in judge(read_script(rule.risky), also=(rule.code,))}
    await run(connection, rule.setup)
    assert rule.code in await codes(connection, rule.risky)
    assert rule.code not in await codes(connection, rule.safer)
    if rule.fails:
        with pytest.raises(psycopg.Error) as caught:
            await run(connection, rule.risky)
        assert caught.value.sqlstate == rule.fails
    await run(connection, rule.safer)


NEEDED = """
CREATE TABLE t (id int PRIMARY KEY, a int, b int, g int GENERATED ALWAYS AS (b + 1) STORED, free int);
CREATE TABLE l (t_id int CONSTRAINT back REFERENCES t); CREATE VIEW v AS SELECT a FROM t;
CREATE VIEW w AS SELECT * FROM v; CREATE POLICY p ON t USING (a > 0); CREATE SEQUENCE s;
CREATE TABLE u (id int DEFAULT nextval('s'));
CREATE FUNCTION f() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM u; END;
"""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ALTER TABLE t DROP COLUMN a", "policy p on table public.t, view public.v need column a of t"),
        ("ALTER TABLE t DROP COLUMN b", "column g of table public.t need"),
        ("ALTER TABLE t DROP COLUMN id", "constraint back on table public.l needs column id of t"),
        ("ALTER TABLE t DROP COLUMN free", ""),
        ("ALTER TABLE t DROP COLUMN b, DROP COLUMN g", "column g of table public.t needs column b of t"),
        ("ALTER TABLE t DROP COLUMN g, DROP COLUMN b", ""),
        ("ALTER TABLE t DROP COLUMN g; ALTER TABLE t DROP COLUMN b", ""),
        ("DROP TABLE t", "constraint back on table public.l, view public.v need table t"),
        ("DROP TABLE l; DROP VIEW v, w; DROP TABLE t", ""),
        ("DROP VIEW w; DROP VIEW v; ALTER TABLE l DROP CONSTRAINT back; DROP TABLE t", ""),
        ("DROP TABLE l, t", "view public.v needs table t"),
        ("DROP VIEW v", "view public.w needs view v"),
        ("DROP TABLE u", "function public.f() needs table u"),
        ("DROP FUNCTION f; DROP TABLE u", ""),
        ("DROP SEQUENCE s", "default value for column id of table public.u needs sequence s"),
        ("ALTER TABLE u ALTER id DROP DEFAULT; DROP SEQUENCE s", ""),
        ("ALTER TABLE t RENAME TO n; ALTER TABLE n RENAME a TO z; ALTER TABLE n DROP COLUMN z", "need column z of n"),
        ("CREATE TABLE n (c int); DROP TABLE n", ""),
    ],
)
async def test_a_drop_fails_where_it_is_said_to(text: str, words: str, connection: Connection) -> None:
    await run(connection, NEEDED)
    said = [finding.message for finding in await found(connection, text) if finding.rule == "drop-in-use"]
    assert all(words in message for message in said) and bool(said) == bool(words), said
    if not words:
        await run(connection, text)
        return
    with pytest.raises(psycopg.errors.DependentObjectsStillExist):
        await run(connection, text)


async def test_cascade_takes_along_what_is_named(connection: Connection) -> None:
    await run(connection, NEEDED)
    (finding,) = [one for one in await found(connection, "DROP VIEW v CASCADE") if one.rule == "drop-in-use"]
    assert (finding.severity, finding.live) == ("warn", True)
    assert finding.message.startswith("on this target CASCADE takes along view public.w, which needs view v")


@pytest.mark.parametrize(
    ("text", "lost", "words"),
    [
        ("DROP VIEW v CASCADE", "SELECT 'm'::regclass, w FROM rows_of", "column w of table public.rows_of"),
        ("DROP VIEW v CASCADE", "SELECT 'm'::regclass", "materialized view public.m"),
        ("DROP MATERIALIZED VIEW m CASCADE", "SELECT g FROM counted", ""),
        ("DROP VIEW x CASCADE", "SELECT a FROM t", ""),
        ("DROP TABLE rows_of; DROP VIEW x; DROP MATERIALIZED VIEW m; DROP VIEW v CASCADE", "SELECT a FROM t", ""),
    ],
)
async def test_cascade_loses_data_where_it_is_said_to(text: str, lost: str, words: str, connection: Connection) -> None:
    await run(connection, NEEDED)
    await run(connection, "CREATE MATERIALIZED VIEW m AS SELECT * FROM w; CREATE TABLE rows_of (id int, w w)")
    await run(connection, "CREATE VIEW x AS SELECT * FROM m; CREATE TABLE counted (id int, g int)")
    said = [one for one in await found(connection, text) if one.rule == "drop-in-use" and one.loses_data]
    assert [(one.severity, words in one.message) for one in said] == ([("stop", True)] if words else []), said
    await connection.execute(lost.encode())
    await run(connection, text)
    if words:
        with pytest.raises((psycopg.errors.UndefinedColumn, psycopg.errors.UndefinedTable)):
            await connection.execute(lost.encode())
    else:
        await connection.execute(lost.encode())


async def test_what_an_earlier_script_does_away_with_is_in_nobodys_way(connection: Connection) -> None:
    await run(connection, NEEDED)
    assert await codes(connection, "DROP VIEW v CASCADE; DROP POLICY p ON t", "ALTER TABLE t DROP COLUMN a") == []
    assert await codes(connection, "SELECT clear_the_way()", "ALTER TABLE t DROP COLUMN a") == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ALTER TABLE t ALTER a TYPE bigint", "policy p on table public.t, view public.v read column a of t"),
        ("ALTER TABLE t ALTER b TYPE bigint", "column g of table public.t"),
        ("ALTER TABLE t ALTER id TYPE bigint", ""),
        ("ALTER TABLE t ALTER free TYPE bigint", ""),
        ("ALTER TABLE u ALTER id TYPE bigint", ""),
    ],
)
async def test_a_type_cannot_change_under_a_view(text: str, words: str, connection: Connection) -> None:
    await run(connection, NEEDED)
    said = [finding.message for finding in await found(connection, text) if finding.rule == "type-change-in-use"]
    assert all(words in message for message in said) and bool(said) == bool(words), said
    if not words:
        await run(connection, text)
        return
    with pytest.raises(psycopg.errors.FeatureNotSupported):
        await run(connection, text)


async def test_a_domain_of_the_target_that_checks_its_values(connection: Connection) -> None:
    await run(
        connection, "CREATE TABLE t (c int); INSERT INTO t VALUES (1); CREATE DOMAIN positive AS int CHECK (VALUE > 0)"
    )
    await run(connection, "CREATE DOMAIN free AS int")
    text = "ALTER TABLE t ADD COLUMN d positive"
    (finding,) = [one for one in await found(connection, text) if one.rule == "add-column-checked-domain"]
    assert (finding.live, finding.severity) == (True, "note")
    assert "add-column-checked-domain" not in await codes(connection, "ALTER TABLE t ADD COLUMN d free")
    assert "add-column-checked-domain" not in await codes(connection, "ALTER TABLE t ADD COLUMN d positive[]")
    before = await (await connection.execute("SELECT pg_relation_filenode('t')")).fetchone()
    await run(connection, text)
    assert before != await (await connection.execute("SELECT pg_relation_filenode('t')")).fetchone()


async def test_a_foreign_key_on_a_large_table_wants_an_index(connection: Connection) -> None:
    await run(connection, "CREATE TABLE o (id int PRIMARY KEY); CREATE TABLE t (o_id int, c int)")
    key = "ALTER TABLE t ADD FOREIGN KEY (o_id) REFERENCES o"
    assert await codes(connection, key) == []
    await grown(connection, "t", gigabytes=1, rows=10_000_000)
    assert await codes(connection, key) == ["foreign-key-without-index"]
    assert await codes(connection, f"CREATE INDEX ON t (o_id, c); {key}") == []
    assert await codes(connection, "CREATE INDEX ON t (o_id)", key) == []
    await run(connection, "CREATE INDEX half ON t (o_id) WHERE c > 0")
    assert await codes(connection, key) == ["foreign-key-without-index"]
    await run(connection, "CREATE INDEX whole ON t (o_id, c)")
    assert await codes(connection, key) == []


async def test_an_invalid_index_is_a_stop_if_it_would_be_kept(connection: Connection) -> None:
    await run(connection, "CREATE TABLE t (c int); INSERT INTO t VALUES (1), (1)")
    with pytest.raises(psycopg.errors.UniqueViolation):
        await connection.execute("CREATE UNIQUE INDEX CONCURRENTLY i ON t (c)")
    text = "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON t (c)"
    (finding,) = [one for one in await found(connection, text) if one.rule == "index-concurrently-if-not-exists"]
    assert (finding.severity, finding.live) == ("stop", False), "the rule speaks of it without a target, too"
    assert "is on this target" in finding.message
    gone = await found(connection, "DROP INDEX CONCURRENTLY i", text)
    assert {one.severity for one in gone if one.rule == finding.rule} <= {"warn"}


async def test_without_a_slot_nobody_is_left_behind(connection: Connection) -> None:
    await run(connection, "CREATE TABLE t (c int); CREATE PUBLICATION p FOR TABLE t")
    assert await codes(connection, "ALTER TABLE t ADD COLUMN d int") == []


async def test_an_allowance_of_a_live_finding_is_taken_and_never_called_idle(connection: Connection) -> None:
    text = "-- gonogo: allow drop-in-use because v goes by hand before\nALTER TABLE t DROP COLUMN c"
    assert "allow-without-effect" not in {finding.rule for finding in judge(read_script(text))}
    await run(connection, "CREATE TABLE t (c int); CREATE VIEW v AS SELECT c FROM t")
    (finding,) = [one for one in await found(connection, text) if one.rule == "drop-in-use"]
    assert finding.allowed == "v goes by hand before"
