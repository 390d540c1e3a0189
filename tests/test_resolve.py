"""`gonogo resolve` as a person types it: shown first, written as wished, and kept in a record like any session."""

import json
import subprocess
from typing import Any

import psycopg
import pytest
from fix_command import TABLE, Gonogo, Said, SmallProject
from fix_terminal import AtTerminal

from migrations.ledger import NAME
from migrations.ledger import TABLE as LEDGER
from runbooks.journal import read

NOTES = "20260101000000_notes"
TAGS = "20260102000000_tags"
SURE = ("--reason", "the deploy of Friday", "--yes")


def query(small: SmallProject, text: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(small.url, autocommit=True) as conn:
        cur = conn.execute(text.encode())
        return cur.fetchall() if cur.description else []


def rows(small: SmallProject) -> list[tuple[str, str]]:
    return query(
        small,
        "SELECT migration_name, CASE WHEN rolled_back_at IS NOT NULL THEN 'rolled back' "
        f"WHEN finished_at IS NULL THEN 'failed' ELSE 'applied' END FROM {NAME} ORDER BY started_at",
    )


def resolve(gonogo: Gonogo, small: SmallProject, *more: str) -> Said:
    return gonogo("resolve", "here", *more, cwd=small.folder, env=small.env)


def status(gonogo: Gonogo, small: SmallProject) -> dict[str, Any]:
    said = gonogo("status", "here", "--json", cwd=small.folder, env=small.env)
    found: dict[str, Any] = json.loads(said.out)
    return {anomaly["name"]: anomaly for anomaly in found["anomalies"]}


def failed(small: SmallProject) -> None:
    small.migration(TAGS, "CREATE TABLE tags (id int);\nALTER TABLE notes ADD tag int;\n")
    query(small, f"{LEDGER.format(NAME)}; CREATE TABLE tags (id int)")
    query(small, f"INSERT INTO {NAME} (id, checksum, migration_name) VALUES ('x', 'y', '{TAGS}')")


def test_a_baseline_is_shown_written_and_kept_in_a_record(gonogo: Gonogo, small: SmallProject) -> None:
    query(small, TABLE)
    assert status(gonogo, small)["no-baseline"]["code"] == "P3005"
    said = resolve(gonogo, small, "--baseline", NOTES, *SURE, "--ticket", "CHG-7")
    assert said.code == 0, said.err
    assert f"new row of {NOTES}" in said.err and "up to date: 1 applied" in said.err
    assert rows(small) == [(NOTES, "applied")]
    transcript = (said.session / "transcript.md").read_text()
    assert "the deploy of Friday" in transcript and "CHG-7" in transcript and "resolve alone" in transcript
    assert gonogo("transcript", "verify", str(said.session)).code == 0
    answered = [r.event for r in read(said.session / "journal.jsonl") if r.event.kind == "question_answered"]
    assert [(one.question, one.by.name, one.by.how) for one in answered] == [
        ("resolve/reason", "ana@example.org", "command")
    ]
    again = resolve(gonogo, small, "--rolled-back", NOTES, *SURE)
    assert (again.code, "P3012" in again.err or "not in a failed state" in again.err) == (1, True)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ((), "say what to mark"),
        (("--rolled-back", TAGS), "--reason and --yes"),
        (("--rolled-back", TAGS, "--reason", "  ", "--yes", "--anyway"), "--reason and --yes"),
    ],
    ids=["nothing", "half", "blank"],
)
def test_without_a_terminal_everything_must_be_given(
    gonogo: Gonogo, small: SmallProject, more: tuple[str, ...], words: str
) -> None:
    failed(small)
    said = resolve(gonogo, small, *more, *(() if "--anyway" in more or not more else ("--anyway",)))
    assert said.code == 2 and words in said.err and "Traceback" not in said.err
    assert rows(small) == [(TAGS, "failed")]


@pytest.mark.soak
def test_what_took_effect_is_undone_first_and_then_marked(gonogo: Gonogo, small: SmallProject) -> None:
    failed(small)
    state = status(gonogo, small)["cut-short"]
    assert "What it left: statement 1: in the catalog; statement 2: not there." in state["details"]
    said = resolve(gonogo, small, "--rolled-back", TAGS, *SURE)
    assert said.code == 1 and "Undo that first" in said.err
    assert rows(small) == [(TAGS, "failed")]
    query(small, "DROP TABLE tags")
    assert resolve(gonogo, small, "--rolled-back", TAGS, *SURE).code == 0
    assert rows(small) == [(TAGS, "rolled back")]


