"""A runner that stands still, with a lock in its hand: the server takes it away, and who is in the way is named."""

import asyncio
import signal
import sys
from pathlib import Path

import psutil
import psycopg
import pytest

from migrations.apply import events as e
from migrations.problem import Problem
from tests.migrations.applying import BOUND, Bench
from tests.migrations.test_guard import bench_with

TOP = Path(__file__).parents[2]
RUNNER = """
import asyncio, os, signal, sys
from migrations.apply import ScriptFailed
from migrations.apply import events as e
from migrations.apply.sending import Timeouts
from tests.migrations.applying import Bench

async def main():
    bench = Bench(sys.stdin.readline().strip())

    async def on(event):
        if isinstance(event, e.StatementStarted) and event.statement == 1:
            print("frozen", flush=True)
            os.kill(os.getpid(), signal.SIGSTOP)

    bench.on = on
    try:
        script = {"1": "ALTER TABLE t ADD COLUMN b int; SELECT 1;"}
        await bench.apply(script, timeouts=Timeouts(idle_in_transaction=1_500))
    except ScriptFailed as failed:
        print(failed.known, failed.through, flush=True)

asyncio.run(main())
"""


async def test_a_frozen_runner_lets_go_and_knows_it_afterwards(database: str) -> None:
    bench = await bench_with(database)
    pipes = {"stdin": asyncio.subprocess.PIPE, "stdout": asyncio.subprocess.PIPE}
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", RUNNER, cwd=TOP, **pipes)
    assert process.stdin is not None and process.stdout is not None
    try:
        process.stdin.write(f"{database}\n".encode())
        assert await asyncio.wait_for(process.stdout.readline(), BOUND) == b"frozen\n"
        async with await psycopg.AsyncConnection.connect(database) as reader:
            await asyncio.wait_for(reader.execute("SELECT * FROM t"), BOUND)
        assert psutil.Process(process.pid).status() == psutil.STATUS_STOPPED
        process.send_signal(signal.SIGCONT)
        assert await asyncio.wait_for(process.stdout.readline(), BOUND) == b"True 0\n"
        await asyncio.wait_for(process.wait(), BOUND)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert await bench.rows() == [("0", "applied", 1), ("1", "failed", 0)]
    assert await bench.value("SELECT count(*) FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'b'") == 0


async def test_the_migration_lock_of_a_dead_connection_is_named_with_what_ends_it(database: str) -> None:
    """A connection whose client is gone without a word is, to the server, one that says nothing."""
    bench = await bench_with(database)
    dead = await psycopg.AsyncConnection.connect(database, autocommit=True, application_name="prisma of yesterday")
    await dead.execute("SELECT pg_advisory_lock(72707369)")
    with pytest.raises(Problem) as caught:
        await bench.apply({"1": "ALTER TABLE t ADD COLUMN b int"}, lock_patience=0.3)
    assert caught.value.code == "P1002" and "prisma of yesterday" in str(caught.value)
    _, _, end = caught.value.advice.partition("end it: ")
    assert await bench.query(end) == [(True,)]
    other = Bench(database, "20260131T020305Z-staging-8a4b")
    await other.apply({"1": "ALTER TABLE t ADD COLUMN b int"})
    assert other.told(e.ScriptEnded)
    await dead.close()
