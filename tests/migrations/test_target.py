"""The pinned target: who it is, what leads elsewhere, what may be done there."""

import asyncio
import traceback
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote

import psycopg
import pytest

from migrations.problem import Problem, Unavailable
from migrations.server import ThrowawayServer
from migrations.target import Fingerprint, Pinned, Url, environment_mark, pooling, privileges, session_name
from migrations.target.session_settings import set_session


def pinned(url: str) -> Pinned:
    return Pinned(Url.parse(url, variable="DATABASE_URL"))


async def fingerprint_of(url: str) -> Fingerprint:
    target = pinned(url)
    await (await target.open("read", application_name="gonogo test")).close()
    assert target.pin is not None
    return target.pin


async def test_the_fingerprint_is_the_servers_own(database: str) -> None:
    pin = await fingerprint_of(database)
    with psycopg.connect(database) as conn:
        row = conn.execute(
            "SELECT system_identifier::text, current_database(), d.oid::text, pg_postmaster_start_time() "
            "FROM pg_control_system(), pg_database d WHERE datname = current_database()"
        ).fetchone()
        assert row is not None
        assert pin.server_major == conn.info.server_version // 10000
    assert (pin.system_identifier, pin.database, pin.oid) == row[:3]
    assert pin.postmaster_start.startswith(f"{row[3].astimezone(None):%Y}") and pin.postmaster_start.endswith("Z")
    assert (pin.in_recovery, pin.timeline) == (False, "00000001")


async def test_another_database_is_refused(databases: Callable[[], str]) -> None:
    one, other = databases(), databases()
    target = Pinned(Url.parse(other, variable="DATABASE_URL"), await fingerprint_of(one))
    with pytest.raises(Problem, match="another database"):
        await target.open("script", application_name="gonogo test")


@pytest.mark.parametrize("change", [{"timeline": "00000002"}, {"in_recovery": True}, {"system_identifier": "1"}])
async def test_a_changed_state_is_refused(database: str, change: dict[str, object]) -> None:
    pin = replace(await fingerprint_of(database), **change)  # type: ignore[arg-type]
    with pytest.raises(Problem):
        await Pinned(Url.parse(database, variable="DATABASE_URL"), pin).open("read", application_name="x")


async def test_a_restarted_server_is_the_same_one(database: str) -> None:
    pin = await fingerprint_of(database)
    target = Pinned(Url.parse(database, variable="DATABASE_URL"), replace(pin, postmaster_start="2020"))
    await (await target.open("read", application_name="x")).close()
    assert target.pin == pin


async def test_the_environment_leads_nowhere(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "PGHOSTADDR": "192.0.2.1",
        "PGHOST": "192.0.2.1",
        "PGSERVICE": "elsewhere",
        "PGOPTIONS": "-c statement_timeout=1",
        "PGTZ": "Asia/Tokyo",
        "PGTARGETSESSIONATTRS": "standby",
    }.items():
        monkeypatch.setenv(name, value)
    conn = await pinned(database).open("read", application_name="gonogo test")
    try:
        row = await (
            await conn.execute("SELECT current_setting('statement_timeout'), current_setting('TimeZone')")
        ).fetchone()
        assert row is not None and row[0] == "0" and row[1] != "Asia/Tokyo"
    finally:
        await conn.close()


async def test_settings_are_in_force_and_survive_a_reset(database: str) -> None:
    target = pinned(f"{database}&schema=My%20App")
    conn = await target.open("script", application_name="gonogo test", settings={"lock_timeout": "1500ms"})
    try:
        await conn.execute("SET lock_timeout = 0")
        await conn.execute("DISCARD ALL")
        await set_session(conn, target.search_path(conn), check={"lock_timeout": "1500ms"})
        row = await (
            await conn.execute("SELECT current_setting('lock_timeout'), current_setting('search_path')")
        ).fetchone()
        assert row == ("1500ms", '"My App"')
    finally:
        await conn.close()


async def test_the_ledgers_connection_is_not_ended_for_being_idle(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET idle_session_timeout = 300', current_database()); END $$"
        )
    conns = [await pinned(database).open(purpose, application_name="x") for purpose in ("ledger", "guard")]
    short = await pinned(database).open("read", application_name="x")
    await asyncio.sleep(0.6)
    with pytest.raises(psycopg.OperationalError):
        await short.execute("SELECT 1")
    for conn_ in (*conns, short):
        if conn_ is not short:
            await conn_.execute("SELECT 1")
        await conn_.close()


