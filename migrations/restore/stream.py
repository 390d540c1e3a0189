"""An archive as pg_restore would put it back, sent through a connection of ours, and so in a transaction of ours."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import psycopg

from migrations.backup.archive import Lines, OnStart, nothing
from migrations.backup.tools import Tools
from migrations.problem import Problem
from migrations.process import Stream, run

Connection = psycopg.AsyncConnection[Any]
Rows = AsyncIterator[str]

ENCODING = "SET client_encoding = "
UTF8 = f"{ENCODING}'UTF8';"
END = "\n\\.\n"
_COPY = re.compile(r"COPY (.+?) \((.*)\) FROM stdin;")
_EMPTY = re.compile(r"COPY (.+?)  ?FROM stdin;")
_NOT_SQL = re.compile(r"\\(?:un)?restrict ")
_NEW = "SET transaction_timeout ="


@dataclass(frozen=True, slots=True)
class Archive:
    """A dump, and which of its entries count: `entries` is a file as `pg_restore --list` writes it."""

    tools: Tools
    env: Mapping[str, str]
    file: Path
    entries: Path
    on_start: OnStart = nothing

    def argv(self, section: str) -> list[str]:
        """What writes a section of it as SQL."""
        return [
            str(self.tools.pg_restore),
            f"--section={section}",
            f"--use-list={self.entries}",
            "--file=-",
            str(self.file),
        ]

    def skips(self, line: str) -> bool:
        """What is meant for psql, or for a newer server."""
        return bool(_NOT_SQL.match(line)) or (self.tools.upsets_old_servers and line.startswith(_NEW))


@dataclass(frozen=True, slots=True)
class Copied:
    """The rows of one table as the archive has them: its qualified name and its columns, quoted."""

    table: str
    columns: str


class Sink:
    """Takes what the data section of an archive holds. `into` says where the rows of a table go: a COPY statement.

    Raises Problem where it is in another encoding than UTF-8, as whatever is sent.
    """

    def __init__(
        self, connection: Connection, into: Callable[[Copied], Awaitable[str]], skips: Callable[[str], bool]
    ) -> None:
        self._connection, self._into, self._skips = connection, into, skips
        self._rest = ""
        self._sql: list[str] = []
        self._cursor = connection.cursor()
        self._entered: AbstractAsyncContextManager[psycopg.AsyncCopy] | None = None
        self._copy: psycopg.AsyncCopy | None = None
        self._begins = False

    async def feed(self, text: str) -> None:
        """Take a piece."""
        self._rest += text
        while await (self._line() if self._copy is None else self._rows()):
            pass

    async def close(self) -> None:
        """The end of it. Raises Problem if it ends in the middle of a table."""
        if self._copy is not None:
            raise Problem("The dump ends in the middle of a table.", advice="Look at the file: it is not whole.")
        self._sql.append(self._rest)
        await self._flush()

    async def _line(self) -> bool:
        line, end, rest = self._rest.partition("\n")
        if not end:
            return False
        self._rest = rest
        if line.startswith(ENCODING) and line != UTF8:
            raise _not_utf8()
        if (found := _COPY.fullmatch(line)) or _EMPTY.fullmatch(line):
            await self._flush()
            copied = Copied(found[1], found[2]) if found else Copied(line[5:].partition(" ")[0], "")
            self._entered = self._cursor.copy((await self._into(copied)).encode())
            self._copy, self._begins = await self._entered.__aenter__(), True
        elif not self._skips(line):
            self._sql.append(line)
        return True

    async def _rows(self) -> bool:
        assert self._copy is not None and self._entered is not None
        text = f"\n{self._rest}" if self._begins else self._rest
        at = text.find(END)
        if at < 0:
            given = text[: max(0, len(text) - len(END))]
            if len(given) > 1:
                await self._copy.write(given[1:] if self._begins else given)
                self._rest, self._begins = text[len(given) :], False
            return False
        await self._copy.write(text[1 : at + 1] if self._begins else text[: at + 1])
        await self._entered.__aexit__(None, None, None)
        self._copy, self._rest, self._begins = None, text[at + len(END) :], False
        return True

    async def _flush(self) -> None:
        text, self._sql = "\n".join(self._sql), []
        if text.strip():
            await self._connection.execute(text.encode())


async def sql_of(archive: Archive, section: Literal["pre-data", "post-data"]) -> str:
    """All of a section that holds no rows. Raises Problem: it cannot be read, or is in another encoding than UTF-8."""
    found: list[str] = []

    async def feed(text: str) -> None:
        found.append(text)

    await _written(archive, section, feed)
    text = "".join(found)
    if UTF8 not in text:
        raise _not_utf8()
    return "\n".join(line for line in text.split("\n") if not archive.skips(line))


def _not_utf8() -> Problem:
    return Problem(
        "The dump is not in UTF-8: it cannot be sent through a connection of ours.",
        advice="Restore the whole database through one beside it.",
    )


async def data_into(archive: Archive, sink: Sink) -> None:
    """Put the data section in. Raises Problem, psycopg.Error."""
    await _written(archive, "data", sink.feed)
    await sink.close()


async def _written(archive: Archive, section: str, feed: Callable[[str], Awaitable[None]]) -> None:
    said = Lines()

    async def on_text(stream: Stream, text: str) -> None:
        await (feed if stream == "out" else said.feed)(text)

    ended = await run(archive.argv(section), env=archive.env, on_text=on_text, on_start=archive.on_start)
    words = await said.close()
    if ended.returncode != 0:
        reason = next((line.partition("error: ")[2] for line in words.splitlines() if "error: " in line), "")
        raise Problem(
            f"pg_restore could not read the dump: {reason or f'exit code {ended.returncode}'}.",
            advice="Nothing was changed. Look at the file, and at the version of pg_restore.",
            detail=words,
        )
