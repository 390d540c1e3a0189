"""`prisma.diff`: the team's own Prisma is asked what it would do, and held against the reviewed scripts."""

from pathlib import Path

import pytest

from migrations.sql import read_script
from migrations.sql.alike import lacking, parts
from tests.migrations.prisma_stand_in import install
from tests.runbooks.steps.test_prisma_engine import COMMAND, SCHEMA
from tests.runbooks.steps_context import StepContext

ADD = 'ALTER TABLE "orders" ADD COLUMN "note" TEXT;\nCREATE INDEX CONCURRENTLY "orders_note" ON "orders"("note");'
FILL = "UPDATE orders SET note = code;"
DIFF = (
    '-- AlterTable\nALTER TABLE "orders" ADD COLUMN     "note" TEXT;\n\n'
    '-- CreateIndex\nCREATE INDEX "orders_note" ON "orders"("note");'
)
DROP = '\n\n-- AlterTable\nALTER TABLE "orders" DROP COLUMN "by_hand";'


@pytest.fixture
def team(database: str, tmp_path: Path) -> StepContext:
    """The pending scripts of a team that has Prisma installed, as the stand-in."""
    ctx = StepContext(database, tmp_path)
    install(tmp_path)
    (tmp_path / "package.json").write_text('{"name": "shop"}')
    (tmp_path / "schema.prisma").write_text(SCHEMA)
    ctx.plan(ADD, FILL)
    return ctx


async def ask(team: StepContext, **environ: str) -> StepContext:
    async with team.connect():
        pass
    team._environ |= environ
    await team.run("prisma.diff", command=COMMAND, schema_path="schema.prisma")
    return team


@pytest.mark.parametrize("version", ["6.19.3", "7.10.1"])
async def test_what_the_scripts_do_in_other_words_is_the_same(team: StepContext, version: str) -> None:
    ctx = await ask(team, STAND_IN_DIFF=DIFF, STAND_IN_VERSION=version)
    assert ctx.outcomes == {"asked": "ok", "diff": "ok"}
    option = "--from-config-datasource --to-schema " if version[0] == "7" else "--from-schema-datasource "
    assert option in ctx.found("asked").evidence and "--script --exit-code" in ctx.found("asked").evidence
    assert "only in the scripts: m1, line 1: UPDATE orders SET note = code" in ctx.text("note")
    assert next((ctx.folder / "artefacts").glob("*prisma-diff.sql")).read_text() == f"{DIFF}\n"


async def test_what_no_script_does_is_amber_and_says_what_of_it_loses_data(team: StepContext) -> None:
    ctx = await ask(team, STAND_IN_DIFF=DIFF + DROP)
    assert ctx.outcomes == {"asked": "ok", "diff": "warn"}
    words = "1 thing that no pending script does, and of these 1 loses data: ALTER TABLE orders DROP by_hand"
    assert ctx.found("diff").evidence.startswith(words)


async def test_a_secret_in_it_is_not_kept(team: StepContext) -> None:
    ctx = await ask(team, STAND_IN_DIFF="ALTER TABLE orders ADD token text DEFAULT 'hunter2-hunter2';")
    kept = next((ctx.folder / "artefacts").glob("*prisma-diff.sql")).read_text()
    assert "hunter2" not in kept and "DEFAULT '«redacted:TOKEN»'" in kept


async def test_a_database_that_is_as_the_schema_says(team: StepContext) -> None:
    ctx = await ask(team)
    assert ctx.found("diff").evidence.startswith("Prisma would do nothing that no pending script does; 3 things")


@pytest.mark.parametrize(
    ("wrong", "outcome", "words"),
    [
        ("another-host", "fail", "it was not asked: it goes to db.elsewhere.example:5432"),
        ("diff-breaks", "unknown", "is not supported with an adapter."),
        ("says-nothing", "unknown", "printed no script (it ended with 0)"),
    ],
)
async def test_what_keeps_it_from_being_asked_is_said(team: StepContext, wrong: str, outcome: str, words: str) -> None:
    ctx = await ask(team, STAND_IN=wrong)
    assert ctx.outcomes == {"asked": outcome}
    assert words in ctx.found("asked").evidence


@pytest.mark.parametrize(
    ("one", "other", "left"),
    [
        (
            "ALTER TABLE public.t ADD a int, DROP b",
            "alter table t drop column b; alter table T add a integer",
            0,
        ),
        ("CREATE TABLE IF NOT EXISTS t (a int)", "CREATE TABLE t (a int)", 0),
        ("DROP TABLE IF EXISTS t", "DROP TABLE t", 0),
        ("CREATE INDEX CONCURRENTLY i ON t (a)", "CREATE INDEX i ON t (b)", 1),
        ("DROP TABLE t; DROP TABLE t", "DROP TABLE t", 1),
        ("ALTER TABLE app.t ADD a int", "ALTER TABLE t ADD a int", 1),
        ("CREATE TABLE t (a int, b text)", "CREATE TABLE t (a int)", 1),
    ],
)
def test_scripts_are_held_against_each_other_by_what_they_do(one: str, other: str, left: int) -> None:
    assert len(lacking(parts(read_script(one)), parts(read_script(other)))) == left
