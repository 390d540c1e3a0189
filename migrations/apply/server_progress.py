"""How far a running statement is, read through another connection."""

from dataclasses import dataclass
from typing import Any

import psycopg

Connection = psycopg.AsyncConnection[Any]

_COPY = """
UNION ALL
SELECT 'copying', bytes_processed, bytes_total, 'bytes' FROM pg_catalog.pg_stat_progress_copy WHERE pid = %(pid)s
"""
_PROGRESS = """
SELECT phase, CASE WHEN blocks_total > 0 THEN blocks_done WHEN tuples_total > 0 THEN tuples_done ELSE lockers_done END,
       CASE WHEN blocks_total > 0 THEN blocks_total WHEN tuples_total > 0 THEN tuples_total ELSE lockers_total END,
       CASE WHEN blocks_total > 0 THEN 'blocks' WHEN tuples_total > 0 THEN 'rows' ELSE 'sessions waited for' END
FROM pg_catalog.pg_stat_progress_create_index WHERE pid = %(pid)s
UNION ALL
SELECT phase, heap_blks_scanned, heap_blks_total, 'blocks'
FROM pg_catalog.pg_stat_progress_cluster WHERE pid = %(pid)s
UNION ALL
SELECT phase, heap_blks_scanned, heap_blks_total, 'blocks'
FROM pg_catalog.pg_stat_progress_vacuum WHERE pid = %(pid)s
UNION ALL
SELECT phase, sample_blks_scanned, sample_blks_total, 'blocks'
FROM pg_catalog.pg_stat_progress_analyze WHERE pid = %(pid)s
"""
_WAITING = """
SELECT b.pid, coalesce(nullif(b.application_name, ''), b.usename, 'not visible'), coalesce(b.state, '')
FROM pg_catalog.pg_stat_activity a, pg_catalog.pg_stat_activity b
WHERE a.pid = %(pid)s AND a.wait_event_type = 'Lock' AND b.pid = ANY (pg_catalog.pg_blocking_pids(a.pid))
ORDER BY b.backend_start
"""


@dataclass(frozen=True, slots=True)
class Progress:
    """`total` is 0 where the server reports none. `waits_for`: who holds the lock that it waits for, in words."""

    label: str = ""
    done: int = 0
    total: int = 0
    unit: str = ""
    waits_for: str = ""


async def look(guard: Connection, pid: int) -> Progress:
    """What the backend `pid` is doing now. Raises psycopg.Error if the guard's connection is lost."""
    query = _PROGRESS + (_COPY if guard.info.server_version >= 140000 else "")
    row = await (await guard.execute(query.encode(), {"pid": pid})).fetchone()
    waiting = await (await guard.execute(_WAITING, {"pid": pid})).fetchall()
    waits_for = ", ".join(f"pid {other} ({name}, {state or 'state not visible'})" for other, name, state in waiting)
    if row is None:
        return Progress(waits_for=waits_for)
    phase, done, total, unit = row
    return Progress(str(phase), int(done), int(total), unit, waits_for)
