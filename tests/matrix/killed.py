"""A runner of its own, which applies a cell's scripts and is killed by SIGKILL: by itself at an event, or from here."""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Mapping
from multiprocessing.connection import Connection
from typing import Any

from migrations.apply import events as e
from migrations.apply.events import as_record
from migrations.apply.sending import Timeouts
from migrations.sql import Way
from tests.migrations.applying import Bench

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([__name__])
PATIENT = Timeouts(lock=20_000, statement=60_000, concurrent=60_000)
BESIDE = (e.Running, e.Notice)
"""Events that come as they like: not counted."""


def _runner(said: Connection, url: str, scripts: Mapping[str, str], way: Way, dies_at: int) -> None:
    """In a process of its own: apply, tell each event, and be dead after the `dies_at`-th of them (0: live)."""
    bench, told = Bench(url), 0

    async def on(event: e.ApplyEvent) -> None:
        nonlocal told
        if isinstance(event, BESIDE):
            return
        said.send((event.durable, as_record(event)))
        told += 1
        if told == dies_at:
            os.kill(os.getpid(), signal.SIGKILL)

    bench.on = on
    asyncio.run(bench.apply(scripts, way, timeouts=PATIENT))


class Runner:
    """Started; `events` are what it told, once `dead` has returned: each durable or not, and the record."""

    def __init__(self, url: str, scripts: Mapping[str, str], way: Way = "safe", dies_at: int = 0) -> None:
        self._heard, said = FORKS.Pipe(duplex=False)
        self._process = FORKS.Process(target=_runner, args=(said, url, dict(scripts), way, dies_at))
        self._process.start()
        said.close()
        self.events: list[tuple[bool, dict[str, Any]]] = []

    def kill(self) -> None:
        """SIGKILL; it is gone when this returns."""
        self._process.kill()
        self._process.join(60)

    async def dead(self) -> bool:
        """Wait for its end; whether it was killed."""
        await asyncio.to_thread(self._listen)
        return self._process.exitcode == -signal.SIGKILL

    def _listen(self) -> None:
        try:
            while self._heard.poll(60):
                self.events.append(self._heard.recv())
        except EOFError:
            pass
        self._process.join(60)
        self._heard.close()
