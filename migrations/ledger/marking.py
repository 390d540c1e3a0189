"""Rows written without running anything, as Prisma's `migrate resolve` leaves them: all of them, or none."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, datetime

from migrations import ledger
from migrations.ledger import Connection, Row


@dataclass(frozen=True, slots=True)
class SetAside:
    """A row gets its `rolled_back_at`; nothing else of it is changed."""

    row: str
    name: str

    @property
    def words(self) -> str:
        """What is done, for a person."""
        return f"row {self.row} of {self.name}: rolled_back_at = now"


@dataclass(frozen=True, slots=True)
class NoteApplied:
    """A new row says that a migration is applied; none of its statements is run."""

    name: str
    checksum: str

    @property
    def words(self) -> str:
        """What is done, for a person."""
        return f"new row of {self.name}: finished_at = started_at = now, steps 0, SHA-256 {self.checksum[:12]}…"


Change = SetAside | NoteApplied


def digest(rows: Sequence[Row] | None) -> str:
    """What tells one reading of the ledger from another: the SHA-256 of all its rows; empty where there is none."""
    if rows is None:
        return ""
    told = [astuple(row) for row in sorted(rows, key=lambda row: row.id)]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


async def write(conn: Connection, changes: Sequence[Change], *, schema: str | None = None) -> None:
    """Write the changes in one transaction. Makes the ledger where there is none. The lock must be held.

    Times are this machine's clock, as Prisma's. Raises Problem if a row is gone, or the ledger may not be made.
    """
    async with conn.transaction():
        table = await ledger.find(conn, schema) or await ledger.create(conn, schema)
        for change in changes:
            now = datetime.now(UTC)
            if isinstance(change, SetAside):
                query, given = f"UPDATE {table} SET rolled_back_at = %s WHERE id = %s", (now, change.row)
            else:
                query = f"INSERT INTO {table} ({ledger.COLUMNS}) VALUES (%s, %s, %s, %s, %s, NULL, '', 0)"
                given = (ledger.new_id(), change.name, change.checksum, now, now)  # type: ignore[assignment]
            cur = await conn.execute(query.encode(), given)
            ledger.must_be_there(cur.rowcount, getattr(change, "row", change.name))
