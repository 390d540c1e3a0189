"""A chatty step beside the same program writing into a file: `python -m benchmarks.output`.

A million lines (`--quick`: 100 000) go through a shell step of a real session, which no screen drives, while the app is
attached to it as a second face. Measured are the time of the step against the program alone, what the runner's memory
grows by from the first tenth of the output on, and the longest that the app's event loop stood still: by the clock, and
by the time that its own thread worked meanwhile, which does not hang on what else the machine does. Ends with 1 where a
bound is passed.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import psutil

from benchmarks.apply import PROJECT, TOP, make_database
from migrations.server import ThrowawayServer, embedded_bin
from runbooks.faces.client import Client
from runbooks.journal import read
from runbooks.session import events as e
from tui.app import GonogoApp

LINES, QUICK = 1_000_000, 100_000
EXTRA_US = 60.0
"""Microseconds for each line that the step may take longer than the program writing into a file."""
GROWTH_MB = 30.0
STALL_SECONDS = 0.25
BEAT = 0.01
PROGRAM = """import sys
for n in range({lines}):
    sys.stdout.write(f"2026-01-31 02:03:04 copied row {{n}} of the table orders, customer {{n * 7919 % 100003}}\\n")
"""
RUNBOOK = """# One chatty step

```toml runbook
name = "benchmark"
```

## Backup

```sh run id="chatty" title="Say a lot" timeout="30m"
exec "$PYTHON" chatty.py
```

## Preflight

## Migrate

## Verify

## Deploy

## Smoke
"""
GO = "".join(f"{phase} = true\n" for phase in ("backup", "preflight", "migrate", "verify", "deploy", "smoke"))


def alone(folder: Path) -> float:
    """Seconds of the program, into a file."""
    with (folder / "said.txt").open("wb") as file:
        began = time.perf_counter()
        subprocess.run([sys.executable, "chatty.py"], cwd=folder, stdout=file, check=True)
        return time.perf_counter() - began


class Watched:
    """What is seen of a session that goes on. `grown` is in bytes, `stalled` and `worked` in seconds."""

    def __init__(self) -> None:
        self.grown = 0
        self.stalled = self.worked = 0.0

    async def beat(self) -> None:
        """Be woken again and again, and see by how much it was too late."""
        while True:
            before, work = time.perf_counter(), time.thread_time()
            await asyncio.sleep(BEAT)
            self.stalled = max(self.stalled, time.perf_counter() - before - BEAT)
            self.worked = max(self.worked, time.thread_time() - work)

    async def memory(self, folder: Path, runner: psutil.Process, enough: int) -> None:
        """Once so much of the journal is written, by how much the runner grows."""
        first = 0
        while runner.is_running():
            try:
                now = runner.memory_info().rss
            except psutil.Error:
                return
            if first:
                self.grown = max(self.grown, now - first)
            elif (folder / "journal.jsonl").stat().st_size > enough:
                first = now
            await asyncio.sleep(0.1)


async def session(folder: Path, url: str, home: Path, enough: int) -> tuple[float, Watched]:
    """Seconds of the step as its session recorded them, and what was seen meanwhile."""
    env = {
        **os.environ,
        **{"PYTHONPATH": str(TOP), "PYTHON": sys.executable, "BENCHMARK_URL": url, "XDG_STATE_HOME": str(home)},
    }
    argv = [sys.executable, "-P", "-m", "tui", "run", "here", "--ticket", "x", "--operator", "x"]
    face = await asyncio.create_subprocess_exec(
        *argv, "--answers", "answers.toml", cwd=folder, env=env,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    place = await _begun(home, face)
    client = await Client.attach(place, sort="screen", by=e.By(name="x", os_user="x", host="x"))
    watched, app = Watched(), GonogoApp(client)
    runner = next(p for p in psutil.process_iter() if str(place) in " ".join(_argv(p)))
    async with app.run_test(size=(120, 40)):
        tasks = [asyncio.create_task(watched.beat()), asyncio.create_task(watched.memory(place, runner, enough))]
        _, said = await face.communicate()
        for task in tasks:
            task.cancel()
    await client.close()
    if face.returncode:
        sys.exit(f"gonogo ended with {face.returncode}: {said.decode()[-2000:]}")
    return _took(place / "journal.jsonl"), watched


async def _begun(home: Path, face: asyncio.subprocess.Process) -> Path:
    while face.returncode is None:
        for journal in home.glob("gonogo/sessions/*/journal.jsonl"):
            if any(isinstance(record.event, e.FaceAttached) for record in read(journal)):
                return journal.parent
        await asyncio.sleep(0.05)
    sys.exit("gonogo ended before its session began")


def _argv(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def _took(journal: Path) -> float:
    at = dict(_times(journal))
    return (at["step_ended"] - at["step_started"]).total_seconds()


def _times(journal: Path) -> Iterator[tuple[str, datetime]]:
    for record in read(journal):
        if isinstance(record.event, e.StepStarted | e.StepEnded) and record.event.step == "chatty":
            yield record.event.kind, datetime.fromisoformat(record.at)


async def measure(lines: int, bin: Path) -> bool:
    """Whether all bounds hold."""
    with tempfile.TemporaryDirectory(prefix="gonogo-benchmark-") as place:
        folder, home = Path(place) / "project", Path(place) / "home"
        folder.mkdir()
        (folder / "gonogo.toml").write_text(PROJECT)
        (folder / "runbook.md").write_text(RUNBOOK)
        (folder / "answers.toml").write_text(f"[go]\n{GO}")
        (folder / "chatty.py").write_text(PROGRAM.format(lines=lines))
        (folder / "migrations").mkdir()
        file = alone(folder)
        size = (folder / "said.txt").stat().st_size
        server = await ThrowawayServer.start(Path(place) / "server", bin=bin)
        try:
            await make_database(server, "benchmark", with_ledger=False)
            took, watched = await session(folder, server.url("benchmark"), home, size // 10)
        finally:
            await server.stop()
    extra, grown = (took - file) / lines * 1e6, watched.grown / 2**20
    print(f"{lines} lines, {size / 2**20:.0f} MiB: step {took:.2f} s, into a file {file:.2f} s: {took / file:.1f} x")
    good = extra <= EXTRA_US and grown <= GROWTH_MB and watched.worked <= STALL_SECONDS
    print(f"for each line {extra:.1f} µs more (bound {EXTRA_US:g})")
    print(f"the runner's memory grew by {grown:.1f} MiB (bound {GROWTH_MB:g})")
    stalled, worked = watched.stalled * 1000, watched.worked * 1000
    print(f"the screen stood still for {worked:.0f} ms of work at the longest (bound {STALL_SECONDS * 1000:g})")
    print(f"by the clock {stalled:.0f} ms, with all that the machine did meanwhile")
    print("bounds held" if good else "bounds NOT held")
    return good


async def main() -> bool:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--pg-bin", type=Path, default=None)
    chosen = parser.parse_args()
    return await measure(QUICK if chosen.quick else LINES, chosen.pg_bin or embedded_bin())


if __name__ == "__main__":
    sys.exit(0 if asyncio.run(main()) else 1)
