"""Which approvals were used up, in the target itself: rows that are only added, in gonogo's own schema."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg

from migrations.problem import Problem
from migrations.server_clock import server_time

Connection = psycopg.AsyncConnection[Any]

MAKE_SCHEMA = "CREATE SCHEMA gonogo"
MAKE = """
CREATE TABLE gonogo.approvals (
    number    text PRIMARY KEY,
    at        timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    role      text NOT NULL DEFAULT session_user,
    session   text NOT NULL,
    operator  text NOT NULL,
    ticket    text NOT NULL,
    plan      text NOT NULL,
    approvers text NOT NULL
);
CREATE FUNCTION gonogo.approvals_only_appended() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN RAISE EXCEPTION 'gonogo.approvals is append-only' USING ERRCODE = 'insufficient_privilege'; END$$;
CREATE TRIGGER only_appended BEFORE UPDATE OR DELETE OR TRUNCATE ON gonogo.approvals
    FOR EACH STATEMENT EXECUTE FUNCTION gonogo.approvals_only_appended();
ALTER TABLE gonogo.approvals ENABLE ALWAYS TRIGGER only_appended;
COMMENT ON TABLE gonogo.approvals IS 'Which approvals of gonogo were used up here, and by whom. Rows are only added.';
"""
_SPEND = """
INSERT INTO gonogo.approvals (number, session, operator, ticket, plan, approvers)
VALUES (%(number)s, %(session)s, %(operator)s, %(ticket)s, %(plan)s, %(approvers)s)
ON CONFLICT (number) DO NOTHING
"""
_FOUND = "SELECT session, operator, at FROM gonogo.approvals WHERE number = %s"
# to_regclass() is refused to a role that may not look into the schema.
_SCHEMA = "(SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = 'gonogo')"
_TABLE = f"(SELECT oid FROM pg_catalog.pg_class WHERE relname = 'approvals' AND relnamespace = {_SCHEMA})"
_MAY = f"""
SELECT {_TABLE} IS NOT NULL, {_SCHEMA} IS NOT NULL,
       coalesce(pg_catalog.has_table_privilege({_TABLE}, 'INSERT')
                AND pg_catalog.has_table_privilege({_TABLE}, 'SELECT')
                AND pg_catalog.has_schema_privilege({_SCHEMA}, 'USAGE'), false),
       coalesce(pg_catalog.has_schema_privilege({_SCHEMA}, 'CREATE')
                AND pg_catalog.has_schema_privilege({_SCHEMA}, 'USAGE'),
                pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')),
       pg_catalog.format('%I', current_user), pg_catalog.format('%I', pg_catalog.current_database())
"""


ANEW = "End this session, and ask for an approval of a new plan: gonogo plan."


@dataclass(frozen=True, slots=True)
class Use:
    """What an approval is used up for."""

    number: str
    session: str
    operator: str
    ticket: str
    plan: str
    approvers: str


@dataclass(frozen=True, slots=True)
class Spent:
    """By which session, and when."""

    session: str
    operator: str
    at: datetime

    @property
    def words(self) -> str:
        """For a person."""
        return f"used up by {self.operator} in the session {self.session}, on {self.at:%Y-%m-%d at %H:%M} UTC"


async def may(conn: Connection) -> None:
    """Raises Problem, with the SQL for an administrator, where this role could not note that one is used up."""
    row = await (await conn.execute(_MAY.encode())).fetchone()
    assert row is not None
    there, schema, writes, makes, role, database = row
    if writes if there else makes:
        return
    if there:
        grant = f"GRANT USAGE ON SCHEMA gonogo TO {role}; GRANT INSERT, SELECT ON gonogo.approvals TO {role};"
    else:
        grant = f"GRANT CREATE{', USAGE ON SCHEMA gonogo' if schema else f' ON DATABASE {database}'} TO {role};"
    raise Problem(
        f"That an approval is used up is noted in the target, and {role} may not "
        f"{'write to' if there else 'make'} gonogo.approvals.",
        advice=f"Let an administrator run: {grant}",
        code="42501",
    )


async def spent(conn: Connection, number: str) -> Spent | None:
    """By whom it was used up, or None. Raises psycopg.Error."""
    if await _is_missing(conn):
        return None
    row = await (await conn.execute(_FOUND, (number,))).fetchone()
    return Spent(row[0], row[1], row[2].astimezone(UTC)) if row else None


async def spend(conn: Connection, use: Use, expires: datetime) -> None:
    """Note that it is used up, once for a session. Raises Problem: by another session, or too late; psycopg.Error."""
    before = await spent(conn, use.number)
    if before is None:
        if await server_time(conn) >= expires:
            raise Problem(f"The approval has expired: it was good until {expires:%Y-%m-%d %H:%M} UTC.", advice=ANEW)
        async with conn.transaction():
            if await _is_missing(conn):
                await _make(conn)
            await conn.execute(_SPEND, _row(use))
        before = await spent(conn, use.number)
    if before is None or before.session != use.session:
        raise Problem(f"The approval was {before.words if before else 'not noted'}.", advice=ANEW)


async def _make(conn: Connection) -> None:
    """A role may have the schema, and no right to make one: then IF NOT EXISTS would not help it."""
    schema = await (await conn.execute(f"SELECT {_SCHEMA} IS NULL".encode())).fetchone()
    if schema is not None and schema[0]:
        await conn.execute(MAKE_SCHEMA)
    await conn.execute(MAKE.encode())


async def _is_missing(conn: Connection) -> bool:
    row = await (await conn.execute(f"SELECT {_TABLE} IS NULL".encode())).fetchone()
    return row is not None and bool(row[0])


def _row(use: Use) -> dict[str, str]:
    return {name: getattr(use, name) for name in Use.__dataclass_fields__}
