"""Two environments with one fingerprint: a physical clone and its original, told apart by their marks alone."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from fix_live import Live, write
from fix_postgres import SETTINGS, apart

from migrations.server import ThrowawayServer
from migrations.target import Fingerprint, marking
from runbooks.planning.identity import Stop, judge
from runbooks.session import commands as c
from runbooks.settings.project import Environment, Project

PIN = Fingerprint("7421", "shop", "16384", False, "2026-01-01T00:00:00.000000Z", "00000001", "15.8", 15, "db:5432")
OWN, OTHER = "7421/shop", "9999/shop"
UNCLEAR, ANOTHER = "This is not known to be staging", "This is not staging"


def project(staging: str | None, production: str | None) -> Project:
    prints = {"staging": staging, "production": production}
    environments = {name: Environment(name=name, fingerprint=found) for name, found in prints.items()}
    return Project(name="shop", folder=Path(), sha256="", migrations=Path(), environments=environments)


@pytest.mark.parametrize(
    ("staging", "production", "mark", "words"),
    [
        (OWN, OWN, "staging", None),
        (OWN, OWN, None, f"{UNCLEAR}: staging and production have one fingerprint in gonogo.toml, and the database"),
        (OWN, OWN, "production", "and the database itself says that it is production"),
        (OWN, OWN, "somewhere", "and the database itself says that it is somewhere"),
        (OWN, OTHER, None, None),
        (OWN, OTHER, "staging", None),
        (OWN, OTHER, "production", f"{ANOTHER}: the database itself says that it is production"),
        (OWN, None, None, None),
        (None, None, None, None),
        (None, None, "production", f"{ANOTHER}: the database itself says that it is production"),
        (None, OWN, "staging", f"{ANOTHER}: the database is 7421/shop. That fingerprint belongs to production."),
        (OTHER, OTHER, "staging", f"gonogo.toml says {OTHER}"),
        (OTHER, OWN, "staging", "That fingerprint belongs to production"),
    ],
)
def test_which_database_may_be_staging(
    staging: str | None, production: str | None, mark: str | None, words: str | None
) -> None:
    found = project(staging, production)
    if words is None:
        judge(found, found.environments["staging"], PIN, mark)
        return
    with pytest.raises(Stop, match=words):
        judge(found, found.environments["staging"], PIN, mark)


@dataclass(frozen=True)
class Twins:
    """Two servers that hold one database: the original, and a copy of its files."""

    original: ThrowawayServer
    clone: ThrowawayServer

    def mark(self, server: ThrowawayServer, sql: str) -> None:
        """Mark the database as a superuser does."""
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute(sql.encode())


MARK = "ALTER DATABASE \"Shop 1\" SET gonogo.environment = '{}';"


@pytest.fixture(scope="module")
def servers(server: ThrowawayServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twins]:
    """The original and its clone, both running."""
    folder = tmp_path_factory.mktemp("twins")
    running: list[ThrowawayServer] = []

    def begin(name: str) -> ThrowawayServer:
        running.append(apart(ThrowawayServer.start(folder / name, bin=server.bin, settings=SETTINGS)))
        return running[-1]

    try:
        original = begin("original")
        with psycopg.connect(original.url(), autocommit=True) as connection:
            connection.execute('CREATE DATABASE "Shop 1"')
        apart(original.stop())
        shutil.copytree(folder / "original", folder / "clone", ignore=shutil.ignore_patterns("place", "lock"))
        apart(original.restart())
        yield Twins(original, begin("clone"))
    finally:
        for one in running:
            apart(one.stop())


@pytest.fixture
def twins(servers: Twins, live: Live) -> Twins:
    """Both as they were, without a mark; `live` has an environment for each, `here` is the clone."""
    for server in (servers.original, servers.clone):
        servers.mark(server, 'ALTER DATABASE "Shop 1" RESET gonogo.environment')
    with psycopg.connect(servers.clone.url()) as connection:
        row = connection.execute("SELECT system_identifier FROM pg_control_system()").fetchone()
    assert row is not None
    own = f'fingerprint = "{row[0]}/Shop 1"\n'
    live.small.toml()
    file = live.small.folder / "gonogo.toml"
    file.write_text(f'{file.read_text()}{own}[environments.original]\nurl = "OTHER_URL"\nprotected = true\n{own}')
    write(live)
    return servers


@pytest.mark.soak
async def test_without_a_mark_nobody_can_tell_a_clone_from_its_original(
    live: Live, twins: Twins, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMALL_URL", twins.clone.url("Shop 1"))
    await live.start()
    view = await live.until(lambda view: view.ended)
    assert view.ended is not None and (view.ended.outcome, view.ended.exit_code) == ("no_go", 1)
    (check,) = [check for check in view.step("opening").checks if check.outcome == "fail"]
    assert "here and original have one fingerprint in gonogo.toml" in check.evidence
    assert f"in here's: {MARK.format('here')}; in original's: {MARK.format('original')}" in check.advice


@pytest.mark.soak
async def test_the_sql_that_is_given_lets_the_clone_pass_and_not_its_original(
    live: Live, twins: Twins, monkeypatch: pytest.MonkeyPatch
) -> None:
    twins.mark(twins.original, MARK.format("original"))
    twins.mark(twins.clone, MARK.format("here"))
    monkeypatch.setenv("SMALL_URL", twins.clone.url("Shop 1"))
    await live.start(park_seconds=0.1)
    view = await live.until(lambda view: view.phase == "backup")
    (check,) = [check for check in view.step("opening").checks if check.id == "fingerprint"]
    assert check.outcome == "ok" and check.evidence.endswith("as gonogo.toml says; marked as here")
    assert not view.protected
    await live.do(c.RollBack(option="forward", reason="a rehearsal"))
    await live.until(lambda view: view.phase == "rollback")
    await live.client.close()
    await live.over()

    monkeypatch.setenv("SMALL_URL", twins.original.url("Shop 1"))
    await live.start()
    assert await live.over() == 1
    await live.client.until_gone(0.1)
    assert live.client.bye is not None and "the database itself says that it is original" in live.client.bye.reason
    assert live.client.view.ended is None, "the session can still go on, where it was begun"
    await live.client.close()

    monkeypatch.setenv("SMALL_URL", twins.clone.url("Shop 1"))
    await live.start()
    await live.until(lambda view: view.step("opening").end == "done" and not view.running)


@pytest.mark.soak
async def test_a_clone_that_was_not_marked_anew_still_says_that_it_is_its_original(
    live: Live, twins: Twins, monkeypatch: pytest.MonkeyPatch
) -> None:
    twins.mark(twins.clone, MARK.format("original"))
    monkeypatch.setenv("SMALL_URL", twins.clone.url("Shop 1"))
    await live.start()
    view = await live.until(lambda view: view.ended)
    assert view.ended is not None and "the database itself says that it is original" in view.ended.reason


async def test_before_migrate_and_at_a_resume_the_mark_is_read_again(live: Live) -> None:
    write(live)
    await live.start(park_seconds=0.1)
    await live.until(lambda view: view.phase == "backup")
    await live.do(c.Decide(what="go", phase="backup"))
    view = await live.until(lambda view: view.phase == "preflight")
    assert view.plan is not None
    for script in view.plan.scripts:
        await live.do(c.Review(migration=script.migration, sha256=script.sha256))
    with psycopg.connect(live.small.url, autocommit=True) as connection:
        connection.execute(marking(connection.info.dbname, "original").encode())
    await live.do(c.Decide(what="go", phase="preflight"))
    view = await live.until(lambda view: view.refusals)
    assert "the database itself says that it is original" in view.refusals[-1].reason
    assert view.phase == "preflight"
    await live.do(c.RollBack(option="forward", reason="a rehearsal"))
    await live.until(lambda view: view.phase == "rollback")
    await live.client.close()
    await live.over()
    await live.start()
    assert await live.over() == 1
    await live.client.until_gone(0.1)
    assert live.client.bye is not None and "the database itself says that it is original" in live.client.bye.reason
