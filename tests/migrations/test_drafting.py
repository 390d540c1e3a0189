"""A migration that is begun: its name, its skeleton, and that it is whole or not there."""

import re
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrations.drafting.not_null import not_null_scripts, place_of
from migrations.drafting.skeleton import EXAMPLES, skeleton
from migrations.drafting.stamps import FORMS, fresh_name, suggested, without_stamp
from migrations.drafting.writing import write
from migrations.naming import convention, order_key
from migrations.problem import Misuse, Unavailable
from migrations.rules import judge
from migrations.sql import read_script
from migrations.sql.names import quoted

NOW = datetime(2026, 3, 1, 23, 59, 59, tzinfo=UTC)
ANY_NAME = r"\d{4}-[a-z-]+"


@pytest.mark.parametrize(
    ("naming", "there", "expected", "note"),
    [
        ("prisma", [], "20260301235959_add_note", ""),
        ("prisma", ["0_init", "20240101000000_a", "20269901000000_no_time"], "20260301235959_add_note", "20269901"),
        ("prisma", ["20260301235959_a"], "20260302000000_add_note", "that of the present"),
        ("prisma", ["20300101000000_a"], "20300101000001_add_note", "in the future"),
        ("prisma", ["zzz"], "20260301235959_add_note", "zzz is applied after it"),
        ("dashed", ["20260301-235959_a", "20260302-000000_b"], "20260302-000001_add_note", "in the future"),
        ("date", ["20260228_a"], "20260301_add_note", ""),
        ("date", ["20260301_a"], "20260302_add_note", "that of the present"),
        (r"\d{4}_[a-z_]+", ["0001_a", "0041_b"], "0042_add_note", ""),
        (r"\d{4}_[a-z_]+", [], "0001_add_note", ""),
        (r"V\d+__[a-z_]+", ["V9__a", "V10__b"], "V11__add_note", "V9__a is applied after it"),
        (r"V\d+__\w+|\d{14}_\w+", ["20250101000000_a"], "20260301235959_add_note", ""),
        (r"add_\w+", ["add_a"], "add_note", ""),
    ],
)
def test_a_name_comes_after_all_that_are_there(naming: str, there: list[str], expected: str, note: str) -> None:
    named = fresh_name("add_note", convention(naming), sorted(there, key=order_key), NOW)
    assert named.name == expected
    assert bool(named.notes) == bool(note) and all(note in words for words in named.notes)


@given(
    st.sampled_from(["prisma", "dashed", "date"]),
    st.lists(st.datetimes(datetime(1999, 1, 1), datetime(2400, 1, 1)), max_size=6),
)
def test_no_stamp_is_there_already_or_before_another(naming: str, moments: list[datetime]) -> None:
    wanted = convention(naming)
    there = sorted({f"{moment.strftime(wanted.stamp)}_a" for moment in moments}, key=order_key)
    made = fresh_name("a", wanted, there, NOW).name
    assert not wanted.faults(made) and not wanted.collisions([*there, made])
    assert sorted([*there, made], key=order_key)[-1] == made
    assert without_stamp(made) == "a"


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        ("Add note", "gonogo new add_note"),
        ("addNoteToHTTPLog", "gonogo new add_note_to_http_log"),
        ("café/../x", "gonogo new cafe_x"),
        ("20260301120000_add_note", "gonogo new add_note"),
        ("\x1b[2J", "gonogo new 2_j"),
        ("___", "in a few words"),
        ("", "in a few words"),
        ("..", "in a few words"),
    ],
)
def test_what_is_no_name_is_refused_with_the_nearest_one(words: str, advice: str) -> None:
    with pytest.raises(Misuse) as refused:
        fresh_name(words, convention("prisma"), [], NOW)
    assert advice in refused.value.advice and refused.value.what.isprintable()


@given(st.text())
def test_a_suggestion_is_taken(words: str) -> None:
    other = suggested(words)
    if other and not re.match(r"\d{8}", other):
        assert fresh_name(other, convention("prisma"), [], NOW).name.endswith(f"_{other}")


