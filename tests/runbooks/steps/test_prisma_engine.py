"""`engine = "prisma"`: the team's own command is found, led to reviewed bytes, watched, and judged by the ledger."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from migrations import ledger
from migrations.ledger.marking import NoteApplied, SetAside, write
from migrations.problem import Problem
from runbooks.session import events as e
from runbooks.steps.base import Doubt, Settled
from runbooks.steps.parts.prisma_engine import COPY
from tests.migrations.applying import until
from tests.migrations.prisma_stand_in import install
from tests.runbooks.steps.test_steps_migrations import APPLY, Session

TWO = {"1_a": "CREATE TABLE a (id int);", "2_b": "CREATE TABLE b (id int);\nINSERT INTO b VALUES (1);"}
COMMAND = "node_modules/.bin/prisma"
SCHEMA = 'datasource db {\n  provider = "postgresql"\n  url = env("DATABASE_URL")\n}\n'


class Team(Session):
    """A session of a team that has Prisma installed, as the stand-in. `wrong` says what goes wrong with it."""

    def __init__(self, url: str, folder: Path, scripts: dict[str, str]) -> None:
        super().__init__(url, folder, scripts)
        install(folder)
        (folder / "package.json").write_text('{"name": "shop"}')
        (folder / "schema.prisma").write_text(SCHEMA)

    async def deploy(self, wrong: str = "", **params: Any) -> Any:
        self._environ["STAND_IN"] = wrong
        return await self.run(APPLY, engine="prisma", command=COMMAND, **params)

    async def settled(self) -> Settled:
        """What reconcile says of the latest attempt."""
        settled = await self.reconcile(engine="prisma", command=COMMAND)
        assert settled is not None
        return settled

    @property
    def pids(self) -> list[int]:
        return [int(record["pid"]) for _, record in self.recorded if record.get("prisma") == "started"]


@pytest.fixture
def team(database: str, tmp_path: Path) -> Team:
    return Team(database, tmp_path, TWO)


async def test_the_command_applies_the_reviewed_scripts(team: Team) -> None:
    (team.project.migrations / "0_base").mkdir()
    (team.project.migrations / "0_base" / "migration.sql").write_text("SELECT 1;")
    team.query("CREATE TABLE old ()")
    async with team.connect("ledger") as conn:
        await write(conn, [NoteApplied("0_base", "x")])
    result = await team.deploy()
    assert [(s.name, s.statements, s.committed) for s in result.scripts] == [("1_a", 1, True), ("2_b", 2, True)]
    assert team.rows() == [("0_base", "applied"), ("1_a", "applied"), ("2_b", "applied")]
    assert team.query("SELECT id FROM b") == [(1,)]
    assert team.found("applied").evidence == "2 of 2 scripts, by Prisma's own command"
    assert "prisma migrate deploy (Prisma 6.19.3" in team.found("prisma").evidence
    assert "migrations found in prisma/migrations" in team.text()
    assert "1_a: applied as reviewed" in team.text("note")
    assert not (team.folder / COPY).exists(), "the copy is taken away"
    again = await team.deploy()
    assert [s.name for s in again.scripts] == ["1_a", "2_b"], "what this session applied is not somebody else's"


@pytest.mark.parametrize(
    ("wrong", "code", "words"),
    [
        ("another-host", "", "goes to db.elsewhere.example:5432, not to localhost"),
        ("own-folder-silently", "", "does not see the marker"),
        ("own-folder-at-deploy", "", "reads prisma/schema.prisma, and cannot be led to the copy"),
        ("another-host-at-deploy", "", "goes to db.elsewhere.example:5432, not to localhost"),
        ("P1001", "P1001", "cannot be reached"),
    ],
)
async def test_nothing_runs_where_it_would_go_elsewhere(team: Team, wrong: str, code: str, words: str) -> None:
    own = team.project.folder / "prisma"
    own.mkdir()
    (own / "schema.prisma").write_text(SCHEMA)
    (own / "migrations").symlink_to(team.project.migrations)
    with pytest.raises(Problem, match=words) as caught:
        await team.deploy(wrong)
    assert caught.value.code == code
    assert team.query("SELECT to_regclass('_prisma_migrations'), to_regclass('a')") == [(None, None)]
    assert not (team.folder / COPY).exists()


@pytest.mark.soak
async def test_where_no_server_is_named_the_sessions_are_seen_on_the_pinned_one(team: Team, databases: Any) -> None:
    await team.deploy("adapter", to="1_a")
    assert team.rows() == [("1_a", "applied")]
    team._environ["STAND_IN_GOES_TO"] = databases("elsewhere")
    with pytest.raises(Problem, match="was not seen on the pinned one"):
        await team.deploy("adapter")
    assert team.rows() == [("1_a", "applied")]


async def test_a_script_edited_between_review_and_run_is_not_applied(team: Team) -> None:
    (team.project.migrations / "2_b" / "migration.sql").write_text("DROP TABLE a;")
    with pytest.raises(Problem, match="2_b was edited after it was reviewed"):
        await team.deploy()
    assert team.pids == [], "nothing was started"
    (team.project.migrations / "2_b" / "migration.sql").write_text(TWO["2_b"])
    await team.deploy()
    assert team.query("SELECT checksum FROM _prisma_migrations") == [(s.sha256,) for s in team.view.plan.scripts]


async def test_another_prisma_than_the_planned_one_is_not_run(team: Team) -> None:
    why = "the runbook's command"
    runner = e.Runner(command=f"{COMMAND} migrate deploy", version="6.19.2", why=why, way="prisma-7.3")
    team.events[-1] = team.view.plan.model_copy(update={"runner": runner})
    with pytest.raises(Problem, match=r"The plan says .*6\.19\.2.*; now it is .*6\.19\.3"):
        await team.deploy()
    assert team.pids == []


async def test_a_migration_that_nobody_reviewed_stops_it(team: Team) -> None:
    (team.project.migrations / "3_new").mkdir()
    (team.project.migrations / "3_new" / "migration.sql").write_text("DROP TABLE a;")
    with pytest.raises(Problem, match="3_new is not in the plan"):
        await team.deploy()
    assert team.query("SELECT to_regclass('a')") == [(None,)]


async def test_what_was_marked_as_rolled_back_after_the_review_is_not_run_again(team: Team) -> None:
    """Prisma's status does not list it, and its deploy runs it."""
    (team.project.migrations / "0_base").mkdir()
    (team.project.migrations / "0_base" / "migration.sql").write_text("CREATE TABLE base ();")
    async with team.connect("ledger") as conn:
        await write(conn, [NoteApplied("0_base", "x")])
    team.query("UPDATE _prisma_migrations SET finished_at = NULL, rolled_back_at = now()")
    with pytest.raises(Problem, match="0_base is not in the plan"):
        await team.deploy()
    assert team.query("SELECT to_regclass('base')") == [(None,)]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        pytest.param(
            "edits-a-row", "1_a: the ledger has it from other bytes than the reviewed ones", marks=pytest.mark.soak
        ),
        ("forgets-its-rows", "ended well, and the pinned target says otherwise: 0 of 2 scripts are applied"),
        (
            "edits-the-copy",
            "from other bytes than the reviewed ones (17db4fd369ed…); 1_a was changed in gonogo's own copy",
        ),
        ("P3009", "a row of 0_other has appeared"),
        pytest.param(
            "dies-halfway",
            "ended with signal 9. 0 of 2 scripts are applied; 1_a: its row in the ledger was begun",
            marks=pytest.mark.soak,
        ),
    ],
)
async def test_what_it_says_is_not_believed(team: Team, wrong: str, words: str) -> None:
    with pytest.raises(Problem) as caught:
        await team.deploy(wrong)
    assert words in caught.value.what and caught.value.code == (wrong if wrong == "P3009" else caught.value.code)
    if wrong == "dies-halfway":
        assert "What it left: all of it is in the catalog" in team.text("note")
        assert "  + table a" in team.text("note"), "what took effect is said"


