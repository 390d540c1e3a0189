"""A dump restored where nobody is: on a throw-away server, compared there, and thrown away."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import psycopg

from migrations import restore
from migrations.backup.state import State
from migrations.problem import Problem
from migrations.replay.given import Facts, Given
from migrations.replay.world import World
from migrations.restore.filling import Restoring, fill
from migrations.server import ThrowawayServer
from migrations.target.url import Url

NAME = "restored"
SETTINGS = {
    "max_locks_per_transaction": "512",
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of it. `took` is the restore alone; `major` that of the server."""

    side: restore.Side
    took: timedelta
    major: int


async def on_throwaway(
    order: Restoring, state: State, there: Facts, *, folder: Path, bin: Path, env: Mapping[str, str]
) -> Trial:
    """Restore into a new server in `folder`, of the programs in `bin`. `there` is of the target: roles, tablespaces.

    `env` is what the programs see, without an address. Raises Problem, Unavailable. Nothing is left.
    """
    server = await ThrowawayServer.start(folder, bin=bin, settings=SETTINGS, temporary=True)
    try:
        given = Given(roles=there.roles, tablespaces=there.tablespaces)
        await World(server, given).make(NAME)
        url = server.url(NAME)
        await _must_have(url, tuple(state.extensions))
        own = {**env, **Url.parse(url, variable="the throw-away server").libpq_environment()}
        began = time.monotonic()
        await fill(replace(order, env=own, database=NAME))
        took = timedelta(seconds=time.monotonic() - began)
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            await connection.execute("ANALYZE")
            return Trial(await restore.compare(connection, state), took, server.major)
    finally:
        await server.stop()


async def _must_have(url: str, extensions: tuple[str, ...]) -> None:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        found = await restore.obstacles(connection, extensions)
    if found:
        raise Problem(
            f"The dump cannot be restored on this machine: {' '.join(found)}",
            advice='Install them here, or restore beside the live database: into = "side".',
        )
