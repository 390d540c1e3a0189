"""An empty database with what was there before the first script: roles, tablespaces, extensions, a search_path."""

import secrets

import psycopg
from psycopg import sql

from migrations.replay.given import OWNER, Given
from migrations.server import ThrowawayServer
from migrations.server.setup import create_database, create_group
from migrations.target import Connection

_STRANGERS = "SELECT rolname FROM pg_catalog.pg_roles WHERE rolname !~ '^pg_' AND rolname <> ALL (%s)"
_AVAILABLE = "SELECT name FROM pg_catalog.pg_available_extensions WHERE name = ANY (%s)"
IN_PLACE_SINCE = 15
"""The major version from which a tablespace needs no folder of its own."""


class World:
    """Makes such databases on one server. `login`: user and password of who applies the scripts."""

    def __init__(self, server: ThrowawayServer, given: Given) -> None:
        self._server = server
        self.given = given
        self._password = secrets.token_urlsafe(18)

    @property
    def login(self) -> tuple[str, str] | tuple[()]:
        return () if self.given.owner == OWNER else (self.given.owner, self._password)

    async def make(self, name: str) -> tuple[str, ...]:
        """A database of this name; the only one, as roles belong to all. Returns the extensions that were made."""
        url, given = self._server.url(), self.given
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as conn:
            await _clear(conn)
            if given.owner != OWNER:
                make = sql.SQL("CREATE ROLE {} SUPERUSER LOGIN PASSWORD {}")
                await conn.execute(make.format(sql.Identifier(given.owner), sql.Literal(self._password)))
            if self._server.major >= IN_PLACE_SINCE:
                await _tablespaces(conn, given.tablespaces)
        for role in given.roles:
            if role not in (given.owner, OWNER):
                await create_group(url, role)
        await create_database(url, name, owner=given.owner)
        async with await psycopg.AsyncConnection.connect(self._server.url(name), autocommit=True) as conn:
            if given.search_path is not None:
                alter = sql.SQL("ALTER DATABASE {} SET search_path = {}")
                await conn.execute(alter.format(sql.Identifier(name), sql.SQL(given.search_path)))
            return await self._extensions(conn)

    async def _extensions(self, conn: Connection) -> tuple[str, ...]:
        wanted = dict(self.given.extensions)
        found = await (await conn.execute(_AVAILABLE, (list(wanted),))).fetchall()
        for (name,) in found:
            schema = sql.Identifier(wanted[name])
            await conn.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(schema))
            create = sql.SQL("CREATE EXTENSION IF NOT EXISTS {} SCHEMA {} CASCADE")
            await conn.execute(create.format(sql.Identifier(name), schema))
        return tuple(name for (name,) in found)


async def _clear(conn: Connection) -> None:
    """Without what an earlier try has left: its database, and every role that its scripts made."""
    names = await (
        await conn.execute("SELECT datname FROM pg_database WHERE starts_with(datname, 'replayed_')")
    ).fetchall()
    for (name,) in names:
        await conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
    for (role,) in await (await conn.execute(_STRANGERS, ([OWNER],))).fetchall():
        await conn.execute(sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(sql.Identifier(role)))


async def _tablespaces(conn: Connection, names: tuple[str, ...]) -> None:
    there = {name for (name,) in await (await conn.execute("SELECT spcname FROM pg_tablespace")).fetchall()}
    if names:
        await conn.execute("SET allow_in_place_tablespaces = on")
    for name in names:
        if name not in there:
            await conn.execute(sql.SQL("CREATE TABLESPACE {} LOCATION ''").format(sql.Identifier(name)))
