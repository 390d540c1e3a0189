"""What a database is made of: a snapshot to compare, row counts, and what is missing."""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from migrations.catalog.diff import diff_objects
from migrations.catalog.queries import MISSING, QUERIES
from migrations.catalog.reading import reading
from migrations.catalog.row_counts import RowCount as RowCount
from migrations.catalog.row_counts import row_counts as row_counts

Connection = psycopg.AsyncConnection[Any]
FORMAT = 2
NAMING = ("of", "parents", "type", "owner", "schema", "privileges")
"""Attributes that only name other objects: they are never hashed. Neither are foreign keys."""
Name = tuple[str | None, str]
"""Schema (None: wherever the search_path finds it) and table."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The schema of a database as text: by `kind name`, attributes by name. Equal schemas are equal snapshots.

    Left out: PostgreSQL's own schemas, members of extensions, Prisma's ledger, and the schema `gonogo`.
    """

    objects: Mapping[str, Mapping[str, str]]

    def to_json(self) -> dict[str, Any]:
        """As plain data; the columns of a table are in their order."""
        return {"format": FORMAT, "objects": {key: dict(attributes) for key, attributes in self.objects.items()}}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Snapshot":
        """What `to_json` gave. Raises KeyError, or ValueError if it is of another format."""
        if data["format"] != FORMAT:
            raise ValueError("a catalog snapshot of another version of gonogo")
        return cls({key: dict(attributes) for key, attributes in data["objects"].items()})

    def without(self, clean: Callable[[str], str]) -> "Snapshot":
        """With the hash in the place of each text that holds a secret, to be written to a file."""
        return self._hashed(lambda _, attribute, text: not _only_names(attribute, text) and clean(text) != text)

    def like(self, kept: "Snapshot") -> "Snapshot":
        """With the hash where `kept` has one, so that both can be compared."""
        return self._hashed(lambda key, attribute, _: _is_hash(kept.objects.get(key, {}).get(attribute, "")))

    def _hashed(self, which: Callable[[str, str, str], bool]) -> "Snapshot":
        return Snapshot(
            {
                key: {name: _hash(text) if which(key, name, text) else text for name, text in attributes.items()}
                for key, attributes in self.objects.items()
            }
        )

    def names(self, kind: str) -> tuple[str, ...]:
        """The names of all objects of a kind, sorted."""
        return tuple(sorted(key[len(kind) + 1 :] for key in self.objects if key.startswith(f"{kind} ")))

    def partition_root(self, table: str) -> str:
        """The table at the top of the partitions that `table` belongs to; itself if it is no partition."""
        attributes = self.objects.get(f"table {table}", {})
        if "partition" not in attributes:
            return table
        return self.partition_root(attributes["parents"])


async def snapshot(conn: Connection, *, schemas: Sequence[str] | None = None, bodies: bool = False) -> Snapshot:
    """Read everything in one repeatable-read transaction, the connection's own if it is in one. Raises Problem.

    `bodies`: the text of functions, not its hash.
    """
    objects: dict[str, dict[str, str]] = {}
    given = {"schemas": list(schemas) if schemas is not None else None, "bodies": bodies}
    async with reading(conn):
        for query in QUERIES:
            for kind, name, attributes in await (await conn.execute(query.encode(), given)).fetchall():
                objects[f"{kind} {name}"] = {
                    key: value for key, value in sorted(attributes.items()) if value is not None
                }
    return Snapshot(objects)


def diff(before: Snapshot, after: Snapshot) -> tuple[str, ...]:
    """Readable lines, sorted by table: `+` is new, `-` is gone, `~` has changed. `before` may have been kept."""
    return diff_objects(before.objects, after.like(before).objects)


async def exists(conn: Connection, tables: Iterable[Name], columns: Iterable[tuple[Name, str]] = ()) -> tuple[str, ...]:
    """Which of these tables and columns (table, column) are not there: `orders`, `orders.note`. Raises Problem."""
    wanted: list[tuple[str | None, str, str | None]] = [(schema, name, None) for schema, name in tables]
    wanted += [(schema, name, column) for (schema, name), column in columns]
    given = {key: [entry[n] for entry in wanted] for n, key in enumerate(("schemas", "names", "columns"))}
    async with reading(conn, {"search_path": await _search_path(conn)}):
        found = await (await conn.execute(MISSING, given)).fetchall()
    return tuple(_shown((schema, name)) + (f".{column}" if column else "") for schema, name, column in found)


def _only_names(attribute: str, text: str) -> bool:
    return attribute in NAMING or (attribute == "definition" and text.startswith("FOREIGN KEY ("))


def _hash(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _is_hash(text: str) -> bool:
    return re.fullmatch("sha256:[0-9a-f]{64}", text) is not None


async def _search_path(conn: Connection) -> str:
    row = await (await conn.execute("SELECT pg_catalog.current_setting('search_path')")).fetchone()
    return str(row[0]) if row else ""


def _shown(table: Name) -> str:
    schema, name = table
    return name if schema in (None, "public") else f"{schema}.{name}"
