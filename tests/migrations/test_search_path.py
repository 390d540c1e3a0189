"""Names without a schema in scripts that set the search path; the server decides who is right."""

import psycopg
import pytest

from migrations.impact.asked import asked_of
from migrations.impact.budgets import Budgets
from migrations.impact.reading import look_up
from migrations.impact.weigh import Scales
from migrations.rules import judge
from migrations.sql import Name, read_script

SETUP = """
CREATE SCHEMA app; CREATE SCHEMA other;
CREATE TABLE public.t (c int); CREATE TABLE app.t (c int); CREATE TABLE other.t (c int)
"""


def tables_of(text: str) -> list[str]:
    return [str(name) for statement in read_script(text).statements for name in statement.facts.touches]


@pytest.mark.parametrize(
    ("path", "table"),
    [
        ("SET search_path TO app", "app.t"),
        ("SET search_path = other", "other.t"),
        ("SET SESSION search_path = '$user', app", "app.t"),
        ("BEGIN; SET LOCAL search_path = app; COMMIT", "t"),
        ("SET search_path TO other; BEGIN; SET LOCAL search_path = app; ROLLBACK", "other.t"),
        ("SET search_path = app; RESET search_path", "t"),
        ("SET search_path = app; RESET ALL", "t"),
        ("SET search_path = app; CREATE TEMP TABLE t (c int)", "pg_temp.t"),
    ],
)
def test_the_schema_that_the_server_finds(path: str, table: str, database: str) -> None:
    text = f"{path}; ALTER TABLE t ADD COLUMN d int"
    assert tables_of(text)[-1] == table
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(SETUP.encode())
        for statement in read_script(text).statements:
            connection.execute(statement.text.encode())
        connection.execute("SET search_path TO pg_catalog")
        row = connection.execute("SELECT attrelid::regclass::text FROM pg_attribute WHERE attname = 'd'").fetchone()
    assert row is not None
    seen = str(row[0]) if "." in str(row[0]) else f"pg_temp.{row[0]}"  # which no path leaves out
    assert table == seen.removeprefix("public.")


async def test_of_several_schemas_the_target_decides(database: str) -> None:
    text = "SET search_path = nowhere, app, other; ALTER TABLE t ADD COLUMN d int; ALTER TABLE u ADD COLUMN d int"
    script = read_script(f"{text}; ALTER TABLE u RENAME TO v; CREATE INDEX ON v (c)")
    assert tables_of(script.text) == ["t", "u", "u", "v"]
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
        await connection.execute(f"{SETUP}; CREATE TABLE other.u (c int); CREATE TABLE public.u (c int)".encode())
        known = await look_up(connection, asked_of([script]))
    weighed = Scales(Budgets(), known).weigh(script, judge(script))
    assert [[held.what.shown for held in each] for each in weighed.held] == [[], ["app.t"], *[["other.u"]] * 3]
    assert {finding.severity for finding in weighed.findings if finding.rule.startswith("index")} == {"note"}


def test_of_several_schemas_a_new_thing_is_in_the_first() -> None:
    text = "SET search_path = app, public; CREATE TABLE n (c int); ALTER TABLE app.n ADD d int; CREATE INDEX ON n (c)"
    assert tables_of(text) == ["app.n", "app.n", "app.n"]
    assert judge(read_script(text)) == ()


def test_what_the_script_made_is_found_where_it_is() -> None:
    text = "SET search_path = app, other; CREATE TABLE other.mine (c int); ALTER TABLE mine ADD COLUMN d int"
    assert tables_of(text) == ["other.mine", "other.mine"]


def test_names_inside_an_action_too() -> None:
    text = (
        "SET search_path = app; ALTER TABLE a ADD FOREIGN KEY (c) REFERENCES b (id); "
        "ALTER TABLE a ADD COLUMN b_id int REFERENCES b"
    )
    names = repr([statement.actions for statement in read_script(text).statements])
    assert "schema=None" not in names


def test_things_without_a_schema_have_none() -> None:
    script = read_script("SET search_path = app; DROP SCHEMA old; DROP ROLE r; DROP VIEW v")
    names = [getattr(action, "name", None) for s in script.statements[1:] for action in s.actions]
    assert names == [Name(None, "old"), Name(None, "r"), Name("app", "v")]
