"""Putting a restored database in the place of the live one, by name, in one transaction."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql

from migrations.backup.beside import derived_name, maintenance
from migrations.problem import Problem
from migrations.restore.carry import properties
from migrations.target import Pinned

Connection = psycopg.AsyncConnection[Any]

PATIENCE = 15.0
POLL = 0.1

SESSIONS = """
SELECT pid, coalesce(usename, '?'), coalesce(nullif(application_name, ''), backend_type, '?')
FROM pg_catalog.pg_stat_activity
WHERE datid = %s AND pid <> pg_catalog.pg_backend_pid() AND backend_type IS DISTINCT FROM 'autovacuum worker'
"""

IN_THE_WAY = """
SELECT 'prepared transaction ' || gid FROM pg_catalog.pg_prepared_xacts WHERE database = %s
UNION ALL
SELECT 'subscription ' || subname::text FROM pg_catalog.pg_subscription s WHERE subdbid = %s::oid
"""

SLOTS = """
SELECT slot_name::text FROM pg_catalog.pg_replication_slots WHERE slot_type = 'logical' AND database = %s
"""


@dataclass(frozen=True, slots=True)
class Swapped:
    """`oid` is of the database that bears the live name now; `kept` is what the old one is called; `ended` is how
    many sessions were ended."""

    oid: int
    kept: str
    ended: int


async def followers(connection: Connection, database: str) -> tuple[str, ...]:
    """Logical replication slots of the database: they stay with the old one, whatever it is called."""
    return tuple(name for (name,) in await (await connection.execute(SLOTS, (database,))).fetchall())


async def swap(live: Pinned, side: str, side_oid: int, at: datetime, application_name: str) -> Swapped:
    """End every session on the live database, and rename both in one transaction. The old one is kept.

    Raises Problem; the live database then bears its name and takes connections as before.
    """
    name = live.url.database
    kept = derived_name(name, "before_rollback", at)
    async with maintenance(live, application_name) as connection:
        oid = await _must_be_there(connection, live, side, side_oid)
        try:
            await _allow(connection, name, False)  # inside: a cancel may come when the server has done it already
            ended = await _take_over(connection, (name, oid), (side, side_oid), kept)
        except BaseException:
            # Whatever happened: the database that bears the live name must take connections.
            await asyncio.shield(_reopen(live, name, application_name))
            raise
        return Swapped(side_oid, kept, ended)


async def look(live: Pinned, application_name: str) -> tuple[int | None, bool]:
    """The OID behind the live name now, and whether it takes connections."""
    async with maintenance(live, application_name) as connection:
        row = await (
            await connection.execute(
                "SELECT oid::bigint, datallowconn FROM pg_catalog.pg_database WHERE datname = %s", (live.url.database,)
            )
        ).fetchone()
    return (int(row[0]), bool(row[1])) if row else (None, False)


async def name_of(live: Pinned, oid: int, application_name: str) -> str:
    """What the database with this OID is called now; empty if it is gone."""
    query = "SELECT datname FROM pg_catalog.pg_database WHERE oid = %s::oid"
    async with maintenance(live, application_name) as connection:
        row = await (await connection.execute(query, (oid,))).fetchone()
    return str(row[0]) if row else ""


async def reopen(live: Pinned, application_name: str) -> None:
    """Let the live name take connections again, after a swap that was cut off."""
    await _reopen(live, live.url.database, application_name)


async def _must_be_there(connection: Connection, live: Pinned, side: str, side_oid: int) -> int:
    here, there = await properties(connection, live.url.database), await properties(connection, side)
    if here is None or (live.pin is not None and str(here.oid) != live.pin.oid):
        raise Problem(
            f"{live.url.database} is not the database that this session was pinned to.",
            advice="Somebody has renamed or restored it. Nothing was done; find out who.",
        )
    if there is None or there.oid != side_oid:
        raise Problem(f"The restored database {side} is not there any more.", advice="Restore it again.")
    blocks = await (await connection.execute(IN_THE_WAY, (live.url.database, here.oid))).fetchall()
    if blocks:
        raise Problem(
            f"The live database cannot be renamed: it has a {blocks[0][0]}.",
            advice="Finish it (COMMIT PREPARED, ROLLBACK PREPARED; disable or move the subscription), then try again.",
        )
    return here.oid


async def _allow(connection: Connection, name: str, allowed: bool) -> None:
    word = sql.SQL("true" if allowed else "false")
    await connection.execute(sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS {}").format(sql.Identifier(name), word))


async def _reopen(live: Pinned, name: str, application_name: str) -> None:
    async with maintenance(live, application_name) as connection:
        await _allow(connection, name, True)


async def _end_sessions(connection: Connection, oid: int, name: str) -> int:
    """End all of them, and see that they are gone. Returns how many there were. Raises Problem if one stays."""
    ended: set[int] = set()
    refused = ""
    limit = asyncio.get_running_loop().time() + PATIENCE
    while True:
        sessions = await (await connection.execute(SESSIONS, (oid,))).fetchall()
        if not sessions:
            return len(ended)
        if refused or asyncio.get_running_loop().time() > limit:
            raise _stays(name, sessions, refused)
        for pid, _, _ in sessions:
            try:
                await connection.execute("SELECT pg_catalog.pg_terminate_backend(%s)", (pid,))
                ended.add(pid)
            except psycopg.errors.InsufficientPrivilege as error:
                refused = error.diag.message_primary or "permission denied"
        await asyncio.sleep(POLL)


def _stays(name: str, sessions: list[Any], refused: str) -> Problem:
    who = ", ".join(f"{pid} ({role}, {what})" for pid, role, what in sessions[:5])
    return Problem(
        f"Sessions on {name} could not be ended: {who}. The live database is as it was.",
        advice="Stop what holds them, or let a superuser run: GRANT pg_signal_backend TO the role; then try again.",
        code="42501" if refused else "",
        detail=refused,
    )


async def _take_over(connection: Connection, live: tuple[str, int], side: tuple[str, int], kept: str) -> int:
    """End the sessions and rename. A session that slipped in between is ended like the others."""
    ended = 0
    for last in (False, False, True):
        ended += await _end_sessions(connection, live[1], live[0])
        ended += await _end_sessions(connection, side[1], side[0])
        try:
            await _rename(connection, live[0], side[0], kept)
            break
        except (psycopg.errors.InsufficientPrivilege, psycopg.errors.ObjectInUse) as error:
            if last or not isinstance(error, psycopg.errors.ObjectInUse):
                raise _not_renamed(error) from None
    return ended


async def _rename(connection: Connection, name: str, side: str, kept: str) -> None:
    old, new, aside = sql.Identifier(name), sql.Identifier(side), sql.Identifier(kept)
    async with connection.transaction():
        await connection.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(old, aside))
        await connection.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(new, old))
        await connection.execute(sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS true").format(aside))


def _not_renamed(error: psycopg.Error) -> Problem:
    return Problem(
        f"The databases could not be renamed: {error.diag.message_primary}. The live one is as it was.",
        advice="It takes ownership of both, CREATEDB, and nobody connected.",
        code=error.sqlstate or "",
        detail=error.diag.message_detail or "",
    )
