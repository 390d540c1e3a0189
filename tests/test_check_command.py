"""`gonogo check` as a developer and a pipeline type it."""

import json
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from fix_command import Gonogo, Said, environment
from fix_until import Until

from tests.runbooks.clones import Clone

DROP = 'ALTER TABLE "User" DROP COLUMN email;\n'
NEW = "20250101000000_new"


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path / "clone")


class Leavings:
    """The folder for temporary files of the commands under test, and what they leave of a replay."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = {"TMPDIR": str(folder)}

    def there(self) -> list[str]:
        """Files, and processes at work in them: a server's working folder is that of its data."""
        found = [path.name for path in self.folder.iterdir()]
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                found += [process.name()] if process.cwd().startswith(str(self.folder)) else []
        return found


@pytest.fixture
def leavings(tmp_path: Path) -> Leavings:
    (tmp_path / "tmp").mkdir()
    return Leavings(tmp_path / "tmp")


def clear(said: Said, code: int, *words: str) -> Said:
    assert said.code == code, said.out + said.err
    assert "Traceback" not in said.err
    for word in words:
        assert word in said.out + said.err
    return said


def test_in_an_empty_clone_it_says_what_to_do(gonogo: Gonogo, tmp_path: Path) -> None:
    clear(gonogo("check"), 2, "no gonogo.toml", "gonogo check PATH")
    clear(gonogo("check", "nowhere"), 2, "There is no", "nowhere")
    (tmp_path / "gonogo.toml").write_text('[project]\nname = "x"\n[environments.here]\n')
    clear(gonogo("check"), 2, "no migrations folder", "project.migrations")


def test_prismas_usual_folder_is_found_without_a_project_file(gonogo: Gonogo, clone: Clone) -> None:
    said = clear(gonogo("check", cwd=clone.top), 0, "none of 1 script is new or changed since main", "nothing found")
    assert said.err == ""


@pytest.mark.parametrize(("level", "code"), [("stop", 0), ("warn", 0), ("note", 1)])
def test_the_exit_code_is_that_of_the_level(gonogo: Gonogo, clone: Clone, level: str, code: int) -> None:
    clone.script(NEW)
    clear(gonogo("check", "--fail-on", level, cwd=clone.top), code, "migration-untracked")


def test_a_stop_is_exit_1_in_every_form(gonogo: Gonogo, clone: Clone) -> None:
    clone.script(NEW, DROP)
    clone.commit()
    for form in ((), ("--json",), ("--sarif",), ("--github",), ("--pr",)):
        said = clear(gonogo("check", "--base", "HEAD~1", *form, cwd=clone.top), 1, "column-drop")
        assert NEW in said.out and said.err == ""
        assert form == ("--pr",) or f"prisma/migrations/{NEW}/migration.sql" in said.out
    told = json.loads(gonogo("check", "--base", "HEAD~1", "--json", cwd=clone.top / "prisma" / "migrations").out)
    assert [script["name"] for script in told["scripts"]] == [NEW]


def test_the_projects_folder_and_its_convention_count(gonogo: Gonogo, clone: Clone) -> None:
    clone.write("gonogo.toml", '[project]\nname = "x"\nmigrations = "db"\nnaming = "dashed"\n[environments.here]\n')
    clone.write("db/20250101-120000_x/migration.sql", DROP)
    clone.write("sub/file", "")
    said = clear(gonogo("check", cwd=clone.top / "sub"), 1, "column-drop")
    assert "migration-name" not in said.out
    clear(gonogo("check", "--project", "nowhere.toml", cwd=clone.top), 2, "nowhere.toml")
    clone.write("gonogo.toml", "[project]\nnmae = 1\n")
    clear(gonogo("check", cwd=clone.top), 2, "gonogo.toml", "line 2")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--explain", "index-without-concurrently"), ("SHARE", "CREATE INDEX CONCURRENTLY", "https://")),
        (("--explain", "MIGRATION_EDITED"), ("_prisma_migrations",)),
        (("--explain", "all"), ("column-drop", "migration-name")),
    ],
)
def test_a_rule_is_explained(gonogo: Gonogo, words: tuple[str, ...], expected: tuple[str, ...]) -> None:
    clear(gonogo("check", *words), 0, *expected)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--explain", "colum-drop"), "Did you mean column-drop?"),
        (("--also", "no-lock-timeuot"), "Did you mean no-lock-timeout?"),
        (("--fail-on", "error"), "--fail-on"),
        (("--base", "nowhere"), "git knows no commit nowhere"),
        (("--", "true"), "Add --replay"),
        (("prisma/schema.prisma/x",), "There is no"),
        (("prisma",), "There is no script in"),
    ],
)
def test_wrong_use_is_exit_2(gonogo: Gonogo, clone: Clone, words: tuple[str, ...], expected: str) -> None:
    clear(gonogo("check", *words, cwd=clone.top), 2, expected)


def test_a_matter_of_taste_is_told_when_asked_for(gonogo: Gonogo, clone: Clone) -> None:
    clone.script(NEW, 'ALTER TABLE "User" ADD COLUMN email text;')
    clone.commit()
    base = ("check", "--base", "HEAD~1")
    assert "no-lock-timeout" not in gonogo(*base, cwd=clone.top).out
    assert "no-lock-timeout" in gonogo(*base, "--also", "no-lock-timeout", cwd=clone.top).out
    clone.write("gonogo.toml", '[project]\nname = "x"\n[review]\nalso = ["no-lock-timeout"]\n[environments.here]\n')
    assert "no-lock-timeout" in gonogo(*base, cwd=clone.top).out


