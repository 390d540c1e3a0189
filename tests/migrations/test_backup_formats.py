"""Dumps as directory and as plain SQL: taken, read back, restored, and found out when they are cut or damaged."""

import gzip
import hashlib
import io
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from dumping import dumped, environment, fill, names, order, pinned, restored

from migrations import backup, restore
from migrations.backup import plain
from migrations.backup.files import Format, format_of
from migrations.backup.plain import Damaged, PlainReader, open_plain
from migrations.backup.read import Reading
from migrations.hashing import file_list
from migrations.problem import Problem
from migrations.restore import Restoring
from migrations.server import ThrowawayServer

ROWS = {"public.customers": 200, 'public."Ord""ers 26"': 5000}


@pytest.fixture
def database(databases: Callable[..., str]) -> str:
    """A filled one."""
    url = databases("live")
    fill(url)
    return url


@pytest.mark.parametrize("format", ["directory", "plain"])
async def test_a_dump_of_each_format_is_restored(
    server: ThrowawayServer, database: str, tmp_path: Path, format: Format
) -> None:
    target = pinned(database)
    dump = await dumped(target, tmp_path, server.bin, format=format, jobs=2 if format == "directory" else 1)
    assert names(tmp_path) == [dump.path.name] and format_of(dump.path) == format
    assert (dump.tables, dump.missing) == (2, ()) and {t: c.rows for t, c in dump.state.rows.items()} == ROWS
    if format == "directory":
        listed, size = file_list(dump.path)
        assert (hashlib.sha256(listed.encode()).hexdigest(), size) == (dump.sha256, dump.size)
        assert {stat.S_IMODE(path.stat().st_mode) for path in dump.path.iterdir()} == {0o600}
    await restore.check_file(dump.path, dump.sha256)
    side = await restored(target, dump, server.bin)
    assert (side.differences, side.rows, side.counted) == ((), (), 2)
    reading = Reading(await backup.tools(server.major, bin=server.bin, env={}), environment(target))
    assert (await reading.text(dump.path, format)).rows == ROWS


async def test_a_damaged_directory_is_found(server: ThrowawayServer, database: str, tmp_path: Path) -> None:
    dump = await dumped(pinned(database), tmp_path, server.bin, format="directory")
    largest = max(dump.path.glob("*.dat.gz"), key=lambda path: path.stat().st_size)
    data = largest.read_bytes()
    largest.write_bytes(data[: len(data) // 2])
    order_ = await order(pinned(database), tmp_path, server.bin)
    reading = Reading(order_.tools, order_.env)
    for read in (reading.tables(dump.path), reading.text(dump.path, "directory")):
        with pytest.raises(Problem, match="is no backup"):
            await read
    with pytest.raises(Problem, match="not the dump that was taken"):
        await restore.check_file(dump.path, dump.sha256)


async def test_a_plain_dump_that_lost_a_row_is_thrown_away(
    server: ThrowawayServer, database: str, tmp_path: Path
) -> None:
    """Its form is right, and the program says that all is well; only the count tells."""
    bin = tmp_path / "bin"
    bin.mkdir()
    (bin / "pg_restore").symlink_to(server.bin / "pg_restore")
    lose = 'for f; do case "$f" in --file=*) sed -i /^7.c7@example/d "${f#--file=}";; esac; done'
    (bin / "pg_dump").write_text(f'#!/bin/sh -e\n"{server.bin}/pg_dump" "$@"\n{lose}\n')
    (bin / "pg_dump").chmod(0o755)
    with pytest.raises(Problem, match=r"199 rows of public\.customers, and the database had 200"):
        await dumped(pinned(database), tmp_path / "dumps", bin, format="plain")
    assert names(tmp_path / "dumps") == []


PLAIN = b"""--
-- PostgreSQL database dump
--

\\restrict 3fX

SET client_encoding = 'UTF8';
CREATE TABLE public.a (id bigint, "b,""c" text);
COPY public.a (id, "b,""c") FROM stdin;
1\tone
2\ttw\xc3\xb6
\\.


COPY public."no columns"  FROM stdin;
\\.

--
-- PostgreSQL database dump complete
--

\\unrestrict 3fX

"""


def read(text: bytes) -> dict[str, int]:
    return PlainReader().read(io.BytesIO(text)).rows


@pytest.mark.parametrize("piece", [1, 7, 1 << 20])
def test_a_plain_dump_is_read_by_its_copy_lines(monkeypatch: pytest.MonkeyPatch, piece: int) -> None:
    """Wherever it is cut into pieces."""
    monkeypatch.setattr(plain, "PIECE", piece)
    assert read(PLAIN) == {"public.a": 2, 'public."no columns"': 0}


def test_a_plain_dump_of_inserts_has_no_rows_that_are_read_and_the_docs_say_so() -> None:
    copied = PLAIN[PLAIN.index(b"COPY public.a") : PLAIN.index(b"\\.\n") + 3]
    assert "public.a" not in read(PLAIN.replace(copied, b"INSERT INTO public.a VALUES (1, 'one');\n"))
    assert "`pg_dump --inserts`" in (Path(__file__).parents[2] / "docs/backup.md").read_text()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b"-- PostgreSQL database dump complete\n", b"", "without pg_dump's closing line"),
        (b"-- PostgreSQL database dump\n", b"", "with which pg_dump begins"),
        (PLAIN[PLAIN.index(b"2\ttw") :], b"2\t", "in the middle of the rows of public.a"),
        (b"1\tone", b"1\tone\tmore", r"line 10, a row of public\.a, has 3 values where 2 are due"),
        (b"one", b"o\0e", "line 10, a row of public.a, holds zero bytes"),
        (b"\xc3\xb6", b"\xc3", "is not UTF-8"),
        (b"database dump\n", b"database cluster dump\n", "pg_dumpall"),
        (b"\\unrestrict 3fX\n", b"SELECT 1;\n", "without pg_dump's closing line"),
    ],
)
def test_a_plain_dump_that_is_cut_or_damaged(old: bytes, new: bytes, words: str) -> None:
    assert old in PLAIN
    with pytest.raises(Damaged, match=words):
        read(PLAIN.replace(old, new))


