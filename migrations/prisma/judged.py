"""What the ledger says after Prisma's command has run, held against what it said before and what was reviewed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from migrations.ledger import Row

State = Literal["applied", "failed", "missing", "other bytes"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A reviewed script that is to be applied."""

    name: str
    checksum: str
    data: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one script. `row` is the ledger's id, `took` microseconds, both empty where it has no row."""

    name: str
    state: State
    words: str
    row: str = ""
    took: int = 0


@dataclass(frozen=True, slots=True)
class Judged:
    """`fates` in the order of the scripts; `disturbed` says what else became different in the ledger."""

    fates: tuple[Fate, ...]
    disturbed: tuple[str, ...]

    def of(self, state: State) -> tuple[Fate, ...]:
        """The scripts in one state."""
        return tuple(fate for fate in self.fates if fate.state == state)

    @property
    def applied(self) -> bool:
        """Whether everything is applied as it was reviewed, and nothing else has changed."""
        return len(self.of("applied")) == len(self.fates) and not self.disturbed


def judge(wanted: Sequence[Wanted], before: Sequence[Row], after: Sequence[Row]) -> Judged:
    """Every script by its row, and every other row by what it was."""
    names = {one.name for one in wanted}
    kept = {row.id: row for row in after}
    known = {row.id for row in before}
    disturbed = [
        *(_lost(row, kept.get(row.id)) for row in before if kept.get(row.id) != row),
        *(f"a row of {row.applied.name} has appeared" for row in after if row.id not in known and _foreign(row, names)),
    ]
    return Judged(tuple(_fate(one, after) for one in wanted), tuple(disturbed))


def _foreign(row: Row, names: set[str]) -> bool:
    return row.applied.name not in names


def _lost(row: Row, now: Row | None) -> str:
    return f"the row of {row.applied.name} {'was changed' if now else 'is gone'}"


def _fate(wanted: Wanted, rows: Sequence[Row]) -> Fate:
    open_ones = [row for row in rows if row.applied.name == wanted.name and not row.applied.rolled_back]
    if not open_ones:
        return Fate(wanted.name, "missing", "it has no row in the ledger: it was not applied")
    failed = next((row for row in open_ones if row.applied.failed), None)
    if failed is not None:
        return Fate(wanted.name, "failed", "its row in the ledger was begun and never finished", failed.id)
    row = next((row for row in open_ones if row.applied.checksum == wanted.checksum), None)
    if row is None:
        words = f"the ledger has it from other bytes than the reviewed ones ({open_ones[0].applied.checksum[:12]}…)"
        return Fate(wanted.name, "other bytes", words, open_ones[0].id)
    return Fate(wanted.name, "applied", "applied as reviewed", row.id, _took(row))


def _took(row: Row) -> int:
    began, ended = row.applied.started_at, row.applied.finished_at
    if ended is None:
        return 0
    return max(0, (datetime.fromisoformat(ended) - datetime.fromisoformat(began)) // timedelta(microseconds=1))
