"""Other databases on the target's own server: the side database, and the one that renames are done from."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import psycopg

from migrations.backup.moment import UNBOUND
from migrations.problem import Problem, Unavailable
from migrations.target import Pinned

Connection = psycopg.AsyncConnection[Any]

MAINTENANCE = ("postgres", "template1")
NAME_BYTES = 63


def derived_name(database: str, tail: str, at: datetime) -> str:
    """`shop_gonogo_20260131T020304Z`: within PostgreSQL's 63 bytes, whatever the database is called."""
    end = f"_{tail}_{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    start = database.encode()[: NAME_BYTES - len(end.encode())].decode(errors="ignore")
    return start + end


@asynccontextmanager
async def beside(live: Pinned, database: str, application_name: str) -> AsyncIterator[Connection]:
    """A connection to another database of the pinned server, without time limits. Raises Problem if another answers."""
    other = Pinned(replace(live.url, database=database, schema=None), pooled=live.pooled)
    connection = await other.open("script", application_name=application_name)
    try:
        if live.pin and other.pin and _server(other) != _server(live):
            raise Problem(
                f"The database {database} was reached on another server than {live.url.shown}.",
                advice="Connect without a pooler or a load balancer between.",
            )
        await connection.execute(UNBOUND)
        yield connection
    except psycopg.OperationalError as error:
        raise failed(connection, error) from error
    finally:
        await connection.close()


def failed(connection: Connection, error: psycopg.OperationalError) -> Problem:
    """What to tell of a statement that the server did not do, or of a server that was lost."""
    words = error.diag.message_primary or ""
    if connection.closed or connection.broken:
        return Unavailable(
            f"The connection to {connection.info.host} was lost.",
            advice="See that the server is up, then look at what was done.",
            code=error.sqlstate or "",
            detail=words,
        )
    return Problem(
        f"The server refused: {words}.",
        advice="Mend what it names, then try again.",
        code=error.sqlstate or "",
        detail=error.diag.message_detail or "",
    )


def _server(pinned: Pinned) -> tuple[str, str]:
    assert pinned.pin is not None
    return pinned.pin.system_identifier, pinned.pin.postmaster_start


@asynccontextmanager
async def maintenance(live: Pinned, application_name: str) -> AsyncIterator[Connection]:
    """A connection to a database of the server that is not the target. Raises Unavailable if none lets us in."""
    database = await _open_to_us(live, application_name)
    async with beside(live, database, application_name) as connection:
        yield connection


async def _open_to_us(live: Pinned, application_name: str) -> str:
    refused: Unavailable | None = None
    for database in MAINTENANCE:
        if database == live.url.database:
            continue
        try:
            async with beside(live, database, application_name):
                return database
        except Unavailable as error:
            refused = error
    raise Unavailable(
        f"Neither of {' and '.join(MAINTENANCE)} lets {live.url.user} in: databases cannot be renamed from there.",
        advice="Let the role connect to one of them.",
        detail=str(refused or ""),
    )