def test_control_codes_reach_no_terminal(gonogo: Gonogo, clone: Clone) -> None:
    clone.script("20250101000000_\x1b[2J", 'ALTER TABLE "\x1b[31mUser" DROP COLUMN "\x1b]0;x\x07";')
    for form in ((), ("--github",), ("--sarif",), ("--json",), ("--pr",)):
        said = gonogo("check", *form, cwd=clone.top)
        assert "\x1b" not in said.out + said.err and "\x07" not in said.out and said.code == 1


def test_verdicts_are_kept_for_the_next_time(gonogo: Gonogo, clone: Clone, own_home: Path) -> None:
    clone.script(NEW, DROP)
    first = gonogo("check", cwd=clone.top)
    kept = [path for path in (own_home / ".cache" / "gonogo").rglob("*") if path.is_file()]
    assert kept and gonogo("check", cwd=clone.top) == first
    for path in kept:
        path.write_bytes(b"\x80nonsense")
    assert gonogo("check", cwd=clone.top) == first


def test_a_replay_runs_a_command_on_the_migrated_database(gonogo: Gonogo, clone: Clone, leavings: Leavings) -> None:
    clone.write("gonogo.toml", '[project]\nname = "x"\n[environments.here]\nurl = "SHOP_URL"\n')
    script = "import os, psycopg; c = psycopg.connect(os.environ['DATABASE_URL']);"
    script += "print('tables', [r[0] for r in c.execute('select relname from pg_class where relkind = $$r$$ "
    script += "and relnamespace = $$public$$::regnamespace order by 1')], os.environ['SHOP_URL'] == "
    script += "os.environ['DATABASE_URL'], os.environ.get('PGHOST'))"
    outside = leavings.env | {
        "DATABASE_URL": "postgresql://elsewhere/prod",
        "SHOP_URL": "postgresql://elsewhere/prod",
        "PGHOST": "x",
    }
    said = gonogo("check", "--replay", "--json", "--", sys.executable, "-c", script, cwd=clone.top, env=outside)
    clear(said, 0, "tables ['User', '_prisma_migrations'] True None")
    told = json.loads(said.out)
    assert told["proven"][0].startswith("replayed: the only migration applies to an empty database")
    assert "it ended with 0" in told["proven"][1] and not leavings.there()


@pytest.mark.soak
@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("sh", "-c", "echo oops >&2; exit 3"), ("oops", "ended with exit status 3")),
        (("sh", "-c", "kill -TERM $$"), ("ended with signal SIGTERM",)),
    ],
)
def test_a_command_that_fails_fails_the_check(
    gonogo: Gonogo, clone: Clone, command: tuple[str, ...], words: tuple[str, ...]
) -> None:
    clear(gonogo("check", "--replay", "--", *command, cwd=clone.top), 1, "command-failed", *words)


@pytest.mark.soak
def test_a_command_that_is_not_there_is_exit_3(gonogo: Gonogo, clone: Clone, leavings: Leavings) -> None:
    said = gonogo("check", "--replay", "--", "no-such-program", cwd=clone.top, env=leavings.env)
    clear(said, 3, "no-such-program")
    assert not leavings.there()


def test_a_history_that_does_not_apply_is_told_with_its_line(gonogo: Gonogo, clone: Clone) -> None:
    clone.script("20240102000000_bad", 'ALTER TABLE "User" ADD a int;\n\nALTER TABLE "Usr" ADD b int;\n')
    clone.script("20240103000000_after")
    clone.commit()
    said = gonogo("check", "--replay", "--json", "--", "false", cwd=clone.top)
    told = json.loads(clear(said, 1).out)
    (failed,) = [finding for finding in told["findings"] if finding["code"] == "replay-failed"]
    assert failed["file"].endswith("20240102000000_bad/migration.sql") and failed["line"] == 3
    assert 'relation "Usr" does not exist' in failed["message"] and "1 after it" in failed["message"]
    assert told["not_checked"] and not told["proven"]


@pytest.mark.soak
def test_roles_that_scripts_name_are_made(gonogo: Gonogo, clone: Clone) -> None:
    clone.script("20240102000000_grant", 'GRANT SELECT ON "User" TO app_user, "Odd ""one""";\n')
    clone.commit()
    told = json.loads(clear(gonogo("check", "--replay", "--json", cwd=clone.top), 0).out)
    assert told["proven"][0].endswith('once it has the roles app_user, Odd "one"')


def test_a_script_that_cannot_be_run_fails_the_replay(gonogo: Gonogo, clone: Clone) -> None:
    clone.script("20240102000000_psql", "\\set x 1\nSELECT 1;\n")
    clear(gonogo("check", "--replay", cwd=clone.top), 1, "replay-failed", "20240102000000_psql cannot be applied")


def test_a_replay_needs_one_folder(gonogo: Gonogo, clone: Clone) -> None:
    script = str(clone.script(NEW))
    clear(gonogo("check", "--replay", script, cwd=clone.top), 2, "one migrations folder")


@pytest.mark.soak
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_of_a_replay_that_is_killed(
    clone: Clone, leavings: Leavings, until: Until, no_process_left: None, number: int
) -> None:
    mark = clone.top / "running"
    command = ["check", "--replay", "--", "sh", "-c", f"echo $$ > '{mark}.new'; mv '{mark}.new' '{mark}'; sleep 600"]
    argv = [sys.executable, "-P", "-m", "tui", *command]
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    check = subprocess.Popen(argv, cwd=clone.top, env=environment(leavings.env), **streams)
    until(mark.exists)
    inner = int(mark.read_text())
    check.send_signal(number)
    out, err = check.communicate(timeout=60)
    assert check.returncode == (130 if number == signal.SIGINT else -number), out + err
    assert b"Traceback" not in err
    until(lambda: not psutil.pid_exists(inner) and not leavings.there())
