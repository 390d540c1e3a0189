"""A process that runs, told apart from a later one with the same number, and how to end it."""

import asyncio
import contextlib
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil

from migrations.problem import Problem

KILL_PATIENCE = 2.0


@dataclass(frozen=True, slots=True)
class Child:
    """A running program. `started` tells it apart from a later process with the same number."""

    pid: int
    started: str
    group: int


def started(pid: int) -> str | None:
    """When a process began, as text to compare and not to read; None if there is no such process, or only its remains.

    On Linux in clock ticks of this boot: a time of day moves when the clock is set.
    """
    try:
        if sys.platform == "linux":
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            boot = Path("/proc/sys/kernel/random/boot_id").read_text()[:8]
            return None if fields[0] in "ZX" else f"{boot}-{fields[19]}"
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else str(process.create_time())
    except (OSError, psutil.Error):
        return None


def alive(child: Child) -> bool:
    """Whether this very program still runs."""
    return started(child.pid) == child.started


async def end(child: Child, grace: float = 5.0) -> None:
    """End a program that nobody holds any more: SIGTERM to its group, after `grace` seconds SIGKILL. Raises Problem."""
    if not alive(child):
        return
    for number, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, KILL_PATIENCE)):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.group, number)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while _group_lives(child):  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
                return
    if alive(child):
        advice = f"Look at it with: ps -o pid,stat,args -g {child.group}"
        raise Problem(f"Process {child.pid} did not end.", advice=advice)


def _group_lives(child: Child) -> bool:
    return alive(child) or any(_in_group(pid, child.group) for pid in psutil.pids())


def _in_group(pid: int, group: int) -> bool:
    try:
        return os.getpgid(pid) == group and started(pid) is not None
    except OSError:
        return False
