"""What a person can get wrong: a clear word, the right exit code, and no session unless one was begun."""

import asyncio
import hashlib
import os
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
import pytest
from fix_command import RUNBOOK, TABLE, Gonogo, Said, SmallProject
from fix_walks import no_backend_left, sessions
from psycopg import sql

from runbooks.journal import verify
from tests.migrations.pooler import pooled

MISUSE, UNREACHED, NO_GO = 2, 3, 1


def run(gonogo: Gonogo, small: SmallProject, **env: str) -> Said:
    arguments = ("run", "here", "--ticket", "CHG-1", "--answers", str(small.folder / "answers.toml"))
    return gonogo(*arguments, cwd=small.folder, env={**small.env, **env})


def refused(said: Said, *words: str) -> None:
    """Wrong use: exit 2, in words, and no session was opened."""
    assert said.code == MISUSE, said.err
    assert "Traceback" not in said.err
    for word in words:
        assert word in said.err
    assert sessions() == []


def ended(said: Said, code: int, *words: str) -> None:
    """A session that ended so: exit code, words, and an intact journal."""
    assert said.code == code, said.err
    assert "Traceback" not in said.err
    for word in words:
        assert word in said.err, said.err
    assert verify(said.session / "journal.jsonl").grade == "consistent"


def test_the_small_project_walks_to_its_end(gonogo: Gonogo, small: SmallProject) -> None:
    said = run(gonogo, small)
    ended(said, 0)
    with psycopg.connect(small.url) as connection:
        assert connection.execute("SELECT count(*) FROM notes").fetchone() == (0,)


def test_no_gonogo_toml(gonogo: Gonogo, tmp_path: Path) -> None:
    refused(gonogo("run", "here", "--ticket", "x", cwd=tmp_path), "gonogo.toml")


def test_unknown_environment(gonogo: Gonogo, small: SmallProject) -> None:
    refused(gonogo("run", "hree", "--ticket", "x", cwd=small.folder, env=small.env), "hree", "Did you mean here?")


def test_variable_unset(gonogo: Gonogo, small: SmallProject) -> None:
    refused(run(gonogo, small, SMALL_URL=""), "SMALL_URL is not set")


def test_other_scheme(gonogo: Gonogo, small: SmallProject) -> None:
    said = run(gonogo, small, SMALL_URL="mysql://a:hunter2@h/d")
    refused(said, "postgresql://")
    assert "hunter2" not in said.err


def test_unreachable_server(gonogo: Gonogo, small: SmallProject) -> None:
    ended(run(gonogo, small, SMALL_URL="postgresql://a:hunter2@127.0.0.1:9/d"), UNREACHED, "127.0.0.1")
    assert "hunter2" not in (sessions()[-1] / "journal.jsonl").read_text()


@pytest.mark.parametrize("password", [pytest.param("wrong-password", marks=pytest.mark.soak), "w%r@o/n:g"])
def test_wrong_password(gonogo: Gonogo, small: SmallProject, password: str) -> None:
    parts = urlsplit(small.url)
    url = urlunsplit(parts._replace(netloc=f"postgres:{quote(password, safe='')}@localhost:5432"))
    said = run(gonogo, small, SMALL_URL=url)
    ended(said, UNREACHED, "password")
    written = b"".join(p.read_bytes() for p in sessions()[-1].rglob("*") if p.is_file())
    for form in (password, quote(password, safe="")):
        assert form not in said.err
        assert form.encode() not in written


