"""What a database server can keep of a session that is not in any database: a line in its log. And its clock."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql

from migrations.problem import Problem

Connection = psycopg.AsyncConnection[Any]

DEAF = ("fatal", "panic")
_MICROSECOND = timedelta(microseconds=1)


async def write_to_log(conn: Connection, line: str) -> None:
    """Put one line into the server's log, which whoever has only a database's password cannot rewrite.

    LOG is logged whatever `log_min_messages` says, but for two values, and is not sent back. Raises Problem if it
    would not be logged, psycopg.Error if it may not be.
    """
    row = await (await conn.execute("SELECT pg_catalog.current_setting('log_min_messages')")).fetchone()
    if row is None or row[0] in DEAF:
        raise Problem("The server's log_min_messages keeps such lines out.")
    said = sql.Literal(" ".join(line.split())).as_string(conn)
    await conn.execute(sql.SQL("DO {}").format(sql.Literal(f"BEGIN RAISE LOG '%', {said}; END")))


async def clock_ahead(conn: Connection) -> tuple[int, int]:
    """How far the server's clock is ahead of this machine's, and to within how much that is known. Microseconds.

    Raises psycopg.Error.
    """
    before = datetime.now(UTC)
    row = await (await conn.execute("SELECT pg_catalog.clock_timestamp()")).fetchone()
    after = datetime.now(UTC)
    assert row is not None
    half = abs(after - before) / 2
    return (row[0] - (before + half)) // _MICROSECOND, half // _MICROSECOND + 1
