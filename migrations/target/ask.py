"""One question to the database, which can change nothing."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import psycopg

from migrations.problem import Problem

Connection = psycopg.AsyncConnection[Any]
Scalar = bool | int | str | None

MOST_ROWS = 1000


async def ask(conn: Connection, query: str, *, timeout: timedelta) -> list[tuple[Scalar, ...]]:
    """The rows of a single statement, in a read-only transaction that is rolled back; at most 1000 of them.

    Numbers with a fraction and all other types come as text. Raises Problem in the server's words.
    """
    try:
        await conn.execute("BEGIN TRANSACTION READ ONLY")
        await conn.execute(
            "SELECT set_config('statement_timeout', %s, true)", (f"{timeout // timedelta(milliseconds=1)}",)
        )
        # In a pipeline the server takes one statement and no more: no COMMIT can be slipped in.
        async with conn.pipeline():
            cur = await conn.execute(query.encode())
        rows = await cur.fetchmany(MOST_ROWS) if cur.description else []
    except psycopg.Error as error:
        raise Problem(
            f"The query failed: {error.diag.message_primary or 'the connection was lost'}.",
            advice="Correct the query in the runbook, or grant the role what it lacks.",
            code=error.sqlstate or "",
        ) from None
    finally:
        if not conn.closed:
            await conn.execute("ROLLBACK")
    return [tuple(_scalar(value) for value in row) for row in rows]


def _scalar(value: object) -> Scalar:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    return str(value)
