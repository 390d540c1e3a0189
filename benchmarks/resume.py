"""Taking up a long session beside reading its journal once: `python -m benchmarks.resume`.

A real session is killed in a step, and its journal grows to 100 000 records (`--quick`: 10 000). Then `gonogo resume`
starts a runner: measured are the time from there until it says that it has taken the session up, against the time that
verifying the same journal takes, and the runner's memory at that moment, against that with a short journal. Ends with 1
where a bound is passed.
"""

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import psutil

from benchmarks.apply import PROJECT, TOP, make_database
from benchmarks.output import GO, RUNBOOK
from migrations.server import ThrowawayServer, embedded_bin
from runbooks.journal import Journal, read, verify
from runbooks.session import events as e

T = TypeVar("T")

RECORDS, QUICK = 100_000, 10_000
RATIO = 4.0
"""Of what taking up takes beyond that of a short journal, to verifying once."""
GROWTH_MB = 30.0
SECONDS = 300.0
TEXT = "2026-01-31 02:03:04 copied rows of the table orders, as ever\n" * 5
SLEEP = "import time\nprint('begun', flush=True)\ntime.sleep(600)\n"


class Session:
    """A session that is begun, killed, and taken up."""

    def __init__(self, place: Path, url: str) -> None:
        self._folder, self._home = place / "project", place / "home"
        self._folder.mkdir()
        (self._folder / "migrations").mkdir()
        (self._folder / "gonogo.toml").write_text(PROJECT)
        (self._folder / "runbook.md").write_text(RUNBOOK)
        (self._folder / "answers.toml").write_text(f"[go]\n{GO}")
        (self._folder / "chatty.py").write_text(SLEEP)
        self._env = {
            **os.environ,
            **{"PYTHONPATH": str(TOP), "PYTHON": sys.executable, "BENCHMARK_URL": url},
            "XDG_STATE_HOME": str(self._home),
        }

    def gonogo(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """Begin a command without a terminal."""
        argv = [sys.executable, "-P", "-m", "tui", *arguments, "--operator", "x", "--answers", "answers.toml"]
        return subprocess.Popen(
            argv, cwd=self._folder, env=self._env,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def begin(self) -> Path:
        """Its journal, once its step runs and its runner is killed."""
        face = self.gonogo("run", "here", "--ticket", "x")
        journal = self._until(lambda: next(self._home.glob("gonogo/sessions/*/journal.jsonl"), None))
        self._until(lambda: any(isinstance(record.event, e.StepOutput) for record in read(journal)))
        _kill(journal.parent)
        face.wait()
        return journal

    def take_up(self, journal: Path, rounds: int) -> tuple[float, int]:
        """The best of some rounds: seconds until the session is taken up, and the memory of its runner by then."""
        found = [self._taken_up(journal) for _ in range(rounds)]
        return min(took for took, _ in found), min(memory for _, memory in found)

    def _taken_up(self, journal: Path) -> tuple[float, int]:
        size, began = journal.stat().st_size, time.perf_counter()
        face = self.gonogo("resume", journal.parent.name)
        self._until(lambda: journal.stat().st_size > size)
        took = time.perf_counter() - began
        memory = _runner(journal.parent).memory_info().rss
        _kill(journal.parent)
        face.wait()
        return took, memory

    def _until(self, look: Callable[[], T | None]) -> T:
        deadline = time.monotonic() + SECONDS
        while not (found := look()):
            if time.monotonic() > deadline:
                sys.exit("the session did not get so far")
            time.sleep(0.02)
        return found


def _runner(folder: Path) -> psutil.Process:
    return next(p for p in psutil.process_iter() if "runbooks.running.runner" in _argv(p) and str(folder) in _argv(p))


def _argv(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def _kill(folder: Path) -> None:
    runner = _runner(folder)
    children = runner.children(recursive=True)
    os.kill(runner.pid, signal.SIGKILL)
    psutil.wait_procs([runner, *children], timeout=30)


def grow(journal: Path, records: int) -> None:
    """Let the step have said more, up to so many records."""
    taken, _, repaired = Journal.reopen(journal.parent, lambda: datetime.now(UTC), lambda record: False)
    try:
        if repaired is not None:
            taken.append(repaired, sync=False)
        while taken.seq < records:
            taken.append(e.StepOutput(step="chatty", attempt=1, stream="out", text=TEXT), sync=False)
    finally:
        taken.close()


def seconds_to_verify(journal: Path) -> float:
    """From its first byte to its last."""
    began = time.perf_counter()
    verify(journal)
    return time.perf_counter() - began


def measure(place: Path, url: str, records: int, rounds: int) -> bool:
    """Whether all bounds hold."""
    session = Session(place, url)
    journal = session.begin()
    short, small = session.take_up(journal, rounds)
    grow(journal, records)
    once = min(seconds_to_verify(journal) for _ in range(rounds))
    long, large = session.take_up(journal, rounds)
    ratio, grown = (long - short) / once, (large - small) / 2**20
    print(f"{records} records, {journal.stat().st_size / 2**20:.0f} MiB: verified in {once:.2f} s")
    print(f"taken up in {long:.2f} s, a short journal in {short:.2f} s: {ratio:.2f} x verifying (bound {RATIO:g})")
    print(f"the runner's memory is {large / 2**20:.0f} MiB, {grown:.1f} MiB more (bound {GROWTH_MB:g})")
    good = ratio <= RATIO and grown <= GROWTH_MB
    print("bounds held" if good else "bounds NOT held")
    return good


async def main() -> bool:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pg-bin", type=Path, default=None)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gonogo-benchmark-") as place:
        server = await ThrowawayServer.start(Path(place) / "server", bin=chosen.pg_bin or embedded_bin())
        try:
            await make_database(server, "benchmark", with_ledger=False)
            url = server.url("benchmark")
            return await asyncio.to_thread(measure, Path(place), url, QUICK if chosen.quick else RECORDS, chosen.rounds)
        finally:
            await server.stop()


if __name__ == "__main__":
    sys.exit(0 if asyncio.run(main()) else 1)
