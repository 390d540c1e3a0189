"""A target held against what its applied migrations make on a throw-away server."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg

from migrations.catalog import FORMAT, Snapshot, snapshot
from migrations.catalog.queries import QUERIES
from migrations.drift import Drift
from migrations.drift.compare import Terms, compare
from migrations.drift.spelling import Spelling, doubtful, respelled, spelling_of, verdicts
from migrations.listed import many
from migrations.problem import Problem, Unavailable
from migrations.replay import Advance, Broken, Database, Source, replay, throwaway
from migrations.replay.given import Facts, Given, facts, given
from migrations.replay.kept import Kept, key_of
from migrations.replay.needs import Needs, needs_of, without_extensions
from migrations.server import ThrowawayServer, major_version
from migrations.server.programs import server_bin, server_version
from migrations.sql import read_script

Connection = psycopg.AsyncConnection[Any]

DATA = ("23", "22", "P0001", "P0002", "P0003", "21000")
"""Codes of what a script may meet for want of rows."""


class CannotReplay(Problem):
    """The migrations cannot be replayed here; nothing is said of the target."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to look at. `pending`: scripts of which the outcome is foretold, too. `bin`: PostgreSQL's programs to take.

    `schema` is that of the target's URL. `seconds` bound the replay, `server` starts what it runs on.
    """

    applied: tuple[Source, ...]
    pending: tuple[Source, ...] = ()
    schema: str | None = None
    bin: Path | None = None
    kept: Kept = field(default_factory=lambda: Kept(None))
    environ: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 300.0
    server: Callable[[Path], AbstractAsyncContextManager[ThrowawayServer]] = throwaway


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found. `replayed` says in words what was replayed where; `notes` what is left out or cannot be told.

    `foretold` is empty where the pending scripts can be replayed, or there are none; else it says why not.
    """

    drifts: tuple[Drift, ...]
    notes: tuple[str, ...]
    replayed: str
    foretold: str = ""


@dataclass(frozen=True, slots=True)
class _Replay:
    """One replay, as it is kept."""

    first: Snapshot
    catalog: Snapshot
    roles: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    spelled: Mapping[Spelling, bool] = field(default_factory=dict)
    """Whether the target's words for something mean the same."""

    def to_json(self) -> dict[str, Any]:
        own = {name: getattr(self, name) for name in ("roles", "extensions", "lacking")}
        spelled = [[*spelling, same] for spelling, same in self.spelled.items()]
        return {"first": self.first.to_json(), "catalog": self.catalog.to_json(), "spelled": spelled, **own}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "_Replay":
        spelled = {(kind, name, attribute, hash): bool(same) for kind, name, attribute, hash, same in data["spelled"]}
        words = {name: tuple(data[name]) for name in ("roles", "extensions", "lacking")}
        return cls(Snapshot.from_json(data["first"]), Snapshot.from_json(data["catalog"]), **words, spelled=spelled)


async def look(conn: Connection, wanted: Wanted, advance: Advance) -> Looked:
    """Compare. Raises CannotReplay, or Problem where the target cannot be read."""
    about = await facts(conn)
    target = await snapshot(conn, bodies=True)
    try:
        bin = wanted.bin or await server_bin(about.major, wanted.environ)
        programs = await major_version(bin), await server_version(bin)
    except Unavailable as problem:
        raise _no_server(problem) from problem
    needs = await asyncio.to_thread(_needs, wanted)
    texts = [source.text for source in (*wanted.applied, *wanted.pending)]
    start = given(target, about, needs, texts, wanted.schema)
    work = _Work(wanted, bin, *programs, about, target, needs, start)
    found, foretold = await work.replays(advance)
    return await asyncio.to_thread(work.looked, found, foretold)


