"""For how long a migration may keep others from their work."""

from dataclasses import dataclass

from migrations.impact.estimate import Span
from migrations.rules.base import Severity

SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Budgets:
    """In microseconds: how long nobody may be able to read a table, and to write to it.

    A page that waits longer than a second is reloaded, which makes the queue longer. Writers stand five: that is when
    Prisma gives up a transaction of the app, unless told otherwise.
    """

    reads: int = SECOND
    writes: int = 5 * SECOND

    def limit(self, blocks: str) -> int | None:
        """The budget for a lock that blocks this, in the words of `Lock.blocks`; None if nobody waits for it."""
        if "reads" in blocks:
            return min(self.reads, self.writes)
        return self.writes if "writes" in blocks else None

    def verdict(self, span: Span, blocks: str, otherwise: Severity) -> Severity:
        """How bad it is to block for so long; `otherwise` where that cannot be told."""
        limit = self.limit(blocks)
        if limit is None:
            return otherwise
        if span.least > limit:
            return "stop"
        if span.most is None:
            return otherwise
        return "warn" if span.most > limit else "note"
