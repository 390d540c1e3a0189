"""The commands beside the walk: journals that do not hold, names that lead nowhere, slips of the pen."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from fix_command import TABLE, Gonogo, Said, SmallProject, environment
from fix_keys import Key, public

from runbooks.history.sessions import list_sessions, state_home


def said_clearly(said: Said, code: int, *words: str) -> None:
    assert said.code == code, said.out + said.err
    assert "Traceback" not in said.err
    for word in words:
        assert word in said.out + said.err


def run(gonogo: Gonogo, small: SmallProject, *more: str, ticket: str = "CHG-1") -> Said:
    answers = str(small.folder / "answers.toml")
    return gonogo("run", "here", "--ticket", ticket, "--answers", answers, *more, cwd=small.folder, env=small.env)


def test_a_journal_that_was_changed_is_refused(gonogo: Gonogo, small: SmallProject, tmp_path: Path, keys: Key) -> None:
    said_clearly(run(gonogo, small, "--sign", str(keys("locked", passphrase="open sesame"))), 2, "has a passphrase")
    said_clearly(gonogo("transcript", "verify"), 2, "No sessions")
    folder = run(gonogo, small, "--sign", str(keys("ana"))).session
    said_clearly(gonogo("transcript", "verify"), 0, "grade: consistent", "which no signers' file names")
    signers = tmp_path / "signers"
    signers.write_text(f"ana@example.org {public(keys('ana'))}\n")
    signed = gonogo("transcript", "verify", "--signers", str(signers), "--at-least", "signed")
    said_clearly(signed, 0, "grade: signed", "ana@example.org signed the first record")
    alone = tmp_path / "copy.jsonl"
    shutil.copy(folder / "journal.jsonl", alone)
    said_clearly(gonogo("transcript", "verify", str(alone)), 0, "consistent")
    page = folder / "transcript.html"
    said_clearly(gonogo("transcript", "verify", str(page)), 0, "page: byte for byte what the journal gives")
    said_clearly(gonogo("transcript", "export", "--format", "html", "-o", str(tmp_path / "my.html")), 0, "Written to")
    assert (tmp_path / "my.html").read_bytes() == page.read_bytes()
    (tmp_path / "my.html").write_bytes(page.read_bytes().replace(b"CHG-1", b"CHG-2"))
    said_clearly(gonogo("transcript", "verify", str(tmp_path / "my.html")), 1, "first difference in line")
    script = next((folder / "scripts").iterdir())
    script.write_bytes(script.read_bytes() + b"-")
    said_clearly(gonogo("transcript", "verify", str(folder)), 1, "altered: scripts/")

    data = bytearray(alone.read_bytes())
    data[data.index(b"CHG-1")] ^= 1
    alone.write_bytes(data)
    said_clearly(gonogo("transcript", "verify", str(alone)), 1, "broken", "record 0 (line 1)")
    said_clearly(gonogo("transcript", "show", str(alone)), 1, "does not hold")
    alone.write_bytes(b"")
    said_clearly(gonogo("transcript", "show", str(alone)), 1, "holds no record")
    said_clearly(gonogo("transcript", "verify", str(tmp_path)), 2, "no journal")


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ({"go": {"bakup": True}}, ("bakup", "`backup`")),
        ({"items": {"dump-is-save": True}}, ("dump-is-save", "[items]")),
        ({"waivers": {"legder/pending": "why"}}, ("legder", "`ledger`")),
    ],
    ids=["go", "items", "waivers"],
)
def test_an_answer_to_nothing_is_refused(
    gonogo: Gonogo, small: SmallProject, tables: dict[str, dict[str, object]], words: tuple[str, ...]
) -> None:
    small.answers(**tables)
    said_clearly(run(gonogo, small), 2, *words)
    assert not list_sessions(state_home(os.environ))


@pytest.mark.parametrize("ticket", ["two\nlines", "\x1b[2J", "x" * 201])
def test_a_ticket_is_one_line(gonogo: Gonogo, small: SmallProject, ticket: str) -> None:
    said_clearly(run(gonogo, small, ticket=ticket), 2, "one line")


def test_control_codes_in_a_name_reach_no_terminal(gonogo: Gonogo, small: SmallProject) -> None:
    assert run(gonogo, small, "--operator", "eve\x1b[2J\nroot", ticket=" CHG-2 ").code == 0
    listed = gonogo("sessions")
    assert "\x1b" not in listed.out and len(listed.out.splitlines()) == 1
    assert [row["ticket"] for row in json.loads(gonogo("sessions", "--json").out)] == ["CHG-2"]


@pytest.mark.parametrize("orders", ["abc", "-5", "0", "1e3", "9" * 5000])
def test_orders_of_the_demo_that_are_no_number(gonogo: Gonogo, own_home: Path, orders: str) -> None:
    said_clearly(gonogo("demo", env={"GONOGO_DEMO_ORDERS": orders}), 2, "GONOGO_DEMO_ORDERS")
    assert not (own_home / ".local/state/gonogo").exists()


@pytest.mark.parametrize(
    "words",
    [("runn",), ("--nope",), ("run",), ("transcript", "verify", "none"), ("runbook", "check", "."), ("resume",)],
    ids=" ".join,
)
def test_wrong_use(gonogo: Gonogo, words: tuple[str, ...]) -> None:
    said_clearly(gonogo(*words), 2)


def test_an_output_that_takes_nothing_is_told_in_words() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    argv = [sys.executable, "-P", "-m", "tui", "runbook", "list"]
    with full.open("w") as output:
        done = subprocess.run(argv, env=environment(), stdout=output, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 3 and done.stderr.startswith("gonogo: The output: "), done.stderr


@pytest.mark.parametrize(("module", "command"), [("click", "sessions"), ("psutil", "resume")])
def test_an_interrupt_while_it_is_being_imported_ends_quietly(tmp_path: Path, module: str, command: str) -> None:
    (tmp_path / f"{module}.py").write_text("raise KeyboardInterrupt\n")
    env = environment()
    env["PYTHONPATH"] = f"{tmp_path}{os.pathsep}{env['PYTHONPATH']}"
    done = subprocess.run(
        [sys.executable, "-P", "-m", "tui", command],
        env=env, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert (done.returncode, done.stderr.strip()) == (130, "")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--to", "20260101000000_note"), "Did you mean 20260101000000_notes?"),
        (("--step",), "nobody watches"),
    ],
)
def test_what_a_session_cannot_be_narrowed_to(
    gonogo: Gonogo, small: SmallProject, words: tuple[str, ...], told: str
) -> None:
    small.answers()
    said_clearly(run(gonogo, small, *words), 2, told)
    assert not list_sessions(state_home(os.environ))


def test_a_runbook_that_pauses_wants_a_person(gonogo: Gonogo, small: SmallProject) -> None:
    book = small.folder / "small.md"
    book.write_text(book.read_text().replace('uses = "migrations.apply"', 'uses = "migrations.apply"\npause = true'))
    small.answers()
    said_clearly(run(gonogo, small), 2, "nobody watches")


def test_a_session_goes_only_as_far_as_a_migration(gonogo: Gonogo, small: SmallProject) -> None:
    small.migration("20260102000000_later", "CREATE TABLE later ();")
    small.answers()
    said = run(gonogo, small, "--to", "20260101000000_notes")
    assert said.code == 0, said.err
    assert "held back" in (said.session / "transcript.md").read_text()
    with psycopg.connect(small.url) as connection:
        rows = connection.execute("SELECT migration_name FROM _prisma_migrations").fetchall()
    assert rows == [("20260101000000_notes",)]


def test_a_dry_run_prints_what_would_be_sent_and_changes_nothing(gonogo: Gonogo, small: SmallProject) -> None:
    small.migration("20260102000000_later", "SELECT 'hunter22', '\x1b[2J'")
    toml = small.folder / "gonogo.toml"
    toml.write_text(toml.read_text().replace('name = "small"', 'name = "small"\nsecrets = ["PAYMENT_API_KEY"]', 1))
    small = SmallProject(small.folder, small.url, small.bin)
    env = {**small.env, "PAYMENT_API_KEY": "hunter22"}
    said = gonogo("run", "here", "--dry-run", cwd=small.folder, env=env)
    said_clearly(said, 0)
    lines = said.out.splitlines()
    order = ["SELECT pg_catalog.pg_try_advisory_lock(72707369);", "BEGIN;", TABLE.strip(), "COMMIT;"]
    places = [lines.index(line) for line in order]
    assert places == sorted(places)
    assert "hunter22" not in said.out and "«redacted:PAYMENT_API_KEY»" in said.out and "\x1b" not in said.out
    assert said.out.count("INSERT INTO") == said.out.count("UPDATE") == 2
    with psycopg.connect(small.url) as connection:
        assert connection.execute("SELECT count(*) FROM pg_class WHERE oid > 16384").fetchone() == (0,)
    assert not list_sessions(state_home(os.environ))
    said = gonogo("run", "here", "--dry-run", "--to", "20260101000000_notes", cwd=small.folder, env=env)
    assert "1 of 1  20260101000000_notes: one transaction" in said.out
    small.migration("20260102000000_later", "BEGIN; SELECT 1")
    said_clearly(gonogo("run", "here", "--dry-run", cwd=small.folder, env=env), 1, "never committed")
    nowhere = {**env, "SMALL_URL": "postgresql://localhost:1/x"}
    said_clearly(gonogo("run", "here", "--dry-run", cwd=small.folder, env=nowhere), 3)


def test_a_server_that_reads_backslashes_otherwise_is_found_at_the_opening(gonogo: Gonogo, small: SmallProject) -> None:
    small.migration("20260102000000_later", r"COMMENT ON TABLE notes IS 'a\b'")
    small.answers()
    with psycopg.connect(small.url, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {connection.info.dbname} SET standard_conforming_strings = off".encode())
        said_clearly(run(gonogo, small), 1, "standard_conforming_strings is off", "20260102000000_later")
        assert connection.execute("SELECT to_regclass('_prisma_migrations')").fetchone() == (None,)
