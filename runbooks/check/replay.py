"""The migrations, applied to an empty database on a throw-away server; and what a command says of it there."""

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
from migrations.server.setup import create_database
from migrations.target import Pinned
from migrations.target.url import Url
from runbooks.check import matters as m
from runbooks.check.report import More, Remark
from runbooks.check.sources import File, Sources

SETTINGS = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
TIMEOUTS = Timeouts(lock=10_000, statement=900_000)
SESSION = "check"


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
            name = f"replayed_{secrets.token_hex(4)}"
            await create_database(server.url(), name, owner="postgres")
            failure = await _apply_all(server.url(name), files)
            what = f"all {len(files)} migrations apply" if len(files) != 1 else "the only migration applies"
            words = f"replayed: {what} to an empty database of PostgreSQL {server.major}"
            more = More(remarks=(failure,)) if failure else More(proven=(words,))
            yield Replayed(name, server.url(name), failure is None, more)
        finally:
            await server.stop()


async def _apply_all(url: str, files: Sequence[File]) -> Remark | None:
    """Apply the scripts; what is wrong with the first one that fails."""
    target = Pinned(Url.parse(url, variable="DATABASE_URL"))
    by_name = {file.name: file for file in files}
    scripts: list[ScriptToRun] = []
    for file in files:
        try:
            if file.migration.problem:
                raise Problem(f"{file.name} cannot be applied: {file.migration.problem}.")
            scripts.append(await prepare(file.name, file.migration.text, file.migration.checksum))
        except Problem as problem:
            return m.REPLAY.remark(file.path, problem.what)
    order = ApplyRun(target, SESSION, "gonogo check", tuple(scripts), _nobody_listens, timeouts=TIMEOUTS)
    try:
        await apply(order)
    except ScriptFailed as failed:
        after = len(files) - list(by_name).index(failed.name) - 1
        words = f"{failed.message} ({failed.code}); {after} after it were not tried" if after else failed.message
        return m.REPLAY.remark(by_name[failed.name].path, words, line=failed.place.line, instead=_way_out(failed))
    return None


async def _nobody_listens(event: ApplyEvent) -> None:
    return


def _way_out(failed: ScriptFailed) -> str:
    if failed.code == "0A000" and "extension" in failed.message:
        return "The throw-away server has few extensions; name the programs of one that has it by --pg-bin."
    return failed.hint or ""


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
