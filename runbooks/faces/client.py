"""How a face attaches to a runner: events come out, commands go in."""

import asyncio
import contextlib
import json
import stat
import subprocess
import sys
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

from migrations.problem import Problem, Unavailable
from migrations.process import leave
from runbooks.faces import wire
from runbooks.faces.meanwhile import Meanwhile, Told
from runbooks.host.logout import scope
from runbooks.host.peers import peer_of
from runbooks.host.sharing import runner_of
from runbooks.journal.records import MAX_LINE, BadRecord, Chain, Record
from runbooks.session.commands import Command
from runbooks.session.events import AnswersFile, By
from runbooks.session.view import RunView, advance
from runbooks.signing.signatory import Signing

START_SECONDS = 120.0
END_SECONDS = 30.0
ANSWER_SECONDS = 30.0
RUNNER_FILE = "runner.json"
LOG = "runner.log"
SAYS = "gonogo: "
"""How a line of the log begins that is for people."""
GONE = "the runner is gone: resume the session"


class Client:
    """One face's end of the socket. `view` is folded from what has come in; `bye` is why the runner has left.

    With `keeps`, every record is kept until it is taken by `records`.
    """

    def __init__(
        self,
        folder: Path,
        stream: AsyncIterator[bytes],
        writer: asyncio.StreamWriter,
        hello: wire.Hello,
        *,
        keeps: bool = False,
    ) -> None:
        self.folder = folder
        self.view = RunView()
        self.face = hello.face
        self._pen_at_first = hello.pen
        self._meanwhile = Meanwhile(hello.face)
        self.bye: wire.Bye | None = None
        self._stream = stream
        self._writer = writer
        self._chain = Chain()
        self._records: deque[Record] | None = deque() if keeps else None
        self._replies: dict[int, asyncio.Future[str | None]] = {}
        self._taken_out: list[str] = []
        self._number = 0
        self._changed = asyncio.Event()
        self._gone = False
        self._fault: Problem | None = None
        self._task = asyncio.create_task(self._read())

    @classmethod
    async def attach(
        cls,
        folder: Path,
        *,
        sort: str,
        by: By,
        answers: AnswersFile | None = None,
        signing: Signing | None = None,
        agent: str = "",
    ) -> "Client":
        """Attach to the runner of a session, with what it is given now: see wire.Attach. Raises Unavailable."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                path = socket_path(folder)
                _must_be_theirs(Path(path).parent, runner_of(folder))
                reader, writer = await asyncio.open_unix_connection(path)
                brought = {"answers": answers, "signing": signing, "agent": agent}
                return await cls.over(folder, reader, writer, sort=sort, by=by, **brought)
        except OSError:  # a timeout is one, too
            raise Unavailable(
                f"The runner of {folder.name} does not answer.", advice=f"Look at {folder / LOG}."
            ) from None

    @classmethod
    async def over(
        cls,
        folder: Path,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        sort: str,
        by: By,
        **brought: object,
    ) -> "Client":
        """Attach over streams that are there already. Raises Unavailable, ConnectionError."""
        if peer_of(writer) != runner_of(folder):
            writer.close()
            raise Unavailable(f"Another account answers for the runner of {folder.name}.")
        writer.write(wire.line(wire.Attach.model_validate({"sort": sort, "by": by, **brought})))
        stream = wire.lines(reader, MAX_LINE)
        line = await anext(stream, None)
        if line is None:
            writer.close()
            raise Unavailable("The runner closed the connection.", advice=f"Look at {folder / LOG}.")
        return cls(folder, stream, writer, wire.Hello.model_validate_json(line), keeps=sort == "headless")

    async def changes(self) -> AsyncIterator[RunView]:
        """The newest view after each batch of events. Ends with the session, or when the runner is gone.

        Raises Problem if what came in is no journal.
        """
        seen = -2
        while True:
            if self.view.seq != seen:
                seen = self.view.seq
                yield self.view
            elif self._gone or self.view.ended is not None:
                break
            else:
                self._changed.clear()
                await self._changed.wait()
        if self._fault is not None:
            raise self._fault

    def records(self) -> Iterator[Record]:
        """What has come in since the last time; it is let go of here."""
        while self._records:
            yield self._records.popleft()

    @property
    def has_pen(self) -> bool:
        """This face's commands are taken. What is seen before its own attaching is past."""
        there = self.face in self.view.faces
        return self.view.pen == self.face if there else self._pen_at_first

    @property
    def meanwhile(self) -> Told | None:
        """What happened since this operator last looked: known once this face's own attaching has come in."""
        return self._meanwhile.told

    @property
    def gone(self) -> bool:
        """The runner has ended, or the connection to it."""
        return self._gone

    async def until_gone(self, seconds: float) -> bool:
        """Wait for the runner's own end, so that what it tidies up is tidy. Returns False if it takes longer."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.wait([self._task])
        return self._gone

    async def send(self, command: Command) -> str | None:
        """Send a command, and wait for its reply: None when taken, else why it was refused."""
        if self._gone:
            return GONE
        self._number += 1
        number = self._number
        reply: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._replies[number] = reply
        self._writer.write(wire.line(wire.Send(number=number, command=command)))
        try:
            return await reply
        finally:
            del self._replies[number]

    def taken_out(self) -> tuple[str, ...]:
        """The names of secrets that stood in what was sent since this was asked last; the record lacks them."""
        names, self._taken_out = tuple(dict.fromkeys(self._taken_out)), []
        return names

    async def close(self) -> None:
        """Detach."""
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _read(self) -> None:
        try:
            async for line in self._stream:
                self._take(line)
        except ConnectionError:
            pass
        except BadRecord as problem:
            self._fault = problem
        except ValueError:
            self._fault = Problem("The runner said what this gonogo does not understand: is it another version?")
        finally:
            self._gone = True
            for reply in self._replies.values():
                if not reply.done():
                    reply.set_result(GONE)
            self._changed.set()

    def _take(self, line: bytes) -> None:
        if line.startswith(b'{"say":"reply"'):
            message = wire.Reply.model_validate_json(line)
            reply = self._replies.get(message.number)
            self._taken_out += message.taken_out
            if reply is not None and not reply.done():
                reply.set_result(message.refused)
            return
        if line.startswith(b'{"say":"bye"'):
            self.bye = wire.Bye.model_validate_json(line)
            return
        record = self._chain.take(line)
        self.view = advance(self.view, record.seq, record.at, record.event, record.hash)
        self._meanwhile.take(record.seq, record.at, record.event)
        if self._records is not None:
            self._records.append(record)
        self._changed.set()


def _must_be_theirs(place: Path, owner: int) -> None:
    """Raises Unavailable if the folder of a socket is a link, or was made by somebody else than the runner."""
    status = place.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != owner:
        raise Unavailable(f"{place} is not the folder of this session's runner.", advice="See who made it.")


def socket_path(folder: Path, pid: int | None = None) -> str:
    """Where the session's runner listens. Raises Unavailable when there is none, or another one than `pid`."""
    try:
        about = json.loads((folder / RUNNER_FILE).read_text())
        if pid in (None, about["pid"]):
            return str(about["socket"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise Unavailable(f"No runner is at work on {folder.name}.")


async def start_runner(folder: Path, *, request: bytes, environ: Mapping[str, str]) -> None:
    """Start the process that owns a session, apart from this terminal and this login. It outlives us, once it listens.

    `request` goes to its standard input, so that nothing of it stands on a command line. Raises the problem that it
    died of.
    """
    argv = [*await scope(environ), sys.executable, "-P", "-m", "runbooks.running.runner", str(folder)]
    process = leave(argv, env=environ, said=folder / LOG, stdin=request)
    try:
        await _listening(folder, process)
    except BaseException:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            await asyncio.to_thread(process.wait, END_SECONDS)
        process.kill()
        raise
    process.returncode = 0  # it is not ours to wait for any more, and Popen would warn that nobody did


async def _listening(folder: Path, process: "subprocess.Popen[bytes]") -> None:
    """Wait until this very runner answers, whatever an earlier one left behind. Raises the problem that it died of."""
    deadline = asyncio.get_running_loop().time() + START_SECONDS
    while True:
        status = process.poll()
        with contextlib.suppress(Unavailable):
            socket_path(folder, process.pid)
            return
        if status is not None:
            raise _died(folder, status)
        if asyncio.get_running_loop().time() > deadline:
            raise Unavailable("The runner did not start.", advice=f"Look at {folder / LOG}.")
        await asyncio.sleep(0.02)


def _died(folder: Path, status: int) -> Problem:
    said = [line for line in _log(folder) if line.startswith(SAYS)]
    words = said[-1].removeprefix(SAYS) if said else f"The runner died ({status})."
    problem = Problem(words, advice="" if said and status in (1, 2, 3) else f"Look at {folder / LOG}.")
    problem.exit_code = status if said and status in (1, 2, 3) else 70
    return problem


def _log(folder: Path) -> list[str]:
    try:
        return (folder / LOG).read_text(errors="replace").splitlines()
    except OSError:
        return []
