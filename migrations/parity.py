"""Another environment's database beside this one: what is applied there, and what of the catalog is not the same."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal

import psycopg

from migrations import ledger
from migrations.catalog import RowCount, Snapshot, row_counts, snapshot
from migrations.catalog.diff import diff_objects, split_key
from migrations.catalog.recorded import name_of
from migrations.folder import same_checksum
from migrations.ledger import Row
from migrations.sql import Script
from migrations.sql.names import Name

Connection = psycopg.AsyncConnection[Any]
Objects = Mapping[str, Mapping[str, str]]

OF_THE_PLACE = ("owner", "privileges", "tablespace")
"""Attributes that differ between environments by right: each has roles and disks of its own."""
KINDS_OF_THE_PLACE = ("default privileges", "publication")


@dataclass(frozen=True, slots=True)
class Beside:
    """What was read of one database. `rows` are the ledger's, None without one; `sizes` are estimated rows by table."""

    rows: tuple[Row, ...] | None
    catalog: Snapshot
    sizes: Mapping[str, RowCount]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A migration that is pending here, as it was reviewed."""

    name: str
    sha256: str
    text: str


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of it there. `line ends`: applied, from a text that differs in nothing else. `took`: microseconds.

    `row` is the ledger's id; `marked`: noted as applied there by hand, not run.
    """

    name: str
    state: Literal["applied", "line ends", "other text", "failed", "missing"]
    row: str = ""
    at: str = ""
    took: int = 0
    marked: bool = False


async def read_beside(conn: Connection, schema: str | None) -> Beside:
    """Read ledger, catalog, and estimates of rows. Raises Problem."""
    return Beside(await ledger.rows(conn, schema), await snapshot(conn), await row_counts(conn, exact_below=0))


def fates(wanted: Iterable[Wanted], rows: Sequence[Row]) -> tuple[Fate, ...]:
    """What became there of each migration, in order; the newest row of a name that was not rolled back counts."""
    by_name = {row.applied.name: row for row in rows if not row.applied.rolled_back}
    return tuple(_fate(each, by_name.get(each.name)) for each in wanted)


def _fate(wanted: Wanted, row: Row | None) -> Fate:
    if row is None:
        return Fate(wanted.name, "missing")
    applied = row.applied
    if applied.failed or applied.finished_at is None:
        return Fate(wanted.name, "failed", row.id, applied.started_at)
    took = datetime.fromisoformat(applied.finished_at) - datetime.fromisoformat(applied.started_at)
    state: Literal["applied", "line ends", "other text"] = "applied"
    if applied.checksum != wanted.sha256:
        state = "line ends" if same_checksum(applied.checksum, wanted.text) else "other text"
    microseconds = round(took.total_seconds() * 1_000_000)
    return Fate(wanted.name, state, row.id, applied.finished_at, microseconds, marked=row.steps == 0)


def differing(here: Snapshot, there: Snapshot, pending: Iterable[Script], schema: str) -> tuple[str, ...]:
    """Readable lines: `+` is here only, `-` there only, `~` is not the same (there → here).

    Left out is what a pending script names, since it has been changed there and not here; and what belongs to a place.
    """
    named = frozenset(_full(name, schema) for script in pending for name in _names(script))
    return diff_objects(_without(there.objects, named), _without(here.objects, named))


def _without(objects: Objects, named: frozenset[Name]) -> dict[str, Mapping[str, str]]:
    return {
        key: {name: value for name, value in attributes.items() if name not in OF_THE_PLACE}
        for key, attributes in objects.items()
        if split_key(key)[0] not in KINDS_OF_THE_PLACE and not _is_named(key, attributes, named)
    }


def _is_named(key: str, attributes: Mapping[str, str], named: frozenset[Name]) -> bool:
    """Whether it is named itself, or is a part of what is named."""
    own = split_key(key)[1].partition("(")[0]
    wholes = (own, attributes.get("of", ""), attributes.get("owned by", "").rpartition(".")[0])
    return any(name_of(whole) in named for whole in wholes if whole)


def _names(script: Script) -> Iterator[Name]:
    """All names in what the statements do, those in code as well."""
    for statement in script.statements:
        yield from statement.facts.touches
        for action in statement.actions:
            for field in fields(action):
                value = getattr(action, field.name)
                if isinstance(value, Name):
                    yield value
                elif isinstance(value, tuple):
                    yield from (each for each in value if isinstance(each, Name))


def _full(name: Name, schema: str) -> Name:
    return Name(name.schema or schema, name.name)