@pytest.mark.soak
def test_a_protected_ledger_is_changed_by_a_person_who_types_its_name(
    gonogo: Gonogo, small: SmallProject, at_terminal: AtTerminal
) -> None:
    failed(small)
    query(small, "DROP TABLE tags")
    small.toml(protected=True)
    assert "protected" in (refused := resolve(gonogo, small, "--rolled-back", TAGS, *SURE)).err and refused.code == 2
    terminal = at_terminal(small, "resolve", "here")
    terminal.press("", terminal.shows("Which (0 for none)"))
    terminal.enter("1", terminal.shows("Why (it goes"))
    assert rows(small) == [(TAGS, "failed")]
    terminal.enter("undone by hand", terminal.shows("Type the environment"))
    terminal.enter("here", lambda: rows(small) == [(TAGS, "rolled back")])


@pytest.mark.soak
def test_on_a_terminal_the_catalog_says_up_to_where_a_baseline_fits(
    small: SmallProject, at_terminal: AtTerminal
) -> None:
    query(small, TABLE)
    small.migration(TAGS, "CREATE TABLE tags (id int);\n")
    terminal = at_terminal(small, "resolve", "here")
    terminal.press("", terminal.shows("Which (0 for none)"))
    terminal.enter("1", terminal.shows(f"The last of them [{NOTES}]"))
    terminal.enter("", terminal.shows("Why (it goes"))
    terminal.enter("it was made by hand", terminal.shows("[y/N]"))
    with pytest.raises(psycopg.errors.UndefinedTable):
        rows(small)
    terminal.enter("y", lambda: query(small, f"SELECT to_regclass('{NAME}') IS NOT NULL") == [(True,)])
    assert rows(small) == [(NOTES, "applied")]


@pytest.mark.soak
def test_a_change_by_others_is_told_until_somebody_writes_down_why(gonogo: Gonogo, small: SmallProject) -> None:
    query(small, TABLE)
    assert resolve(gonogo, small, "--baseline", NOTES, *SURE).code == 0
    query(small, f"UPDATE {NAME} SET finished_at = finished_at + interval '1 s'")
    state = status(gonogo, small)["changed-by-others"]
    assert state["migrations"] == [NOTES] and "other than it was" in state["details"][0]
    assert resolve(gonogo, small, "--accept", *SURE).code == 0
    assert status(gonogo, small) == {}


@pytest.mark.soak
def test_git_shows_what_was_edited_and_brings_back_what_was_removed(gonogo: Gonogo, small: SmallProject) -> None:
    query(small, TABLE)
    assert resolve(gonogo, small, "--baseline", NOTES, *SURE).code == 0
    who = ("-c", "user.name=ana", "-c", "user.email=ana@example.org")
    for words in (("init", "-q"), ("add", "."), (*who, "commit", "-qm", "first")):
        subprocess.run(["git", *words], cwd=small.folder, check=True)
    path = small.migration(NOTES, TABLE.replace("TEXT", "VARCHAR"))
    state = status(gonogo, small)["edited"]
    assert f"-{TABLE.strip()}" in state["details"]
    command = next(step for step in state["ways"][0]["steps"] if step.startswith("git checkout"))
    subprocess.run(command.split(), cwd=small.folder, check=True)
    assert path.read_text() == TABLE
    path.unlink()
    path.parent.rmdir()
    state = status(gonogo, small)["ahead"]
    command = next(step for step in state["ways"][0]["steps"] if step.startswith("git checkout"))
    subprocess.run(command.split(), cwd=small.folder, check=True)
    assert status(gonogo, small) == {}


@pytest.mark.soak
def test_a_walk_and_a_resolve_are_in_the_register_and_the_next_dump_holds_it(
    gonogo: Gonogo, small: SmallProject
) -> None:
    small.toml(register=True)

    def run() -> Said:
        answers = str(small.answers())
        return gonogo("run", "here", "--ticket", "CHG-1", "--answers", answers, cwd=small.folder, env=small.env)

    first = run()
    assert first.code == 0 and "gonogo.register is made" in first.err, first.err
    small.migration(TAGS, "CREATE TABLE tags (id int);\n")
    query(small, "CREATE TABLE tags (id int)")
    assert resolve(gonogo, small, "--applied", TAGS, *SURE, "--ticket", "CHG-2").code == 0
    small.migration("20260103000000_more", "CREATE TABLE more (id int);\n")
    second = run()
    assert second.code == 0 and "gonogo.register is there" in second.err, second.err
    told = query(small, "SELECT migration, event, ticket, operator FROM gonogo.register ORDER BY id")
    who = "ana@example.org"
    assert told == [
        (NOTES, "started", "CHG-1", who),
        (NOTES, "applied", "CHG-1", who),
        (TAGS, "marked as applied", "CHG-2", who),
        ("20260103000000_more", "started", "CHG-1", who),
        ("20260103000000_more", "applied", "CHG-1", who),
    ]
    assert status(gonogo, small) == {}
