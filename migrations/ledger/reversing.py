"""What the ledger can say, in Prisma's own way, of migrations whose SQL was undone."""

from collections.abc import Sequence
from dataclasses import dataclass

from migrations.ledger import Row

STAYS = (
    "its row stays: it says that it was applied, which is true, and Prisma refuses --rolled-back for a finished one "
    "(P3012). No deploy will run it again: what brings it back is a new migration"
)
GONE = "the ledger has no row of it, as after a restore from before it: there is nothing to mark (Prisma: P3011)"
ASIDE = "it is marked as rolled back already"


@dataclass(frozen=True, slots=True)
class Reversed:
    """A migration that a script undoes. `rows`: its open failed rows, which are marked with it; `words`: else why
    none is."""

    name: str
    rows: tuple[str, ...]
    words: str


def reversals(rows: Sequence[Row] | None, names: Sequence[str]) -> tuple[Reversed, ...]:
    """What may be marked of each, as `prisma migrate resolve --rolled-back` would: failed rows, and no others."""
    return tuple(_reversed(name, [row for row in rows or () if row.applied.name == name]) for name in names)


def _reversed(name: str, rows: Sequence[Row]) -> Reversed:
    failed = tuple(row.id for row in rows if row.applied.failed)
    if failed:
        return Reversed(name, failed, "its failed row is marked as rolled back, together with the script")
    if any(not row.applied.rolled_back for row in rows):
        return Reversed(name, (), STAYS)
    return Reversed(name, (), ASIDE if rows else GONE)
