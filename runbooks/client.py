"""How a face attaches to a runner: events come out, commands go in."""

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

from migrations.problem import Problem, Unavailable
from migrations.process import leave
from runbooks import wire
from runbooks.commands import Command
from runbooks.events import By
from runbooks.records import Chain, Record
from runbooks.view import RunView, advance

START_SECONDS = 120.0
RUNNER_FILE = "runner.json"
LOG = "runner.log"


class Client:
    """One face's end of the socket. `view` is folded from what has come in."""

    def __init__(
        self, folder: Path, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hello: wire.Hello, after: int
    ) -> None:
        self.folder = folder
        self.view = RunView()
        self.has_pen = hello.pen
        self.face = hello.face
        self._reader = reader
        self._writer = writer
        self._chain = Chain(after + 1)
        self._records: list[Record] = []
        self._replies: dict[int, asyncio.Future[str | None]] = {}
        self._number = 0
        self._changed = asyncio.Event()
        self._gone = False
        self._task = asyncio.create_task(self._read())

    @classmethod
    async def attach(cls, folder: Path, *, sort: str, by: By) -> "Client":
        """Attach to the runner of a session. Raises Unavailable when none answers."""
        reader, writer = await asyncio.open_unix_connection(socket_path(folder), limit=wire.LIMIT)
        return await cls.over(folder, reader, writer, sort=sort, by=by)

    @classmethod
    async def over(
        cls, folder: Path, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, sort: str, by: By
    ) -> "Client":
        """Attach over streams that are there already."""
        writer.write(wire.line(wire.Attach.model_validate({"sort": sort, "by": by})))
        line = await reader.readline()
        if not line:
            raise Unavailable("The runner closed the connection.", advice=f"Look at {folder / LOG}.")
        return cls(folder, reader, writer, wire.Hello.model_validate_json(line), after=-1)

    async def changes(self) -> AsyncIterator[RunView]:
        """The newest view after each batch of events. Ends with the session, or when the runner is gone."""
        seen = -2
        while True:
            if self.view.seq != seen:
                seen = self.view.seq
                yield self.view
            if self._gone or (self.view.ended is not None and self.view.seq == seen):
                return
            self._changed.clear()
            if self.view.seq == seen and not self._gone:
                await self._changed.wait()

    def records(self, *, after: int) -> Iterator[Record]:
        """What has come in behind record `after`; it is let go of here."""
        while self._records:
            record = self._records.pop(0)
            if record.seq > after:
                yield record

    @property
    def gone(self) -> bool:
        """The runner has ended, or the connection to it."""
        return self._gone

    async def send(self, command: Command) -> str | None:
        """Send a command, and wait for its reply: None when taken, else why it was refused."""
        if self._gone:
            return "the runner is gone: resume the session"
        self._number += 1
        number = self._number
        reply: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._replies[number] = reply
        self._writer.write(wire.line(wire.Send(number=number, command=command)))
        try:
            return await reply
        finally:
            del self._replies[number]

    async def close(self) -> None:
        """Detach."""
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _read(self) -> None:
        try:
            async for line in self._reader:
                self._take(line)
        except ConnectionError:
            pass
        finally:
            self._gone = True
            for reply in self._replies.values():
                if not reply.done():
                    reply.set_result("the runner is gone: resume the session")
            self._changed.set()

    def _take(self, line: bytes) -> None:
        if line.startswith(b'{"say":"reply"'):
            message = wire.Reply.model_validate_json(line)
            reply = self._replies.get(message.number)
            if reply is not None and not reply.done():
                reply.set_result(message.refused)
            return
        record = self._chain.take(line)
        self.view = advance(self.view, record.seq, record.at, record.event, record.hash)
        self._records.append(record)
        self._changed.set()


def socket_path(folder: Path) -> str:
    """Where the session's runner listens. Raises Unavailable when there is none."""
    try:
        return str(json.loads((folder / RUNNER_FILE).read_text())["socket"])
    except (OSError, ValueError, KeyError):
        raise Unavailable(f"No runner is at work on {folder.name}.") from None


async def start_runner(folder: Path, *, request: bytes, environ: Mapping[str, str]) -> None:
    """Start the process that owns a session, apart from this terminal. It outlives us.

    `request` goes to its standard input, so that nothing of it stands on a command line. Raises the problem that it
    died of.
    """
    argv = [sys.executable, "-P", "-m", "runbooks.runner", str(folder)]
    process = leave(argv, env=environ, said=folder / LOG, stdin=request)
    await _listening(folder, process)


async def _listening(folder: Path, process: "subprocess.Popen[bytes]") -> None:
    """Wait until the runner answers. Raises the problem that it died of."""
    deadline = asyncio.get_running_loop().time() + START_SECONDS
    while True:
        status = process.poll()
        with contextlib.suppress(Unavailable):
            if Path(socket_path(folder)).exists():
                return
        if status is not None:
            raise _died(folder, status)
        if asyncio.get_running_loop().time() > deadline:
            process.kill()
            raise Unavailable("The runner did not start.", advice=f"Look at {folder / LOG}.")
        await asyncio.sleep(0.02)


def _died(folder: Path, status: int) -> Problem:
    lines = (folder / LOG).read_text(errors="replace").strip().splitlines()
    if status in (1, 2, 3) and lines:
        problem = Problem(lines[-1])
        problem.exit_code = status
        return problem
    problem = Problem(f"gonogo's runner died: {lines[-1] if lines else status}.", advice=f"Look at {folder / LOG}.")
    problem.exit_code = 70
    return problem
