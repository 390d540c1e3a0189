"""`gonogo run` with `engine = "prisma"`: from the lock file to the transcript, and where there is no Node.js."""

import os
import signal
from pathlib import Path

import psycopg
import pytest
from fix_command import RUNBOOK, Gonogo, Said, SmallProject
from fix_keys import Key, public
from fix_until import Until
from fix_walks import Start, ledger, no_backend_left, resume, runner_of, running, sessions

from migrations.target import Url
from runbooks.approvals.plan_document import PlanDocument
from runbooks.journal import NAME, read
from tests.migrations.prisma_stand_in import install
from tests.test_approve_command import git, publish

PROGRAMS = {
    "node": "exit 1",
    "npx": 'test "$1 $2" = "--no-install prisma" && shift 2 && exec node_modules/.bin/prisma "$@"',
    "npm": 'test "$1 $2 $3" = "run db:deploy --" && shift 3 && exec node_modules/.bin/prisma migrate deploy "$@"',
}
SCHEMA = 'datasource db {\n  provider = "postgresql"\n  url      = env("SMALL_URL")\n}\n'


@pytest.fixture
def team(small: SmallProject) -> SmallProject:
    """The small project, with Prisma as its package.json and lock file say; npm's programs are made for the test."""
    (small.folder / "small.md").write_text(RUNBOOK.replace('lock_timeout = "2s"', 'engine = "prisma"'))
    (small.folder / "package.json").write_text('{"scripts": {"db:deploy": "prisma migrate deploy"}}')
    (small.folder / "package-lock.json").write_text("{}")
    (small.folder / "schema.prisma").write_text(SCHEMA)
    install(small.folder)
    for name, text in PROGRAMS.items():
        program = small.folder / "programs" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\n{text}\n")
        program.chmod(0o755)
    return small


def run(gonogo: Gonogo, team: SmallProject, path: str, wrong: str = "") -> tuple[int, str]:
    env = {**team.env, "PATH": f"{path}:{team.bin}", "STAND_IN": wrong}
    said = gonogo("run", "here", "--ticket", "CHG-1", "--answers", "answers.toml", cwd=team.folder, env=env)
    return said.code, said.err


@pytest.mark.soak
def test_it_is_said_in_the_plan_and_no_password_is_kept(gonogo: Gonogo, team: SmallProject) -> None:
    programs = f"{team.folder / 'programs'}:/usr/bin:/bin"
    code, said = run(gonogo, team, programs, "prints-the-password")
    assert code == 0, said
    assert ledger(team) == [("20260101000000_notes", True, False)]
    (session,) = sessions()
    told = (session / "transcript.md").read_text()
    assert "applied by `npm run db:deploy (Prisma 6.19.3, by package-lock.json)`" in told
    assert "connecting to postgresql://postgres:«redacted:" in told
    (secret, *_) = Url.parse(team.url, variable="SMALL_URL").secrets
    kept = [path for path in session.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]
    assert kept == []


@pytest.mark.soak
def test_a_plan_of_prismas_is_approved_where_prisma_is_not_and_run_by_the_version_that_was_planned(
    gonogo: Gonogo, team: SmallProject, keys: Key, tmp_path: Path
) -> None:
    (team.folder / ".gitignore").write_text("node_modules\n")
    names = {"ana@example.org": keys("ana"), "ben@example.org": keys("ben")}
    (team.folder / "signers").write_text("".join(f"{name} {public(key)}\n" for name, key in names.items()))
    team.toml(approvals=1, signers_from="origin/main:signers")
    git(tmp_path, "init", "-q", "-b", "main", str(team.folder))
    git(team.folder, "remote", "add", "origin", str(team.folder))
    publish(team.folder)
    env = {**team.env, "PATH": f"{team.folder / 'programs'}:{os.environ['PATH']}:{team.bin}"}
    ben = ("--operator", "ben@example.org", "--sign", str(keys("ben")))

    def here(*arguments: str) -> Said:
        return gonogo(*arguments, cwd=team.folder, env=env)

    planned = here("plan", "here", "--ticket", "CHG-1", "--answers", "answers.toml", "-o", "p.json", *ben)
    assert planned.code == 0, planned.err
    assert "npm run db:deploy" in planned.out, planned.out
    git(tmp_path, "clone", "-q", str(team.folder), "mine")
    word = PlanDocument.read(team.folder / "p.json").short
    arguments = (str(team.folder / "p.json"), "--key", str(keys("ana")))
    said = gonogo("approve", *arguments, cwd=tmp_path / "mine", typed=f"y\n{word}\n")
    assert said.code == 0, said.err
    program = team.folder / "node_modules" / ".bin" / "prisma"
    text = program.read_text()
    program.write_text(text.replace("6.19.3", "6.19.4"))
    walk = (
        "run",
        "here",
        "--approval",
        "p.approval-ana@example.org.json",
        "--headless",
        "--answers",
        "answers.toml",
        *ben,
    )
    other = here(*walk)
    assert (other.code, "6.19.3" in other.err, "6.19.4" in other.err) == (1, True, True), other.err
    program.write_text(text)
    good = here(*walk)
    assert good.code == 0, good.err
    assert ledger(team) == [("20260101000000_notes", True, False)]
    opened = next(record.event for record in read(good.session / NAME))
    assert opened.git is not None and opened.git.clean, "what lies about for the approval changes nothing"


@pytest.mark.soak
def test_where_there_is_no_node_the_opening_says_so(gonogo: Gonogo, team: SmallProject, tmp_path: Path) -> None:
    code, said = run(gonogo, team, str(tmp_path))
    assert code == 3
    assert "There is no node on the PATH" in said and "gonogo then applies the scripts itself" in said
    assert ledger(team) == []


@pytest.mark.soak
def test_after_a_kill_the_ledger_decides(gonogo: Gonogo, team: SmallProject, start: Start, until: Until) -> None:
    engine = 'engine = "prisma"\ncommand = "node_modules/.bin/prisma"'
    (team.folder / "small.md").write_text(RUNBOOK.replace('lock_timeout = "2s"', engine))
    team.migration("20260101000000_notes", "CREATE TABLE a (id int);\nSELECT pg_sleep(100);")
    team.answers()
    walk = start(team)
    session = walk.until(running("apply"))
    until(lambda: asleep(team))
    os.kill(runner_of(session), signal.SIGKILL)
    walk.end()
    code, said = resume(gonogo, team)
    assert code == 1
    assert "0 of 1 script is applied; 20260101000000_notes: its row in the ledger was begun and never finished" in said
    assert ledger(team) == [("20260101000000_notes", False, False)]
    until(lambda: no_backend_left(team))


def asleep(team: SmallProject) -> bool:
    with psycopg.connect(team.url) as connection:
        query = "SELECT 1 FROM pg_stat_activity WHERE query ~ 'pg_sleep' AND application_name ~ '^gonogo .* prisma$'"
        return connection.execute(query).fetchone() is not None
