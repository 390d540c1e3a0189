"""What is claimed of each row of docs/statements.md, harmless ones too, for a server to confirm. Data only."""

from collections.abc import Iterator

from migrations.locks.claims import of_columns, of_constraints, of_indexes, of_tables, of_things
from migrations.locks.claims.claim import Claim, Claims
from migrations.locks.claims.world import WORLD

__all__ = ["WORLD", "Claim", "claims"]

_PARTS: tuple[Claims, ...] = (
    of_columns.CLAIMS,
    of_constraints.CLAIMS,
    of_indexes.CLAIMS,
    of_tables.CLAIMS,
    of_things.CLAIMS,
)


def claims() -> Iterator[tuple[str, Claim]]:
    """Every claim, with the row that it proves."""
    for part in _PARTS:
        for row, found in part.items():
            yield from ((row, claim) for claim in found)
