"""Faces and the runner's end of their socket, over a journal on disk; without a runner."""

import asyncio
import socket
from pathlib import Path

from fix_live import ANA

from runbooks.faces.client import Client
from runbooks.faces.faces import Faces
from runbooks.journal import Journal
from runbooks.redact import Redactor
from runbooks.running.recorder import Recorder
from runbooks.session import commands as c
from runbooks.session import events as e
from runbooks.session.view import RunView
from tests.runbooks.conftest import opening


class Wired:
    """A face and the runner's end of its socket, over a journal on disk."""

    def __init__(self, folder: Path, journal: Journal) -> None:
        self.folder = folder
        self.journal = journal
        self.recorder = Recorder(journal, Redactor({"TOKEN": "hunter2-hunter2"}), RunView())
        self.recorder.append(opening())
        self.faces = Faces(self.recorder, folder, self.submit)
        self._serving: list[asyncio.Task[None]] = []

    async def submit(self, command: c.Command, by: e.By) -> str | None:
        self.recorder.append(e.ItemTicked(item="x", state="done", by=by))
        return None

    async def pair(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """The face's end."""
        ours, theirs = socket.socketpair()
        reader, writer = await asyncio.open_unix_connection(sock=theirs)
        self._serving.append(asyncio.create_task(self.faces.serve(reader, writer)))
        return await asyncio.open_unix_connection(sock=ours)

    async def face(self, sort: str = "screen", by: e.By = ANA, **brought: object) -> Client:
        return await Client.over(self.folder, *await self.pair(), sort=sort, by=by, **brought)

    async def close(self) -> None:
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