def _needs(wanted: Wanted) -> Needs:
    """What the scripts need; remembered, as reading large ones takes a while."""
    sources = (*wanted.applied, *wanted.pending)
    key = key_of("needs", FORMAT, [sha256(source.text.encode()).hexdigest() for source in sources])
    try:
        return Needs.from_json(wanted.kept.get(key) or {})
    except (KeyError, TypeError):
        needs = needs_of(read_script(source.text) for source in sources)
        wanted.kept.put(key, needs.to_json())
        return needs


def _without(batch: Sequence[Source], lacking: frozenset[str]) -> list[Source]:
    """The scripts without statements about extensions that are not to be had."""
    if not lacking:
        return list(batch)
    return [replace(source, text=without_extensions(read_script(source.text), lacking)) for source in batch]


def _no_server(problem: Unavailable) -> CannotReplay:
    return CannotReplay(problem.what, advice=problem.advice, code=problem.code)


@dataclass(slots=True)
class _Work:
    wanted: Wanted
    bin: Path
    major: int
    version: str
    about: Facts
    target: Snapshot
    needs: Needs
    start: Given

    @property
    def _all(self) -> tuple[Source, ...]:
        return (*self.wanted.applied, *self.wanted.pending)

    async def replays(self, advance: Advance) -> tuple[_Replay, str]:
        """The applied scripts' replay, and why the pending ones' is not to be had."""
        applied = await asyncio.to_thread(self._kept, self.wanted.applied)
        foretold = not self.wanted.pending or await asyncio.to_thread(self._kept, self._all) is not None
        if applied is not None and foretold and self._understood(applied):
            return applied, ""
        try:
            async with asyncio.timeout(self.wanted.seconds), self.wanted.server(self.bin) as server:
                return await self._anew(server, advance)
        except Unavailable as problem:
            raise _no_server(problem) from problem
        except psycopg.Error as error:
            words = error.diag.message_primary or type(error).__name__
            raise CannotReplay(f"{self.words} could not be made ready: {words}.", code=error.sqlstate or "") from error
        except TimeoutError:
            raise CannotReplay(
                f"Replaying {many(len(self._all), 'migration')} took longer than {self.wanted.seconds:.0f} s.",
                advice="Give it more time (timeout), or squash old migrations.",
            ) from None

    async def _anew(self, server: ThrowawayServer, advance: Advance) -> tuple[_Replay, str]:
        lacking = await self._lacking(server)
        batches = [(), self.wanted.applied, *([self.wanted.pending] if self.wanted.pending else [])]
        seen: dict[int, _Replay] = {}
        first = Snapshot({})

        async def reached(batch: int, database: Database) -> None:
            nonlocal first
            async with await psycopg.AsyncConnection.connect(database.url, autocommit=True) as conn:
                found = await snapshot(conn, bodies=True)
                if batch == 0:
                    first = found
                    return
                same = {} if self._alike else await verdicts(conn, found, self.target, self.start.owner)
            seen[batch] = _Replay(first, found, database.roles, database.extensions, tuple(sorted(lacking)), same)

        given = replace(self.start, extensions=tuple(e for e in self.start.extensions if e[0] not in lacking))
        told = [await asyncio.to_thread(_without, batch, lacking) for batch in batches]
        result = await replay(server, told, given, advance=advance, reached=reached)
        if 1 not in seen:
            assert result.broken is not None
            raise self._cannot(result.broken, lacking)
        await asyncio.to_thread(self._keep, self.wanted.applied, seen[1])
        if 2 in seen:
            await asyncio.to_thread(self._keep, self._all, seen[2])
        return seen[1], f"{result.broken.name}: {result.broken.words}" if result.broken else ""

    async def _lacking(self, server: ThrowawayServer) -> frozenset[str]:
        """The extensions that scripts make and this server lacks. Raises CannotReplay for whatever else it lacks."""
        async with await psycopg.AsyncConnection.connect(server.url(), autocommit=True) as conn:
            rows = await (await conn.execute("SELECT name FROM pg_catalog.pg_available_extensions")).fetchall()
            collations = (await facts(conn)).collations
        without = sorted((self.needs.collations & self.about.collations) - collations)
        if without:
            raise CannotReplay(
                f"{self.words} has no collation {', '.join(without)}, which a script names.",
                advice="Name the programs of a PostgreSQL that has it by --pg-bin (bin of the step).",
            )
        if self.start.tablespaces and self.major < 15:
            raise CannotReplay(
                f"{self.words} cannot stand in for the tablespace {', '.join(self.start.tablespaces)}.",
                advice="Name the programs of PostgreSQL 15 or newer by --pg-bin (bin of the step).",
            )
        return self.needs.extensions - {str(name) for (name,) in rows}

    def _cannot(self, broken: Broken, lacking: frozenset[str]) -> CannotReplay:
        words = f"{broken.name} does not apply to an empty database of {self.words}, line {broken.line}: {broken.words}"
        if lacking:
            advice = f"That server has no extension {', '.join(sorted(lacking))}: name the programs of one that has it."
        elif broken.code.startswith(DATA):
            advice = "The script needs rows that an empty database does not have."
        else:
            advice = "A new environment would fail there, too: see `gonogo check --replay`."
        return CannotReplay(f"{words}.", advice=advice, code=broken.code)

    @property
    def words(self) -> str:
        """The server, in words."""
        return f"the throw-away PostgreSQL {self.version.rpartition('PostgreSQL) ')[2].partition(' ')[0]}"

    # What is kept ----------------------------------------------------------------------------

    def _name(self, scripts: Sequence[Source]) -> str:
        given = (self.start.owner, self.start.schema, self.start.search_path, self.start.roles, self.start.tablespaces)
        ours = (FORMAT, sha256("".join(QUERIES).encode()).hexdigest())
        sums = [(source.name, sha256(source.text.encode()).hexdigest()) for source in scripts]
        return key_of(ours, str(self.bin), self.version, given, self.start.extensions, sums)

    def _kept(self, scripts: Sequence[Source]) -> _Replay | None:
        found = self.wanted.kept.get(self._name(scripts))
        try:
            return None if found is None else _Replay.from_json(found)
        except (KeyError, ValueError, TypeError, AttributeError):
            return None

    def _keep(self, scripts: Sequence[Source], replay: _Replay) -> None:
        self.wanted.kept.put(self._name(scripts), replay.to_json())

    @property
    def _alike(self) -> bool:
        """Both servers spell alike."""
        return self.major == self.about.major

    def _understood(self, replay: _Replay) -> bool:
        return self._alike or all(spelling_of(d) in replay.spelled for d in doubtful(replay.catalog, self.target))

    # What is told ----------------------------------------------------------------------------

    def looked(self, found: _Replay, foretold: str) -> Looked:
        """Compare, and put in words."""
        target = self.target if self._alike else respelled(self.target, found.catalog, found.spelled)
        terms = Terms(
            found.first, self.start.owner, (self.major, self.about.major), self.needs.pinned, frozenset(found.lacking)
        )
        compared = compare(found.catalog, target, terms)
        return Looked(compared.drifts, (*self._notes(found), *compared.notes), self._told(), foretold)

    def _told(self) -> str:
        count = len(self.wanted.applied)
        whose = "as the target's" if self._alike else f"the target's is {self.about.major}"
        return f"{count} migration{'' if count == 1 else 's'} on {self.words} ({whose})"

    def _notes(self, found: _Replay) -> list[str]:
        notes = []
        if found.roles:
            notes.append(f"roles made for the replay, as the scripts name them: {', '.join(found.roles)}")
        if found.extensions:
            notes.append(f"extensions made for the replay, as no script makes them: {', '.join(found.extensions)}")
        for name in found.lacking:
            notes.append(f"extension {name}: {self.words} does not have it, so what belongs to it is not compared")
        return notes
