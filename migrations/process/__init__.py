"""The only place that starts a program. Whatever is started here dies with us, even if we are killed by `kill -9`."""

import asyncio
import contextlib
import functools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any, Self

from migrations.problem import Problem, Unavailable
from migrations.process.child import KILL_PATIENCE, Child, alive, end, started
from migrations.process.memory import memory_file
from migrations.process.pump import OnText, Stream, pump
from migrations.process.whole import whole

__all__ = [
    "Child",
    "Ended",
    "Held",
    "OnStart",
    "OnText",
    "Stream",
    "alive",
    "capture",
    "end",
    "end_signals",
    "leave",
    "memory_file",
    "run",
    "started",
    "whole",
]

LAST_WORDS = 1.0  # seconds that whoever reads the output gets to finish, once the program was stopped
WATCHDOG = Path(__file__).with_name("watchdog.py")
INHERITED = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended: its exit code, or minus the number of the signal that ended it."""

    returncode: int


OnStart = Callable[[Child], Awaitable[None]]


def _executable(name: str, env: Mapping[str, str], cwd: Path) -> str:
    if "/" not in name:
        found = shutil.which(name, path=env.get("PATH", os.defpath))
        if found is None:
            raise Unavailable(
                f"There is no program {name} on the PATH.", advice=f"Install {name}, or put it on the PATH."
            )
        return found
    path = cwd / name
    if not path.is_file():
        raise Unavailable(f"There is no program {name}.", advice="Install it, or correct its path.")
    if not os.access(path, os.X_OK):
        raise Unavailable(f"The program {name} may not be executed.", advice=f"Try: chmod +x {name}")
    return str(path)


def end_signals(grace: float) -> tuple[tuple[int, float], ...]:
    """SIGTERM, then SIGKILL: what a program gets at its end, each with the seconds to wait after it."""
    return ((signal.SIGTERM, grace), (signal.SIGKILL, KILL_PATIENCE))


class Held:
    """A program held by a watchdog: let go of it, or vanish, and it is ended. Bound to no event loop."""

    def __init__(self, link: socket.socket, watchdog: "subprocess.Popen[bytes]", name: str) -> None:
        self._link = link
        self._watchdog = watchdog
        self._name = name
        self._unread = b""
        self._ended: Ended | None = None
        self.child: Child

    @classmethod
    async def start(
        cls,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path | None = None,
        stdout: int = subprocess.DEVNULL,
        stderr: int = subprocess.DEVNULL,
        on_start: OnStart | None = None,
        pass_fds: Sequence[int] = (),
        signals: Sequence[tuple[int, float]] = end_signals(5.0),
        user: int | None = None,
        remove: Sequence[Path] = (),
    ) -> Self:
        """Start a program in a session of its own; it begins when `on_start` has returned. Raises Unavailable.

        `signals` are sent to its group at the end, with the seconds to wait after each. `user` (as root) is the uid
        and gid to run under. `remove` are folders to delete when it has ended.
        """
        folder = (cwd or Path.cwd()).absolute()
        if not folder.is_dir():
            raise Unavailable(f"There is no folder {folder} to run {argv[0]} in.")
        spec = {
            "file": _executable(argv[0], env, folder),
            "argv": list(argv),
            "env": dict(env),
            "cwd": str(folder),
            "signals": list(signals),
            "user": user,
            "remove": [str(path) for path in remove],
        }
        held = cls._launch(argv[0], stdout, stderr, pass_fds)
        try:
            await held._begin(spec, on_start)
        except BaseException:
            held.let_go()
            await held.close()
            raise
        return held

    @classmethod
    def _launch(cls, name: str, stdout: int, stderr: int, pass_fds: Sequence[int]) -> Self:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            try:
                watchdog = subprocess.Popen(
                    [sys.executable, "-I", "-S", "-X", "utf8", str(WATCHDOG), str(theirs.fileno())],
                    stdin=subprocess.DEVNULL,
                    stdout=stdout,
                    stderr=stderr,
                    env={key: os.environ[key] for key in INHERITED if key in os.environ},
                    pass_fds=(*pass_fds, theirs.fileno()),
                    start_new_session=True,
                )
            except OSError as error:
                ours.close()
                raise Unavailable(f"No process could be started: {error.strerror}.") from error
        return cls(ours, watchdog, name)

    async def _begin(self, spec: Mapping[str, Any], on_start: OnStart | None) -> None:
        await self._send(spec)
        pid = (await self._receive())["pid"]
        self.child = Child(pid, started(pid) or "", pid)
        if on_start is not None:
            await on_start(self.child)
        await self._send({"go": True})

    async def _send(self, message: Mapping[str, Any]) -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            await asyncio.get_running_loop().sock_sendall(self._link, json.dumps(message).encode() + b"\n")

    async def _receive(self) -> dict[str, Any]:
        while b"\n" not in self._unread:
            data = await asyncio.get_running_loop().sock_recv(self._link, 65536)
            if not data:
                raise Problem(f"The watchdog of {self._name} died, so the program was ended too.")
            self._unread += data
        line, _, self._unread = self._unread.partition(b"\n")
        message: dict[str, Any] = json.loads(line)
        return message

    async def ended(self) -> Ended:
        """Wait for the end. One waiter at a time. Raises Unavailable if the program could not be executed."""
        if self._ended is None:
            try:
                message = await self._receive()
            except Problem:
                await end(self.child)
                raise
            if "errno" in message:
                reason = os.strerror(message["errno"])
                raise Unavailable(
                    f"{self._name} could not be executed: {reason}.", advice="Check its path and its rights."
                )
            self._ended = Ended(message["ended"])
        return self._ended

    def let_go(self) -> None:
        """Have the program ended. Returns at once."""
        with contextlib.suppress(OSError):
            self._link.shutdown(socket.SHUT_WR)

    async def close(self) -> None:
        """Wait for the watchdog's end, and give everything back."""
        try:
            await whole(self._watchdog.wait)
        finally:
            self._link.close()