async def test_a_wrong_password(server: ThrowawayServer, database: str) -> None:
    with pytest.raises(Unavailable) as caught:
        await pinned(database.replace("@", "wrong@", 1)).open("read", application_name="x")
    assert (caught.value.code, caught.value.exit_code) == ("P1000", 3)
    assert "Check user and password in DATABASE_URL." in str(caught.value)


@pytest.mark.parametrize("password", ["p%w", "p@w", "p/w", "p w+?#:ä'\"\\"])
async def test_a_password_with_every_sort_of_character(server: ThrowawayServer, database: str, password: str) -> None:
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("DROP ROLE IF EXISTS gonogo_odd")
        conn.execute(psycopg.sql.SQL("CREATE ROLE gonogo_odd LOGIN PASSWORD {}").format(psycopg.sql.Literal(password)))
    _, _, rest = database.partition("@")
    good = f"postgresql://gonogo_odd:{quote(password, safe='')}@{rest}"
    conn_ = await pinned(good).open("read", application_name="x")
    await conn_.close()
    with pytest.raises(Unavailable) as caught:
        await pinned(good.replace("gonogo_odd:", "gonogo_odd:x")).open("read", application_name="x")
    shown = "".join(traceback.format_exception(caught.value))
    assert not any(form in shown for form in Url.parse(good, variable="DATABASE_URL").secrets if len(form) > 3)
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("DROP ROLE gonogo_odd")


async def test_what_cannot_be_reached_is_told_in_our_own_words(server: ThrowawayServer, database: str) -> None:
    for url, code, words in (
        (server.url("nowhere"), "P1003", "There is no database nowhere"),
        ("postgresql://ana:sk_secret@127.0.0.1:1/orders", "P1001", "Nothing listens on 127.0.0.1:1."),
        ("postgresql://ana:sk_secret@host.invalid/orders", "P1001", "The name host.invalid is not known here."),
        ("postgresql://ana:sk_secret@localhost/orders?host=/nowhere", "P1001", "Nothing listens on /nowhere:5432."),
    ):
        with pytest.raises(Unavailable) as caught:
            await pinned(url).open("read", application_name="x")
        assert (caught.value.code, caught.value.exit_code) == (code, 3)
        assert words in str(caught.value)
        assert "sk_secret" not in "".join(traceback.format_exception(caught.value))


async def test_the_mark_of_the_database(database: str) -> None:
    target = pinned(database)
    conn = await target.open("read", application_name="x")
    assert await environment_mark(conn) is None
    name = psycopg.sql.Identifier(target.url.database)
    await conn.execute(psycopg.sql.SQL("ALTER DATABASE {} SET gonogo.environment = 'production'").format(name))
    assert await environment_mark(conn) == "production"
    await conn.close()


async def test_privileges_of_a_plain_role_and_of_a_superuser(database: str) -> None:
    conn = await pinned(database).open("read", application_name="x")
    everything = await privileges(conn)
    assert everything.superuser and everything.owns_database and everything.reads_all_stats and everything.createdb
    await conn.execute("CREATE ROLE gonogo_plain NOLOGIN")
    await conn.execute("SET ROLE gonogo_plain")
    plain = await privileges(conn)
    await conn.execute("RESET ROLE")
    await conn.execute("DROP ROLE gonogo_plain")
    await conn.close()
    assert plain.role == "gonogo_plain"
    assert not any((plain.superuser, plain.createdb, plain.owns_database, plain.reads_all_stats, plain.restore_point))
    assert not any((plain.may_signal_backend, plain.can_create_schema))


async def test_a_direct_connection_is_direct(database: str) -> None:
    assert await pooling(Url.parse(database, variable="DATABASE_URL")) == "direct"


def test_an_application_name_fits_and_keeps_what_tells_sessions_apart() -> None:
    long = "20260131T020304Z-a-very-long-name-of-an-environment-7f3a"
    assert len(session_name(long, "x" * 80)) == 63
    assert session_name(long, "script") != session_name(long.replace("7f3a", "7f3b"), "script")
    assert session_name("s", "ana@höst") == "gonogo s ana@h?st"