FAILS = {"1_a": "CREATE TABLE c (d text UNIQUE);\nINSERT INTO c VALUES ('ana'), ('ana');"}
SLEEPS = {"1_a": "CREATE TABLE a (id int);\nSELECT pg_sleep(100);"}


async def test_a_script_that_fails_is_explained_and_there_is_a_way_on(database: str, tmp_path: Path) -> None:
    team = Team(database, tmp_path, FAILS)
    with pytest.raises(Problem) as caught:
        await team.deploy()
    assert (caught.value.code, "gonogo resolve staging --rolled-back 1_a" in caught.value.advice) == ("P3018", True)
    assert "a migration failed to apply (23505). 0 of 1 script is applied; 1_a: " in caught.value.what
    said = "".join(text for _, text in team.said)
    assert "ana" not in said + caught.value.detail and "DETAIL: left out here" in said
    assert "What it left: nothing of it is in the catalog" in team.text("note")
    with pytest.raises(Problem) as caught:
        await team.deploy()
    assert (caught.value.code, len(team.pids)) == ("P3009", 2), "it is not even started"
    async with team.connect("ledger") as conn:
        await write(conn, [SetAside(row.id, "1_a") for row in await ledger.rows(conn) or ()])
    with pytest.raises(Problem, match="P3018"):
        await team.deploy()
    assert team.rows() == [("1_a", "rolled back"), ("1_a", "failed")]


async def test_a_full_database_without_a_ledger_is_refused(team: Team) -> None:
    team.query("CREATE TABLE old ()")
    with pytest.raises(Problem) as caught:
        await team.deploy()
    assert (caught.value.code, team.pids) == ("P3005", [])


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


async def sleeping(team: Team) -> bool:
    return bool(team.query("SELECT 1 FROM pg_stat_activity WHERE query ~ 'pg_sleep' AND application_name ~ ' prisma$'"))


