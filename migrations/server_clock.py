"""What time it is by the server: a clock that the operator does not set."""

from datetime import UTC, datetime
from typing import Any

import psycopg

Connection = psycopg.AsyncConnection[Any]

_NOW = "SELECT (EXTRACT(epoch FROM pg_catalog.clock_timestamp()) * 1000000)::bigint"


async def server_time(conn: Connection) -> datetime:
    """Now, in UTC. Raises psycopg.Error."""
    row = await (await conn.execute(_NOW)).fetchone()
    assert row is not None
    return datetime.fromtimestamp(row[0] / 1_000_000, UTC)
