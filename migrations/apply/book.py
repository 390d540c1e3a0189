"""What is written down of a script that runs, beside it and in its own last transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import psycopg
from psycopg import sql

from migrations import ledger

Connection = psycopg.AsyncConnection[Any]

XID = "pg_catalog.pg_current_xact_id()::pg_catalog.text"


class Book(Protocol):
    """`conn` is a connection of its own, which also holds the lock."""

    @property
    def conn(self) -> Connection:
        """The connection."""

    @property
    def lost(self) -> str:
        """What is wrong where the finishing statement found nothing to finish, in words."""

    async def start(self, name: str, checksum: str, row: str) -> None:
        """The script is about to run. Raises Problem."""

    def finishing(self, row: str) -> str:
        """The last statement of its own transaction: one row with the transaction's id, or none."""

    async def finish(self, row: str) -> None:
        """It is over, where that could not be said in its own transaction. Raises Problem."""

    async def fail(self, row: str, logs: str) -> None:
        """It failed, for this reason. Raises Problem, psycopg.Error."""


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """A migration: it has a row of its own in the ledger `table`, as Prisma would write it."""

    conn: Connection
    table: str

    @property
    def lost(self) -> str:
        """What is wrong."""
        return f"the script's row is no longer in {self.table}"

    async def start(self, name: str, checksum: str, row: str) -> None:
        """Write its row."""
        await ledger.start(self.conn, name, checksum, id=row, table=self.table)

    def finishing(self, row: str) -> str:
        """Mark it as applied."""
        return ledger.finishing_statement(self.table, row)

    async def finish(self, row: str) -> None:
        """Mark it as applied."""
        await ledger.finish(self.conn, row, table=self.table)

    async def fail(self, row: str, logs: str) -> None:
        """Write why beside it."""
        await ledger.fail(self.conn, row, logs, table=self.table)


@dataclass(frozen=True, slots=True)
class Marks:
    """No migration, but what undoes some: it has no row, and sets aside the open failed rows of those with it.

    `table` is None where there is no ledger.
    """

    conn: Connection
    table: str | None
    rows: tuple[str, ...]

    @property
    def lost(self) -> str:
        """What is wrong."""
        return f"not all of the rows {', '.join(self.rows)} stand as failed in {self.table} any more"

    async def start(self, name: str, checksum: str, row: str) -> None:
        """Nothing: what is not committed leaves no trace."""

    def finishing(self, row: str) -> str:
        """Set the rows aside, all or none."""
        if self.table is None or not self.rows:
            return f"SELECT {XID}"
        return setting_aside(self.table, self.rows)

    async def finish(self, row: str) -> None:
        """Only in its own transaction."""
        raise RuntimeError("what undoes a migration is finished in its own transaction")

    async def fail(self, row: str, logs: str) -> None:
        """Nothing of it is in the ledger."""


def setting_aside(table: str, rows: Sequence[str]) -> str:
    """Marks open failed rows as rolled back, as `migrate resolve --rolled-back` does; returns no row if one is not."""
    ids = sql.SQL(", ").join(sql.Literal(row) for row in rows).as_string()
    now = datetime.now(UTC).isoformat(sep=" ")
    return (
        f"WITH marked AS (UPDATE {table} SET rolled_back_at = '{now}'::pg_catalog.timestamptz "
        f"WHERE id::pg_catalog.text OPERATOR(pg_catalog.=) ANY (ARRAY[{ids}]::pg_catalog.text[]) "
        "AND finished_at IS NULL AND rolled_back_at IS NULL RETURNING 1) "
        f"SELECT {XID} WHERE (SELECT pg_catalog.count(*) FROM marked) OPERATOR(pg_catalog.=) {len(rows)}"
    )
