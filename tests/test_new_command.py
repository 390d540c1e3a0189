"""`gonogo new` as a developer types it."""

import json
import os
import re
from pathlib import Path

import psycopg
import pytest
from fix_command import Gonogo, Said, SmallProject
from fix_disk import full_disk, read_only

BEFORE = "CREATE TABLE orders (id int, note text NOT NULL); CREATE INDEX i ON orders (note);\n"
DROPPED = "ALTER TABLE orders DROP COLUMN note;\n"
PROJECT = '[project]\nname = "x"\nmigrations = "db/migrations"\nnaming = "dashed"\n[environments.here]\n'


def clear(said: Said, code: int, *words: str) -> Said:
    assert said.code == code, said.out + said.err
    assert "Traceback" not in said.err
    for word in words:
        assert word in said.out + said.err, said.out + said.err
    return said


def test_a_migration_is_begun_where_prisma_looks_for_it(gonogo: Gonogo, tmp_path: Path) -> None:
    clear(gonogo("new", "add_note"), 2, "no gonogo.toml", "mkdir -p prisma/migrations")
    folder = tmp_path / "prisma" / "migrations"
    folder.mkdir(parents=True)
    said = clear(gonogo("new", "add_note", cwd=folder.parent), 0)
    assert re.fullmatch(r"migrations/\d{14}_add_note/migration\.sql\n", said.out) and said.err == ""
    clear(gonogo("new", "Add note"), 2, "Try: gonogo new add_note")
    assert len(list(folder.iterdir())) == 1
    again = json.loads(clear(gonogo("new", "add_note", "--json"), 0).out)
    names = sorted(path.name for path in folder.iterdir())
    assert len(names) == 2 and names[1] == again["migrations"][0]["name"]
    assert clear(gonogo("check", "prisma/migrations"), 0, "migration-empty")


def test_the_folder_that_a_project_names_is_made_in_its_convention(gonogo: Gonogo, tmp_path: Path) -> None:
    (tmp_path / "gonogo.toml").write_text(PROJECT)
    said = clear(gonogo("new", "add_note"), 0)
    assert re.fullmatch(r"db/migrations/\d{8}-\d{6}_add_note/migration\.sql\n", said.out)
    (tmp_path / "db" / "migrations" / "migration_lock.toml").write_text('provider = "mysql"\n')
    clear(gonogo("new", "other"), 2, "for mysql")
    (tmp_path / "gonogo.toml").write_text(PROJECT.replace("db/migrations", "gonogo.toml"))
    clear(gonogo("new", "other"), 2, "is not a folder")


def test_a_column_forbids_null_in_three_migrations(gonogo: Gonogo, tmp_path: Path) -> None:
    (tmp_path / "prisma" / "migrations").mkdir(parents=True)
    said = clear(gonogo("new", "--set-not-null", "Order.customerId"), 0)
    names = [Path(line).parent.name[15:] for line in said.out.splitlines()]
    assert names == ["require_order_customer_id", "require_order_customer_id_2", "require_order_customer_id_3"]
    assert 'ALTER TABLE "Order" VALIDATE' in (tmp_path / said.out.splitlines()[1]).read_text()
    clear(gonogo("new", "--set-not-null", "orders"), 2, "orders is no column", "TABLE.COLUMN")
    clear(gonogo("new", "--set-not-null", "a.b", "--rollback-of", "x"), 2, "at once")


def test_a_disk_that_is_full_is_said_and_nothing_stays(gonogo: Gonogo, tmp_path: Path) -> None:
    with full_disk(tmp_path / "db", "16k") as place:
        (tmp_path / "gonogo.toml").write_text(PROJECT)
        (place / "filler").write_bytes(b"x" * (os.statvfs(place).f_bavail * os.statvfs(place).f_frsize))
        clear(gonogo("new", "add_note"), 3, "No space left on device. Nothing was made.")
        assert [path.name for path in place.iterdir()] == ["filler"]


def test_a_folder_that_may_only_be_read_is_said(gonogo: Gonogo, tmp_path: Path) -> None:
    (tmp_path / "prisma").mkdir()
    with read_only(tmp_path / "prisma" / "migrations") as why:
        clear(gonogo("new", "add_note"), 3, f"{why}. Nothing was made.")


@pytest.mark.soak
def test_what_takes_a_migration_back_is_drafted_and_reviewed(gonogo: Gonogo, small: SmallProject) -> None:
    for script in small.folder.glob("migrations/*/migration.sql"):
        script.unlink()
        script.parent.rmdir()
    script = small.migration("20260101000000_a", BEFORE)
    small.migration("20260102000000_drop_note", DROPPED)
    with psycopg.connect(small.url, autocommit=True) as conn:
        conn.execute(script.read_bytes())

    def new(*more: str) -> Said:
        return gonogo("new", "--rollback-of", *more, cwd=small.folder, env=small.env)

    clear(new("20260102_drop"), 2, "no migration 20260102_drop", "20260102000000_drop_note")
    clear(new("20260102000000_drop_note", "Not me"), 2, "Try: gonogo new not_me")
    said = clear(new("migrations/20260102000000_drop_note/", "--database", "here"), 0)
    scripts = [small.folder / line for line in said.out.splitlines()]
    names = [script.parent.name.partition("_")[2] for script in scripts]
    assert names == ["rollback_drop_note", "rollback_drop_note_2", "rollback_drop_note_3"]
    texts = [script.read_text() for script in scripts]
    assert "-- line 1: drop column note of orders\n-- It comes back empty.\n" in texts[0]
    assert "CREATE INDEX CONCURRENTLY" in texts[1] and "SET NOT NULL" in texts[2]
    assert "Not taken back: line 1, drop column note" in said.err and "is then as it was" in said.err
    assert "here has all that the migration changes as it is before it." in said.err
    assert "6 statements, 6 analysed" in said.err and "nothing found" in said.err
    told = json.loads(clear(new("20260102000000_drop_note", "again", "--json"), 0).out)
    assert [each["name"][15:] for each in told["migrations"]] == ["again", "again_2", "again_3"]
    assert told["differs"] == [] and told["left"][0]["line"] == 1 and told["review"]["findings"] == []
    assert "fails where" in told["trouble"] and told["held_against"] is None
    clear(gonogo("new", "x", "--database", "here", cwd=small.folder), 2, "is tried nowhere")
    beside = clear(new("20260102000000_drop_note", "--beside"), 0, "is then as it was", "3 statements, 3 analysed")
    assert beside.out == "migrations/20260102000000_drop_note/rollback.sql\n"
    clear(new("20260102000000_drop_note", "--beside"), 2, "has a rollback.sql already")
