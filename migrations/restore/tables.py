"""Which tables may be put back one by one, to what they held at the dump, and why not the others."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from migrations.backup.state import State
from migrations.catalog.reading import reading
from migrations.problem import Problem

Connection = psycopg.AsyncConnection[Any]

TABLE = """
SELECT c.oid::bigint, c.relkind::text, c.relispartition OR EXISTS (
           SELECT FROM pg_catalog.pg_inherits WHERE c.oid IN (inhrelid, inhparent)),
       c.relrowsecurity AND pg_catalog.row_security_active(c.oid), pg_catalog.pg_has_role(c.relowner, 'USAGE'),
       (SELECT pg_catalog.array_agg(a.attname::text ORDER BY k.ord)
        FROM pg_catalog.pg_index i, pg_catalog.unnest(i.indkey) WITH ORDINALITY k(num, ord)
        JOIN pg_catalog.pg_attribute a ON a.attnum = k.num
        WHERE i.indrelid = c.oid AND a.attrelid = c.oid AND i.indisprimary),
       (SELECT pg_catalog.array_agg(tgname::text) FROM pg_catalog.pg_trigger
        WHERE tgrelid = c.oid AND NOT tgisinternal AND tgenabled = 'O'),
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_trigger
        WHERE tgrelid = c.oid AND NOT tgisinternal AND tgenabled NOT IN ('O', 'D')),
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_rewrite WHERE ev_class = c.oid)
FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass(%s)
"""
COLUMNS = """
SELECT attname::text, pg_catalog.format_type(atttypid, atttypmod), attidentity::text, attgenerated <> '',
       attnotnull AND NOT atthasdef AND attidentity = '',
       pg_catalog.pg_get_serial_sequence(%s, attname)
FROM pg_catalog.pg_attribute WHERE attrelid = %s::oid AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""
KEYS = """
SELECT k.conrelid::bigint, k.confrelid::bigint, pg_catalog.format('%%I.%%I', n.nspname, c.relname), k.conname::text,
       k.confdeltype::text
FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE k.contype = 'f' AND (k.confrelid = ANY (%s::oid[]) OR k.conrelid = ANY (%s::oid[]))
"""
_PART = re.compile(r'"((?:[^"]|"")*)"|([^."]+)')
CASCADES = {"c": "deletes", "n": "empties", "d": "resets"}


@dataclass(frozen=True, slots=True)
class Column:
    """`must`: no row can do without a value for it. `sequence` feeds it."""

    name: str
    type: str
    identity: str
    generated: bool
    must: bool
    sequence: str | None


@dataclass(frozen=True, slots=True)
class Table:
    """A live table, `name` qualified and quoted. `key`: the columns of its primary key. `triggers` fire now."""

    name: str
    oid: int
    key: tuple[str, ...]
    triggers: tuple[str, ...]
    columns: tuple[Column, ...]
    then: tuple[str, ...]
    """The columns that it had at the dump, without generated ones, in their order then."""


@dataclass(frozen=True, slots=True)
class Key:
    """A foreign key from `child` (`of`: its name) to `parent`, and what a delete there does here."""

    child: int
    parent: int
    of: str
    name: str
    on_delete: str


async def look(connection: Connection, names: Sequence[str], state: State) -> tuple[Table, ...]:
    """The tables, parents before children. Raises Problem with every reason for which it would not be safe."""
    reasons: list[str] = []
    async with reading(connection):  # with an empty search_path, as the state was read
        tables = [found for name in names if (found := await _table(connection, name, state, reasons)) is not None]
    oids = [table.oid for table in tables]
    keys = [Key(*row) for row in await (await connection.execute(KEYS, (oids, oids))).fetchall()]
    ordered = _ordered(tables, [key for key in keys if key.child != key.parent])
    if ordered is None:
        reasons.append("their foreign keys go in a circle")
    if reasons:
        raise Problem(
            f"The tables cannot be put back one by one: {'; '.join(reasons)}.",
            advice="Mend what is named by a reviewed script first (rollback.script), or restore the whole database.",
        )
    return ordered or ()


async def _table(connection: Connection, name: str, state: State, reasons: list[str]) -> Table | None:
    row = await (await connection.execute(TABLE, (name,))).fetchone()
    then = _columns_then(state, name)
    if name not in state.rows:
        reasons.append(f"the dump has no table {name} (write it as schema.table)")
    elif row is None:
        reasons.append(f"{name} is not there any more")
    elif row[1] != "r" or row[2]:
        reasons.append(f"{name} is partitioned, inherits, or is inherited from")
    elif row[3] or not row[4]:
        reasons.append(f"{name} belongs to another role, or its row security hides rows")
    elif row[5] is None:
        reasons.append(f"{name} has no primary key: which row is which cannot be told")
    elif row[7] or row[8]:
        reasons.append(f"{name} has a rule, or a trigger that always fires")
    else:
        columns = [Column(*one) for one in await (await connection.execute(COLUMNS, (name, row[0]))).fetchall()]
        now = {column.name: column for column in columns}
        wrong = [f"{name}.{one} is not there any more" for one in then if one not in now]
        wrong += [
            f"{name}.{one} was {type}, and is {now[one].type}"
            for one, type in then.items()
            if one in now and not now[one].generated and type != now[one].type
        ]
        wrong += [
            f"{name}.{one.name} is new, and must have a value" for one in columns if one.must and one.name not in then
        ]
        reasons += wrong
        kept = tuple(one for one in then if one in now and not now[one].generated)
        return Table(name, row[0], tuple(row[5]), tuple(row[6] or ()), tuple(columns), kept)
    return None


def _columns_then(state: State, name: str) -> dict[str, str]:
    """The columns at the dump, unquoted, with their types; generated ones left out."""
    prefix, found = f"column {name}.", {}
    for key, attributes in state.catalog.objects.items():
        if attributes.get("of") == name and key.startswith(prefix) and "generated" not in attributes:
            quoted = key[len(prefix) :]
            plain = quoted[1:-1].replace('""', '"') if quoted.startswith('"') else quoted
            found[plain] = attributes["type"]
    return found


def _ordered(tables: Sequence[Table], keys: Sequence[Key]) -> tuple[Table, ...] | None:
    left, done = list(tables), list[Table]()
    while left:
        here = {table.oid for table in left}
        free = [t for t in left if not any(k.child == t.oid and k.parent in here for k in keys)]
        if not free:
            return None
        done += free
        left = [table for table in left if table not in free]
    return tuple(done)


def parts(name: str) -> tuple[str, str]:
    """Schema and table of a qualified and quoted name, without quotes."""
    found = [plain or quoted.replace('""', '"') for quoted, plain in _PART.findall(name)]
    return found[0], found[-1]


async def swept_along(connection: Connection, tables: Sequence[Table]) -> tuple[str, ...]:
    """What a delete of rows in these tables would do to others by itself, in words."""
    oids = [table.oid for table in tables]
    keys = [Key(*row) for row in await (await connection.execute(KEYS, (oids, oids))).fetchall()]
    return tuple(
        f"the foreign key {key.name} {CASCADES[key.on_delete]} rows of {key.of}"
        for key in keys
        if key.parent in oids and key.on_delete in CASCADES and key.child not in oids
    )


def counted(state: State, table: str) -> int | None:
    """How many rows were counted at the dump; None where they were only estimated."""
    count = state.rows.get(table)
    return count.rows if count is not None and count.exact else None
