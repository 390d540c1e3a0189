"""Statistics for the planner, where a migration left none."""

from collections.abc import Mapping
from typing import Any

import psycopg

from migrations.catalog.sweep import Flaw
from migrations.target.session_settings import set_session

Connection = psycopg.AsyncConnection[Any]


async def gather(conn: Connection, flaw: Flaw, settings: Mapping[str, str]) -> str:
    """Analyse the table of a flaw of the kind `statistics`, under these timeouts. Returns why it did not, or nothing.

    It blocks neither reads nor writes; it waits for other changes of the table, and for a VACUUM.
    """
    assert flaw.kind == "statistics"
    said: list[str] = []

    def keep(diag: psycopg.errors.Diagnostic) -> None:
        said.append(diag.message_primary or "")

    await set_session(conn, settings)
    conn.add_notice_handler(keep)
    try:
        await conn.execute(flaw.mend.encode())
    except (psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled, psycopg.errors.UndefinedTable) as error:
        return error.diag.message_primary or str(error)
    finally:
        conn.remove_notice_handler(keep)
    return "; ".join(said)
