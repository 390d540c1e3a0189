"""Migrations, applied to an empty database on a throw-away server."""

import re
import secrets
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

from migrations.apply import ApplyRun, ScriptFailed, apply, prepare
from migrations.apply.events import ApplyEvent, ScriptStarted
from migrations.apply.script_run import ScriptToRun
from migrations.apply.sending import Timeouts
from migrations.folder import Migration
from migrations.problem import Problem, Unavailable
from migrations.replay.given import Given
from migrations.replay.world import World
from migrations.server import ThrowawayServer
from migrations.target import Pinned
from migrations.target.url import Url

SETTINGS = {
    **{"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "autovacuum": "off"},
    "max_locks_per_transaction": "512",
}
TIMEOUTS = Timeouts(lock=10_000, statement=900_000)
SESSION = "replay"
MOST_TRIES = 50
MISSING = ("42704", "42883", "42P01", "3F000", "42501")
"""What a script meets that stands on an extension which nobody made: types, functions, views, schemas."""
NO_EXTENSION = "The throw-away server has few extensions; name the programs of one that has it by --pg-bin."

_NO_ROLE = re.compile(r'role "(.+)" does not exist', re.DOTALL)
_ROLE_THERE = re.compile(r'role "(.+)" already exists', re.DOTALL)

Advance = Callable[[int, int, str], Awaitable[None]]
"""Scripts done, of how many, and the name of the one that runs."""
Reached = Callable[[int, "Database"], Awaitable[None]]
"""After each batch: its number, and the database as it is then. Called anew if all begins again."""


@dataclass(frozen=True, slots=True)
class Source:
    """A script to replay. `problem`: why its file cannot be applied at all."""

    name: str
    text: str
    problem: str | None = None

    @classmethod
    def of(cls, migration: Migration) -> "Source":
        """A migration of a folder."""
        return cls(migration.name, migration.text, migration.problem)


@dataclass(frozen=True, slots=True)
class Database:
    """The database that scripts are replayed in. `extensions`: made beforehand, as the scripts fail without."""

    name: str
    url: str
    roles: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Broken:
    """Where a replay ended: a script, why, and what to do (empty where `words` say it all). `line` of the script."""

    name: str
    words: str
    code: str = ""
    line: int = 1
    instead: str = ""


@dataclass(frozen=True, slots=True)
class Replayed:
    """How far it came: `database` has all of the first `batches` batches, and `broken` says why not the next."""

    database: Database
    batches: int
    broken: Broken | None = None


async def _nobody(done: int, total: int, name: str) -> None:
    return


async def _nothing(batch: int, database: Database) -> None:
    return


@asynccontextmanager
async def throwaway(bin: Path | None = None) -> AsyncIterator[ThrowawayServer]:
    """A server for as long as the block lasts. Nothing of it stays, not even after `kill -9`. Raises Unavailable."""
    try:
        place = tempfile.TemporaryDirectory(prefix="gonogo-replay-", ignore_cleanup_errors=True)
    except OSError as error:
        raise Unavailable(f"There is no room for a throw-away server: {error}.") from error
    with place as folder:
        server = await ThrowawayServer.start(Path(folder), bin=bin, settings=SETTINGS, temporary=True)
        try:
            yield server
        finally:
            await server.stop()


async def replay(
    server: ThrowawayServer,
    batches: Sequence[Sequence[Source]],
    given: Given | None = None,
    *,
    advance: Advance = _nobody,
    reached: Reached = _nothing,
) -> Replayed:
    """Apply scripts to an empty database, batch after batch; from the start again with a role that was missing, since
    no script of a team makes its roles, and with the target's extensions, if it fails without them.
    """
    run = _Run(server, [list(batch) for batch in batches], advance, reached)
    wanted = given or Given()
    tried = replace(wanted, extensions=())
    for _ in range(MOST_TRIES):
        result, failed = await run.once(tried)
        again = _again(failed, tried, wanted) if failed else None
        if again is None:
            return result
        tried = again
    return result


def _again(failed: ScriptFailed, tried: Given, wanted: Given) -> Given | None:
    """With what it could go better; None if nothing is left to try."""
    if role := _match(_NO_ROLE, "42704", failed):
        return replace(tried, roles=(*tried.roles, role)) if role not in tried.roles else None
    if role := _match(_ROLE_THERE, "42710", failed):
        roles = tuple(each for each in tried.roles if each != role)
        return replace(tried, roles=roles) if roles != tried.roles else None
    if failed.code in MISSING and wanted.extensions and not tried.extensions:
        return replace(tried, extensions=wanted.extensions)
    return None


def _match(pattern: re.Pattern[str], code: str, failed: ScriptFailed) -> str | None:
    found = pattern.fullmatch(failed.message) if failed.code == code else None
    return found[1] if found else None


@dataclass(slots=True)
class _Run:
    server: ThrowawayServer
    batches: list[list[Source]]
    advance: Advance
    reached: Reached
    ready: dict[str, ScriptToRun] = field(default_factory=dict)

    async def once(self, given: Given) -> tuple[Replayed, ScriptFailed | None]:
        """From the first script to the last, or to the one that fails."""
        world = World(self.server, given)
        database = Database("", self.server.url(), given.roles)
        for number, batch in enumerate(self.batches):
            scripts, refused = await self._prepared(batch)
            if refused is not None:
                return Replayed(database, number, refused), None
            if not database.name:
                database = await self._made(world)
            try:
                await self._apply(scripts, database.url, given.schema)
            except ScriptFailed as failed:
                return Replayed(database, number, _told(failed, self._names)), failed
            except Unavailable:
                raise
            except Problem as problem:
                return Replayed(database, number, Broken(scripts[0].name, problem.what, problem.code)), None
            await self.reached(number, database)
        return Replayed(database, len(self.batches)), None

    async def _made(self, world: World) -> Database:
        name = f"replayed_{secrets.token_hex(4)}"
        made = await world.make(name)
        return Database(name, self.server.url(name, *world.login), world.given.roles, made)

    @property
    def _names(self) -> list[str]:
        return [source.name for batch in self.batches for source in batch]

    async def _prepared(self, batch: Sequence[Source]) -> tuple[tuple[ScriptToRun, ...], Broken | None]:
        """The scripts, ready to be applied; or what keeps the first one that is not from it."""
        for source in batch:
            try:
                if source.problem:
                    raise Problem(f"{source.name} cannot be applied: {source.problem}.")
                if source.name not in self.ready:
                    checksum = sha256(source.text.encode()).hexdigest()
                    self.ready[source.name] = await prepare(source.name, source.text, checksum)
            except Problem as problem:
                return (), Broken(source.name, problem.what)
        return tuple(self.ready[source.name] for source in batch), None

    async def _apply(self, scripts: tuple[ScriptToRun, ...], url: str, schema: str | None) -> None:
        names = self._names

        async def tell(event: ApplyEvent) -> None:
            if isinstance(event, ScriptStarted):
                await self.advance(names.index(event.name), len(names), event.name)

        if scripts:
            target = Pinned(Url.parse(_with(url, schema), variable="DATABASE_URL"))
            await apply(ApplyRun(target, SESSION, "gonogo replay", scripts, tell, timeouts=TIMEOUTS))


def _with(url: str, schema: str | None) -> str:
    return f"{url}&schema={quote(schema, safe='')}" if schema else url


def _told(failed: ScriptFailed, names: Sequence[str]) -> Broken:
    after = len(names) - names.index(failed.name) - 1
    words = f"{failed.message} ({failed.code})" + (f"; {after} after it were not tried" if after else "")
    lacks_extension = failed.code == "0A000" and "extension" in failed.message
    instead = NO_EXTENSION if lacks_extension else failed.hint
    return Broken(failed.name, words, failed.code, failed.place.line, instead)
