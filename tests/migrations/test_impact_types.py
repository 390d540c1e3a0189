"""What it takes to change a type: what is said, the server does."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from migrations.impact.asked import asked_of
from migrations.impact.reading import look_up
from migrations.impact.types import change, modifiers_of, type_from
from migrations.sql import read_script
from migrations.sql.names import Name

CASES = [
    ("varchar(20)", "varchar(40)", "brief"),
    ("varchar(20)", "varchar(20)", "brief"),
    ("varchar(40)", "varchar(20)", "rewrite"),
    ("varchar(20)", "varchar", "brief"),
    ("varchar(20)", "text", "brief"),
    ("varchar", "varchar(20)", "rewrite"),
    ("text", "varchar", "brief"),
    ("text", "varchar(20)", "rewrite"),
    ("char(5)", "char(9)", "rewrite"),
    ("integer", "bigint", "rewrite"),
    ("integer", "integer", "brief"),
    ("numeric(10,2)", "numeric(12,2)", "brief"),
    ("numeric(10,2)", "numeric(12,3)", "rewrite"),
    ("numeric(10,2)", "numeric(9,2)", "rewrite"),
    ("numeric(10,2)", "numeric", "brief"),
    ("numeric(10)", "numeric(12)", "brief"),
    ("numeric(10)", "numeric(12,0)", "brief"),
    ("numeric", "numeric(12,2)", "rewrite"),
    ("timestamp(3)", "timestamp(6)", "brief"),
    ("timestamp(3)", "timestamp", "brief"),
    ("timestamp", "timestamp(6)", "brief"),
    ("timestamp", "timestamp(3)", "rewrite"),
    ("timestamp", "timestamptz", "build"),
    ("timestamp(3)", "timestamptz(3)", "rewrite"),
    ("timestamptz(3)", "timestamp", "build"),
    ("citext", "text", "build"),
    ("time(3)", "time(4)", "brief"),
    ("bit varying(3)", "bit varying(9)", "brief"),
    ("bit(3)", "bit(9)", "rewrite"),
    ("cidr", "inet", "brief"),
    ("inet", "cidr", "rewrite"),
    ("interval", "interval(3)", "rewrite"),
    ("varchar(20)[]", "varchar(20)[]", "brief"),
    ("integer", "free", "brief"),
    ("free", "integer", "brief"),
    ("integer", "checked", "rewrite"),
    ("varchar(7)", "named", "brief"),
    ("varchar(8)", "named", "rewrite"),
]


def zoned() -> Iterator[Any]:
    """In two time zones, which make no difference where there is no time."""
    for case in CASES:
        yield pytest.param(*case, "UTC")
        matters = any(word in kind for kind in case[:2] for word in ("time", "date"))
        yield pytest.param(*case, "Europe/Berlin", marks=() if matters else (pytest.mark.soak,))


@pytest.fixture(scope="module")
def connections(server: Any) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(server.url(), autocommit=True) as first:
        first.execute("CREATE DATABASE impact_types TEMPLATE template0")
        try:
            with psycopg.connect(server.url("impact_types"), autocommit=True) as connection:
                connection.execute("CREATE DOMAIN free AS int; CREATE DOMAIN checked AS int CHECK (VALUE <> 7)")
                connection.execute("CREATE DOMAIN named AS varchar(7); CREATE EXTENSION citext")
                yield connection
        finally:
            first.execute("DROP DATABASE impact_types WITH (FORCE)")


@pytest.mark.parametrize(("old", "new", "work", "zone"), zoned(), ids=lambda value: value.replace(" ", "_"))
async def test_the_server_does_what_is_said(
    connections: psycopg.Connection[Any], server: Any, old: str, new: str, work: str, zone: str
) -> None:
    """The table's own file, and that of an index on the column: what stays, was not written anew."""
    if zone != "UTC" and work == "build" and "timestamp" in old:
        work = "rewrite"
    connections.execute("DROP TABLE IF EXISTS t")
    connections.execute(f"CREATE TABLE t (c {old}, PRIMARY KEY (c)); SET timezone = '{zone}'".encode())
    script = f"ALTER TABLE t ALTER COLUMN c TYPE {new}"
    async with await psycopg.AsyncConnection.connect(server.url("impact_types"), autocommit=True) as reader:
        await reader.execute(f"SET timezone = '{zone}'".encode())
        known = await look_up(reader, asked_of([read_script(script)]))
    table = known.relation(Name(None, "t"))
    (action,) = read_script(script).statements[0].actions
    wanted = type_from(action.type)
    assert table is not None and wanted is not None
    said = change(table.columns[0].type, wanted, known, utc=known.utc)
    assert said == work
    before = files(connections)
    connections.execute(script.encode())
    heap, index = (now == then for now, then in zip(files(connections), before, strict=True))
    assert (heap, index) == {"brief": (True, True), "build": (True, False), "rewrite": (False, False)}[said]


def files(connection: psycopg.Connection[Any]) -> tuple[int, int]:
    row = connection.execute("SELECT pg_relation_filenode('t'), pg_relation_filenode('t_pkey')").fetchone()
    assert row is not None
    return row


@pytest.mark.parametrize("words", ["", "a.b.c", "numeric(", "x y(3) z", "(3)"])
def test_words_that_are_no_type_are_none(words: str) -> None:
    assert type_from(words) is None


@pytest.mark.parametrize(("typmod", "expected"), [(-1, ()), (655366, (10, 2)), (655362 + 2048, (10, -2)), (4, (0, 0))])
def test_the_modifiers_of_numeric(typmod: int, expected: tuple[int, ...]) -> None:
    assert modifiers_of(Name("pg_catalog", "numeric"), typmod) == expected
