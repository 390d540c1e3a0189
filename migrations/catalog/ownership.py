"""What a role could not change or create."""

from typing import Any

import psycopg

from migrations.catalog.reading import reading

Connection = psycopg.AsyncConnection[Any]

_NOT_OWNED = """
SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT pg_has_role(c.relowner, 'USAGE')
  AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'gonogo')
  AND c.oid NOT IN (SELECT objid FROM pg_depend WHERE classid = 'pg_class'::regclass AND deptype = 'e')
ORDER BY 1
"""


async def not_owned(conn: Connection) -> tuple[str, ...]:
    """Tables whose owner the connection's role is not a member of. Raises Problem."""
    async with reading(conn):
        return tuple(row[0] for row in await (await conn.execute(_NOT_OWNED)).fetchall())


async def schema_exists(conn: Connection, schema: str) -> bool:
    """Whether there is a schema of this name."""
    cur = await conn.execute("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = %s", (schema,))
    return await cur.fetchone() is not None
