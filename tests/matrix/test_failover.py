"""A standby takes over behind the same address, and lacks what was committed last: never believed, always asked."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from fix_postgres import SETTINGS

from migrations.problem import Problem
from migrations.process import capture
from migrations.server import ThrowawayServer
from tests.matrix.engine import Play, go_on, look, parts
from tests.matrix.faults import SLEEP, UNTIL_LET_GO
from tests.matrix.stage import Home, Stage
from tests.matrix.table import MATRIX, Left
from tests.migrations.applying import until

RECOVERS = {**SETTINGS, "restore_command": "false"}


async def copied(server: ThrowawayServer, folder: Path) -> None:
    """What a standby has that has replayed everything up to now."""
    folder.mkdir()
    argv = [str(server.bin / "pg_basebackup"), "-D", str(folder / "data"), "-X", "fetch", "-c", "fast", "--no-sync"]
    code, _, words = await capture(argv, env={**os.environ, **server.environment()}, timeout=60)
    assert code == 0, words
    (folder / "data" / "recovery.signal").touch()
    (folder / "password").write_text(server.password)


@asynccontextmanager
async def took_over(server: ThrowawayServer, folder: Path) -> AsyncIterator[ThrowawayServer]:
    """The server is killed, and the standby promoted: on a timeline of its own."""
    os.kill(server.child.pid, signal.SIGKILL)
    await server.stop()
    standby = await ThrowawayServer.start(folder, bin=server.bin, settings=RECOVERS)
    try:
        yield standby
    finally:
        await standby.stop()


@pytest.mark.soak
@pytest.mark.parametrize(
    ("way", "seen", "there", "asked"),
    [
        ("safe", 1, 0, True),
        ("safe", 4, 2, True),
        ("safe", 2, 0, True),
        ("prisma-7.3", 1, 0, True),
        ("prisma-7.3", 4, 2, True),
        ("prisma-7.4", 3, 2, True),
        ("prisma-7.4", 4, 3, True),
    ],
)
async def test_a_standby_takes_over(
    server: ThrowawayServer, tmp_path: Path, way: str, seen: int, there: int, asked: bool
) -> None:
    """The script came to part 4 on the old server; the standby has seen it come to the part `seen`, and no more."""
    row, old = MATRIX["own", way], await ThrowawayServer.start(tmp_path / "old", bin=server.bin, settings=SETTINGS)
    try:
        stage = await Stage.made(Home.make(old))
        play = Play(stage, tmp_path, row)
        await stage.arm(4, SLEEP)
        await stage.arm(seen, UNTIL_LET_GO if seen < 4 else SLEEP)
        task = asyncio.ensure_future(play.begin())
        await stage.asleep()
        await copied(old, tmp_path / "standby")
        await stage.query(f"INSERT INTO {stage.schema}.once VALUES (2)")

        async def at_the_last() -> bool:
            return await stage.there() == parts(row.silent[4].parts)

        await until(at_the_last)
        async with took_over(old, tmp_path / "standby") as standby:
            await asyncio.gather(task, return_exceptions=True)
            stage.move(standby)
            play.lead_to(stage.url)
            await until(lambda: stage.query("SELECT 1 WHERE NOT pg_is_in_recovery()"))
            with pytest.raises(Problem, match="a failover happened"):
                await play.settled()
            play.target.pin = None  # as a session does that is resumed
            await look(play, Left(there, asked), ["failed"])
            await stage.mend()
            await go_on(play, Left(there, asked), anew=there == 0)
    finally:
        await old.stop()
