"""Reading a dump back: its table of contents, and every byte of it."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from migrations.backup.tools import Tools
from migrations.problem import Problem
from migrations.process import Child, run

OnStart = Callable[[Child], Awaitable[None]]
OnLine = Callable[[str], Awaitable[None]]

KEPT_LINES = 20

_DATABASE = re.compile(r"^; +dbname: (.*)$")
_CREATED = re.compile(r"^; Archive created at (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)")
_ENTRY = re.compile(r"^\d+; (\d+) (\d+) (.*)$")
_EXTENSION = re.compile(r"^EXTENSION - (.+?) *$")


async def nothing(*_: object) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What `pg_restore --list` names: the OIDs of the tables whose rows are in it, the extensions it creates, the
    database that it is of, and when that was, by the wall clock of the machine that dumped."""

    tables: frozenset[int]
    extensions: tuple[str, ...]
    database: str = ""
    created: datetime | None = None


class Lines:
    """Pieces of text put together into lines; the last ones are kept for an error's detail."""

    def __init__(self, on_line: OnLine | None = None) -> None:
        self._rest = ""
        self._on_line = on_line
        self.last: list[str] = []

    async def feed(self, text: str) -> None:
        """Take a piece."""
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            await self._take(line)

    async def close(self) -> str:
        """Take what is left. Returns the last lines that are not mere progress."""
        if self._rest:
            await self._take(self._rest)
            self._rest = ""
        return "\n".join(self.last)

    async def _take(self, line: str) -> None:
        if not progress(line):
            self.last = [*self.last[-KEPT_LINES + 1 :], line]
        if self._on_line:
            await self._on_line(line)


def progress(line: str) -> bool:
    """Whether a line of `--verbose` output only says how far the program is."""
    told = line.startswith(("pg_dump: ", "pg_restore: "))
    return told and not re.match(r"pg_\w+: (error|warning|detail|hint|fatal)", line)


async def program(
    argv: list[str],
    env: Mapping[str, str],
    *,
    on_line: OnLine | None = None,
    on_out: OnLine | None = None,
    on_start: OnStart | None = None,
) -> tuple[int, str]:
    """Run one of PostgreSQL's programs. Returns its exit code and the last of what it said, progress left out."""
    said, out = Lines(on_line), Lines(on_out)

    async def on_text(stream: str, text: str) -> None:
        await (out if stream == "out" else said).feed(text)

    ended = await run(argv, env=env, on_text=on_text, on_start=on_start)
    await out.close()
    return ended.returncode, await said.close()


async def contents(tools: Tools, file: Path, env: Mapping[str, str]) -> Contents:
    """The table of contents. Raises Problem if the file is not an archive that these programs read."""
    tables: set[int] = set()
    extensions: list[str] = []
    database, created = "", None

    async def on_out(line: str) -> None:
        nonlocal database, created
        if found := _DATABASE.match(line):
            database = found[1]
        if found := _CREATED.match(line):
            created = datetime.fromisoformat(found[1])
        entry = _ENTRY.match(line)
        if entry is None:
            return
        if entry[3].startswith("TABLE DATA "):
            tables.add(int(entry[2]))
        elif extension := _EXTENSION.match(entry[3]):
            extensions.append(extension[1])

    code, said = await program([str(tools.pg_restore), "--list", str(file)], env, on_out=on_out)
    if code != 0:
        raise unreadable(file, said)
    return Contents(frozenset(tables), tuple(extensions), database, created)


async def read_back(
    tools: Tools,
    file: Path,
    env: Mapping[str, str],
    *,
    on_line: OnLine | None = None,
    on_start: OnStart | None = None,
) -> None:
    """Unpack every byte, into nothing. Raises Problem if any of it cannot be read."""
    argv = [str(tools.pg_restore), "--verbose", "--file=/dev/null", str(file)]
    code, said = await program(argv, env, on_line=on_line, on_start=on_start)
    if code != 0:
        raise unreadable(file, said)


def unreadable(file: Path, said: str) -> Problem:
    """The problem that a dump is cut or damaged."""
    return Problem(
        f"{file.name} cannot be read back: it is no backup.",
        advice="Dump again, and look at the disk that it lies on.",
        detail=said,
    )