@pytest.mark.parametrize(
    ("naming", "there", "fault"),
    [
        (r"\d+_\w+", [], "could be begun in several ways"),
        (r"[A-Z]+-\d+", ["AB-12"], "does not match, however it is begun; the newest there is AB-12"),
    ],
)
def test_what_an_expression_does_not_tell_is_asked_for(naming: str, there: list[str], fault: str) -> None:
    with pytest.raises(Misuse, match=fault) as refused:
        fresh_name("add_note", convention(naming), there, NOW)
    assert "whole name" in refused.value.advice


def test_a_name_that_is_too_long_or_taken_is_refused() -> None:
    with pytest.raises(Misuse, match="longer than 255 bytes"):
        fresh_name("a" * 241, convention("prisma"), [], NOW)
    assert len(fresh_name("a" * 240, convention("prisma"), [], NOW).name) == 255
    with pytest.raises(Misuse, match="already"):
        fresh_name("one", convention("one|two"), ["one"], NOW)


def test_the_skeleton_has_no_statement_and_its_examples_run_unharmed(database: str) -> None:
    assert not read_script(skeleton("20260301000000_a")).statements
    assert max(map(len, skeleton("a").splitlines())) <= 120
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute('CREATE TABLE "orders" ("id" int)')
        for _, statement in EXAMPLES:
            assert f"-- {statement}" in skeleton("a")
            assert [f for f in judge(read_script(statement)) if f.severity != "note"] == []
            connection.execute(statement.encode())


@pytest.mark.parametrize("place", ["t.c", 'public."Odd ""t".select', "Big.Column"])
def test_null_is_forbidden_in_three_steps(database: str, place: str) -> None:
    table, column = place_of(place)
    first, second, third = texts = not_null_scripts(table, column)
    assert not [found for text in texts for found in judge(read_script(text)) if found.severity != "note"]
    name = quoted(column)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f"CREATE TABLE {table.sql} ({name} text); INSERT INTO {table.sql} VALUES (NULL)".encode())
        connection.execute(first.encode())
        with pytest.raises(psycopg.errors.CheckViolation):
            connection.execute(second.encode())
        (fill,) = [line.removeprefix("--   ") for line in second.splitlines() if "UPDATE" in line]
        connection.execute(fill.replace("…", "'x'").encode())
        connection.execute(second.encode())
        connection.execute(third.encode())
        with pytest.raises(psycopg.errors.NotNullViolation):
            connection.execute(f"INSERT INTO {table.sql} VALUES (NULL)".encode())
        assert not connection.execute("SELECT FROM pg_constraint WHERE contype = 'c' AND conrelid <> 0").rowcount


@pytest.mark.parametrize("text", ["c", "a.b.c.d", "", "t.", 'a."b', "t.c\x1b"])
def test_what_is_no_column_is_refused(text: str) -> None:
    with pytest.raises(Misuse, match="is no column"):
        place_of(text)


def test_migrations_are_written_with_the_rights_of_their_folder(tmp_path: Path) -> None:
    folder = tmp_path / "prisma" / "migrations"
    (script,) = write(folder, {"a": "x\n"})
    assert script.read_text() == "x\n" and [path.name for path in script.parent.iterdir()] == ["migration.sql"]
    folder.chmod(0o2750)
    (script,) = write(folder, {"b": "x\n"})
    assert script.stat().st_mode & 0o777 == 0o640 and script.parent.stat().st_mode & 0o777 == 0o750


def test_nothing_is_written_over_and_nothing_stays_of_what_failed(tmp_path: Path) -> None:
    folder = tmp_path / "migrations"
    (kept,) = write(folder, {"b": "mine\n"})
    with pytest.raises(Misuse, match="already"):
        write(folder, {"a": "x\n", "b": "x\n"})
    assert [path.name for path in folder.iterdir()] == ["b"] and kept.read_text() == "mine\n"
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="Not a directory"):
        write(tmp_path / "file" / "migrations", {"a": "x\n"})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "migrations"]


assert set(FORMS) == {convention(name).stamp for name in ("prisma", "dashed", "date")}
