"""Which pg_dump is taken."""

import os
from pathlib import Path

import pytest

from migrations.backup.tools import Tools, tools
from migrations.problem import Unavailable
from migrations.server import ThrowawayServer

OLD = Path("/usr/lib/postgresql/15/bin")

needs_old = pytest.mark.skipif(not OLD.is_dir(), reason=f"no PostgreSQL 15 programs in {OLD}")


def stand_in(folder: Path, version: str, restore: str | None = None) -> Path:
    """Programs that say which version they are, and do nothing else."""
    folder.mkdir(parents=True)
    for name, says in (("pg_dump", version), ("pg_restore", restore or version)):
        program = folder / name
        program.write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {says}'\n")
        program.chmod(0o755)
    return folder


async def test_the_servers_own_programs(server: ThrowawayServer) -> None:
    found = await tools(server.major, bin=server.bin, env={})
    assert (found.major, found.newer, found.consequence) == (server.major, False, "")
    assert found.pg_dump == server.bin / "pg_dump"


async def test_own_major_before_newer_and_nearest_newer_before_newest(tmp_path: Path) -> None:
    folders = [stand_in(tmp_path / v, f"{v}.1") for v in ("93", "91", "92", "90")]
    env = {"PATH": ":".join(map(str, folders))}
    assert (await tools(92, env=env)).major == 92
    (tmp_path / "92" / "pg_dump").unlink()
    newer = await tools(92, env=env)
    assert (newer.version, newer.newer) == ("93.1", True)
    assert "pg_restore 93" in newer.consequence


async def test_a_newer_one_across_the_archive_break_says_what_follows(tmp_path: Path) -> None:
    found = await tools(15, bin=stand_in(tmp_path / "18", "18.6"), env={})
    assert found.upsets_old_servers
    assert "pg_restore 17 or newer" in found.consequence and "transaction_timeout" in found.consequence


@needs_old
async def test_pg_dump_older_than_the_server() -> None:
    with pytest.raises(Unavailable, match=r"15\.\d+.*older than the server's 18") as caught:
        await tools(18, bin=OLD, env={})
    assert "postgresql-client-18" in caught.value.advice


async def test_pg_dump_missing(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="not found in") as caught:
        await tools(18, bin=tmp_path, env={})
    assert str(tmp_path) in caught.value.what


async def test_programs_of_two_versions_in_one_folder_are_no_pair(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="not found"):
        await tools(90, bin=stand_in(tmp_path / "bin", "90.1", restore="90.2"), env={})


async def test_debians_wrapper_is_passed_over(tmp_path: Path) -> None:
    real = stand_in(tmp_path / "real", "90.1")
    wrapped = tmp_path / "wrapped"
    wrapped.mkdir()
    (tmp_path / "pg_wrapper").write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 90.0'\n")
    (tmp_path / "pg_wrapper").chmod(0o755)
    for name in ("pg_dump", "pg_restore"):
        (wrapped / name).symlink_to(tmp_path / "pg_wrapper")
    found = await tools(90, env={"PATH": os.pathsep.join(map(str, (wrapped, real)))})
    assert found.version == "90.1"


@needs_old
async def test_the_packagers_folders_are_looked_at() -> None:
    assert (await tools(15, env={"PATH": "/nowhere"})).pg_dump == OLD / "pg_dump"


async def test_a_folder_on_the_path_that_cannot_be_looked_into_is_passed_over(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o000)
    too_long = tmp_path / ("x" * 300)  # root may look into every folder, but not into this one
    real = stand_in(tmp_path / "real", "90.1")
    found = await tools(90, env={"PATH": os.pathsep.join(map(str, (closed, too_long, real)))})
    assert found.pg_dump == real / "pg_dump"


def test_which_psql_can_be_restricted() -> None:
    found = {
        v: Tools(Path(), Path(), v, int(v.split(".")[0]), 15).restricts for v in ("12.22", "15.13", "15.14", "18.0")
    }
    assert found == {"12.22": False, "15.13": False, "15.14": True, "18.0": True}
