"""What the ledger shows that gonogo has not written: marks, and edits by hand. Pure; it judges nothing."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from migrations.ledger import Row

Mark = Literal["applied", "rolled back"]
_CHECKSUM = re.compile(r"[0-9a-f]{64}")
RESOLVED = "by `prisma migrate resolve`, or by hand"


@dataclass(frozen=True, slots=True)
class Own:
    """What gonogo knows to have written: rows by their ids, with migration and checksum, and marks by migration."""

    began: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    applied: frozenset[str] = frozenset()
    marked: frozenset[tuple[str, Mark]] = frozenset()

    def and_what(self, other: "Own") -> "Own":
        """The same with what another source knows."""
        return Own({**self.began, **other.began}, self.applied | other.applied, self.marked | other.marked)


@dataclass(frozen=True, slots=True)
class Edit:
    """What was done to a row of this migration."""

    migration: str
    what: str

    @property
    def words(self) -> str:
        """In one line."""
        return f"{self.migration}: {self.what}"


def by_hand(rows: Sequence[Row], own: Own) -> tuple[Edit, ...]:
    """Every trace, in the ledger's order, then what is gone from it. What failed and stands open is not told here."""
    found = [Edit(row.applied.name, what) for row in rows if not row.applied.failed for what in _traces(row, own)]
    there = {row.id for row in rows}
    gone = [own.began[id][0] for id in sorted(own.applied - there) if id in own.began]
    return (*found, *(Edit(name, "gonogo applied it, and its row is gone") for name in dict.fromkeys(gone)))


def _traces(row: Row, own: Own) -> Iterator[str]:
    one = row.applied
    if row.id in own.began and own.began[row.id][1] not in ("", one.checksum):
        yield "its checksum is not what gonogo applied: changed by hand"
    elif not _CHECKSUM.fullmatch(one.checksum):
        yield "its checksum is none: written by hand"
    if one.rolled_back:
        if (one.name, "rolled back") not in own.marked:
            yield f"marked as rolled back, {RESOLVED}"
        return
    noted = row.steps == 0 and one.started_at == one.finished_at
    if noted and (one.name, "applied") not in own.marked:
        yield f"noted as applied at {one.finished_at}, and not run: {RESOLVED}"
    if row.steps == 0 and not noted:
        yield "finished without a step: written by hand"
    if one.finished_at is not None and one.finished_at < one.started_at:
        yield "finished before it began: written by hand"
    if one.logs and not noted:
        yield "finished, and has the error of a failure: finished by hand"
