"""Files and names that a migrations folder should not have: each is told with its place, none is stumbled over."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from migrations.problem import Misuse
from runbooks.check import Asked, Check
from runbooks.check import matters as m
from tests.runbooks.clones import INIT, NOW, Clone, said

DROP = 'ALTER TABLE "User" DROP COLUMN email;\n'


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path / "clone")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("20250101000000_with spaces", "' '"),
        ("20250101000000_a.sql", "'.'"),
        ("20250101000000", "no description"),
        ("20250101000000_", "no description"),
        ("20250230000000_x", "no date and time that exists"),
        ("20260601120001_x", "in the future (UTC)"),
        ("20250101000000_\x1b[2J", "control codes"),
        (os.fsdecode(b"20250101000000_\xff"), "not UTF-8"),
        ("20250101_x", "YYYYMMDDHHMMSS_name"),
    ],
)
def test_a_name_that_is_off(clone: Clone, name: str, expected: str) -> None:
    try:
        clone.script(name)
    except OSError:
        pytest.skip("this file system does not take the name")
    (line,) = said(clone.check())["migration-name"]
    assert expected in line


def test_names_of_old_migrations_are_judged_only_when_all_are_asked_for(clone: Clone) -> None:
    clone.script("Old One")
    clone.commit()
    assert said(clone.check()) == {} == said(clone.check(clone.folder))
    assert "migration-name" in said(clone.check(everything=True))


def test_the_projects_own_convention(clone: Clone) -> None:
    clone.script("20250101-120000_x")
    assert "migration-name" in said(clone.check())
    assert "migration-name" not in said(clone.check(naming="dashed"))


def test_two_migrations_with_one_time(clone: Clone) -> None:
    clone.script("20240101000000_second")
    assert said(clone.check())["migration-stamp-twice"] == [
        f"20240101000000_second/migration.sql:1: 20240101000000 is the time of {INIT} too"
    ]


@pytest.mark.parametrize(
    ("content", "line", "words", "judged"),
    [
        (DROP.encode("utf-16"), 1, "UTF-16", False),
        (b"\xef\xbb\xbf" + DROP.encode(), 1, "byte order mark", True),
        (b"SELECT 1;\n-- caf\xe9\n" + DROP.encode(), 2, "not UTF-8", True),
        (b"SELECT 1;\n\n\0\n", 3, "NUL", False),
    ],
    ids=["UTF-16", "BOM", "Latin-1", "NUL"],
)
def test_an_encoding_that_cannot_be_run(clone: Clone, content: bytes, line: int, words: str, judged: bool) -> None:
    clone.script("20250101000000_x", content)
    report = clone.check()
    (told,) = said(report)["file-encoding"]
    assert told.startswith(f"20250101000000_x/migration.sql:{line}: ") and words in told
    assert ("column-drop" in said(report)) is judged
    assert bool(report.scripts[0].fault) is not judged
    assert judged or set(said(report)) == {"file-encoding", "migration-untracked"}


@pytest.mark.parametrize("content", ["", "\n", "-- This is an empty migration.\n", "/* nothing */ ;"])
def test_a_script_that_does_nothing(clone: Clone, content: str) -> None:
    clone.script("20250101000000_x", content)
    assert "migration-empty" in said(clone.check())


def test_a_migration_without_its_script(clone: Clone) -> None:
    (clone.folder / "20250101000000_nothing").mkdir()
    clone.write("prisma/migrations/20250102000000_other/Migration.sql", "SELECT 1;")
    (clone.folder / "20250103000000_folder" / "migration.sql").mkdir(parents=True)
    (clone.folder / "20250104000000_pipe").mkdir()
    os.mkfifo(clone.folder / "20250104000000_pipe" / "migration.sql")
    (clone.folder / "20250105000000_link").mkdir()
    (clone.folder / "20250105000000_link" / "migration.sql").symlink_to("nowhere.sql")
    lines = said(clone.check())["migration-without-script"]
    assert len(lines) == 5 and any("there is Migration.sql" in line for line in lines)
    assert sum("migration.sql in it is no file" in line for line in lines) == 3


def test_a_verify_sql_that_cannot_be_asked(clone: Clone) -> None:
    clone.script("20250101000000_good", "SELECT 1;")
    clone.write("prisma/migrations/20250101000000_good/verify.sql", "SELECT true;\n-- and\nSELECT count(*) = 0 FROM t;")
    clone.script("20250102000000_bad", "SELECT 1;")
    clone.write("prisma/migrations/20250102000000_bad/verify.sql", "SELECT true;\nUPDATE t SET x = 1;\nSELECT f();")
    clone.script("20250103000000_worse", "SELECT 1;")
    clone.write("prisma/migrations/20250103000000_worse/verify.sql", "SELECT true;\nSELEC")
    lines = said(clone.check())["verify-sql"]
    assert [line.split(": ")[0].removeprefix("2025010") for line in lines] == [
        "2000000_bad/verify.sql:2",
        "3000000_worse/verify.sql:2",
    ]
    assert "file-ignored" not in said(clone.check())


def test_what_cannot_undo_a_script(clone: Clone) -> None:
    clone.script("20250101000000_good", "SELECT 1;")
    clone.write("prisma/migrations/20250101000000_good/rollback.sql", "SELECT 1;")
    clone.write("prisma/migrations/20250101000000_good/rollback.md", "by hand")
    clone.script("20250102000000_bad", "SELECT 1;")
    clone.write("prisma/migrations/20250102000000_bad/rollback.sql", "SELEC")
    clone.write("prisma/migrations/20250102000000_bad/rollback.md", "")
    lines = said(clone.check())["rollback-file"]
    assert [line.split(": ")[0].removeprefix("2025010") for line in lines] == [
        "2000000_bad/rollback.md:1",
        "2000000_bad/rollback.sql:1",
    ]


def test_what_is_never_applied(clone: Clone) -> None:
    clone.write("prisma/migrations/20250101000000_x.sql", "SELECT 1;")
    clone.write("prisma/migrations/README.md", "Read me")
    (clone.folder / "20250102000000_link").symlink_to(clone.folder / INIT)
    lines = said(clone.check())["file-ignored"]
    assert [line.split(":")[0].split("/")[1] for line in lines] == ["20250101000000_x.sql", "20250102000000_link"]


@pytest.mark.parametrize(
    ("content", "severity", "line"),
    [
        (None, "note", 1),
        ("", "warn", 1),
        ('# Please commit\n\nprovider = "mysql"\n', "stop", 3),
    ],
    ids=["missing", "empty", "another provider"],
)
def test_the_lock_file(clone: Clone, content: str | None, severity: str, line: int) -> None:
    lock = clone.folder / "migration_lock.toml"
    lock.unlink()
    if content is not None:
        lock.write_text(content)
    (remark,) = clone.check().open
    assert (remark.code, remark.finding.severity, remark.finding.line) == ("lock-file", severity, line)


def test_a_script_that_cannot_be_read_to_its_end_is_not_called_analysed(clone: Clone) -> None:
    clone.script("20250101000000_x", "SELECT 1;\nCREATE TABEL x;\n")
    report = clone.check()
    assert "not-analysed" in said(report) and report.fails("stop")
    assert report.scripts[0].unread


def test_a_huge_script_is_judged_to_its_end(clone: Clone) -> None:
    clone.script("20250101000000_x", 'INSERT INTO "User" VALUES (1);\n' * 5_000 + DROP)
    report = clone.check()
    (told,) = said(report)["column-drop"]
    assert ":5001:" in told and report.scripts[0].statements == 5_001


def test_loose_scripts_and_single_migrations(clone: Clone, tmp_path: Path) -> None:
    loose = tmp_path / "loose"
    loose.mkdir()
    for name in ("2 b.sql", "10.sql", "notes.txt"):
        (loose / name).write_text(DROP)
    assert [script.name for script in clone.check(loose).scripts] == ["10.sql", "2 b.sql"]
    assert list(said(clone.check(loose / "2 b.sql"))) == ["column-drop"]
    assert [script.name for script in clone.check(clone.folder / INIT).scripts] == [INIT]


@pytest.mark.parametrize("name", ["nowhere", ".", "empty"])
def test_a_path_without_scripts_is_misuse(clone: Clone, tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(Misuse):
        clone.check(clone.top if name == "." else tmp_path / name)


def test_an_empty_migrations_folder_is_in_order(clone: Clone, tmp_path: Path) -> None:
    (tmp_path / "migrations").mkdir()
    report = clone.check(folder=tmp_path / "migrations")
    assert report.there == 0 and list(said(report)) == ["lock-file"] and not report.fails("stop")


def test_what_a_comment_allows_is_listed_and_does_not_fail(clone: Clone) -> None:
    clone.script("20250101000000_x", f"-- gonogo: allow column-drop because nobody reads it\n{DROP}")
    clone.commit()
    report = clone.check(everything=True)
    assert not report.fails("note") and report.allowed[0].finding.allowed == "nobody reads it"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.one_of(st.binary(max_size=300), st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass")))
)
def test_any_bytes_get_a_verdict(tmp_path: Path, data: bytes) -> None:
    script = tmp_path / "any.sql"
    script.write_bytes(data)
    report = Check(Asked(now=NOW, environ={"XDG_CACHE_HOME": "/dev/null"}, paths=(script,))).report()
    (checked,) = report.scripts
    assert checked.statements or checked.fault or said(report), data


def test_every_matter_has_a_page_of_its_own() -> None:
    codes = [matter.code for matter in m.MATTERS]
    assert len(set(codes)) == len(codes) == sum(isinstance(value, m.Matter) for value in vars(m).values())
    assert all(matter.why and matter.instead and matter.source.startswith("https://") for matter in m.MATTERS)
