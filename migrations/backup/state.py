"""What a database held at a moment: kept beside a dump, to compare with after a restore."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import psycopg

from migrations import catalog
from migrations.catalog import RowCount, Snapshot
from migrations.ledger import rows
from migrations.plan import Applied

Connection = psycopg.AsyncConnection[Any]

COUNTERS = """
SELECT pg_catalog.format('%I.%I', schemaname, relname), n_tup_ins, n_tup_upd, n_tup_del
FROM pg_catalog.pg_stat_user_tables WHERE schemaname <> 'gonogo'
"""

RESET = """
SELECT coalesce(stats_reset::text, '')
FROM pg_catalog.pg_stat_database WHERE datname = pg_catalog.current_database()
"""


VERSIONS = "SELECT extname, extversion FROM pg_catalog.pg_extension"


@dataclass(frozen=True, slots=True)
class Counters:
    """Rows inserted, updated and deleted by table since `reset`, as the server's statistics have it."""

    reset: str
    tables: dict[str, tuple[int, int, int]]


@dataclass(frozen=True, slots=True)
class Migration:
    """A row of the ledger: its id, its migration, and whether it was finished."""

    id: str
    name: str
    finished: bool


@dataclass(frozen=True, slots=True)
class State:
    """`migrations` is None where there is no ledger; `extensions` are versions by name."""

    catalog: Snapshot
    rows: dict[str, RowCount]
    counters: Counters
    extensions: dict[str, str]
    migrations: tuple[Migration, ...] | None

    def to_json(self, clean: Callable[[str], str]) -> str:
        """As text without secrets; `from_json` reads it back."""
        return json.dumps(
            {**asdict(self), "catalog": self.catalog.without(clean).to_json()}, ensure_ascii=False, indent=1
        )

    @classmethod
    def from_json(cls, text: str) -> "State":
        """Raises ValueError or KeyError if this is not what `to_json` wrote."""
        data = json.loads(text)
        ledger = data["migrations"]
        return cls(
            catalog=Snapshot.from_json(data["catalog"]),
            rows={table: RowCount(**count) for table, count in data["rows"].items()},
            counters=Counters(data["counters"]["reset"], {k: tuple(v) for k, v in data["counters"]["tables"].items()}),
            extensions=data["extensions"],
            migrations=None if ledger is None else tuple(Migration(**row) for row in ledger),
        )


async def counters(connection: Connection) -> Counters:
    """Read them now. They lag a second or so behind what is committed, and know nothing of transactions."""
    found = await (await connection.execute(COUNTERS)).fetchall()
    reset = await (await connection.execute(RESET)).fetchone()
    return Counters(reset[0] if reset else "", {table: (i, u, d) for table, i, u, d in found})


async def recorded(connection: Connection, schema: str | None, since: Counters, *, exact_below: int) -> State:
    """Read everything in the connection's own transaction. `since` was read before it began."""
    ledger = await rows(connection, schema)
    extensions = await (await connection.execute(VERSIONS)).fetchall()
    return State(
        catalog=await catalog.snapshot(connection),
        rows=await catalog.row_counts(connection, exact_below=exact_below),
        counters=since,
        extensions=dict(extensions),
        migrations=None if ledger is None else tuple(_migration(row.id, row.applied) for row in ledger),
    )


def _migration(id: str, applied: Applied) -> Migration:
    return Migration(id, applied.name, applied.finished_at is not None)
