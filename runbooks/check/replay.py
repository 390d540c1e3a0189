"""The migrations, applied to an empty database on a throw-away server; and what a command says of it there."""

import re
import secrets
import shlex
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from migrations.apply import ApplyRun, ScriptFailed, apply, prepare
from migrations.apply.events import ApplyEvent
from migrations.apply.script_run import ScriptToRun
from migrations.apply.sending import Timeouts
from migrations.problem import Problem
from migrations.process import run
from migrations.server import ThrowawayServer
from migrations.server.setup import create_database, create_group
from migrations.target import Pinned
from migrations.target.url import Url
from runbooks.check import matters as m
from runbooks.check.report import More, Remark
from runbooks.check.sources import File, Sources

SETTINGS = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
TIMEOUTS = Timeouts(lock=10_000, statement=900_000)
SESSION = "check"
MOST_ROLES = 50
NO_EXTENSION = "The throw-away server has few extensions; name the programs of one that has it by --pg-bin."

_NO_ROLE = re.compile(r'role "(.+)" does not exist', re.DOTALL)


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
    with tempfile.TemporaryDirectory(prefix="gonogo-replay-", ignore_cleanup_errors=True) as place:
        server = await ThrowawayServer.start(Path(place), bin=bin, settings=SETTINGS, temporary=True)
        try:
            yield await _replay(server, files)
        finally:
            await server.stop()


async def _replay(server: ThrowawayServer, files: Sequence[File]) -> Replayed:
    """Apply all to an empty database; again with a role that was missing, since no script of a team makes its roles."""
    scripts, refused = await _prepared(files)
    if refused is not None:
        return Replayed("", server.url(), False, More(remarks=(refused,)))
    roles: list[str] = []
    while True:
        name = f"replayed_{secrets.token_hex(4)}"
        await create_database(server.url(), name, owner="postgres")
        failure = await _failure(server.url(name), scripts)
        if failure is None:
            return Replayed(name, server.url(name), True, More(proven=(_words(server, files, roles),)))
        role = _missing_role(failure)
        if role is None or role in roles or len(roles) >= MOST_ROLES:
            return Replayed(name, server.url(name), False, More(remarks=(_told(failure, files),)))
        await create_group(server.url(), role)
        roles.append(role)


async def _prepared(files: Sequence[File]) -> tuple[tuple[ScriptToRun, ...], Remark | None]:
    """The scripts, ready to be applied; or what keeps the first one that is not from it."""
    scripts: list[ScriptToRun] = []
    for file in files:
        try:
            if file.migration.problem:
                raise Problem(f"{file.name} cannot be applied: {file.migration.problem}.")
            scripts.append(await prepare(file.name, file.migration.text, file.migration.checksum))
        except Problem as problem:
            return (), m.REPLAY.remark(file.path, problem.what)
    return tuple(scripts), None


async def _failure(url: str, scripts: tuple[ScriptToRun, ...]) -> ScriptFailed | None:
    target = Pinned(Url.parse(url, variable="DATABASE_URL"))
    try:
        await apply(ApplyRun(target, SESSION, "gonogo check", scripts, _nobody_listens, timeouts=TIMEOUTS))
    except ScriptFailed as failed:
        return failed
    return None


async def _nobody_listens(event: ApplyEvent) -> None:
    return


def _words(server: ThrowawayServer, files: Sequence[File], roles: Sequence[str]) -> str:
    what = f"all {len(files)} migrations apply" if len(files) != 1 else "the only migration applies"
    made = f", once it has the roles {', '.join(roles)}" if roles else ""
    return f"replayed: {what} to an empty database of PostgreSQL {server.major}{made}"


def _missing_role(failed: ScriptFailed) -> str | None:
    found = _NO_ROLE.fullmatch(failed.message) if failed.code == "42704" else None
    return found[1] if found else None


def _told(failed: ScriptFailed, files: Sequence[File]) -> Remark:
    names = [file.name for file in files]
    after = len(files) - names.index(failed.name) - 1
    words = f"{failed.message} ({failed.code})" + (f"; {after} after it were not tried" if after else "")
    lacks_extension = failed.code == "0A000" and "extension" in failed.message
    instead = NO_EXTENSION if lacks_extension else failed.hint
    return m.REPLAY.remark(files[names.index(failed.name)].path, words, line=failed.place.line, instead=instead)


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
