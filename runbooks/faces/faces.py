"""The runner's end of the socket: every face gets the journal's own lines, and one of them holds the pen."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from runbooks.faces import wire
from runbooks.host.peers import account_of, peer_of
from runbooks.host.sharing import Circle, may_attach
from runbooks.journal import NAME, JournalBroken
from runbooks.running.recorder import Recorder
from runbooks.session import events as e
from runbooks.session.commands import Command, TakePen, subject_of, typed_in
from runbooks.session.pen import approved, unheard, withheld
from runbooks.session.runbook import ALONE
from runbooks.signing.signatory import Signatory

CHUNK = 256 * 1024

Submit = Callable[[Command, e.By], Awaitable[str | None]]


class Faces:
    """Everybody who looks at this session now. `attached` is set once somebody has been there.

    `signatory` hears what a face of this very account brings to sign with.
    """

    def __init__(
        self,
        recorder: Recorder,
        folder: Path,
        submit: Submit,
        circle: Circle | None = None,
        signatory: Signatory | None = None,
    ) -> None:
        self._recorder = recorder
        self._folder = folder
        self._circle = circle
        self._signatory = signatory
        self._journal = folder / NAME
        self._submit = submit
        self._count = 0
        self._feeds: set[Feed] = set()
        self._bye: wire.Bye | None = None
        self.attached = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One face, from attaching to leaving."""
        try:
            uid = peer_of(writer)
            if may_attach(uid, self._folder, self._circle):
                await self._serve(_messages(reader), writer, account_of(uid))
        except (ConnectionError, JournalBroken):
            pass  # it went away; or the recorder has told the runner that nothing can be recorded any more
        except asyncio.CancelledError:
            if self._bye is None:  # else the process ends, and asyncio would log this as an error
                raise
        finally:
            writer.close()

    def _how(self, attach: wire.Attach) -> str:
        """By what a face's commands come. What has one phase alone has no file of answers."""
        if attach.sort == "screen":
            return "keys"
        opened = self._recorder.view.opened
        return "command" if opened is not None and opened.mode in ALONE else "answers"

    async def _serve(
        self, messages: "AsyncIterator[wire.FromFace]", writer: asyncio.StreamWriter, account: str
    ) -> None:
        attach = await anext(messages, None)
        if not isinstance(attach, wire.Attach) or self._bye is not None:
            return
        by = attach.by.model_copy(update={"how": self._how(attach), "os_user": account})
        self._count += 1
        name = f"{attach.sort}-{os.getpid()}-{self._count}"
        pen = self._recorder.view.pen is None and self._recording and not approved(self._recorder.view, by.name)
        feed = Feed(self._journal, writer, attach.after)
        writer.write(wire.line(wire.Hello(face=name, pen=pen)))
        unlisten = self._recorder.listen(feed.wake)
        pump = asyncio.create_task(feed.run())
        self._feeds.add(feed)
        try:
            if self._recording:
                self._recorder.append(
                    e.FaceAttached(face=name, sort=attach.sort, pen=pen, by=by, answers=attach.answers)
                )
            self.attached.set()
            if self._signatory is not None and account == account_of(os.getuid()):
                self._signatory.attended(attach.signing, attach.agent)
            async for message in messages:
                if isinstance(message, wire.Send):
                    await self._take(message, name, by, feed, writer)
        finally:
            unlisten()
            pump.cancel()
            self._feeds.discard(feed)
            feed.close()
            if self._recording:
                self._recorder.append(e.FaceDetached(face=name))

    @property
    def _recording(self) -> bool:
        """There is a session that goes on, and a journal that takes what happens in it."""
        return self._recorder.view.ended is None and self._recorder.broken is None and self._bye is None

    async def _take(self, message: wire.Send, face: str, by: e.By, feed: "Feed", writer: asyncio.StreamWriter) -> None:
        refused = await self._judged(message.command, face, by)
        taken_out = () if refused else self._recorder.redactor.names(typed_in(message.command))
        await feed.flush()
        writer.write(wire.line(wire.Reply(number=message.number, refused=refused, taken_out=taken_out)))
        await writer.drain()

    async def _judged(self, command: Command, face: str, by: e.By) -> str | None:
        """Why a command is refused, which is recorded; None if it was taken."""
        view = self._recorder.view
        if not self._recording:
            return "the session has ended, or its runner is leaving"
        if isinstance(command, TakePen):
            refused = withheld(view, face, command.reason)
            if refused is None:
                reason = command.reason.strip() or "nobody had it"
                self._recorder.append(e.PenTaken(face=face, from_face=view.pen, reason=reason, by=by))
                return None
        elif (refused := unheard(view, face, by.name)) is None:
            return await self._submit(command, by)
        subject = subject_of(command)
        self._recorder.append(e.CommandRefused(command=command.kind, subject=subject, reason=refused, by=by))
        return refused

    async def dismiss(self, bye: wire.Bye, seconds: float = 2.0) -> None:
        """Give everybody the last records and the reason why there are no more.

        The connections stay until this process has ended, so that a face can tell when everything is over.
        """
        self._bye = bye
        told = [asyncio.create_task(feed.end(wire.line(bye))) for feed in self._feeds]
        if told:
            _, late = await asyncio.wait(told, timeout=seconds)
            for task in late:
                task.cancel()


class Feed:
    """Sends one face what is in the journal and not yet sent. It reads the file: the screen never knows more."""

    def __init__(self, journal: Path, writer: asyncio.StreamWriter, after: int) -> None:
        self._file = journal.open("rb", buffering=0)
        self._writer = writer
        self._skip = after + 1
        self._rest: list[bytes] = []
        self._lock = asyncio.Lock()
        self._more = asyncio.Event()
        self._more.set()

    def wake(self) -> None:
        """There is more to send."""
        self._more.set()

    async def run(self) -> None:
        """Until cancelled, or the face is gone."""
        with contextlib.suppress(ConnectionError):
            while True:
                await self._more.wait()
                await self.flush()

    async def flush(self) -> None:
        """Send all that is on disk now."""
        async with self._lock:
            self._more.clear()
            while not self._file.closed and (chunk := self._file.read(CHUNK)):
                await self._send(chunk)

    async def end(self, last: bytes) -> None:
        """Send all that is on disk, and one line more."""
        with contextlib.suppress(ConnectionError):
            await self.flush()
            self._writer.write(last)
            await self._writer.drain()

    def close(self) -> None:
        """Nothing more is sent."""
        self._file.close()

    async def _send(self, chunk: bytes) -> None:
        cut = chunk.rfind(b"\n") + 1
        if not cut:
            self._rest.append(chunk)
            return
        feed = b"".join([*self._rest, chunk[:cut]])
        self._rest = [chunk[cut:]]
        if self._skip:
            lines = feed.splitlines(keepends=True)
            feed, self._skip = b"".join(lines[self._skip :]), max(0, self._skip - len(lines))
        self._writer.write(feed)
        await self._writer.drain()


async def _messages(reader: asyncio.StreamReader) -> "AsyncIterator[wire.FromFace]":
    """What a face says, until it leaves, or says what is none of our language."""
    lines = wire.lines(reader, wire.COMMAND_LIMIT)
    with contextlib.suppress(ValueError):
        async for line in lines:
            yield wire.FROM_FACE.validate_json(line)