@pytest.mark.soak
def test_right_password_with_percent_at_and_slash(gonogo: Gonogo, small: SmallProject) -> None:
    password, database = "100%@home/x y", urlsplit(small.url).path.strip("/")
    with psycopg.connect(small.url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE odd LOGIN SUPERUSER PASSWORD {}").format(sql.Literal(password)))
    try:
        netloc = f"odd:{quote(password, safe='')}@localhost:5432"
        said = run(gonogo, small, SMALL_URL=urlunsplit(urlsplit(small.url)._replace(netloc=netloc)))
        ended(said, 0)
        written = b"".join(p.read_bytes() for p in said.session.rglob("*") if p.is_file())
        assert password.encode() not in written
        assert quote(password, safe="").encode() not in written
    finally:
        with psycopg.connect(small.url, autocommit=True) as connection:
            connection.execute(sql.SQL("REASSIGN OWNED BY odd TO postgres; DROP ROLE odd"))
    assert database


@pytest.mark.soak
def test_database_missing(gonogo: Gonogo, small: SmallProject) -> None:
    url = urlunsplit(urlsplit(small.url)._replace(path="/nowhere"))
    ended(run(gonogo, small, SMALL_URL=url), UNREACHED, "nowhere")


@pytest.mark.parametrize(
    ("command", "mode", "words"),
    [
        ("run here --ticket CHG-1 --answers answers.toml", {"transaction": True}, "transaction pooler"),
        pytest.param(
            "backup here", {"transaction": True, "ignore": True}, "transaction pooler", marks=pytest.mark.soak
        ),
        ("backup here", {"transaction": False}, "pooler, and its mode cannot be proven"),
    ],
)
async def test_pooled_url_without_a_direct_one(
    gonogo: Gonogo, small: SmallProject, command: str, mode: dict[str, bool], words: str
) -> None:
    async with pooled(small.url, **mode) as url:
        env = {**small.env, "SMALL_URL": f"{url}&schema=public&pgbouncer=true"}
        said = await asyncio.to_thread(gonogo, *command.split(), cwd=small.folder, env=env)
    ended(said, NO_GO, f"SMALL_URL leads through a {words}", "Set direct_url in gonogo.toml")
    assert said.err.count("▶") == 1, "nothing but the opening may have run"
    assert no_backend_left(small)


async def test_pooled_url_with_a_direct_one(gonogo: Gonogo, small: SmallProject) -> None:
    small.toml(direct_url="SMALL_DIRECT")
    async with pooled(small.url, transaction=True) as url:
        ended(await asyncio.to_thread(run, gonogo, small, SMALL_URL=url, SMALL_DIRECT=small.url), 0)


@pytest.mark.soak
def test_fingerprint_of_another_environment(gonogo: Gonogo, small: SmallProject) -> None:
    small.toml(fingerprint="123/other")
    ended(run(gonogo, small), NO_GO, "123/other")


def test_database_marked_as_another_environment(gonogo: Gonogo, small: SmallProject) -> None:
    name = urlsplit(small.url).path.strip("/")
    with psycopg.connect(small.url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("ALTER DATABASE {} SET gonogo.environment = 'production'").format(sql.Identifier(name))
        )
    ended(run(gonogo, small), NO_GO, "production")
    told = gonogo("status", "here", cwd=small.folder, env=small.env)
    assert told.code == 1 and "✘ This is not here: the database itself says that it is production." in told.out


def test_pg_dump_missing_or_older_than_the_server(gonogo: Gonogo, small: SmallProject, tmp_path: Path) -> None:
    ended(run(gonogo, small, PATH=str(tmp_path)), UNREACHED, "pg_dump")


def test_migrations_folder_missing(gonogo: Gonogo, small: SmallProject) -> None:
    (small.folder / "migrations").rename(small.folder / "elsewhere")
    said = run(gonogo, small)
    ended(said, MISUSE, "migrations")


@pytest.mark.soak
def test_migrations_folder_empty(gonogo: Gonogo, small: SmallProject) -> None:
    (small.folder / "migrations" / "20260101000000_notes" / "migration.sql").unlink()
    (small.folder / "migrations" / "20260101000000_notes").rmdir()
    small.answers()
    said = run(gonogo, small)
    assert said.code in (0, NO_GO), said.err
    assert "nothing" in said.err.lower()


def test_folder_lacking_migration_sql(gonogo: Gonogo, small: SmallProject) -> None:
    (small.folder / "migrations" / "20260102000000_empty").mkdir()
    ended(run(gonogo, small), NO_GO, "20260102000000_empty")


@pytest.mark.soak
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("BOM", b"\xef\xbb\xbfCREATE TABLE a (b int);"),
        ("not UTF-8", b"CREATE TABLE a (b text DEFAULT '\xff\xfe');"),
        ("UTF-16", "CREATE TABLE a (b int);".encode("utf-16")),
        ("no SQL", b"CREATE TABEL a (b int);"),
    ],
)
def test_script_that_cannot_be_run(gonogo: Gonogo, small: SmallProject, name: str, text: bytes) -> None:
    small.migration("20260102000000_odd", text)
    small.answers()
    said = run(gonogo, small)
    ended(said, NO_GO, "20260102000000_odd")
    with psycopg.connect(small.url) as connection:
        assert connection.execute("SELECT to_regclass('notes')").fetchone() == (None,), "nothing may have run"


