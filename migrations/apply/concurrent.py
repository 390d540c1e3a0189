"""What runs CONCURRENTLY: how to tell afterwards whether it took effect, and what a failure leaves."""

from dataclasses import dataclass
from typing import Any

import psycopg

from migrations.sql import Name, Statement
from migrations.sql import actions as a

Connection = psycopg.AsyncConnection[Any]

_BESIDE = """
SELECT format('%%I.%%I', n.nspname, %s::text)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = pg_catalog.to_regclass(%s)
"""
_HALF_DETACHED = """
SELECT pg_catalog.format('%%I.%%I', n.nspname, c.relname)
FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhparent
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE i.inhrelid = pg_catalog.to_regclass(%s) AND i.inhdetachpending
"""


@dataclass(frozen=True, slots=True)
class Proof:
    """What the catalog must say if a statement took effect. `index` is qualified and quoted, or empty: none.

    `there`: the index is to be there, and valid; else it is to be gone. `repeatable`: running it again does no harm.
    `partition`, likewise qualified and quoted, is to be detached.
    """

    index: str = ""
    there: bool = True
    repeatable: bool = False
    partition: str = ""


async def proof(conn: Connection, statement: Statement) -> Proof:
    """The proof of a statement that runs by itself, with names as the script's own connection finds them now."""
    for action in statement.actions:
        match action:
            case a.CreateIndex(concurrently=True, index=Name() as index, table=table):
                return Proof(index=await _beside(conn, table, index.name))
            case a.Drop(kind="index", concurrently=True, name=index):
                return Proof(index=await _qualified(conn, index), there=False)
            case a.DetachPartition(concurrently=True, partition=partition):
                return Proof(partition=await _qualified(conn, partition))
            case a.Maintain() | a.Reindex():
                return Proof(repeatable=True)
            case _:
                return Proof()
    return Proof()


async def _beside(conn: Connection, table: Name, index: str) -> str:
    """An index stands in its table's schema."""
    row = await (await conn.execute(_BESIDE, (index, table.regclass))).fetchone()
    return str(row[0]) if row else ""


async def _qualified(conn: Connection, name: Name) -> str:
    row = await (await conn.execute(_BESIDE, (name.name, name.regclass))).fetchone()
    return str(row[0]) if row else name.regclass


async def index_is_valid(conn: Connection, index: str) -> bool | None:
    """Whether an index (qualified and quoted) is valid; None if there is none."""
    query = "SELECT indisvalid FROM pg_catalog.pg_index WHERE indexrelid = pg_catalog.to_regclass(%s)"
    row = await (await conn.execute(query.encode(), (index,))).fetchone()
    return bool(row[0]) if row else None


async def took_effect(conn: Connection, index: str, *, there: bool) -> bool:
    """Whether the catalog says what the proof asks for."""
    valid = await index_is_valid(conn, index)
    return valid is True if there else valid is None


async def still_attached(conn: Connection, partition: str) -> bool:
    """Whether a partition (qualified and quoted) is one, be it half detached."""
    query = "SELECT 1 FROM pg_catalog.pg_inherits WHERE inhrelid = pg_catalog.to_regclass(%s)"
    return await (await conn.execute(query.encode(), (partition,))).fetchone() is not None


async def half_detached(conn: Connection, partition: str) -> str:
    """The table (qualified and quoted) from which a partition was to be detached; empty if that was not cut short.

    Only servers that can detach concurrently (14 and later) are asked.
    """
    row = await (await conn.execute(_HALF_DETACHED.encode(), (partition,))).fetchone()
    return str(row[0]) if row else ""
