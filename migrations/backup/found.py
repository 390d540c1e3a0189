"""A dump that somebody else made: read back like ours, and held against the catalog."""

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from migrations.backup import archive
from migrations.backup.files import Format, format_of
from migrations.backup.moment import Connection, dumped_tables
from migrations.backup.read import Progress, Reading
from migrations.backup.state import State, counters, recorded
from migrations.catalog import RowCount
from migrations.hashing import fingerprint


@dataclass(frozen=True, slots=True)
class Found:
    """A dump, every byte of which was read. `rows` by table, as its COPY lines have them; `database` and `created` as
    an archive says them itself (a plain one does not): by the wall clock of whoever dumped. `written` is of its files.
    """

    path: Path
    format: Format
    size: int
    sha256: str
    rows: dict[str, int]
    written: datetime
    database: str = ""
    created: datetime | None = None

    @property
    def taken(self) -> datetime:
        """The earlier of what it says itself and what its files say: a copy is younger than the dump."""
        return min(self.written, self.created or self.written)


def written_at(path: Path) -> datetime:
    """When a dump was written to last; of a folder, any of its files. Raises OSError."""
    files = list(path.iterdir()) if path.is_dir() else [path]
    return datetime.fromtimestamp(max((file.stat().st_mtime for file in files), default=0.0), UTC)


async def read(path: Path, reading: Reading) -> Found:
    """Read it to its last byte. Raises Problem if it is cut, damaged, or of a kind that is not read; OSError."""
    format = await asyncio.to_thread(format_of, path)
    text = await reading.text(path, format)
    await reading.on_progress(Progress("hash", done=len(text.rows), total=len(text.rows)))
    sha256, size = await asyncio.to_thread(fingerprint, path)
    found = Found(path, format, size, sha256, text.rows, await asyncio.to_thread(written_at, path))
    if format == "plain":
        return found
    said = await archive.contents(reading.tools, path, reading.env)
    return replace(found, database=said.database, created=said.created.astimezone(UTC) if said.created else None)


@dataclass(frozen=True, slots=True)
class Compared:
    """A dump beside the database as it is now. `missing`: tables whose rows are not in it; `surplus`: tables that the
    database does not have; `empty`: without rows in the dump, and with rows now. `state` is what a restore of it is
    held against: the dump's own rows, and the schema of now."""

    missing: tuple[str, ...]
    surplus: tuple[str, ...]
    empty: tuple[str, ...]
    state: State

    @property
    def same(self) -> bool:
        """The dump has the tables of the database, and rows where that has some."""
        return not (self.missing or self.surplus or self.empty)


async def compare(connection: Connection, found: Found, schema: str | None) -> Compared:
    """Hold a dump against the catalog. Reads only."""
    before = await counters(connection)
    tables = await dumped_tables(connection)
    now = await recorded(connection, schema, before, exact_below=0)
    known = {table: rows for table, rows in found.rows.items() if table in now.rows}
    return Compared(
        missing=tuple(sorted(tables - set(found.rows))),
        surplus=tuple(sorted(set(found.rows) - tables)),
        empty=tuple(sorted(table for table, rows in known.items() if not rows and now.rows[table].rows)),
        state=replace(now, rows={table: RowCount(rows, True) for table, rows in known.items()}),
    )
