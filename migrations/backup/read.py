"""Reading every byte of a dump, whatever its format, and telling how far that is."""

import asyncio
import os
import re
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from io import BufferedReader, FileIO
from pathlib import Path
from typing import IO, Literal

from migrations.backup import archive
from migrations.backup.archive import OnStart, nothing
from migrations.backup.files import Format, size_of
from migrations.backup.plain import Damaged, PlainReader, Text, open_plain
from migrations.backup.tools import Tools
from migrations.process import Held

TICK = 0.5


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a dump is. `size` in bytes; `table` is the one at hand."""

    stage: Literal["dump", "read back", "hash"] = "dump"
    size: int = 0
    done: int = 0
    total: int = 0
    table: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """Reads dumps back. `total`: how many tables are expected, to show how far it is."""

    tools: Tools
    env: Mapping[str, str]
    total: int = 0
    on_progress: Callable[[Progress], Awaitable[None]] = nothing
    on_start: OnStart = nothing

    async def tables(self, path: Path) -> frozenset[int]:
        """The OIDs of the tables whose rows are in an archive, every byte of which was read. Raises Problem."""
        size, done = size_of(path), 0

        async def on_line(line: str) -> None:
            nonlocal done
            begun = re.match(r'pg_restore: processing data for table "(.*)"', line)
            if begun:
                await self.on_progress(Progress("read back", size, done, self.total, begun[1]))
                done += 1

        await archive.read_back(self.tools, path, self.env, on_line=on_line, on_start=self.on_start)
        return (await archive.contents(self.tools, path, self.env)).tables

    async def text(self, path: Path, format: Format) -> Text:
        """What the COPY lines of any dump hold; of an archive, as pg_restore writes them. Raises Problem."""
        if format != "plain":
            return await self._unpacked(path)
        with open_plain(path) as file:
            try:
                return await self._read(file)
            except Damaged as damage:
                raise archive.unreadable(path, str(damage)) from None

    async def _unpacked(self, path: Path) -> Text:
        reading, writing = os.pipe()
        argv = [str(self.tools.pg_restore), "--file=-", str(path)]
        with tempfile.TemporaryFile() as said, BufferedReader(FileIO(reading)) as out:
            try:
                started = Held.start(argv, env=self.env, stdout=writing, stderr=said.fileno(), on_start=self.on_start)
                held = await started
            finally:
                os.close(writing)
            try:
                text, damage = await self._read(out, held.let_go), ""
                code = (await held.ended()).returncode
            except Damaged as error:
                text, damage, code = Text(), str(error), 1
            finally:
                held.let_go()
                await held.close()
            said.seek(0)
            if code != 0:
                raise archive.unreadable(path, said.read().decode(errors="replace") or damage)
            return text

    async def _read(self, file: IO[bytes], let_go: Callable[[], None] = lambda: None) -> Text:
        reader = PlainReader()
        task = asyncio.create_task(asyncio.to_thread(reader.read, file))
        try:
            while not task.done():
                await asyncio.wait((task,), timeout=TICK)
                done = len(reader.text.rows)
                await self.on_progress(Progress("read back", reader.size, done, self.total, reader.table))
            return task.result()
        finally:
            reader.stop = True
            if not task.done():
                let_go()
                await asyncio.wait((task,))