@pytest.mark.soak
@pytest.mark.parametrize("wrong", ["", "ignores-sigterm"])
async def test_a_cancel_ends_it_and_its_session_and_tells_what_is_there(
    database: str, tmp_path: Path, wrong: str
) -> None:
    team = Team(database, tmp_path, SLEEPS)
    task = asyncio.create_task(team.deploy(wrong))
    await until(lambda: sleeping(team))
    assert team.query("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = 72707369") == [(1,)]
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert gone(team.pids[-1])
    assert not await sleeping(team)
    assert "1_a: its row in the ledger was begun and never finished" in team.text("note")
    assert team.query("SELECT to_regclass('a')") == [(None,)]
    assert not (team.folder / COPY).exists()


@pytest.mark.soak
async def test_who_waits_behind_it_is_counted_while_it_runs(database: str, tmp_path: Path) -> None:
    team = Team(database, tmp_path, {"1_a": "LOCK TABLE old;\nSELECT pg_sleep(100);"})
    async with team.connect("ledger") as conn:
        await ledger.create(conn)
    team.query("CREATE TABLE old ()")
    task = asyncio.create_task(team.deploy())
    await until(lambda: sleeping(team))
    reader = asyncio.create_task(asyncio.to_thread(team.query, "SELECT FROM old"))
    await until(lambda: told(team, "runs 1_a, 1 session waits behind it"))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await reader == []


async def told(team: Team, detail: str) -> bool:
    return any(progress["detail"] == detail for progress in team.progressed)


async def test_after_a_crash_the_program_is_ended_first_and_then_the_ledger_decides(
    database: str, tmp_path: Path
) -> None:
    team = Team(database, tmp_path, SLEEPS)
    task = asyncio.create_task(team.deploy())
    await until(lambda: sleeping(team))
    settled = await team.settled()
    assert (settled.end, settled.outcome) == ("failed", "fail") and "never finished" in settled.words
    assert gone(team.pids[-1]) and not await sleeping(team)
    with pytest.raises(Problem):
        await task


async def test_after_a_crash_what_is_applied_is_done_and_what_never_began_starts_again(team: Team) -> None:
    settled = await team.settled()
    assert settled.end == "stopped" and "nothing was run" in settled.words
    await team.deploy()
    settled = await team.settled()
    assert settled.end == "done" and settled.result is not None
    assert [script["name"] for script in settled.result["scripts"]] == ["1_a", "2_b"]
    (team.folder / team.kept[-1].path).unlink()
    assert isinstance(await team.reconcile(engine="prisma", command=COMMAND), Doubt), "a person decides"


async def test_a_stop_waits_for_the_command(database: str, tmp_path: Path) -> None:
    team = Team(database, tmp_path, {"1_a": "SELECT pg_advisory_xact_lock(1);", "2_b": "CREATE TABLE b ();"})
    async with team.connect() as conn:
        await conn.execute("SELECT pg_advisory_lock(1)")
        task = asyncio.create_task(team.deploy())
        await until(lambda: waiting(team))
        team.stop_asked = True
    result = await task
    assert ([script.name for script in result.scripts], result.stopped) == (["1_a", "2_b"], False)


async def waiting(team: Team) -> bool:
    query = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'advisory' AND query ~ 'pg_advisory_xact_lock'"
    return bool(team.query(query))


async def test_a_stop_before_it_began_runs_nothing(team: Team) -> None:
    team.stop_asked = True
    result = await team.deploy()
    assert (result.stopped, team.outcomes["applied"]) == (True, "fail")
    assert team.query("SELECT to_regclass('_prisma_migrations')") == [(None,)]


@pytest.mark.soak
async def test_what_the_command_applies_is_in_the_register(team: Team) -> None:
    team.environment = replace(team.environment, register=True)
    with pytest.raises(Problem):
        await team.deploy("another-host")
    assert team.query("SELECT to_regnamespace('gonogo') IS NULL") == [(True,)], "nothing had begun"
    await team.deploy()
    lines = team.query("SELECT migration, event FROM gonogo.register ORDER BY id")
    assert lines == [("1_a", "started"), ("2_b", "started"), ("1_a", "applied"), ("2_b", "applied")]


LOST = "ALTER TABLE gonogo.register RENAME TO other;"


@pytest.mark.soak
async def test_what_has_ended_has_ended_where_the_register_is_lost_meanwhile(database: str, tmp_path: Path) -> None:
    team = Team(database, tmp_path, {"1_a": LOST})
    team.environment = replace(team.environment, register=True)
    team.query("CREATE SCHEMA gonogo; CREATE TABLE gonogo.register (id int)")
    with pytest.raises(Problem, match='column "session"'):
        await team.deploy()
    assert "how it ended" not in team.text("note"), "nothing had begun"
    team.query("DROP SCHEMA gonogo CASCADE")
    result = await team.deploy()
    assert [script.name for script in result.scripts] == ["1_a"] and team.rows() == [("1_a", "applied")]
    assert "how it ended could not be written into gonogo.register" in team.text("note")


async def test_a_copy_that_cannot_be_removed_decides_nothing(team: Team) -> None:
    (team.folder / COPY).write_text("")
    settled = await team.settled()
    assert settled.end == "stopped" and "nothing was run" in settled.words
    assert "could not be removed: Not a directory" in team.text("note")
