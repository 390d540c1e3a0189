"""The faults: what strikes a part of a script, from its inside or from outside, and how it shows."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from fix_disk import full_disk
from fix_postgres import apart

from tests.matrix.stage import ROLE, Stage
from tests.matrix.table import Column
from tests.migrations.applying import until

SLEEP = "SELECT pg_sleep(60)"
OURS = "FROM pg_stat_activity WHERE application_name ~ '^gonogo 2.*script$'"

Strike = Callable[[Stage, Callable[[], object]], Awaitable[None]]
"""Waits until the part runs, and strikes; or calls what cancels the run, or kills the runner."""
World = Callable[[Stage], AbstractAsyncContextManager[None]]
How = Literal["here", "late", "line", "runner"]
Stop = Callable[[], object]


async def _stop(stage: Stage, stop: Stop) -> None:
    await stage.asleep()
    stop()


async def _stop_and_let_it_end(stage: Stage, stop: Stop) -> None:
    await stage.asleep()
    stop()
    await stage.query(f"INSERT INTO {stage.schema}.once VALUES (2)")

    async def gone() -> bool:
        return not await stage.query(f"SELECT 1 {OURS}")

    await until(gone)


async def _cancel_in_server(stage: Stage, stop: Stop) -> None:
    await stage.asleep()
    await stage.query(f"SELECT pg_cancel_backend(pid) {OURS}")


async def _end_backend(stage: Stage, stop: Stop) -> None:
    await stage.asleep()
    await stage.query(f"SELECT pg_terminate_backend(pid) {OURS}")


async def _kill_backend(stage: Stage, stop: Stop) -> None:
    await stage.asleep()
    ((pid,),) = await stage.query(f"SELECT pid {OURS}")
    os.kill(pid, signal.SIGKILL)
    await until(stage.answers)


async def _kill_server(stage: Stage, stop: Stop) -> None:
    await stage.asleep()
    os.kill(stage.server.child.pid, signal.SIGKILL)
    await asyncio.to_thread(apart, stage.server.restart())


async def _restart_server(stage: Stage, stop: Stop) -> None:
    await stage.asleep()
    await asyncio.to_thread(apart, stage.server.restart())


@asynccontextmanager
async def _held(stage: Stage) -> AsyncIterator[None]:
    async with stage.holding("held"):
        yield


@asynccontextmanager
async def _each_waits(stage: Stage) -> AsyncIterator[None]:
    """A session holds `other`, and wants `held` as soon as the script has it; it never looks for a deadlock itself."""
    async with stage.holding("other") as holder:
        await holder.execute("SET deadlock_timeout = '1h'")

        async def wants() -> None:
            locked = f"SELECT 1 FROM pg_locks WHERE relation = '{stage.schema}.held'::regclass AND granted"
            await until(lambda: stage.query(locked))
            await holder.execute(f"LOCK TABLE {stage.schema}.held".encode())

        waits = asyncio.ensure_future(wants())
        try:
            yield
        finally:
            waits.cancel()
            await asyncio.gather(waits, return_exceptions=True)


DEADLOCK = """
DO $do$ BEGIN
    LOCK TABLE held;
    WHILE NOT EXISTS (SELECT FROM pg_locks WHERE relation = 'held'::regclass AND NOT granted) LOOP
        PERFORM pg_sleep(0.01);
    END LOOP;
    LOCK TABLE other;
END $do$
"""
UNTIL_LET_GO = """
DO $do$ BEGIN
    WHILE NOT EXISTS (SELECT FROM once WHERE thing = 2) LOOP
        PERFORM pg_sleep(0.05);
    END LOOP;
