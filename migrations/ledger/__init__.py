"""Prisma's ledger, `_prisma_migrations`: read as Prisma leaves it, written so that Prisma calls it clean."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg import sql

from migrations.ledger.lock import Lock as Lock
from migrations.ledger.lock import locked as locked
from migrations.plan import Applied
from migrations.problem import Problem

Connection = psycopg.AsyncConnection[Any]

NAME = "_prisma_migrations"
TABLE = """
CREATE TABLE {} (
    id                      VARCHAR(36) PRIMARY KEY NOT NULL,
    checksum                VARCHAR(64) NOT NULL,
    finished_at             TIMESTAMPTZ,
    migration_name          VARCHAR(255) NOT NULL,
    logs                    TEXT,
    rolled_back_at          TIMESTAMPTZ,
    started_at              TIMESTAMPTZ NOT NULL DEFAULT now(),
    applied_steps_count     INTEGER NOT NULL DEFAULT 0
)
"""
COLUMNS = "id, migration_name, checksum, started_at, finished_at, rolled_back_at, logs, applied_steps_count"


@dataclass(frozen=True, slots=True)
class Row:
    """One row, with what tells it from others of its name."""

    id: str
    steps: int
    applied: Applied


async def find(conn: Connection, schema: str | None = None) -> str | None:
    """The ledger's qualified, quoted name: in `schema`, else the first in the connection's search path."""
    # to_regclass() wants text that is quoted already.
    path = sql.Identifier(schema, NAME) if schema else sql.Identifier(NAME)
    cur = await conn.execute(
        """
        SELECT format('%%I.%%I', n.nspname, c.relname)
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.oid = pg_catalog.to_regclass(%s)
        """,
        (path.as_string(conn),),
    )
    row = await cur.fetchone()
    return str(row[0]) if row else None


async def rows(conn: Connection, schema: str | None = None) -> tuple[Row, ...] | None:
    """Every row, oldest start first; None where there is no ledger. Raises Problem if it cannot be read."""
    table = await find(conn, schema)
    if table is None:
        return None
    query = f"SELECT {COLUMNS} FROM {table} ORDER BY started_at, id"
    try:
        found = await (await conn.execute(query.encode())).fetchall()
    except psycopg.errors.InsufficientPrivilege:
        raise Problem(
            f"The role may not read {table}.",
            advice=f"Let its owner run: GRANT SELECT, INSERT, UPDATE ON {table} TO the migrating role;",
            code="42501",
        ) from None
    except psycopg.errors.UndefinedColumn as error:
        raise Problem(
            f"{table} is not the table that Prisma makes: {error.diag.message_primary}.",
            advice="Find out who changed it; gonogo does not touch it.",
            code="42703",
        ) from None
    return tuple(_row(*values) for values in found)


async def read(conn: Connection, schema: str | None = None) -> tuple[Applied, ...] | None:
    """What the ledger says, oldest start first; None where there is no ledger. Raises Problem if it cannot be read."""
    found = await rows(conn, schema)
    return None if found is None else tuple(row.applied for row in found)


def _row(
    id: str,
    name: str,
    checksum: str,
    started: datetime,
    finished: datetime | None,
    rolled_back: datetime | None,
    logs: str | None,
    steps: int,
) -> Row:
    applied = Applied(
        name=name,
        checksum=checksum,
        failed=finished is None and rolled_back is None,
        rolled_back=rolled_back is not None,
        started_at=_text(started),
        finished_at=_text(finished) if finished else None,
        logs=logs,
    )
    return Row(id, steps, applied)


def _text(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


async def other_tables(conn: Connection, schemas: Sequence[str] = ()) -> int:
    """How many ordinary tables stand in the schemas (none given: the current one), as Prisma counts for P3005."""
    cur = await conn.execute(
        """
        SELECT count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind = 'r' AND c.relname <> 'spatial_ref_sys' AND c.relname <> %s
          AND (n.nspname = ANY (%s) OR cardinality(%s::text[]) = 0 AND n.nspname = pg_catalog.current_schema())
        """,
        (NAME, list(schemas), list(schemas)),
    )
    row = await cur.fetchone()
    return int(row[0]) if row else 0


async def create(conn: Connection, schema: str | None = None) -> str:
    """Make the ledger, and its schema if that is missing. Returns its qualified name. Raises Problem if not allowed."""
    try:
        if schema:
            await conn.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))
        name = sql.Identifier(schema, NAME) if schema else sql.Identifier(NAME)
        await conn.execute(sql.SQL(TABLE).format(name))
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.InvalidSchemaName) as error:
        raise Problem(
            f"The role may not make {NAME}: {error.diag.message_primary}.",
            advice="GRANT CREATE ON SCHEMA … to the migrating role, or name another schema in the URL (?schema=…).",
            code=error.sqlstate or "",
        ) from None
    query = f"SELECT pg_catalog.format('%%I.%%I', coalesce(%s, pg_catalog.current_schema()), '{NAME}')"
    row = await (await conn.execute(query.encode(), (schema,))).fetchone()
    assert row is not None
    return str(row[0])


async def _table(conn: Connection, schema: str | None) -> str:
    table = await find(conn, schema)
    if table is None:
        raise Problem(f"There is no {NAME}.", advice="Nothing was ever applied here through Prisma or gonogo.")
    return table


def new_id() -> str:
    """An id for a row, as Prisma makes them."""
    return str(uuid.uuid4())


async def start(
    conn: Connection,
    name: str,
    checksum: str,
    *,
    id: str | None = None,
    schema: str | None = None,
    table: str | None = None,
) -> str:
    """Write the row of a script that is about to run; returns its id. Times are this machine's clock, as Prisma's.

    `table` is the ledger's name as `find` returns it, here and below, for those who know it.
    Raises Problem P3008 if somebody has begun the script meanwhile, as Prisma can with its lock turned off.
    """
    id, table = id or new_id(), table or await _table(conn, schema)
    query = (
        f"INSERT INTO {table} (id, checksum, started_at, migration_name) SELECT %s, %s, %s, %s "
        f"WHERE NOT EXISTS (SELECT FROM {table} WHERE migration_name = %s AND rolled_back_at IS NULL)"
    )
    if (await conn.execute(query.encode(), (id, checksum, _now(), name, name))).rowcount == 0:
        raise Problem(
            f"{name} was begun by somebody else since the ledger was read; it was not run.",
            advice="Something applies migrations without Prisma's lock. Find it; then end this session and start anew.",
            code="P3008",
        )
    return id


def finishing_statement(table: str, id: str) -> str:
    """The update that marks a row as applied, to be the last statement of the script's own transaction.

    It returns the transaction's id, and holds whatever search_path and settings the script has left behind.
    `table` is qualified and quoted.
    """
    return f"{_finishing(table, id)} RETURNING pg_catalog.pg_current_xact_id()::pg_catalog.text"


def _finishing(table: str, id: str) -> str:
    return (
        f"UPDATE {table} SET applied_steps_count = applied_steps_count OPERATOR(pg_catalog.+) 1, "
        f"finished_at = '{_now().isoformat(sep=' ')}'::pg_catalog.timestamptz "
        f"WHERE id OPERATOR(pg_catalog.=) '{uuid.UUID(id)}'"
    )


async def finish(conn: Connection, id: str, *, schema: str | None = None, table: str | None = None) -> None:
    """Mark a row as applied, outside the script's transaction. Raises Problem if the row is gone."""
    cur = await conn.execute(_finishing(table or await _table(conn, schema), id).encode())
    must_be_there(cur.rowcount, id)


async def fail(conn: Connection, id: str, logs: str, *, schema: str | None = None, table: str | None = None) -> None:
    """Write why a script failed beside its row. Raises Problem if the row is gone."""
    query = f"UPDATE {table or await _table(conn, schema)} SET logs = %s WHERE id = %s"
    cur = await conn.execute(query.encode(), (logs.replace("\0", ""), id))
    must_be_there(cur.rowcount, id)


async def roll_back_row(conn: Connection, id: str, *, schema: str | None = None) -> bool:
    """Mark one open failed row as rolled back, and no other. False if it was not open."""
    query = (
        f"UPDATE {await _table(conn, schema)} SET rolled_back_at = %s "
        "WHERE id = %s AND finished_at IS NULL AND rolled_back_at IS NULL"
    )
    cur = await conn.execute(query.encode(), (_now(), id))
    return cur.rowcount == 1


def must_be_there(count: int, id: str) -> None:
    """Raises Problem if a statement about one row has not found it."""
    if count != 1:
        raise Problem(
            f"The row {id} is no longer in {NAME}.",
            advice="Somebody else changed the ledger while a script ran; find out who before anything goes on.",
        )


def _now() -> datetime:
    return datetime.now(UTC)
