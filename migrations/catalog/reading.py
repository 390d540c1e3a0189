"""Reading a database without getting in anyone's way: bounded, consistent, and nothing shadowed by the search_path."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from migrations.problem import Problem

Connection = psycopg.AsyncConnection[Any]

BOUNDS = {"search_path": "", "lock_timeout": "3s", "statement_timeout": "60s"}

_READ = "SELECT pg_catalog.current_setting(%s)"
_SET = "SELECT pg_catalog.set_config(%s, %s, true)"


@asynccontextmanager
async def reading(conn: Connection, settings: Mapping[str, str] | None = None) -> AsyncIterator[None]:
    """A repeatable-read, read-only transaction, or the connection's own if it is in one; `settings` hold within.

    Raises Problem where a lock or the statement_timeout ends a query.
    """
    inside = conn.info.transaction_status == TransactionStatus.INTRANS
    if not inside:
        await conn.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    try:
        before = await _local(conn, {**BOUNDS, **(settings or {})})
        yield
        if inside:
            await _local(conn, before)
    except psycopg.errors.LockNotAvailable:
        raise Problem(
            "The catalog cannot be read: another session holds a lock that shuts out readers.",
            advice="See who it is (activity.inspect), wait for it, and run this again.",
            code="55P03",
        ) from None
    except psycopg.errors.QueryCanceled:
        raise Problem(
            "Reading the catalog took too long, and the server ended the query.",
            advice="Look at the server's load, and run this again.",
            code="57014",
        ) from None
    finally:
        if not inside and not conn.closed:
            await conn.execute("ROLLBACK")


async def _local(conn: Connection, settings: Mapping[str, str]) -> dict[str, str]:
    """Set for this transaction. Returns what was set before."""
    before = {}
    for name, value in settings.items():
        row = await (await conn.execute(_READ, (name,))).fetchone()
        before[name] = str(row[0]) if row else ""
        await conn.execute(_SET, (name, value))
    return before
