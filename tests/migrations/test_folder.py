"""A migrations folder as Prisma would read it, and what it says of files that cannot be run."""

import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrations.folder import Migration, read_folder, same_checksum
from migrations.problem import Misuse


def put(folder: Path, name: str, data: bytes | None = b"SELECT 1;\n") -> Path:
    (folder / name).mkdir(parents=True)
    if data is not None:
        (folder / name / "migration.sql").write_bytes(data)
    return folder / name


def test_reads_real_folders_in_prismas_order(tmp_path: Path) -> None:
    for name in ("20240101000000_a", "0_init", "20240101_z", ".hidden", "1_x", "10_x"):
        put(tmp_path, name)
    (tmp_path / "migration_lock.toml").write_text('# comment\nprovider = "postgresql"\n')
    (tmp_path / "notes.sql").write_text("SELECT 1")
    (tmp_path / "linked").symlink_to(tmp_path / "1_x")
    names = [migration.name for migration in read_folder(tmp_path)]
    assert names == [".hidden", "0_init", "1_x", "10_x", "20240101_z", "20240101000000_a"]


def test_a_folder_without_its_script_is_told_apart_from_an_empty_script(tmp_path: Path) -> None:
    put(tmp_path, "1_without", None)
    put(tmp_path, "2_empty", b"")
    (tmp_path / "3_a_folder" / "migration.sql").mkdir(parents=True)
    (tmp_path / "4_a_pipe").mkdir()
    os.mkfifo(tmp_path / "4_a_pipe" / "migration.sql")
    without, empty, folder, pipe = read_folder(tmp_path)
    assert (without.data, without.problem) == (None, "no migration.sql")
    assert (empty.data, empty.problem, empty.text) == (b"", None, "")
    assert folder.data is None and pipe.data is None


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\xef\xbb\xbfSELECT 1", "BOM"),
        ("SELECT 1".encode("utf-16"), "UTF-16"),
        (b"SELECT 1;\nSELECT '\xe9'", "byte 18 (line 2)"),
        (b"SELECT\n\n\x00 1", "NUL byte (line 3)"),
    ],
)
def test_bytes_that_cannot_be_run_say_why(data: bytes, expected: str) -> None:
    problem = Migration("m", Path("m"), data).problem
    assert problem is not None and expected in problem


@pytest.mark.parametrize("data", [b"SELECT 1;\r\n", "SELECT 'ä'".encode(), b"", b"-- only a comment"])
def test_bytes_that_can_be_run_have_no_problem(data: bytes) -> None:
    assert Migration("m", Path("m"), data).problem is None


def test_the_checksum_is_of_the_text_as_prisma_decodes_it() -> None:
    bom, broken = (Migration("m", Path("m"), data) for data in (b"\xef\xbb\xbfx\r\n", b"a\xe9b"))
    assert bom.checksum == hashlib.sha256(b"\xef\xbb\xbfx\r\n").hexdigest()
    assert broken.checksum == hashlib.sha256("a\ufffdb".encode()).hexdigest()


@given(st.text(alphabet=st.sampled_from("a\r\nä"), max_size=20))
def test_line_ends_alone_are_no_change(text: str) -> None:
    unix = text.replace("\r", "")
    windows = unix.replace("\n", "\r\n")
    recorded = [Migration("m", Path("m"), form.encode()).checksum for form in (unix, windows)]
    assert all(same_checksum(checksum, form) for checksum in recorded for form in (unix, windows))
    assert not same_checksum(recorded[0], unix + "a")


@pytest.mark.parametrize("provider", ["mysql", "sqlite", "cockroachdb", ""])
def test_a_folder_of_another_product_is_refused(tmp_path: Path, provider: str) -> None:
    (tmp_path / "migration_lock.toml").write_text(f'provider = "{provider}"\n')
    with pytest.raises(Misuse) as caught:
        read_folder(tmp_path)
    assert caught.value.code == "P3019"
    assert (provider or "no database") in str(caught.value)


def test_a_missing_folder_and_a_file_in_its_place_are_misuse(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Misuse, match="no migrations folder"):
        read_folder(tmp_path / "missing")
    with pytest.raises(Misuse, match="not a folder"):
        read_folder(tmp_path / "file")


def test_a_folder_name_that_is_not_utf8_is_misuse(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"2_\xff")).mkdir()
    with pytest.raises(Misuse, match="not UTF-8"):
        read_folder(tmp_path)
