"""How far a running statement is, read through another connection."""

from dataclasses import dataclass
from typing import Any

import psycopg

Connection = psycopg.AsyncConnection[Any]

_PROGRESS = """
SELECT phase
       || CASE WHEN partitions_total > 0 THEN format(' (%%s of %%s partitions)', partitions_done, partitions_total)
          ELSE '' END,
       CASE WHEN blocks_total > 0 THEN blocks_done WHEN tuples_total > 0 THEN tuples_done ELSE lockers_done END,
       CASE WHEN blocks_total > 0 THEN blocks_total WHEN tuples_total > 0 THEN tuples_total ELSE lockers_total END,
       CASE WHEN blocks_total > 0 THEN 'blocks' WHEN tuples_total > 0 THEN 'rows' ELSE 'sessions waited for' END
FROM pg_catalog.pg_stat_progress_create_index WHERE pid = %(pid)s
UNION ALL
SELECT phase || CASE WHEN heap_tuples_written > 0 THEN format(', %%s rows written', heap_tuples_written) ELSE '' END,
       heap_blks_scanned, heap_blks_total, 'blocks'
FROM pg_catalog.pg_stat_progress_cluster WHERE pid = %(pid)s
UNION ALL
SELECT phase || CASE WHEN index_vacuum_count > 0 THEN format(' (pass %%s over the indexes)',
       index_vacuum_count) ELSE '' END,
       CASE phase WHEN 'vacuuming heap' THEN heap_blks_vacuumed ELSE heap_blks_scanned END, heap_blks_total, 'blocks'
FROM pg_catalog.pg_stat_progress_vacuum WHERE pid = %(pid)s
UNION ALL
SELECT phase || CASE WHEN child_tables_total > 0 THEN
       format(' (%%s of %%s child tables)', child_tables_done, child_tables_total) ELSE '' END,
       sample_blks_scanned, sample_blks_total, 'blocks'
FROM pg_catalog.pg_stat_progress_analyze WHERE pid = %(pid)s
"""
_COPY = """
UNION ALL
SELECT 'copying', CASE WHEN bytes_total > 0 THEN bytes_processed ELSE tuples_processed END,
       bytes_total, CASE WHEN bytes_total > 0 THEN 'bytes' ELSE 'rows' END
FROM pg_catalog.pg_stat_progress_copy WHERE pid = %(pid)s
"""


@dataclass(frozen=True, slots=True)
class Progress:
    """`label` is the server's word for the phase. `total` is 0 where the server reports none."""

    label: str = ""
    done: int = 0
    total: int = 0
    unit: str = ""


async def look(guard: Connection, pid: int) -> Progress:
    """What the backend `pid` is doing now. Raises psycopg.Error if the guard's connection is lost."""
    query = _PROGRESS + (_COPY if guard.info.server_version >= 140000 else "")
    row = await (await guard.execute(query.encode(), {"pid": pid})).fetchone()
    if row is None:
        return Progress()
    label, done, total, unit = row
    return Progress(str(label), int(done), int(total), str(unit))
