"""Heads of journals, kept in the target beside the register: what a session's record was when it was noted here."""

from dataclasses import dataclass
from datetime import datetime

from migrations.own.table import Connection, OwnTable
from migrations.problem import Problem

TABLE = OwnTable(
    "heads",
    """
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
    """,
    "Hashes of records of journals of gonogo, each as it was then. Rows are only added.",
)
_WRITE = """
INSERT INTO gonogo.heads (session, environment, operator, host, ticket, why, seq, head)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""
_READ = "SELECT session, environment, host, at, why, seq, head FROM gonogo.heads ORDER BY id"
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


async def write(conn: Connection, whose: Whose, why: str, seq: int, head: str) -> None:
    """Add one. Raises Problem if there is no table, psycopg.Error if it may not be written."""
    if not await TABLE.is_there(conn):
        raise Problem(
            f"{NOT_THERE}.", advice="It is made when the first script starts, where the role may CREATE in the schema."
        )
    given = (whose.session, whose.environment, whose.operator, whose.host, whose.ticket, why, seq, head)
    await conn.execute(_WRITE.encode(), given)


async def read(conn: Connection) -> list[Kept]:
    """All of them, the oldest first. Raises Problem if there is no table, psycopg.Error if it may not be read."""
    if not await TABLE.is_there(conn):
        raise Problem(
            f"{NOT_THERE}: no session has kept its heads in this database.",
            advice="`register = true` in gonogo.toml keeps them there, once a session has applied a script.",
        )
    rows = await (await conn.execute(_READ.encode())).fetchall()
    return [Kept(*row) for row in rows]
