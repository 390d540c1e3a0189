"""What is claimed of a statement, for a server to confirm."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from migrations.locks.lock import Lock


@dataclass(frozen=True, slots=True)
class Claim:
    """In `world` and after `setup`, `sql` takes `locks`: the strongest on each relation, and none that is not named.

    The names are those of before the statement. ACCESS SHARE, and the locks on what belongs to a table, go without
    saying. `scans` are the tables that are read from end to end, `rewrites` those that are written anew. `fails` is
    the SQLSTATE that it ends with, `shows` a query that gives true afterwards. `since` and `until`: the majors of
    PostgreSQL that it is true of. `milder` are the relations that this version or case goes easier on than what is told
    of the statement in general. `holding`: what another session holds meanwhile, so that a statement which cannot be
    in a transaction stops where it can be watched; where there is none, it runs inside one.
    """

    sql: str
    locks: Mapping[str, Lock] = field(default_factory=dict)
    setup: str = ""
    scans: tuple[str, ...] = ()
    rewrites: tuple[str, ...] = ()
    fails: str = ""
    shows: str = ""
    since: int = 13
    until: int = 99
    milder: tuple[str, ...] = ()
    holding: str = ""

    def is_for(self, major: int) -> bool:
        """Whether it speaks of this version."""
        return self.since <= major <= self.until


Claims = Mapping[str, tuple[Claim, ...]]
"""By the row of docs/statements.md that they prove."""
