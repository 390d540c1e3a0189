"""What is half done, switched off, or runs out: what no migration means to leave behind, and no schema diff shows."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

import psycopg

from migrations.catalog.reading import reading
from migrations.catalog.sweep_queries import QUERIES
from migrations.sql.names import Name

Connection = psycopg.AsyncConnection[Any]
Kind = Literal["invalid-index", "not-validated", "disabled-trigger", "pending-detach", "sequence-end", "statistics"]
KINDS: tuple[Kind, ...] = get_args(Kind)
FORMAT = 1
SECONDS = "20s"


@dataclass(frozen=True, slots=True)
class Flaw:
    """One of them. `name` is quoted and qualified, `table` is what it belongs to; `mend` is SQL, or empty.

    `weight`, where it is new: `stop`; `warn`; `note`, of little matter; `passing`, somebody is at it right now.
    `parts`: the columns and indexes of a table that have no statistics.
    """

    kind: Kind
    oid: str
    name: str
    table: Name
    words: str
    mend: str
    weight: Literal["stop", "warn", "note", "passing"]
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Swept:
    """What two sweeps tell: `new` is only in the second, `mended` only in the first; `kept` is as it was before."""

    new: tuple[Flaw, ...]
    kept: tuple[Flaw, ...]
    mended: tuple[Flaw, ...]


async def sweep(conn: Connection, *, percent: int, rows: int, kinds: Sequence[Kind] = KINDS) -> tuple[Flaw, ...]:
    """Everything of these kinds, by kind and name. Raises Problem; each query has 20 seconds, and waits behind nobody.

    `percent`: sequences that have used up so much. `rows`: tables without statistics from here on are worth a word.
    """
    given = {"percent": percent, "rows": rows, "schemas": None}
    found = []
    async with reading(conn, {"statement_timeout": SECONDS}):
        for kind in kinds:
            for row in await (await conn.execute(QUERIES[kind].encode(), given)).fetchall():
                oid, name, schema, table, words, mend, weight, parts = row
                found.append(Flaw(kind, oid, name, Name(schema, table), words, mend, weight, tuple(parts)))
    return tuple(sorted(found, key=lambda flaw: (KINDS.index(flaw.kind), flaw.name)))


def held_against(before: Sequence[Flaw], after: Sequence[Flaw]) -> Swept:
    """What is new, what was there before, what is gone. An object is the same by its name, or renamed, by its OID."""
    old, now = _Known(before), _Known(after)
    return Swept(
        new=tuple(new for flaw in after if (new := old.beyond(flaw))),
        kept=tuple(flaw for flaw in after if old.of(flaw)),
        mended=tuple(flaw for flaw in before if not now.of(flaw)),
    )


class _Known:
    def __init__(self, flaws: Sequence[Flaw]) -> None:
        self._by_name = {(flaw.kind, flaw.name): flaw for flaw in flaws}
        self._by_oid = {(flaw.kind, flaw.oid): flaw for flaw in flaws}

    def of(self, flaw: Flaw) -> Flaw | None:
        """The same one."""
        return self._by_name.get((flaw.kind, flaw.name)) or self._by_oid.get((flaw.kind, flaw.oid))

    def beyond(self, flaw: Flaw) -> Flaw | None:
        """The flaw if it is not known, or with those parts of it that are not."""
        known = self.of(flaw)
        if known is None:
            return flaw
        more = tuple(part for part in flaw.parts if part not in known.parts)
        return replace(flaw, parts=more) if more else None


def to_json(flaws: Sequence[Flaw]) -> str:
    """As text; `from_json` reads it back."""
    rows = [{**asdict(flaw), "table": [flaw.table.schema, flaw.table.name]} for flaw in flaws]
    return json.dumps({"format": FORMAT, "flaws": rows}, ensure_ascii=False, indent=1)


def from_json(text: str) -> tuple[Flaw, ...]:
    """Raises ValueError, KeyError or TypeError if it is none."""
    data = json.loads(text)
    if data["format"] != FORMAT:
        raise ValueError("a sweep of another version of gonogo")
    return tuple(
        Flaw(**{**flaw, "table": Name(*flaw["table"]), "parts": tuple(flaw["parts"])}) for flaw in data["flaws"]
    )
