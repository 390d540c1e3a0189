"""The migrations, applied to an empty database on a throw-away server; and what a command says of it there."""

import shlex
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from migrations.process import run
from migrations.replay import Broken, Database, Source, replay, throwaway
from runbooks.check import matters as m
from runbooks.check.report import More, Remark
from runbooks.check.sources import File, Sources


@dataclass(frozen=True, slots=True)
class Replayed:
    """A database, and whether it has every migration; if not, `more` says why."""

    name: str
    url: str
    applied: bool
    more: More


@asynccontextmanager
async def replayed(sources: Sources, bin: Path | None = None) -> AsyncIterator[Replayed]:
    """Apply a folder to an empty database, for as long as the block lasts. `bin`: PostgreSQL's programs to take.

    Raises Unavailable. Nothing of it stays, not even after `kill -9`.
    """
    files = [file for file in sources.files if file.folder is not None]
    async with throwaway(bin) as server:
        found = await replay(server, [[Source.of(file.migration) for file in files]])
        database, broken = found.database, found.broken
        told = (
            More(proven=(_words(server.major, files, database),))
            if broken is None
            else More(remarks=(_told(broken, files),))
        )
        yield Replayed(database.name, database.url, broken is None, told)


def _words(major: int, files: Sequence[File], database: Database) -> str:
    what = f"all {len(files)} migrations apply" if len(files) != 1 else "the only migration applies"
    made = f", once it has the roles {', '.join(database.roles)}" if database.roles else ""
    return f"replayed: {what} to an empty database of PostgreSQL {major}{made}"


def _told(broken: Broken, files: Sequence[File]) -> Remark:
    path = next(file.path for file in files if file.name == broken.name)
    return m.REPLAY.remark(path, broken.words, line=broken.line, instead=broken.instead)


async def run_command(command: Sequence[str], env: Mapping[str, str], folder: Path) -> More:
    """Run a command whose environment leads to the database; what it says goes to stderr. Raises Unavailable."""
    shown = shlex.join(command)

    async def tell(stream: object, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()

    ended = await run(command, env=env, on_text=tell)
    if ended.returncode == 0:
        return More(proven=(f"ran {shown} on the migrated database: it ended with 0",))
    return More(remarks=(m.COMMAND.remark(folder, f"{shown} ended with {_status(ended.returncode)}"),))


def environment_for(url: str, variables: Sequence[str], environ: Mapping[str, str]) -> dict[str, str]:
    """Ours, with the throw-away database under every name that could lead to another one, and no PG variable."""
    kept = {name: value for name, value in environ.items() if not name.startswith("PG")}
    return {**kept, **dict.fromkeys(variables, url)}


def _status(returncode: int) -> str:
    return f"signal {signal.Signals(-returncode).name}" if returncode < 0 else f"exit status {returncode}"
