"""What changed in a database since a dump was taken of it."""

from dataclasses import dataclass

from migrations import catalog
from migrations.backup.state import Connection, Counters, State, counters
from migrations.ledger import find, rows

__all__ = ["Changes", "Written", "what_changed"]


@dataclass(frozen=True, slots=True)
class Written:
    """Rows written to one table. `least`: the counters began anew since, so it may be more."""

    inserted: int
    updated: int
    deleted: int
    least: bool = False

    @property
    def total(self) -> int:
        """All writes."""
        return self.inserted + self.updated + self.deleted


@dataclass(frozen=True, slots=True)
class Changes:
    """`applied`: migrations that were finished since; `open`: begun since, and neither finished nor rolled back.
    `schema`: readable lines. `written`: by table, those without a write left out."""

    applied: tuple[str, ...]
    open: tuple[str, ...]
    schema: tuple[str, ...]
    written: dict[str, Written]

    @property
    def committed(self) -> bool:
        """Something of a migration was committed: there is something to roll back."""
        return bool(self.applied or self.schema)


async def what_changed(connection: Connection, since: State, schema: str | None) -> Changes:
    """Compare the database as it is with the state at a dump. Reads only."""
    known = {(m.id, m.finished) for m in since.migrations or ()}
    ledger = await rows(connection, schema) or ()
    new = [row for row in ledger if (row.id, row.applied.finished_at is not None) not in known]
    now = await counters(connection)
    now.tables.pop(await find(connection, schema) or "", None)
    return Changes(
        applied=tuple(row.applied.name for row in new if row.applied.finished_at is not None),
        open=tuple(row.applied.name for row in new if row.applied.failed),
        schema=catalog.diff(since.catalog, await catalog.snapshot(connection)),
        written=_written(since.counters, now),
    )


def _written(before: Counters, now: Counters) -> dict[str, Written]:
    anew = before.reset != now.reset
    found = {}
    for table, (inserted, updated, deleted) in now.tables.items():
        old = before.tables.get(table, (0, 0, 0))
        least = anew or any(a < b for a, b in zip((inserted, updated, deleted), old, strict=True))
        base = (0, 0, 0) if least else old
        written = Written(inserted - base[0], updated - base[1], deleted - base[2], least)
        if written.total or least:
            found[table] = written
    return found
