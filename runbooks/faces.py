"""The runner's end of the socket: every face gets the journal's own lines, and one of them holds the pen."""

import asyncio
import contextlib
import os
import socket
import struct
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from pydantic import ValidationError

from runbooks import events as e
from runbooks import wire
from runbooks.commands import Command
from runbooks.journal import NAME
from runbooks.recorder import Recorder

CHUNK = 256 * 1024

Submit = Callable[[Command, e.By], Awaitable[str | None]]


class Faces:
    """Everybody who looks at this session now."""

    def __init__(self, recorder: Recorder, folder: Path, submit: Submit) -> None:
        self._recorder = recorder
        self._journal = folder / NAME
        self._submit = submit
        self._count = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self.changed = asyncio.Event()

    @property
    def present(self) -> bool:
        """Somebody is attached."""
        return bool(self._recorder.view.faces)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One face, from attaching to leaving."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._serve(reader, writer)
        except (ConnectionError, ValidationError, ValueError, asyncio.IncompleteReadError):
            pass  # it went away, or does not speak our language: either way it is no face of ours
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not _same_user(writer):
            return
        attach = wire.FROM_FACE.validate_json(await reader.readline())
        if not isinstance(attach, wire.Attach):
            return
        by = attach.by.model_copy(update={"how": "answers" if attach.sort == "headless" else "keys"})
        self._count += 1
        name, pen = f"{attach.sort}-{os.getpid()}-{self._count}", self._recorder.view.pen is None
        writer.write(wire.line(wire.Hello(face=name, pen=pen)))
        feed = Feed(self._journal, writer, attach.after)
        unlisten = self._recorder.listen(feed.wake)
        pump = asyncio.create_task(feed.run())
        self._recorder.append(e.FaceAttached(face=name, sort=attach.sort, pen=pen, by=by))
        self.changed.set()
        try:
            async for line in reader:
                await self._take(line, name, by, feed, writer)
        finally:
            unlisten()
            pump.cancel()
            if self._recorder.view.ended is None:
                self._recorder.append(e.FaceDetached(face=name))
            self.changed.set()

    async def _take(self, line: bytes, face: str, by: e.By, feed: "Feed", writer: asyncio.StreamWriter) -> None:
        message = wire.FROM_FACE.validate_json(line)
        if not isinstance(message, wire.Send):
            return
        if self._recorder.view.pen == face:
            refused = await self._submit(message.command, by)
        else:
            refused = "another face holds the pen"
            self._recorder.append(e.CommandRefused(command=message.command.kind, reason=refused, by=by))
        await feed.flush()
        writer.write(wire.line(wire.Reply(number=message.number, refused=refused)))
        await writer.drain()

    async def dismiss(self, seconds: float = 2.0) -> None:
        """Give everybody the last records, then let go."""
        if self._tasks:
            _, late = await asyncio.wait(list(self._tasks), timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)


class Feed:
    """Sends one face what is in the journal and not yet sent. It reads the file: the screen never knows more."""

    def __init__(self, journal: Path, writer: asyncio.StreamWriter, after: int) -> None:
        self._file = journal.open("rb", buffering=0)
        self._writer = writer
        self._skip = after + 1
        self._rest = b""
        self._lock = asyncio.Lock()
        self._more = asyncio.Event()
        self._more.set()

    def wake(self) -> None:
        """There is more to send."""
        self._more.set()

    async def run(self) -> None:
        """Until cancelled, or the face is gone."""
        try:
            with contextlib.suppress(ConnectionError):
                while True:
                    await self._more.wait()
                    await self.flush()
        finally:
            self._file.close()

    async def flush(self) -> None:
        """Send all that is on disk now."""
        async with self._lock:
            self._more.clear()
            while chunk := self._file.read(CHUNK):
                await self._send(chunk)

    async def _send(self, chunk: bytes) -> None:
        whole, feed, rest = (self._rest + chunk).rpartition(b"\n")
        self._rest = rest
        if not feed:
            return
        lines = (whole + feed).splitlines(keepends=True)
        skipped, self._skip = lines[self._skip :], max(0, self._skip - len(lines))
        self._writer.write(b"".join(skipped))
        await self._writer.drain()


def _same_user(writer: asyncio.StreamWriter) -> bool:
    """Whether the other end is the same account. The socket's folder is 0700; this is the second lock."""
    peer: socket.socket = writer.get_extra_info("socket")
    if sys.platform == "linux":
        _, uid, _ = struct.unpack("3i", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    else:
        local_peercred = 1
        uid = struct.unpack("2i", peer.getsockopt(0, local_peercred, 8))[1]
    return bool(uid == os.getuid())