END $do$
"""
LARGE = "INSERT INTO large SELECT repeat('x', 1000) FROM generate_series(1, 10000)"
TOO_MUCH = "SELECT count(*) FROM (SELECT n FROM generate_series(1, 300000) n ORDER BY n DESC) s"


@asynccontextmanager
async def _duplicates(stage: Stage) -> AsyncIterator[None]:
    await stage.query(f"INSERT INTO {stage.schema}.things VALUES (1)")
    yield


@asynccontextmanager
async def _tiny_disk(stage: Stage) -> AsyncIterator[None]:
    """A table on a file system of one megabyte."""
    space = f"tiny_{stage.schema}"
    with TemporaryDirectory(prefix="gonogo-full-", dir="/tmp") as reached:
        Path(reached).chmod(0o755)
        with full_disk(Path(reached) / "tiny", "1m") as tiny:
            own = tiny / "space"
            own.mkdir(0o700)
            os.chown(own, (stage.server.folder / "data").stat().st_uid, -1)
            await stage.query(f"CREATE TABLESPACE {space} LOCATION '{own}'")
            await stage.query(f"CREATE TABLE {stage.schema}.large (t text) TABLESPACE {space}")
            await stage.query(f"GRANT INSERT ON {stage.schema}.large TO {ROLE}")
            yield
            await stage.query(f"DROP TABLE {stage.schema}.large")
            await stage.query(f"DROP TABLESPACE {space}")


@asynccontextmanager
async def _calm(stage: Stage) -> AsyncIterator[None]:
    yield


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `column`: how it shows in the matrix.

    `inside`: what the part comes to in its middle; `strike` comes from outside, while the part runs. `how`: all goes on
    here; or the line is cut, or the run cancelled, as the part or COMMIT goes out; or a runner of its own is killed.
    `code`: what the server's error must be. `told`: the ledger's row holds the reason, where it is known what happened
    (None: it may). `world`: what else is so meanwhile. `over`: parameters of the step. `shuns`, `only`: scripts and
    parts. `alone`: it needs a server of its own. `often`: where it runs in every test run; elsewhere, with --soak.
    """

    name: str
    column: Column
    inside: str = ""
    code: str = ""
    how: How = "here"
    strike: Strike | None = None
    world: World = _calm
    told: bool | None = True
    over: Mapping[str, Any] = field(default_factory=dict)
    shuns: str = ""
    only: str = ""
    mend: str = "SELECT"
    alone: bool = False
    often: str = ""


LOCKS: Mapping[str, Any] = {"lock_timeout": "300ms"}
TIMES: Mapping[str, Any] = {"statement_timeout": "1500ms", "concurrent_timeout": "1500ms"}
SINGLE = "DELETE FROM {0}.things WHERE ctid IN (SELECT max(ctid) FROM {0}.things GROUP BY thing HAVING count(*) > 1)"
IN_BUILD = "unique violation in a concurrent build"

# fmt: off
FAULTS = (
    Fault("an error", "broke", "SELECT 1/0", "22012", often="own prisma-7.3 3; one prisma-7.4 3"),
    Fault("lock timeout", "broke", "LOCK TABLE held", "55P03", world=_held, over=LOCKS, shuns="pieces 2",
          often="one safe 2; own prisma-7.4 4"),
    Fault("statement timeout", "broke", SLEEP, "57014", over=TIMES, often="one prisma-7.3 2"),
    Fault("deadlock", "broke", DEADLOCK, "40P01", world=_each_waits, often="enum safe 3; bare safe 2"),
    Fault("temporary space used up", "broke", TOO_MUCH, "53400", often="own safe 3"),
    Fault("disk full", "broke", LARGE, "53100", world=_tiny_disk, often="one safe 2"),
    Fault("permission denied", "broke", "SELECT FROM forbidden", "42501", often="enum prisma-7.4 3; pieces safe 2"),
    Fault("unique violation", "broke", "INSERT INTO once VALUES (1)", "23505", often="pieces prisma-7.4 4"),
    Fault(IN_BUILD, "broke", code="23505", world=_duplicates, mend=SINGLE, only="pieces 2", often="pieces safe 2"),
    Fault("cancelled in the server", "broke", SLEEP, "57014", strike=_cancel_in_server, often="bare prisma-7.3 1"),
    Fault("cancelled by the operator", "broke", SLEEP, strike=_stop, often="one prisma-7.3 3; pieces safe 3"),
    Fault("backend ended", "silent", SLEEP, strike=_end_backend, often="own safe 4; bare safe 2; chain safe 2"),
    Fault("line cut before the server got it", "silent", how="line", often="pieces prisma-7.4 2; bare safe 1"),
    Fault("line cut before the answer came", "unheard", how="line", often="one prisma-7.4 2; pieces safe 2"),
    Fault("line cut before COMMIT got there", "uncommitted", how="line", often="one safe 1; chain safe 2"),
    Fault("line cut before COMMIT was answered", "committed", how="line", often="one safe 1; own prisma-7.4 1"),
    Fault("a cancel that comes too late", "committed", how="late", often="one safe 1; pieces safe 1"),
    Fault("kill -9 of the runner", "silent", SLEEP, how="runner", strike=_stop, told=False,
          often="pieces safe 2; enum prisma-7.4 1"),
    Fault("kill -9 of the runner, and its statement ends", "unheard", UNTIL_LET_GO, how="runner",
          strike=_stop_and_let_it_end, told=False, often="one safe 3; one prisma-7.3 1"),
    Fault("kill -9 of the backend", "silent", SLEEP, strike=_kill_backend, told=None, alone=True),
    Fault("kill -9 of the server", "silent", SLEEP, strike=_kill_server, told=None, alone=True),
    Fault("restart of the server", "silent", SLEEP, strike=_restart_server, told=None, alone=True),
)
# fmt: on
