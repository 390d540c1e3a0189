"""The throw-away server: starts anywhere, keeps its data, and never outlives its owner."""

import asyncio
import contextlib
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import psycopg
import pytest
from fix_postgres import apart

from migrations.problem import Unavailable
from migrations.server import ThrowawayServer, embedded_bin
from migrations.server import place as server_place

Until = Callable[[Callable[[], object]], None]

ROOT = Path(__file__).parents[2]
OWNER = """
import asyncio, sys
from pathlib import Path
from migrations.server import ThrowawayServer

async def main():
    server = await ThrowawayServer.start(Path(sys.argv[1]), bin=Path(sys.argv[2]))
    print(server.child.pid, server.url(), flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture
def bin(pytestconfig: pytest.Config) -> Path:
    return pytestconfig.getoption("--pg-bin") or embedded_bin()


@pytest.fixture(scope="session")
def prepared(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A server's folder, made once: initdb is the slow part."""
    folder = tmp_path_factory.mktemp("prepared")

    async def make() -> None:
        server = await ThrowawayServer.start(folder, bin=pytestconfig.getoption("--pg-bin") or embedded_bin())
        await server.stop()

    apart(make())
    return folder


@pytest.fixture
def folder(prepared: Path, tmp_path: Path) -> Path:
    """A copy of it. As root it belongs to root, as after `cp -r`."""
    return shutil.copytree(prepared, tmp_path / "folder")


def ask(url: str, question: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(question)
        row = cursor.fetchone() if cursor.description else None
        return row and row[0]


def test_it_listens_on_a_private_socket_only(server: ThrowawayServer) -> None:
    assert ask(server.url(), "SHOW listen_addresses") == ""
    assert stat.S_IMODE(server.socket.stat().st_mode) == 0o700
    postmaster = psutil.Process(server.child.pid)
    assert [c for c in postmaster.net_connections(kind="inet") if c.status == psutil.CONN_LISTEN] == []
    assert postmaster.uids().real == server.socket.stat().st_uid != 0
    assert (server.folder / "password").stat().st_mode & 0o777 == 0o600
    assert not [word for word in postmaster.cmdline() if server.password in word]


def test_it_asks_for_a_password(server: ThrowawayServer) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(server.url(user="postgres", password="wrong"))
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        psycopg.connect(server.url(user="postgres"))


def test_its_url_carries_any_name(server: ThrowawayServer, databases: Callable[..., str]) -> None:
    name, password = "o'r d/e@r%s?", "p%40/@:#"
    url = databases(name)
    assert ask(url, "SELECT current_database()") == name
    literal = psycopg.sql.Literal(password).as_string()
    ask(server.url(), f'CREATE ROLE "a@b/c" LOGIN PASSWORD {literal}')
    assert ask(server.url(name, "a@b/c", password), "SELECT current_user") == "a@b/c"
    ask(server.url(), 'DROP ROLE "a@b/c"')


def test_its_environment_serves_postgresql_own_programs(server: ThrowawayServer, bin: Path) -> None:
    said = subprocess.run(
        [bin / "pg_dumpall", "--globals-only"], env=server.environment(), capture_output=True, text=True
    )
    assert (said.returncode, "CREATE ROLE postgres" in said.stdout) == (0, True), said.stderr


async def test_the_data_stay_and_so_does_the_url(tmp_path: Path, bin: Path) -> None:
    server = await ThrowawayServer.start(tmp_path / "kept", bin=bin)
    try:
        url = server.url()
        ask(url, "CREATE TABLE t AS SELECT 42 AS n")
        with psycopg.connect(url):  # a session that stays open holds up nothing
            await server.restart()
        assert (server.url(), ask(url, "SELECT n FROM t")) == (url, 42)
    finally:
        await server.stop()
    await server.stop()
    assert not server.socket.parent.exists()
    again = await ThrowawayServer.start(tmp_path / "kept", bin=bin)
    try:
        assert (again.url(), ask(url, "SELECT n FROM t")) == (url, 42)
    finally:
        await again.discard()
    assert not (tmp_path / "kept").exists()


async def test_a_temporary_one_takes_its_folder_with_it(folder: Path, bin: Path) -> None:
    server = await ThrowawayServer.start(folder, bin=bin, temporary=True)
    assert (folder / "data").is_dir()
    await server.stop()
    assert not folder.exists()


@pytest.mark.parametrize("killed", ["owner", pytest.param("owner and watchdog", marks=pytest.mark.soak)])
async def test_it_is_gone_when_its_owner_is_killed(killed: str, folder: Path, bin: Path, until: Until) -> None:
    argv = [sys.executable, "-c", OWNER, str(folder), str(bin)]
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True) as owner:  # noqa: ASYNC220
        assert owner.stdout is not None
        pid, url = owner.stdout.readline().split()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE t AS SELECT 42 AS n")
            backend = connection.info.backend_pid
            if killed == "owner and watchdog":
                psutil.Process(int(pid)).parent().kill()  # type: ignore[union-attr]
            owner.kill()
            until(lambda: not psutil.pid_exists(int(pid)) and not psutil.pid_exists(backend))
    server = await ThrowawayServer.start(folder, bin=bin)
    try:
        assert (server.url(), ask(url, "SELECT n FROM t")) == (url, 42)
    finally:
        await server.stop()
    assert not server.socket.parent.exists()


