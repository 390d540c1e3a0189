"""Dumps by the real pg_dump, good and bad."""

import asyncio
import hashlib
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from dumping import dumped, environment, fill, names, order, pinned

from migrations import backup
from migrations.backup import Progress, Watch, archive
from migrations.backup.state import State
from migrations.problem import Problem, Unavailable
from migrations.server import ThrowawayServer


@pytest.fixture
def database(databases: Callable[..., str]) -> str:
    """Named, as statements below name it."""
    return databases("live")


def wrapped(server: ThrowawayServer, folder: Path, program: str, before: str) -> Path:
    """The server's own programs, one of which runs a few lines of shell before its work; not for `--version`."""
    folder.mkdir()
    for name in ("pg_dump", "pg_restore"):
        real = server.bin / name
        extra = f'case "$1" in --version) ;; *)\n{before}\n;; esac\n' if name == program else ""
        (folder / name).write_text(f'#!/bin/sh\n{extra}exec "{real}" "$@"\n')
        (folder / name).chmod(0o755)
    return folder


async def test_a_good_dump(server: ThrowawayServer, database: str, tmp_path: Path) -> None:
    fill(database)
    seen: list[Progress] = []
    whole: list[bool] = []

    async def on_progress(progress: Progress) -> None:
        seen.append(progress)

    async def on_whole(dump: backup.Dump) -> None:
        whole.append(dump.path.exists())

    dump = await backup.dump(
        await order(pinned(database), tmp_path / "dumps", server.bin), Watch(on_progress, on_whole=on_whole)
    )
    assert dump.path.name.startswith("live_20") and dump.path.suffix == ".dump"
    assert hashlib.sha256(dump.path.read_bytes()).hexdigest() == dump.sha256
    assert stat.S_IMODE(dump.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(dump.path.parent.stat().st_mode) == 0o700
    assert names(dump.path.parent) == [dump.path.name]
    assert whole == [False], "it gets its name last"
    assert (dump.tables, dump.missing) == (2, ())
    assert {table: count.rows for table, count in dump.state.rows.items()} == {
        "public.customers": 200,
        'public."Ord""ers 26"': 5000,
    }
    assert "/" in dump.snapshot_lsn and dump.taken_at.endswith("Z")
    assert {p.stage for p in seen} >= {"dump", "read back", "hash"}
    assert State.from_json(dump.state.to_json(str)) == dump.state


async def test_rows_are_those_of_the_snapshot(server: ThrowawayServer, database: str, tmp_path: Path) -> None:
    """What is written while the dump begins is neither in the counts nor in the file."""
    fill(database)
    write = f'"{server.bin}/psql" -qXc "INSERT INTO customers VALUES (999, \'late\')"'
    if not (server.bin / "psql").is_file():
        pytest.skip(f"no psql in {server.bin}")
    target = pinned(database)
    dump = await dumped(target, tmp_path, wrapped(server, tmp_path / "bin", "pg_dump", write))
    assert dump.state.rows["public.customers"].rows == 200
    lines: list[str] = []

    async def on_out(line: str) -> None:
        lines.append(line)

    unpack = [str(server.bin / "pg_restore"), "--data-only", "--table=customers", "--file=-", str(dump.path)]
    assert await archive.program(unpack, environment(target), on_out=on_out) == (0, "")
    assert len([line for line in lines if "@example.org" in line]) == 200 and "999\tlate" not in lines
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM customers").fetchone() == (201,)


async def test_a_table_emptied_just_as_the_dump_begins(server: ThrowawayServer, database: str, tmp_path: Path) -> None:
    """TRUNCATE takes the rows from older snapshots too: the dump would lack them, and nobody would know."""
    fill(database)
    write = f'"{server.bin}/psql" -qXc "TRUNCATE customers CASCADE"'
    bin = wrapped(server, tmp_path / "bin", "pg_dump", write)
    with pytest.raises(Problem, match=r"changed just as the dump began .*public\.customers"):
        await dumped(pinned(database), tmp_path / "dumps", bin)
    assert names(tmp_path / "dumps") == []


async def test_a_table_dropped_just_as_the_dump_begins(server: ThrowawayServer, database: str, tmp_path: Path) -> None:
    fill(database)
    write = f'"{server.bin}/psql" -qXc "DROP TABLE customers CASCADE"'
    bin = wrapped(server, tmp_path / "bin", "pg_dump", write)
    with pytest.raises(Problem) as caught:
        await dumped(pinned(database), tmp_path / "dumps", bin)
    assert "customers" in str(caught.value) + caught.value.detail
    assert names(tmp_path / "dumps") == []


async def test_the_snapshot_is_lost_before_pg_dump_takes_it(
    server: ThrowawayServer, database: str, tmp_path: Path
) -> None:
    fill(database)
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'gonogo test'"
    bin = wrapped(server, tmp_path / "bin", "pg_dump", f'"{server.bin}/psql" -qXAtc "{end}" >/dev/null')
    with pytest.raises(Problem, match=r"pg_dump failed: .*snapshot|was lost"):
        await dumped(pinned(database), tmp_path / "dumps", bin)
    assert names(tmp_path / "dumps") == []


async def test_a_locked_table_is_not_waited_for_for_ever(
    server: ThrowawayServer, database: str, tmp_path: Path
) -> None:
    fill(database)
    with psycopg.connect(database) as holder:
        holder.execute("LOCK TABLE customers")
        with pytest.raises(Problem, match="locked by somebody else") as caught:
            await dumped(pinned(database), tmp_path, server.bin, lock_wait=timedelta(milliseconds=300))
    assert caught.value.code == "55P03"


@pytest.mark.parametrize("part", [0.1, 0.5, 0.999])
async def test_a_dump_that_is_cut_off(server: ThrowawayServer, database: str, tmp_path: Path, part: float) -> None:
    """`pg_restore --list` is content with a tenth of a dump."""
    fill(database)
    whole = await order(pinned(database), tmp_path, server.bin)
    dump = await backup.dump(whole)
    cut = tmp_path / "cut.dump"
    cut.write_bytes(dump.path.read_bytes()[: int(dump.size * part)])
    with pytest.raises(Problem, match="is no backup"):
        await archive.read_back(whole.tools, cut, whole.env)


async def test_a_dump_that_was_cut_off_unnoticed(server: ThrowawayServer, database: str, tmp_path: Path) -> None:
    """pg_dump says that all is well, and the disk has lost the end."""
    fill(database)
    bin = wrapped(server, tmp_path / "bin", "pg_restore", 'for f; do :; done; truncate -s 4000 "$f"')
    with pytest.raises(Problem, match="cannot be read back"):
        await dumped(pinned(database), tmp_path / "dumps", bin)
    assert names(tmp_path / "dumps") == []


async def test_a_dump_without_the_rows_of_a_table(server: ThrowawayServer, database: str, tmp_path: Path) -> None:
    fill(database)
    bin = wrapped(server, tmp_path / "bin", "pg_dump", 'set -- --exclude-table-data=customers "$@"')
    with pytest.raises(Problem, match=r"lacks the rows of 1 table: public\.customers"):
        await dumped(pinned(database), tmp_path / "dumps", bin)
    assert names(tmp_path / "dumps") == []


@pytest.mark.parametrize("how", ["no space left", "file size limit"])
async def test_disk_full_while_dumping(server: ThrowawayServer, database: str, tmp_path: Path, how: str) -> None:
    fill(database)
    lines = {
        "no space left": 'for f; do shift; case "$f" in --file=*) f=--file=/dev/full;; esac; set -- "$@" "$f"; done',
        "file size limit": "ulimit -f 64",
    }
    bin = wrapped(server, tmp_path / "bin", "pg_dump", lines[how])
    with pytest.raises(Unavailable, match="no room for the dump") as caught:
        await dumped(pinned(database), tmp_path / "dumps", bin)
    assert str(tmp_path / "dumps") in caught.value.what
    assert names(tmp_path / "dumps") == []


async def test_a_folder_that_cannot_be_written(server: ThrowawayServer, database: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match=r"cannot be written to .*file/dumps"):
        await dumped(pinned(database), tmp_path / "file" / "dumps", server.bin)


async def test_a_role_that_may_not_read_everything(server: ThrowawayServer, database: str, tmp_path: Path) -> None:
    fill(database)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE ROLE half LOGIN PASSWORD 'half'")
        connection.execute("GRANT SELECT ON customers TO half")
    target = pinned(server.url("live", "half", "half"))
    try:
        with pytest.raises(Problem, match=r"half may not read public\.\"Ord\"\"ers 26\"") as caught:
            await dumped(target, tmp_path, server.bin)
        assert caught.value.code == "42501"
    finally:
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute("DROP OWNED BY half; DROP ROLE half")


async def test_cancelled(server: ThrowawayServer, database: str, tmp_path: Path) -> None:
    fill(database)
    began = tmp_path / "began"
    bin = wrapped(server, tmp_path / "bin", "pg_dump", f'echo $$ > "{began}"; sleep 60')
    task = asyncio.create_task(dumped(pinned(database), tmp_path / "dumps", bin))
    for _ in range(1000):
        if began.exists() and began.read_text():
            break
        await asyncio.sleep(0.01)
    pid = int(began.read_text())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert names(tmp_path / "dumps") == []
    assert not Path(f"/proc/{pid}").exists()
    with psycopg.connect(database) as connection:
        others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        for _ in range(500):
            left = connection.execute(others).fetchone()
            if left == (0,):
                break
            connection.rollback()
            await asyncio.sleep(0.01)
        assert left == (0,)


async def test_the_password_is_on_no_command_line(server: ThrowawayServer, database: str, tmp_path: Path) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE ROLE told LOGIN SUPERUSER PASSWORD 's3cret %@/'")
    seen = tmp_path / "seen"
    bin = wrapped(server, tmp_path / "bin", "pg_dump", f'echo "$@" >> "{seen}"')
    try:
        await dumped(pinned(server.url("live", "told", "s3cret %@/")), tmp_path / "dumps", bin)
    finally:
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute("DROP ROLE told")
    assert seen.read_text() and "s3cret" not in seen.read_text()


def test_names_of_files() -> None:
    at = datetime(2026, 1, 31, 2, 3, 4, tzinfo=UTC)
    names = {name: backup.file_name(name, at) for name in ("shop", 'We ird/"db"', "../x", ".", "größe")}
    assert names == {
        "shop": "shop_20260131T020304Z.dump",
        'We ird/"db"': "We_ird__db__20260131T020304Z.dump",
        "../x": "_x_20260131T020304Z.dump",
        ".": "database_20260131T020304Z.dump",
        "größe": "größe_20260131T020304Z.dump",
    }


async def test_names_with_quotes_spaces_and_capitals(
    server: ThrowawayServer, databases: Callable[..., str], tmp_path: Path
) -> None:
    url = databases('Shop "of" ana\'s \\ things')
    fill(url)
    dump = await dumped(pinned(url), tmp_path, server.bin)
    assert dump.tables == 2 and dump.path.name.startswith("Shop__of__ana_s___things_")


async def test_an_empty_database(server: ThrowawayServer, database: str, tmp_path: Path) -> None:
    dump = await dumped(pinned(database), tmp_path, server.bin)
    assert (dump.tables, dump.state.rows, dump.state.migrations) == (0, {}, None)


async def test_no_server_timeout_ends_the_snapshot(server: ThrowawayServer, database: str, tmp_path: Path) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("ALTER DATABASE live SET idle_in_transaction_session_timeout = '100ms'")
        connection.execute("ALTER DATABASE live SET statement_timeout = '200ms'")
    fill(database)
    bin = wrapped(server, tmp_path / "bin", "pg_dump", "sleep 0.5")
    assert (await dumped(pinned(database), tmp_path / "dumps", bin)).tables == 2


async def test_two_dumps_in_one_second(server: ThrowawayServer, database: str, tmp_path: Path) -> None:
    """Neither writes over the other."""
    whole = await order(pinned(database), tmp_path, server.bin)
    made = await asyncio.gather(backup.dump(whole), backup.dump(whole), backup.dump(whole))
    assert names(tmp_path) == sorted(dump.path.name for dump in made)
    assert len(names(tmp_path)) == 3
