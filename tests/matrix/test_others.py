"""What somebody else does to the same database, script or ledger, while a script is applied or after it broke."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psycopg
import pytest

from migrations.problem import Problem
from tests.matrix.engine import AFTER, NAME, Play, code_of
from tests.matrix.faults import UNTIL_LET_GO
from tests.matrix.stage import Home, Stage
from tests.matrix.table import MATRIX

ROW = (
    "INSERT INTO {0}._prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count) "
    "VALUES ('theirs', 'x', '{1}', {2}, {3})"
)
DEPLOYED, FAILED = ("now()", 1), ("NULL", 0)
BACK = "UPDATE {0}._prisma_migrations SET rolled_back_at = now() WHERE rolled_back_at IS NULL AND finished_at IS NULL"
GONE = "DELETE FROM {0}._prisma_migrations"
LOCK, UNLOCK = "SELECT pg_advisory_lock(72707369)", "SELECT pg_advisory_unlock(72707369)"
BOTH = [(NAME, "applied 1"), (AFTER, "applied 1")]


@dataclass(frozen=True, slots=True)
class Other:
    """`does` happens before our run, while its part 2 runs, or once it broke in part 3; then ours ends by `code`.

    `rows` are in the ledger then, and `ends` after `mends` and another run; empty: only a new session goes on.
    """

    name: str
    when: Literal["before", "running", "broken"]
    does: tuple[str, ...]
    code: str
    words: str
    rows: list[tuple[str, str]]
    mends: str = "SELECT"
    ends: tuple[tuple[str, str], ...] = ()
    script: str = "one"


# fmt: off
OTHERS = (
    Other("Prisma holds its lock", "before", (LOCK,), "P1002", "Somebody else runs migrations", [], UNLOCK,
          ends=tuple(BOTH)),
    Other("Prisma left a failed row", "before", (ROW.format("{0}", "0_theirs", *FAILED),), "P3009", "0_theirs",
          [("0_theirs", "failed")], BACK, ends=(("0_theirs", "rolled back"), *BOTH)),
    Other("Prisma, its lock turned off, deploys what comes next", "running", (ROW.format("{0}", AFTER, *DEPLOYED),),
          "P3008", "begun by somebody else", BOTH),
    Other("Prisma, its lock turned off, begins what comes next", "running", (ROW.format("{0}", AFTER, *FAILED),),
          "P3008", "begun by somebody else", [(NAME, "applied 1"), (AFTER, "failed")]),
    Other("resolved and deployed by Prisma", "broken", (BACK, ROW.format("{0}", NAME, *DEPLOYED)), "P3008",
          "applied by somebody else", [(NAME, "rolled back, told"), (NAME, "applied 1")]),
    Other("resolved as rolled back", "broken", (BACK,), "", "", [(NAME, "rolled back, told"), *BOTH]),
    Other("the row is deleted, and nothing was committed", "broken", (GONE,), "", "", BOTH),
    Other("the row is deleted, and something was committed", "broken", (GONE,), "", "its row is gone", [],
          script="pieces"),
)
# fmt: on


@pytest.mark.parametrize(
    "other",
    [pytest.param(other, id=other.name, marks=[pytest.mark.soak] if other.code == "P1002" else []) for other in OTHERS],
)
async def test_what_somebody_else_does(shared: Home, tmp_path: Path, other: Other) -> None:
    stage = await Stage.made(shared)
    play = Play(stage, tmp_path, MATRIX[other.script, "safe"])
    if other.when == "broken":
        await stage.arm(3, "SELECT 1/0")
        with pytest.raises(Problem, match="22012"):
            await play.begin()
        await stage.mend()
    async with await psycopg.AsyncConnection.connect(stage.admin, autocommit=True, application_name="theirs") as conn:
        if other.when == "running":
            await stage.arm(2, UNTIL_LET_GO)
        task = asyncio.ensure_future(play.begin()) if other.when == "running" else None
        if task:
            await stage.asleep()
        for text in other.does:
            await conn.execute(text.format(stage.schema).encode())
        await stage.query(f"INSERT INTO {stage.schema}.once VALUES (2)")
        (ended,) = await asyncio.gather(task or play.begin(), return_exceptions=True)
        assert (code_of(ended), other.words in str(ended)) == (other.code, True)
        assert await stage.ledger() == other.rows
        await conn.execute(other.mends.format(stage.schema).encode())
    if other.ends:
        await play.begin()
        assert await stage.ledger() == list(other.ends)


@pytest.mark.soak
async def test_two_runners_at_once(shared: Home, tmp_path: Path) -> None:
    stage = await Stage.made(shared)
    folders = [tmp_path / name for name in ("first", "second")]
    for folder in folders:
        folder.mkdir()
    first, second = (Play(stage, folder, MATRIX["one", "safe"]) for folder in folders)
    second.session = "20260131T020305Z-staging-8a4b"
    await stage.arm(2, UNTIL_LET_GO)
    task = asyncio.ensure_future(first.begin())
    await stage.asleep()
    with pytest.raises(Problem) as caught:
        await second.begin()
    assert caught.value.code == "P1002"
    assert f"gonogo {first.session} ana@" in str(caught.value) and "connected since 20" in str(caught.value)
    assert "waiting: the migration lock is held by gonogo" in second.text("note")
    assert await stage.ledger() == [(NAME, "failed")]
    await stage.query(f"INSERT INTO {stage.schema}.once VALUES (2)")
    await task
    with pytest.raises(Problem, match="was applied by somebody else"):
        await second.begin()
    assert await stage.ledger() == BOTH


async def test_a_script_edited_between_review_and_run(shared: Home, tmp_path: Path) -> None:
    stage = await Stage.made(shared)
    play = Play(stage, tmp_path, MATRIX["one", "safe"])
    path = play.project.migrations / AFTER / "migration.sql"
    path.write_text("DROP TABLE log")
    with pytest.raises(Problem, match="2_after was edited after it was reviewed"):
        await play.begin()
    assert await stage.ledger() == [(NAME, "applied 1")]
    path.write_text(play.texts[AFTER])
    await play.begin()
    assert await stage.ledger() == BOTH
