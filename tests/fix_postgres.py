"""A real PostgreSQL for the tests: one server a run, a database a test."""

import asyncio
import itertools
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import pytest
from cheap import making, place, prepare
from psycopg import sql

from migrations.replay import SETTINGS as REPLAYING
from migrations.server import ThrowawayServer, embedded_bin, major_version

T = TypeVar("T")

SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "wal_level": "logical",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--pg-bin", type=Path, metavar="FOLDER", help="PostgreSQL's programs to test with (default: the wheel's)"
    )


def pytest_report_header(config: pytest.Config) -> str:
    bin = pg_bin(config)
    return f"postgres: {apart(major_version(bin))} in {bin}"


def pg_bin(config: pytest.Config) -> Path:
    """The folder of PostgreSQL's programs to test with."""
    chosen: Path | None = config.getoption("--pg-bin")
    return chosen or embedded_bin()


def apart(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in a thread and a loop of its own: the loops of the tests come and go."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


@pytest.fixture(scope="session")
def server(pytestconfig: pytest.Config) -> Iterator[ThrowawayServer]:
    """The server of this run. A test that stops or harms a server starts one of its own."""
    with tempfile.TemporaryDirectory(prefix="gonogo-tests-", dir=place()) as folder:
        server = apart(ThrowawayServer.start(Path(folder), bin=pg_bin(pytestconfig), settings=SETTINGS))
        try:
            prepare(server)
            yield server
        finally:
            apart(server.stop())


@pytest.fixture(scope="session")
def replaying(pytestconfig: pytest.Config) -> Iterator[ThrowawayServer]:
    """A second server of this run, for replays: its roles and databases are those of the latest one."""
    with tempfile.TemporaryDirectory(prefix="gonogo-tests-", dir=place()) as folder:
        server = apart(ThrowawayServer.start(Path(folder), bin=pg_bin(pytestconfig), settings=REPLAYING))
        try:
            yield server
        finally:
            apart(server.stop())


@pytest.fixture(scope="session")
def admin(server: ThrowawayServer) -> Iterator[psycopg.Connection[Any]]:
    """Makes and drops the databases of all tests."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        yield connection


@pytest.fixture
def databases(server: ThrowawayServer, admin: psycopg.Connection[Any]) -> Iterator[Callable[..., str]]:
    """Makes databases: `databases()` or `databases("name")` is the URL of a new, empty one, dropped after the test."""
    made: list[str] = []
    counter = itertools.count(1)

    def make(name: str | None = None) -> str:
        chosen = name or f"test_{next(counter)}"
        admin.execute(making(server, chosen))
        made.append(chosen)
        return server.url(chosen)

    yield make
    for name in made:
        beside = admin.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", (f"{name}_",))
        for other in (name, *(row[0] for row in beside.fetchall())):
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(other)))


@pytest.fixture
def database(databases: Callable[..., str]) -> str:
    """The URL of a new, empty database, dropped after the test."""
    return databases()
