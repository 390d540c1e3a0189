"""Heads of journals, kept in the target beside the register: what a session's record was when it was noted here."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from migrations.problem import Problem

Connection = psycopg.AsyncConnection[Any]

MAKE = """
CREATE TABLE gonogo.heads (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at          timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    role        text NOT NULL DEFAULT session_user,
    session     text NOT NULL,
    environment text NOT NULL,
    operator    text NOT NULL,
    host        text NOT NULL,
    ticket      text NOT NULL,
    why         text NOT NULL,
    seq         bigint NOT NULL,
    head        text NOT NULL
);
CREATE TRIGGER only_appended BEFORE UPDATE OR DELETE OR TRUNCATE ON gonogo.heads
    FOR EACH STATEMENT EXECUTE FUNCTION gonogo.only_appended();
ALTER TABLE gonogo.heads ENABLE ALWAYS TRIGGER only_appended;
COMMENT ON TABLE gonogo.heads IS 'Hashes of records of journals of gonogo, each as it was then. Rows are only added.';
"""
_WRITE = """
INSERT INTO gonogo.heads (session, environment, operator, host, ticket, why, seq, head)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""
_READ = "SELECT session, environment, host, at, why, seq, head FROM gonogo.heads ORDER BY id"
_SCHEMA = "(SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = 'gonogo')"
_THERE = f"SELECT 1 FROM pg_catalog.pg_class WHERE relname = 'heads' AND relnamespace = {_SCHEMA}"
_MAY = f"SELECT pg_catalog.has_schema_privilege({_SCHEMA}, 'CREATE')"
NOT_THERE = "gonogo.heads is not there"


@dataclass(frozen=True, slots=True)
class Kept:
    """Record `seq` of a session had the hash `head` when it was noted, by the server's clock `at`."""

    session: str
    environment: str
    host: str
    at: datetime
    why: str
    seq: int
    head: str


@dataclass(frozen=True, slots=True)
class Whose:
    """What every head of one session has in common."""

    session: str
    environment: str
    operator: str
    host: str
    ticket: str


async def there(conn: Connection) -> bool:
    """Whether the table is there. Raises psycopg.Error."""
    return await (await conn.execute(_THERE.encode())).fetchone() is not None


async def make_beside(conn: Connection) -> None:
    """Make the table where there is a register without one, and this role may. Raises psycopg.Error."""
    if await there(conn):
        return
    row = await (await conn.execute(_MAY.encode())).fetchone()
    if row is not None and row[0]:
        async with conn.transaction():
            await conn.execute(MAKE.encode())


async def write(conn: Connection, whose: Whose, why: str, seq: int, head: str) -> None:
    """Add one. Raises Problem if there is no table, psycopg.Error if it may not be written."""
    if not await there(conn):
        raise Problem(
            f"{NOT_THERE}.", advice="It is made when the first script starts, where the role may CREATE in the schema."
        )
    given = (whose.session, whose.environment, whose.operator, whose.host, whose.ticket, why, seq, head)
    await conn.execute(_WRITE.encode(), given)


async def read(conn: Connection) -> list[Kept]:
    """All of them, the oldest first. Raises Problem if there is no table, psycopg.Error if it may not be read."""
    if not await there(conn):
        raise Problem(
            f"{NOT_THERE}: no session has kept its heads in this database.",
            advice="`register = true` in gonogo.toml keeps them there, once a session has applied a script.",
        )
    rows = await (await conn.execute(_READ.encode())).fetchall()
    return [Kept(*row) for row in rows]
