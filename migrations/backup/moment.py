"""What is true of a database in one exported snapshot: the moment that a dump is of."""

import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from migrations.backup.state import Counters, counters
from migrations.problem import Problem

Connection = psycopg.AsyncConnection[Any]

UNBOUND = """
SELECT pg_catalog.set_config(name, '0', false) FROM pg_catalog.pg_settings
WHERE name IN ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout',
               'idle_session_timeout', 'transaction_timeout')
"""

MARK = """
SELECT pg_catalog.pg_export_snapshot(),
       (CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()
             ELSE pg_catalog.pg_current_wal_lsn() END)::text,
       pg_catalog.to_char(pg_catalog.now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
"""

TABLES = """
SELECT c.oid::bigint, pg_catalog.format('%I.%I', n.nspname, c.relname), c.relfilenode::bigint,
       pg_catalog.has_table_privilege(c.oid, 'SELECT') AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence <> 't'
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                  WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY 2
"""

# The function reads the present, the table is read as of the snapshot.
REWRITTEN = """
SELECT c.oid::bigint FROM pg_catalog.pg_class c
WHERE c.oid = ANY(%s) AND pg_catalog.pg_relation_filenode(c.oid) IS DISTINCT FROM c.relfilenode
"""


@dataclass(frozen=True, slots=True)
class Moment:
    """An exported snapshot. `lsn` and `taken_at` (RFC 3339 UTC) are of its making; `tables` are the names by OID
    of all tables that a dump must hold; `counters` were read just before it."""

    snapshot: str
    lsn: str
    taken_at: str
    tables: dict[int, str]
    counters: Counters


@asynccontextmanager
async def held(connection: Connection) -> AsyncIterator[Moment]:
    """Export a snapshot, and hold it until the block is left. No timeout of the server's ends it.

    Raises Problem if the role may not read a table.
    """
    await connection.execute(UNBOUND)
    await connection.execute("SET row_security = off")
    before = await counters(connection)
    await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    mark = await (await connection.execute(MARK)).fetchone()
    assert mark is not None
    rows = await (await connection.execute(TABLES)).fetchall()
    hidden = [name for _, name, _, readable in rows if not readable]
    if hidden:
        user = connection.info.user
        raise Problem(
            f"The role {user} may not read {_some(hidden)}: a dump would not be whole.",
            advice=f"Give it the right (GRANT pg_read_all_data TO {user}), or dump as the owner.",
            code="42501",
        )
    snapshot, lsn, taken_at = mark
    yield Moment(snapshot, lsn, taken_at, {oid: name for oid, name, _, _ in rows}, before)
    # The dump is whole by now: a connection that died of idleness takes nothing from it.
    with contextlib.suppress(psycopg.OperationalError):
        await connection.execute("ROLLBACK")


async def dumped_tables(connection: Connection) -> frozenset[str]:
    """The names of all tables whose rows a dump must hold."""
    return frozenset(name for _, name, _, _ in await (await connection.execute(TABLES)).fetchall())


async def rewritten(connection: Connection, moment: Moment) -> tuple[str, ...]:
    """Tables that were emptied, rewritten or dropped since the snapshot: a dump on it may lack their rows."""
    rows = await (await connection.execute(REWRITTEN, (list(moment.tables),))).fetchall()
    return tuple(sorted(moment.tables[oid] for (oid,) in rows))


def _some(names: list[str], most: int = 5) -> str:
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