@pytest.mark.soak
def test_script_with_crlf(gonogo: Gonogo, small: SmallProject) -> None:
    small.migration("20260101000000_notes", TABLE.replace("\n", "\r\n").encode())
    small.answers()
    ended(run(gonogo, small), 0)


@pytest.mark.soak
@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('name = "small"', 'naem = "small"', ("naem", "name")),
        ("## Verify", "## Verfiy", ("Verfiy",)),
        ('id = "applied"', 'id = "ledger"', ("ledger", "twice")),
        ("## Smoke", "## Smoke\n\n### When detructive\n\n- [ ] x", ("detructive", "destructive")),
        ('uses = "ledger.verify"', 'uses = "ledger.verfy"', ("ledger.verfy", "ledger.verify")),
    ],
    ids=["misspelt key", "missing phase", "duplicate id", "unknown condition", "unknown step"],
)
def test_document_with_an_error(
    gonogo: Gonogo, small: SmallProject, old: str, new: str, words: tuple[str, ...]
) -> None:
    (small.folder / "small.md").write_text(RUNBOOK.replace(old, new, 1))
    refused(run(gonogo, small), "small.md", *words)
    checked = gonogo("runbook", "check", "small.md", cwd=small.folder)
    assert checked.code == MISUSE


def test_session_folder_read_only(gonogo: Gonogo, small: SmallProject) -> None:
    if os.geteuid() == 0:
        place = "/proc/gonogo"  # not even root can write there
    else:
        locked = small.folder / "locked"
        locked.mkdir(mode=0o500)
        place = str(locked)
    said = run(gonogo, small, XDG_STATE_HOME=place)
    assert said.code == UNREACHED, said.err
    assert "Traceback" not in said.err


@pytest.mark.soak
def test_session_folder_is_a_link(gonogo: Gonogo, small: SmallProject, tmp_path: Path) -> None:
    home = tmp_path / "state" / "gonogo"
    home.mkdir(parents=True)
    (tmp_path / "other").mkdir()
    (home / "sessions").symlink_to(tmp_path / "other")
    said = run(gonogo, small, XDG_STATE_HOME=str(tmp_path / "state"))
    assert said.code in (NO_GO, UNREACHED), said.err
    assert "link" in said.err
    assert list((tmp_path / "other").iterdir()) == []


def test_protected_environment_does_not_run_unattended(gonogo: Gonogo, small: SmallProject) -> None:
    small.toml(protected=True)
    refused(run(gonogo, small), "protected")


@pytest.mark.parametrize(
    ("tables", "near"),
    [
        ({"reviews": {"20260101000000_note": "ab" * 32}}, "Did you mean 20260101000000_notes?"),
        ({"answers": {"dump/setle": "done"}}, "Expected `dump/settle`"),
    ],
)
def test_answers_to_what_nobody_asks_begin_nothing(
    gonogo: Gonogo, small: SmallProject, tables: dict[str, dict[str, str]], near: str
) -> None:
    small.answers(**tables)
    refused(run(gonogo, small), near)


def test_answers_that_lack_something_are_no_go(gonogo: Gonogo, small: SmallProject) -> None:
    small.answers(go={"backup": True})
    ended(run(gonogo, small), NO_GO, "no GO for preflight")


def test_script_edited_after_its_review(gonogo: Gonogo, small: SmallProject) -> None:
    script = TABLE + "-- and then somebody changed it\n"
    small.migration("20260101000000_notes", script)
    line = f'[reviews] "20260101000000_notes" = "{hashlib.sha256(script.encode()).hexdigest()}"'
    ended(run(gonogo, small), NO_GO, f"20260101000000_notes is not reviewed ({line})")


def test_a_backup_alone_says_that_nobody_decided_anything(gonogo: Gonogo, small: SmallProject) -> None:
    said = gonogo("backup", "here", cwd=small.folder, env=small.env)
    ended(said, 0)
    text = (said.session / "transcript.md").read_text()
    assert "Unattended: the Backup phase alone, by a command" in text
    assert "answers file" not in text
