"""The ledger and the schema before Prisma's command runs: read under the lock, kept to be compared with."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import psycopg

from migrations import ledger
from migrations.catalog import Snapshot, snapshot
from migrations.doctor import Facts, diagnose
from migrations.ledger import Row
from migrations.plan import Applied
from migrations.prisma.judged import Wanted
from migrations.problem import Problem

Connection = psycopg.AsyncConnection[Any]
STOPS = ("P3005", "P3009")


@dataclass(frozen=True, slots=True)
class Before:
    """`rows` without their logs, which may hold values of rows."""

    rows: tuple[Row, ...]
    catalog: Snapshot

    def to_json(self, clean: Callable[[str], str]) -> str:
        """As text without secrets, for a file."""
        rows = [asdict(row) for row in self.rows]
        return json.dumps({"rows": rows, "catalog": self.catalog.without(clean).to_json()}, indent=1)

    @classmethod
    def from_json(cls, text: str) -> "Before":
        """What `to_json` gave. Raises KeyError or ValueError."""
        data = json.loads(text)
        rows = (Row(row["id"], row["steps"], Applied(**row["applied"])) for row in data["rows"])
        return cls(tuple(rows), Snapshot.from_json(data["catalog"]))

    def open_ones(self, names: Iterable[str]) -> frozenset[str]:
        """Those of these migrations that Prisma would apply, as this ledger stands."""
        return frozenset(names) - {row.applied.name for row in self.rows if not row.applied.rolled_back}

    def rolled_back(self) -> frozenset[str]:
        """The names that have a row that was marked as rolled back."""
        return frozenset(row.applied.name for row in self.rows if row.applied.rolled_back)


async def read_before(
    conn: Connection, schema: str | None, wanted: Sequence[Wanted], *, again: bool, environment: str
) -> Before:
    """Read them. Raises Problem where Prisma would not go on: P3005, P3009; or P3008, applied by somebody else.

    `again`: an earlier attempt of this session had begun, so that what is applied as reviewed may be its work.
    `environment` is named in the way out.
    """
    rows = await ledger.rows(conn, schema)
    tables = await ledger.other_tables(conn, [schema] if schema else []) if rows is None else 0
    for state in diagnose(Facts(rows=rows, tables=tables), environment):
        if state.code in STOPS:
            raise state.problem
    _refuse_others(wanted, rows or (), again=again)
    return Before(without_logs(rows or ()), await snapshot(conn))


def without_logs(rows: Iterable[Row]) -> tuple[Row, ...]:
    """The rows, their logs left out."""
    return tuple(replace(row, applied=replace(row.applied, logs=None)) for row in rows)


def _refuse_others(wanted: Sequence[Wanted], rows: Sequence[Row], *, again: bool) -> None:
    reviewed = {one.name: one.checksum for one in wanted}
    for row in rows:
        ours = again and row.applied.checksum == reviewed.get(row.applied.name)
        if row.applied.name in reviewed and not row.applied.rolled_back and not ours:
            raise Problem(
                f"{row.applied.name} was applied by somebody else at {row.applied.finished_at}.",
                advice="The plan no longer holds. End this session and start anew.",
                code="P3008",
            )
