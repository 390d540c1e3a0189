"""Everything that a diagnosis is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from migrations.doctor.traces import Traces
from migrations.folder import Migration
from migrations.ledger import Row
from migrations.ledger.lock import Holder


@dataclass(frozen=True, slots=True)
class Earlier:
    """A migration that was applied when the ledger was last read, with what its row said then."""

    name: str
    checksum: str
    finished_at: str


@dataclass(frozen=True)
class Facts:
    """`folder` in Prisma's order, None if it was not read.

    `rows` is None where there is no ledger, and `tables` counts what is there then. `provider`: what
    migration_lock.toml is for, if that is not PostgreSQL. `ledgers` are those in other schemas than the one that is
    read, quoted; `schema` is where unqualified names lead; `schema_named`: the address says so. `contract`: Prisma 8
    keeps its own record. `traces`: what the catalog shows of scripts, by migration. `earlier`: what was read some time
    before. `sessions`: by the id of an open row, the session that left it and can still go on.
    """

    folder: tuple[Migration, ...] | None = None
    rows: tuple[Row, ...] | None = None
    provider: str | None = None
    tables: int = 0
    ledgers: tuple[str, ...] = ()
    schema: str = "public"
    schema_named: bool = False
    contract: bool = False
    holders: tuple[Holder, ...] = ()
    traces: Mapping[str, Traces] = field(default_factory=dict)
    earlier: tuple[Earlier, ...] = ()
    sessions: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def scripts(self) -> dict[str, Migration]:
        """The folder by name, in its order."""
        return {migration.name: migration for migration in self.folder or ()}

    @cached_property
    def by_name(self) -> dict[str, list[Row]]:
        """The rows of each name, in the ledger's order."""
        found: dict[str, list[Row]] = {}
        for row in self.rows or ():
            found.setdefault(row.applied.name, []).append(row)
        return found

    @cached_property
    def live(self) -> dict[str, list[Row]]:
        """Those that were not rolled back; what deploy takes for applied."""
        return {
            name: same
            for name, rows in self.by_name.items()
            if (same := [row for row in rows if not row.applied.rolled_back])
        }
