"""The migration that takes another one back, drafted on a throw-away server, and tried there."""

import re
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from migrations.catalog.diff import diff_objects
from migrations.drafting.back import Back, Undone
from migrations.drafting.beside import Beside, held_against
from migrations.drafting.forth import Stretch, forth, looked
from migrations.drafting.loss import Left, left_of
from migrations.drafting.staging import Cut, Part, apart, parts, together
from migrations.drift.sql.words import Objects
from migrations.problem import Misuse, Problem
from migrations.replay import Source, replay
from migrations.replay.given import Given
from migrations.server import ThrowawayServer
from migrations.server.setup import create_group
from migrations.sql import Script, read_script
from migrations.sql.names import quoted

Connection = psycopg.AsyncConnection[Any]

MOST_ROLES = 20
_FORGETS = re.compile(r"\b(?:DISCARD|DEALLOCATE)\b", re.IGNORECASE)
"""After these a session has no prepared statements any more."""
_NO_ROLE = re.compile(r'role "(.+)" does not exist', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Draft:
    """What takes the migration `name` back, `cuts` being one migration each.

    `left` is what is not taken back. `differs`: lines that tell how the schema that the draft leads to is not the one
    before the migration; none if it is. `later`: the migrations after it; `trouble`: why the draft fails behind them.
    `beside`: how it was held against a database, in words, and `other`: lines that tell what that one has otherwise.
    """

    name: str
    cuts: tuple[Cut, ...]
    left: tuple[Left, ...]
    differs: tuple[str, ...]
    major: int
    later: tuple[str, ...] = ()
    trouble: str = ""
    beside: str = ""
    other: tuple[str, ...] = ()


async def compensation(
    server: ThrowawayServer,
    sources: Sequence[Source],
    name: str,
    there: Beside | None = None,
    *,
    at_once: bool = False,
) -> Draft:
    """Draft it, from the folder's migrations in their order, for a database if one is given.

    `at_once`: all of it can be in one transaction.

    Raises Misuse, Problem, Unavailable.
    """
    place = next((n for n, source in enumerate(sources) if source.name == name), None)
    if place is None:
        raise Misuse(f"There is no migration {name}.", advice="Give the whole name of its folder.")
    source = sources[place]
    script = read_script(source.text)
    fault = source.problem or (script.error.message if script.error else "")
    if fault:
        raise Problem(f"{name} cannot be read: {fault}.", advice="Correct it: nothing can be drafted of it so.")
    work = _Work(server, script, source, there.given if there else Given())
    await work.replayed(sources[:place])
    undone = await work.walked()
    left = sorted((one for each in undone for one in left_of(each)), key=lambda one: one.line)
    if not left and not any(each.steps for each in undone):
        raise Problem(f"{name} changes nothing that could be taken back.", advice="No migration was made.")
    cuts, differs = await work.tried(list(parts(undone, at_once=at_once)))
    trouble = await work.behind(sources, cuts) if sources[place + 1 :] else ""
    later = tuple(source.name for source in sources[place + 1 :])
    told = held_against(there, *work.ends, server.major) if there else ("", ())
    return Draft(name, tuple(cuts), tuple(left), differs, server.major, later, trouble, *told)


class _Work:
    """Databases on one server: `before` the migration, and `after` it."""

    def __init__(self, server: ThrowawayServer, script: Script, source: Source, given: Given) -> None:
        self.server, self.source, self.given = server, source, given
        self.text = script
        self.url = ""
        self.before = self.after = ""
        self.stretches: list[Stretch] = []
        self.reached: Objects = {}

    async def replayed(self, earlier: Sequence[Source]) -> None:
        """What came before it."""
        found = await replay(self.server, [list(earlier)], self.given)
        if (broken := found.broken) is not None:
            raise Problem(
                f"{broken.name} does not apply to an empty database, line {broken.line}: {broken.words}.",
                advice=broken.instead or "See gonogo check --replay.",
                code=broken.code,
            )
        self.before, self.url = found.database.name, found.database.url
        if self.given.schema:
            async with self._on(self.before) as conn:
                make = sql.SQL("CREATE SCHEMA IF NOT EXISTS {}")
                await conn.execute(make.format(sql.Identifier(self.given.schema)))

    async def walked(self) -> list[Undone]:
        """Forth, with the roles that it names, and back."""
        for _ in range(MOST_ROLES):
            name = await self._copy(self.before)
            try:
                async with self._on(name) as conn:
                    self.stretches = await forth(conn, self.source.name, self.text, self.server.major)
                break
            except Problem as problem:
                role = _NO_ROLE.fullmatch(problem.detail)
                if role is None:
                    raise
                await create_group(self.server.url(), role[1])
        self.after = await self._copy(name)
        async with self._on(name) as conn:
            back = Back(conn, self.server.major, self.given.owner)
            undone = await back.over(self.stretches)
        self.reached = back.there
        return undone

    @property
    def ends(self) -> tuple[Objects, Objects]:
        """The catalog before the migration, and after it."""
        if not self.stretches:
            return self.reached, self.reached
        return self.stretches[0].was, self.stretches[-1].is_

    async def tried(self, found: Sequence[Part]) -> tuple[list[Cut], tuple[str, ...]]:
        """The shortest form that leads as far back as the walk came, and how the schema then is not what it was."""
        was, _ = self.ends
        for cuts in (together(found), apart(found)):
            async with self._on(await self._copy(self.after)) as conn:
                trouble = await _run(conn, cuts)
                there = await looked(conn, self.server.major)
            if not trouble and there == self.reached:
                break
        return cuts, (*((trouble,) if trouble else ()), *diff_objects(was, there))

    async def behind(self, sources: Sequence[Source], cuts: list[Cut]) -> str:
        """Why it does not run where all migrations are applied; nothing if it does."""
        found = await replay(self.server, [list(sources)], self.given)
        self.url = found.database.url
        if found.broken is not None:
            return f"{found.broken.name} does not apply: {found.broken.words}"
        async with self._on(found.database.name) as conn:
            return await _run(conn, cuts)

    async def _copy(self, name: str) -> str:
        copy = f"replayed_{secrets.token_hex(4)}"
        async with await psycopg.AsyncConnection.connect(self.server.url(), autocommit=True) as conn:
            create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
            await conn.execute(create.format(sql.Identifier(copy), sql.Identifier(name)))
        return copy

    @asynccontextmanager
    async def _on(self, name: str) -> AsyncIterator[Connection]:
        """As who applies the migrations, and where they look for names."""
        kept = None if _FORGETS.search(self.source.text) else 1
        url = make_conninfo(self.url, dbname=name)
        path = quoted(self.given.schema) if self.given.schema else self.given.search_path
        async with await psycopg.AsyncConnection.connect(url, autocommit=True, prepare_threshold=kept) as conn:
            if path:
                await conn.execute("SELECT pg_catalog.set_config('search_path', %s, false)", (path,))
            yield conn


async def _run(conn: Connection, cuts: Sequence[Cut]) -> str:
    """Apply them, each in a transaction where it may be in one. Returns the server's word where it stops."""
    for cut in cuts:
        alone = any(part.alone for part in cut)
        statements = [statement for part in cut for statement in part.statements]
        for statement in statements if alone else ("BEGIN", *statements, "COMMIT"):
            try:
                await conn.execute(statement.encode())
            except psycopg.Error as error:
                await conn.execute("ROLLBACK")
                return f"{statement.partition(chr(10))[0]}: {error.diag.message_primary or error}"
    return ""
