"""An append-only register in the target: who applied what, when, for which ticket."""

from dataclasses import dataclass
from typing import Literal

import psycopg

from migrations.doctor.history import Mark, Own
from migrations.own import heads
from migrations.own.table import Connection, OwnTable
from migrations.problem import Problem

Event = Literal["started", "applied", "failed", "cancelled", "unknown", "marked as applied", "marked as rolled back"]

TABLE = OwnTable(
    "register",
    """
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at        timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    role      text NOT NULL DEFAULT session_user,
    session   text NOT NULL,
    operator  text NOT NULL,
    host      text NOT NULL,
    ticket    text NOT NULL,
    plan      text NOT NULL,
    migration text NOT NULL,
    checksum  text NOT NULL,
    row_id    text NOT NULL,
    event     text NOT NULL
    """,
    "Who ran which migration here, by gonogo. Rows are only added.",
    """
    CREATE VIEW gonogo.runs AS
        SELECT session, operator, host, ticket, plan, migration, checksum,
               min(at) FILTER (WHERE event = 'started') AS started,
               CASE WHEN last <> 'started' THEN max(at) END AS ended,
               CASE WHEN last <> 'started' THEN last ELSE 'open' END AS outcome
        FROM (SELECT *, last_value(event) OVER (PARTITION BY session, row_id, migration ORDER BY id
                                                ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS last
              FROM gonogo.register) r
        GROUP BY session, operator, host, ticket, plan, migration, checksum, row_id, last;
    COMMENT ON VIEW gonogo.runs IS 'gonogo.register, a line for each script of a session.';
    """,
)
_WRITE = """
INSERT INTO gonogo.register (session, operator, host, ticket, plan, migration, checksum, row_id, event)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_KNOWN = "SELECT migration, checksum, row_id, event FROM gonogo.register ORDER BY id"
_CATCH_UP = """
INSERT INTO gonogo.register (session, operator, host, ticket, plan, migration, checksum, row_id, event)
SELECT session, operator, host, ticket, plan, migration, checksum, row_id, %(event)s
FROM (SELECT * FROM gonogo.register WHERE session = %(session)s AND row_id = %(row)s ORDER BY id DESC LIMIT 1) r
WHERE event = 'started'
"""


@dataclass(frozen=True, slots=True)
class Who:
    """What every row of one session has in common."""

    session: str
    operator: str
    host: str
    ticket: str
    plan: str


async def may(conn: Connection) -> str:
    """Whether the register is there, or can be made, in words. Raises Problem, with the SQL for an administrator."""
    rights = await TABLE.rights(conn)
    if rights.enough:
        return f"gonogo.register is {'there' if rights.there else 'made when the first script starts'}"
    raise Problem(
        f"gonogo.toml wants a register in the target, "
        f"and {rights.role} may not {'write to' if rights.there else 'make'} it.",
        advice=f"Let an administrator run: {rights.grant} Or leave `register` out.",
        code="42501",
    )


async def known(conn: Connection) -> Own:
    """What the register knows of the ledger; nothing where it is not there, or this role may not use it."""
    rights = await TABLE.rights(conn)
    if not (rights.there and rights.writes):
        return Own()
    rows = await (await conn.execute(_KNOWN.encode())).fetchall()
    began = {str(row): (str(name), str(checksum)) for name, checksum, row, event in rows if event == "started" and row}
    applied = frozenset(str(row) for _, _, row, event in rows if event == "applied" and row)
    marks: dict[str, Mark] = {"marked as applied": "applied", "marked as rolled back": "rolled back"}
    marked = frozenset((str(name), marks[event]) for name, _, _, event in rows if event in marks)
    return Own(began, applied, marked)


async def make(conn: Connection) -> None:
    """Make the register, where it is not there, and its table of heads. Raises Problem if that is not allowed.

    A register that was made without heads gets them if that is allowed; where not, whoever notes a head is told.
    """
    if await TABLE.is_there(conn) and not (await heads.TABLE.rights(conn)).enough:
        return
    try:
        async with conn.transaction():
            await TABLE.make(conn)
            await heads.TABLE.make(conn)
    except psycopg.Error as error:
        raise Problem(
            f"The register cannot be made in the target: {error.diag.message_primary or 'the connection was lost'}.",
            advice="Nothing was applied. See that the role may make the schema gonogo, or leave `register` out.",
            code=error.sqlstate or "",
        ) from None


async def catch_up(conn: Connection, session: str, row: str, event: Event) -> None:
    """Add the end of a script whose end was found out later, if its last line is that of its start.

    Raises psycopg.Error.
    """
    if await TABLE.is_there(conn):
        await conn.execute(_CATCH_UP.encode(), {"session": session, "row": row, "event": event})


async def write(conn: Connection, who: Who, migration: str, checksum: str, row: str, event: Event) -> None:
    """Add one line. Raises psycopg.Error."""
    given = (who.session, who.operator, who.host, who.ticket, who.plan, migration, checksum, row, event)
    await conn.execute(_WRITE.encode(), given)