@pytest.mark.soak
async def test_a_killed_server_leaves_no_claim_on_its_data(folder: Path, bin: Path) -> None:
    server = await ThrowawayServer.start(folder, bin=bin)
    os.kill(server.child.pid, signal.SIGKILL)
    await server.stop()
    user = (folder / "data").stat().st_uid
    # Its number went to another process of the same user, as it may after the machine was started anew.
    other = subprocess.Popen(["sleep", "1000"], user=user if os.geteuid() == 0 else None)  # noqa: ASYNC220
    try:
        (folder / "data" / "postmaster.pid").write_text(f"{other.pid}\n")
        again = await ThrowawayServer.start(folder, bin=bin)
        await again.stop()
    finally:
        other.kill()
        other.wait()


@pytest.fixture
def hidden_bin(tmp_path: Path) -> Path:
    """A copy of the programs that only we can reach."""
    hidden = tmp_path / "hidden"
    hidden.mkdir(mode=0o700)
    package = embedded_bin().parents[1]
    for folder in (package, package.with_name(f"{package.name}.libs")):
        if folder.is_dir():
            without = shutil.ignore_patterns("include", "*.a")
            shutil.copytree(folder, hidden / folder.name, symlinks=True, ignore=without)
    return hidden / package.name / "pginstall" / "bin"


@pytest.mark.soak
async def test_where_nobody_but_us_may_look(hidden_bin: Path, tmp_path: Path) -> None:
    """As root: the server's own uid can neither reach the programs nor walk to its data."""
    deep = tmp_path / "hidden" / ("a folder, with a name that is rather long " * 4)
    server = await ThrowawayServer.start(deep, bin=hidden_bin)
    try:
        assert (ask(server.url(), "SELECT 1"), server.bin) == (1, hidden_bin)
    finally:
        await server.stop()
    assert not server.socket.parent.exists()


@pytest.mark.soak
async def test_one_folder_one_server(folder: Path, bin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = await ThrowawayServer.start(folder, bin=bin)
    try:
        monkeypatch.setattr(server_place, "PATIENCE", 0.1)
        with pytest.raises(Unavailable, match="Another server still runs in"):
            await ThrowawayServer.start(folder, bin=bin)
        assert ask(server.url(), "SELECT 1") == 1
    finally:
        await server.stop()


@pytest.mark.soak
async def test_a_refused_start_says_why_and_leaves_nothing(folder: Path, bin: Path) -> None:
    with pytest.raises(Unavailable, match=r"PostgreSQL did not start\. .*shared_buffers"):
        await ThrowawayServer.start(folder, bin=bin, settings={"shared_buffers": "plenty"})
    assert not Path((folder / "place").read_text()).exists()
    server = await ThrowawayServer.start(folder, bin=bin, settings={"shared_buffers": "16MB"})
    assert ask(server.url(), "SHOW shared_buffers") == "16MB"
    await server.stop()
    (folder / "data" / "PG_VERSION").write_text("9\n")
    with pytest.raises(Unavailable, match=r"are those of PostgreSQL 9, and .* Name the programs of 9"):
        await ThrowawayServer.start(folder, bin=bin)


async def cancel_starts(folder: Path, bin: Path, moments: list[float]) -> None:
    note = folder / "place"
    for moment in moments:
        start = asyncio.create_task(ThrowawayServer.start(folder, bin=bin))
        await asyncio.sleep(moment)
        start.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await (await start).stop()
        assert not (note.exists() and Path(note.read_text()).exists())
    server = await ThrowawayServer.start(folder, bin=bin)
    assert ask(server.url(), "SELECT 1") == 1
    await server.stop()


@pytest.mark.soak
async def test_a_start_that_was_cancelled_leaves_nothing(tmp_path: Path, bin: Path) -> None:
    await cancel_starts(tmp_path, bin, [0.3])


@pytest.mark.soak
@pytest.mark.timeout(1800)
async def test_starts_cancelled_at_any_moment_leave_nothing(tmp_path: Path, hidden_bin: Path) -> None:
    for programs in (hidden_bin, embedded_bin()):
        for round in range(5):
            folder = tmp_path / f"{programs.parents[2].name}-{round}"
            await cancel_starts(folder, programs, [hundredth / 100 + round / 500 for hundredth in range(1, 100, 4)])


async def test_programs_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"There is no program .*/nonesuch/postgres"):
        await ThrowawayServer.start(tmp_path, bin=Path("/nonesuch"))


@pytest.mark.parametrize("words", ["", ".", "/tmp", "{0}/precious", "gonogo-abcdefgh"])
def test_a_note_that_names_a_folder_of_ours_deletes_nothing(words: str, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "note").write_text(words.format(tmp_path))
    place = server_place.new_place(tmp_path / "note", None)
    place.rmdir()
    assert (tmp_path / "precious").is_dir()
    assert place.name.startswith("gonogo-") and place.is_absolute()
