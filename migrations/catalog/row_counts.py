"""How many rows each table holds: counted where that is cheap, estimated where it is not."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import psycopg
from psycopg import sql

from migrations.catalog.reading import reading

Connection = psycopg.AsyncConnection[Any]

SECONDS = "20s"
BATCH = 40

# Rows a page as the planner knows them, times the pages of now. Without statistics: 60 bytes a row.
# pg_relation_size waits for whoever shuts out readers: the size of such a table is what the last ANALYZE saw.
_TABLES = """
SELECT n.nspname, c.relname, quote_ident(n.nspname) || '.' || quote_ident(c.relname),
       (CASE WHEN shut.out OR c.reltuples < 0 OR c.relpages = 0 THEN greatest(c.reltuples, size.bytes / 60.0)
             ELSE c.reltuples / c.relpages * (size.bytes / current_setting('block_size')::int) END)::bigint,
       CASE WHEN shut.out THEN 'locked'
            WHEN row_security_active(c.oid) OR NOT has_table_privilege(c.oid, 'SELECT')
              OR NOT has_schema_privilege(n.oid, 'USAGE') THEN 'hidden' ELSE '' END
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,
     LATERAL (SELECT c.oid IN (SELECT relation FROM pg_locks
                               WHERE locktype = 'relation' AND mode = 'AccessExclusiveLock') AS out) shut,
     LATERAL (SELECT CASE WHEN shut.out THEN 0 ELSE pg_relation_size(c.oid) END AS bytes) size
WHERE c.relkind = 'r' AND c.relpersistence <> 't'
  AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'gonogo')
  AND c.oid NOT IN (SELECT objid FROM pg_depend WHERE classid = 'pg_class'::regclass AND deptype = 'e')
ORDER BY 3
"""


@dataclass(frozen=True, slots=True)
class RowCount:
    """`exact`: they were counted; else they are estimated from the table's size and the planner's statistics.

    `why` it is an estimate: `large`, `hidden` (the role may not see every row), `locked` or `slow`.
    """

    rows: int
    exact: bool
    why: Literal["", "large", "hidden", "locked", "slow"] = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table to count: `name` is quoted, `estimate` in rows, `why` says why it cannot be counted."""

    schema: str
    table: str
    name: str
    estimate: int
    why: Literal["", "locked", "hidden"] = ""

    @property
    def estimated(self) -> RowCount:
        """What is known of it before it is counted."""
        return RowCount(max(0, self.estimate), False, self.why or "large")


async def row_counts(conn: Connection, *, exact_below: int) -> dict[str, RowCount]:
    """By `schema.table`, quoted where need be; partitions each by their own. Ledger and unlogged tables are among them.

    Estimated are tables of about `exact_below` rows and more, what the role may not read whole, what is locked, and
    what takes longer than 20 seconds to count. All counts are of one moment. Raises Problem.
    """
    async with reading(conn, {"lock_timeout": "2s", "statement_timeout": SECONDS}):
        tables = [Table(*row) for row in await (await conn.execute(_TABLES)).fetchall()]
        counts = {table.name: table.estimated for table in tables}
        small = [table for table in tables if not table.why and table.estimate < exact_below]
        for start in range(0, len(small), BATCH):
            counts |= await counted(conn, small[start : start + BATCH])
    return counts


async def counted(conn: Connection, tables: Sequence[Table]) -> dict[str, RowCount]:
    """Together in one query; if a lock, time or a DROP ends it, each by itself, and then that one is an estimate."""
    try:
        async with conn.transaction():
            rows = await (await conn.execute(_query(tables))).fetchall()
    except psycopg.errors.UndefinedTable:
        return {} if len(tables) == 1 else await _singly(conn, tables)
    except (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable) as error:
        if len(tables) > 1:
            return await _singly(conn, tables)
        why: Literal["locked", "slow"] = "locked" if isinstance(error, psycopg.errors.LockNotAvailable) else "slow"
        return {tables[0].name: replace(tables[0].estimated, why=why)}
    return {tables[number].name: RowCount(count, True) for number, count in rows}


async def _singly(conn: Connection, tables: Sequence[Table]) -> dict[str, RowCount]:
    found: dict[str, RowCount] = {}
    for table in tables:
        found |= await counted(conn, [table])
    return found


def _query(tables: Sequence[Table]) -> sql.Composed:
    each = (
        sql.SQL("SELECT {}::int, count(*) FROM ONLY {}").format(number, sql.Identifier(table.schema, table.table))
        for number, table in enumerate(tables)
    )
    return sql.SQL(" UNION ALL ").join(each)
