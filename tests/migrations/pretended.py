"""Tables that are large without holding much: `from tests.migrations.pretended import grown`."""

import os
import shutil
from pathlib import Path
from typing import Any

import psutil
import psycopg

GIGABYTE = 2**30


async def grown(connection: psycopg.AsyncConnection[Any], table: str, *, gigabytes: int, rows: int) -> None:
    """Give a table's file holes that the server counts as pages, and its statistics so many rows.

    To the server an empty page is a page like any other: the size is real, and only the disk space is not.
    """
    await connection.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = off)".encode())
    await connection.execute("CHECKPOINT")
    query = "SELECT pg_backend_pid(), pg_relation_filepath(%s::regclass)"
    row = await (await connection.execute(query, (table,))).fetchone()
    assert row is not None
    first = psutil.Process(row[0]).cwd() / Path(row[1])
    for number in range(gigabytes):
        segment = first.with_name(f"{first.name}.{number}") if number else first
        segment.touch(mode=0o600)
        os.truncate(segment, GIGABYTE)
        owner = first.stat()
        shutil.chown(segment, owner.st_uid, owner.st_gid)
    statistics = "UPDATE pg_class SET reltuples = %s, relpages = %s WHERE oid = %s::regclass"
    await connection.execute(statistics, (rows, gigabytes * GIGABYTE // 8192, table))
