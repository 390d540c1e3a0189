"""An append-only register in the target: who applied what, when, for which ticket. In a schema of its own.

Never in a schema that Prisma looks at: it would count for P3005, and for drift.
"""

import contextlib
from dataclasses import dataclass
from typing import Any, Literal

import psycopg

from migrations import heads
from migrations.problem import Problem

Connection = psycopg.AsyncConnection[Any]
Event = Literal["started", "applied", "failed", "cancelled", "unknown", "marked as applied", "marked as rolled back"]

MAKE = """
CREATE SCHEMA IF NOT EXISTS gonogo;
CREATE TABLE gonogo.register (
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
);
CREATE FUNCTION gonogo.only_appended() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN RAISE EXCEPTION 'gonogo.% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege'; END$$;
CREATE TRIGGER only_appended BEFORE UPDATE OR DELETE OR TRUNCATE ON gonogo.register
    FOR EACH STATEMENT EXECUTE FUNCTION gonogo.only_appended();
ALTER TABLE gonogo.register ENABLE ALWAYS TRIGGER only_appended;
CREATE VIEW gonogo.runs AS
    SELECT session, operator, host, ticket, plan, migration, checksum,
           min(at) FILTER (WHERE event = 'started') AS started,
           CASE WHEN last <> 'started' THEN max(at) END AS ended,
           CASE WHEN last <> 'started' THEN last ELSE 'open' END AS outcome
    FROM (SELECT *, last_value(event) OVER (PARTITION BY session, row_id, migration ORDER BY id
                                            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS last
          FROM gonogo.register) r
    GROUP BY session, operator, host, ticket, plan, migration, checksum, row_id, last;
COMMENT ON TABLE gonogo.register IS 'Who ran which migration here, by gonogo. Rows are only added.';
COMMENT ON VIEW gonogo.runs IS 'gonogo.register, a line for each script of a session.';
"""
_WRITE = """
INSERT INTO gonogo.register (session, operator, host, ticket, plan, migration, checksum, row_id, event)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_CATCH_UP = """
INSERT INTO gonogo.register (session, operator, host, ticket, plan, migration, checksum, row_id, event)
SELECT session, operator, host, ticket, plan, migration, checksum, row_id, %(event)s
FROM (SELECT * FROM gonogo.register WHERE session = %(session)s AND row_id = %(row)s ORDER BY id DESC LIMIT 1) r
WHERE event = 'started'
"""
# to_regclass() is refused to a role that may not look into the schema.
_SCHEMA = "(SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = 'gonogo')"
_TABLE = f"(SELECT oid FROM pg_catalog.pg_class WHERE relname = 'register' AND relnamespace = {_SCHEMA})"
_MAY = f"""
SELECT {_TABLE} IS NOT NULL,
       coalesce(pg_catalog.has_table_privilege({_TABLE}, 'INSERT')
                AND pg_catalog.has_schema_privilege({_SCHEMA}, 'USAGE'), false),
       coalesce(pg_catalog.has_schema_privilege({_SCHEMA}, 'CREATE'),
                pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')),
       pg_catalog.format('%I', current_user), pg_catalog.format('%I', pg_catalog.current_database())
"""
_THERE = f"SELECT {_TABLE} IS NOT NULL"


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
    row = await (await conn.execute(_MAY.encode())).fetchone()
    assert row is not None
    there, inserts, makes, role, database = row
    if there and inserts:
        return "gonogo.register is there"
    if not there and makes:
        return "gonogo.register is made when the first script starts"
    grant = (
        f"GRANT USAGE ON SCHEMA gonogo TO {role}; GRANT INSERT, SELECT ON ALL TABLES IN SCHEMA gonogo TO {role};"
        if there
        else f"GRANT CREATE ON DATABASE {database} TO {role};"
    )
    raise Problem(
        f"gonogo.toml wants a register in the target, and {role} may not {'write to' if there else 'make'} it.",
        advice=f"Let an administrator run: {grant} Or leave `register` out.",
        code="42501",
    )


async def _is_there(conn: Connection) -> bool:
    row = await (await conn.execute(_THERE.encode())).fetchone()
    return row is not None and bool(row[0])


async def make(conn: Connection) -> None:
    """Make the register, where it is not there, and its table of heads. Raises Problem if that is not allowed.

    A register that was made without heads gets them if that is allowed; where not, whoever notes a head is told.
    """
    if await _is_there(conn):
        with contextlib.suppress(psycopg.Error):
            await heads.make_beside(conn)
        return
    try:
        async with conn.transaction():
            await conn.execute((MAKE + heads.MAKE).encode())
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
    if await _is_there(conn):
        await conn.execute(_CATCH_UP.encode(), {"session": session, "row": row, "event": event})


async def write(conn: Connection, who: Who, migration: str, checksum: str, row: str, event: Event) -> None:
    """Add one line. Raises psycopg.Error."""
    given = (who.session, who.operator, who.host, who.ticket, who.plan, migration, checksum, row, event)
    await conn.execute(_WRITE.encode(), given)
