"""What a check tells of one database: sizes, pending scripts, and how bad findings are there."""

import json
import re
from collections.abc import Callable

import psycopg
import pytest
from fix_command import Gonogo, Said, SmallProject

INDEX = 'CREATE INDEX "notes_text_idx" ON "notes" ("text");\n'
NEW = "20260102000000_index"


@pytest.fixture
def filled(small: SmallProject, gonogo: Gonogo) -> SmallProject:
    """The first script is applied, its table has rows, and another script is pending."""
    with psycopg.connect(small.url, autocommit=True) as connection:
        connection.execute('CREATE TABLE "notes" ("id" SERIAL PRIMARY KEY, "text" TEXT)')
        connection.execute("INSERT INTO notes (text) SELECT repeat('x', 500) FROM generate_series(1, 20000)")
        connection.execute("ANALYZE notes")
    asked = gonogo("status", "here", "--json", cwd=small.folder, env=small.env)
    assert json.loads(asked.out)["first_run"]
    ledger(small, "20260101000000_notes")
    small.migration(NEW, INDEX)
    return small


def ledger(small: SmallProject, *names: str) -> None:
    """A ledger as Prisma leaves it, in which these are applied as they are."""
    import hashlib

    from migrations.ledger import TABLE

    with psycopg.connect(small.url, autocommit=True) as connection:
        connection.execute(psycopg.sql.SQL(TABLE).format(psycopg.sql.Identifier("_prisma_migrations")))
        for name in names:
            text = (small.folder / "migrations" / name / "migration.sql").read_bytes()
            connection.execute(
                "INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name) VALUES (%s, %s, now(), %s)",
                (name[:36], hashlib.sha256(text).hexdigest(), name),
            )


def checked(gonogo: Gonogo, small: SmallProject, *more: str) -> Said:
    return gonogo("check", "--all", "--no-squawk", "--database", "here", *more, cwd=small.folder, env=small.env)


def finding(said: Said, code: str) -> dict[str, object]:
    (found,) = [one for one in json.loads(said.out)["findings"] if one["code"] == code]
    return dict(found)


def test_the_size_of_a_table_moves_a_finding(gonogo: Gonogo, filled: SmallProject) -> None:
    alone = gonogo("check", "--all", "--json", cwd=filled.folder, env=filled.env)
    assert finding(alone, "index-without-concurrently")["severity"] == "warn"
    said = checked(gonogo, filled, "--json")
    assert said.code == 0, said.err
    assert finding(said, "index-without-concurrently")["severity"] == "note"
    told = json.loads(said.out)
    assert re.search(r"weighed on here: .* PostgreSQL .* where 1 script is pending", told["proven"][0])
    assert any("20260101000000_notes is applied there already" in words for words in told["not_checked"])
    toml = filled.folder / "gonogo.toml"
    toml.write_text(toml.read_text() + '[review]\nreads_blocked = "1ms"\nwrites_blocked = "1ms"\n')
    said = checked(gonogo, filled, "--json")
    assert said.code == 1 and finding(said, "index-without-concurrently")["severity"] == "stop"


def test_the_facts_of_a_pull_request_hold_rows_and_times(gonogo: Gonogo, filled: SmallProject) -> None:
    filled.migration("20260103000000_fill", "UPDATE notes SET text = '|`x`' WHERE text IS NULL;\n")
    said = checked(gonogo, filled, "--pr")
    assert said.code == 0, said.err
    (row,) = [line for line in said.out.splitlines() if line.startswith("| 1 |") and "SHARE on" in line]
    assert "| SHARE on `notes` | writes | builds an index |" in row and "20 000 rows" in row and " ms" in row
    (row,) = [line for line in said.out.splitlines() if line.startswith("| 1 |") and "changes rows" in line]
    assert "ROW EXCLUSIVE" in row and "20 000 rows" in row and row.count(" | ") == 6
    assert "guessed from the size, not rehearsed" in said.out and "### `20260102000000_index`" in said.out
    alone = gonogo("check", "--all", "--pr", cwd=filled.folder, env=filled.env)
    assert "rows," not in alone.out and "not known without a database" in alone.out


def test_what_was_applied_otherwise_is_told(gonogo: Gonogo, filled: SmallProject) -> None:
    filled.migration("20260101000000_notes", "SELECT 'another';\n")
    said = checked(gonogo, filled, "--json")
    edited = finding(said, "migration-edited")
    assert said.code == 1 and edited["message"] == "here has applied another text"


def test_what_failed_there_is_told(gonogo: Gonogo, filled: SmallProject) -> None:
    row = "INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('x', 'y', %s)"
    with psycopg.connect(filled.url, autocommit=True) as connection:
        connection.execute(row, (NEW,))
    told = json.loads(checked(gonogo, filled, "--json").out)
    assert f"what it means for here: {NEW} failed there" in " ".join(told["not_checked"])


def test_what_a_pending_script_makes_is_nobodys_for_those_after_it(gonogo: Gonogo, filled: SmallProject) -> None:
    filled.migration("20260103000000_table", "CREATE TABLE fresh (a int);\n")
    filled.migration("20260104000000_index", "CREATE INDEX ON fresh (a);\n")
    found = json.loads(checked(gonogo, filled, "--json").out)["findings"]
    severities = {one["severity"] for one in found if "20260104000000_index" in one["file"]}
    assert severities <= {"note"}


@pytest.mark.soak
@pytest.mark.parametrize(
    ("harm", "code", "words"),
    [
        (lambda p: p.toml(fingerprint="1/other"), 1, "This is not here"),
        (lambda p: setattr(p, "url", ""), 2, "SMALL_URL is not set"),
        (lambda p: setattr(p, "url", "postgresql://ana:secret@localhost:1/x"), 3, "localhost"),
        (lambda p: (p.folder / "gonogo.toml").unlink(), 2, "no gonogo.toml"),
    ],
    ids=["another database", "no address", "nobody there", "no project"],
)
def test_a_database_that_cannot_be_asked(
    gonogo: Gonogo, filled: SmallProject, harm: Callable[[SmallProject], object], code: int, words: str
) -> None:
    (filled.folder / "prisma").symlink_to(".")
    harm(filled)
    said = checked(gonogo, filled)
    assert said.code == code and words in said.err and "secret" not in said.err + said.out
    assert "Traceback" not in said.err


def test_an_environment_that_is_not_there_is_named_with_the_nearest(gonogo: Gonogo, small: SmallProject) -> None:
    said = gonogo("check", "--database", "her", cwd=small.folder, env=small.env)
    assert said.code == 2 and "`here`" in said.err


def test_it_writes_nothing(gonogo: Gonogo, filled: SmallProject) -> None:
    def state() -> object:
        with psycopg.connect(filled.url) as connection:
            return connection.execute(
                "SELECT array_agg(relname::text ORDER BY 1), (SELECT count(*) FROM _prisma_migrations) "
                "FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            ).fetchone()

    before = state()
    assert checked(gonogo, filled).code == 0
    assert state() == before
