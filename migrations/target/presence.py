"""One session at a time on a database: a lock of our own, and the name of whoever holds it."""

import asyncio
from typing import Any

import psycopg

from migrations.problem import Problem
from migrations.target import Pinned
from migrations.target.connecting import refused

KEY = 7264871942153301
"""Of `pg_try_advisory_lock(bigint)`; apart from Prisma's 72707369, which is held only while scripts are applied."""

TRIES, POLL = 50, 0.1

TAKE = "SELECT pg_catalog.pg_try_advisory_lock(%s)"
HOLDER = """
SELECT a.application_name, a.usename, a.pid,
       coalesce(a.client_addr::text, 'a local socket'),
       to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"')
FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a USING (pid)
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
  AND (l.classid::bigint << 32 | l.objid::bigint) = %s
"""


class Presence:
    """An idle connection that says who works here. Gone when the runner is gone."""

    def __init__(self, target: Pinned) -> None:
        self._target = target
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._at = target.url

    async def hold(self, application_name: str) -> None:
        """Be the one session on this database. Raises Problem that names the holder, if another is; Unavailable."""
        if await self._held():
            return
        connection = await self._target.open("ledger", application_name=application_name)
        try:
            await self._take(connection, application_name)
        except psycopg.OperationalError as error:
            await connection.close()
            problem = refused(self._target.url, error)
        except BaseException:
            await connection.close()
            raise
        else:
            self._connection, self._at = connection, self._target.url
            return
        raise problem

    async def _take(self, connection: psycopg.AsyncConnection[Any], application_name: str) -> None:
        """A runner that was killed may be there for another instant, under the name that is ours now."""
        for _ in range(TRIES):
            row = await (await connection.execute(TAKE, (KEY,))).fetchone()
            if row is not None and row[0]:
                return
            holder = await (await connection.execute(HOLDER, (KEY,))).fetchone()
            if holder is not None and holder[0] != application_name:
                break
            await asyncio.sleep(POLL)
        raise _taken(holder)

    async def leave(self) -> None:
        """Let others in."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _held(self) -> bool:
        if self._at is not self._target.url:  # the session has moved to another database
            await self.leave()
        if self._connection is None or self._connection.closed:
            return False
        try:
            await self._connection.execute("SELECT 1")
        except psycopg.OperationalError:
            await self.leave()
            return False
        return True


def _taken(holder: tuple[Any, ...] | None) -> Problem:
    if holder is None:
        return Problem("Another session works on this database.", advice="Try again: it may just have ended.")
    name, role, pid, address, since = holder
    return Problem(
        f"Another session works on this database: {name}, as {role}, from {address}, since {since or '?'} (pid {pid}).",
        advice="Talk to that operator. Its session can be ended with `e`, or resumed by them with `gonogo resume`.",
    )