async def run(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path | None = None,
    on_text: OnText | None = None,
    on_start: OnStart | None = None,
    pass_fds: Sequence[int] = (),
    grace: float = 5.0,
    timeout: float | None = None,
    user: int | None = None,
) -> Ended:
    """Run a program to its end, with exactly `env` as its environment and nothing to read.

    It is over when the program itself exits, whatever it left running. `on_text` gets its output in pieces as they
    come, one at a time. When cancelled, or after `timeout` seconds, the whole process group is stopped: SIGTERM, then
    after `grace` seconds SIGKILL. As root, `user` is the uid and gid to run it under. Raises Unavailable if the program
    is not there, Problem on a time-out.
    """
    limit = asyncio.timeout(timeout)
    try:
        async with limit:
            start = functools.partial(
                Held.start,
                argv,
                env=env,
                cwd=cwd,
                on_start=on_start,
                pass_fds=pass_fds,
                signals=end_signals(grace),
                user=user,
            )
            return await _run(start, on_text)
    except TimeoutError:
        if limit.expired():
            raise Problem(f"{argv[0]} did not end within {timeout:g} s and was stopped.") from None
        raise


async def _run(start: Callable[..., Awaitable[Held]], on_text: OnText | None) -> Ended:
    with contextlib.ExitStack() as files:
        out, stdout = _pipe(files)
        err, stderr = _pipe(files)
        held = await start(stdout=stdout.fileno(), stderr=stderr.fileno())
        stdout.close()
        stderr.close()
        over = asyncio.create_task(held.ended())
        turn = asyncio.Lock()
        pumps = (
            asyncio.create_task(pump(out.fileno(), "out", on_text, turn, over)),
            asyncio.create_task(pump(err.fileno(), "err", on_text, turn, over)),
        )
        return await _finish(held, over, pumps)


async def _finish(held: Held, over: "asyncio.Task[Ended]", pumps: "Sequence[asyncio.Task[None]]") -> Ended:
    try:
        await asyncio.wait((over, *pumps), return_when=asyncio.FIRST_EXCEPTION)
        for pump in pumps:
            if pump.done():
                pump.result()
        return await over
    finally:
        held.let_go()
        try:
            await asyncio.wait((over,))
            await asyncio.wait(pumps, timeout=LAST_WORDS)
        finally:
            for task in (over, *pumps):
                task.cancel()
            await asyncio.gather(over, *pumps, return_exceptions=True)
            await held.close()


def _pipe(files: contextlib.ExitStack) -> tuple[FileIO, FileIO]:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    return files.enter_context(FileIO(reading, "r")), files.enter_context(FileIO(writing, "w"))


async def capture(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path | None = None,
    timeout: float = 10.0,
    pass_fds: Sequence[int] = (),
    user: int | None = None,
) -> tuple[int, str, str]:
    """Run a program that says little, and return its exit code and all that it said. Raises as `run` does."""
    said: dict[Stream, list[str]] = {"out": [], "err": []}

    async def keep(stream: Stream, text: str) -> None:
        said[stream].append(text)

    ended = await run(argv, env=env, cwd=cwd, on_text=keep, timeout=timeout, pass_fds=pass_fds, user=user)
    return ended.returncode, "".join(said["out"]), "".join(said["err"])


def leave(argv: Sequence[str], *, env: Mapping[str, str], said: Path, stdin: bytes = b"") -> "subprocess.Popen[bytes]":
    """Start a program that outlives us, in a session of its own. What it says is added to the file `said`.

    `stdin` is what it reads, for what must not stand on a command line. Raises Unavailable.
    """
    file = _executable(argv[0], env, Path.cwd())
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
    with memory_file(stdin) as (request, _), FileIO(os.open(said, flags, mode=0o600), "ab") as log:
        os.lseek(request, 0, os.SEEK_SET)
        try:
            return subprocess.Popen(
                argv, executable=file, env=dict(env), stdin=request, stdout=log, stderr=log, start_new_session=True
            )
        except OSError as error:
            raise Unavailable(f"{argv[0]} could not be started: {error.strerror}.") from error
