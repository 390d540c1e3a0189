"""Backends that a killed runner left behind: waited for, or ended, before anything is read."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import psycopg

from migrations.problem import Problem

Connection = psycopg.AsyncConnection[Any]

POLL = 0.1
_ALIVE = """
SELECT a.pid, a.backend_start::text, a.state = 'active' AND a.query ~* '^\\s*(commit|end)\\M'
FROM pg_catalog.pg_stat_activity a
WHERE a.pid <> pg_catalog.pg_backend_pid()
  AND (a.application_name = %(name)s OR (a.pid, a.backend_start) IN (
      SELECT * FROM unnest(%(pids)s::int[], %(starts)s::timestamptz[])))
"""


async def let_go(
    conn: Connection, application_name: str, backends: Sequence[tuple[int, str]], *, patience: float = 20.0
) -> int:
    """End the given backends and all of that name; one that commits is waited for. Returns how many there were.

    Raises Problem, with the SQL to end it, if one is still there after `patience` seconds.
    """
    loop = asyncio.get_running_loop()
    until, seen = loop.time() + patience, set[int]()
    while alive := await _alive(conn, application_name, backends):
        for pid, start, commits in alive:
            seen.add(pid)
            if not commits:
                await _end(conn, pid, start)
        if loop.time() >= until:
            pid, start, _ = alive[0]
            raise Problem(
                f"A connection of this session's earlier attempt (pid {pid}) still works in the server.",
                advice="Wait for it, or end it: SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                f"WHERE pid = {pid} AND backend_start = '{start}';",
            )
        await asyncio.sleep(POLL)
    return len(seen)


async def _end(conn: Connection, pid: int, start: str) -> None:
    query = (
        "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity "
        "WHERE pid = %s AND backend_start = %s::timestamptz"
    )
    # Without the privilege it is only waited for; the caller then names it.
    with suppress(psycopg.errors.InsufficientPrivilege):
        await conn.execute(query.encode(), (pid, start))


async def _alive(
    conn: Connection, application_name: str, backends: Sequence[tuple[int, str]]
) -> list[tuple[int, str, bool]]:
    given = {"name": application_name, "pids": [p for p, _ in backends], "starts": [s for _, s in backends]}
    return await (await conn.execute(_ALIVE.encode(), given)).fetchall()