def test_a_plain_dump_that_is_compressed(tmp_path: Path) -> None:
    whole, cut = tmp_path / "a.sql.gz", tmp_path / "b.sql.gz"
    whole.write_bytes(gzip.compress(PLAIN * 50 + PLAIN))
    cut.write_bytes(whole.read_bytes()[:-20])
    assert format_of(whole) == "plain"
    with open_plain(whole) as file:
        assert PlainReader().read(file).rows["public.a"] == 102
    with open_plain(cut) as file, pytest.raises(Damaged, match="cannot be unpacked any more"):
        PlainReader().read(file)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("\\unrestrict 3fX", "line 8, .unrestrict"),
        ("\\connect shop", "line 8, .connect shop"),
        ("DROP DATABASE shop;", "DROP DATABASE shop"),
        ("", "is compressed"),
    ],
)
async def test_what_psql_must_not_be_given(server: ThrowawayServer, tmp_path: Path, line: str, words: str) -> None:
    """A dump by `pg_dump --create --clean` would drop the live database."""
    file = tmp_path / "x.sql"
    text = PLAIN.replace(b"CREATE TABLE", line.encode() + b"\nCREATE TABLE", 1)
    file.write_bytes(text if line else gzip.compress(text))
    tools = await backup.tools(server.major, bin=server.bin, env={})
    with pytest.raises(Problem, match=words):
        await restore.fill(Restoring(tools, {}, file, "nowhere"))


OUT = b"SELECT 1 \\! touch DONE\nCREATE TABLE"
OWN = b"\\restrict 3fX\n"
STRING = b"SELECT $$\nCOPY a (x) FROM stdin;\n$$; \\unrestrict 3fX\nSELECT 1 \\! touch DONE\n\\.\nCREATE TABLE"


@pytest.mark.parametrize(
    ("guard", "evil"),
    [
        (OWN, OUT),
        (b"", OUT),
        (b"SELECT 1 \\! touch DONE\n" + OWN, b"CREATE TABLE"),
        (OWN, b"SELECT 1 \\unrestrict 3fX\n" + OUT),
        (OWN, STRING),
        (OWN, b"-- PostgreSQL database dump complete\n\\unrestrict 3fX\n" + OUT),
    ],
    ids=["of its own", "of ours", "too late", "given up", "in a string", "a false end"],
)
async def test_a_dump_runs_no_program_of_this_machine(
    server: ThrowawayServer, database: str, tmp_path: Path, guard: bytes, evil: bytes
) -> None:
    """A name in a dump by an old pg_dump can hold a command of psql's, in the middle of a line; and so can a dump that
    somebody has written to."""
    text = PLAIN.replace(OWN, guard).replace(b"CREATE TABLE", evil, 1)
    (tmp_path / "x.sql").write_bytes(text.replace(b"DONE", bytes(tmp_path / "done")))
    tools = await backup.tools(server.major, bin=server.bin, env={})
    if not tools.restricts:
        pytest.skip(f"psql {tools.version} cannot be kept from it")
    order_ = Restoring(tools, environment(pinned(database)), tmp_path / "x.sql", pinned(database).url.database)
    with pytest.raises(Problem, match=r"backslash commands are restricted|wrong key|reaches beyond"):
        await restore.fill(order_)
    assert not (tmp_path / "done").exists()


@pytest.mark.parametrize(
    ("head", "words"), [(b"(\xb5/\xfd", "zstd"), (b"\0" * 257 + b"ustar", "a tar archive"), (b"", "empty")]
)
def test_what_is_not_read_back_is_said(tmp_path: Path, head: bytes, words: str) -> None:
    (tmp_path / "x").write_bytes(head)
    with pytest.raises(Problem, match=words):
        format_of(tmp_path / "x")
    with pytest.raises(Problem, match="a folder without"):
        format_of(tmp_path)


def test_names_by_format() -> None:
    at = datetime(2026, 1, 31, 2, 3, 4, tzinfo=UTC)
    assert backup.file_name("shop", at, "plain") == "shop_20260131T020304Z.sql"
