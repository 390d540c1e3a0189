"""Looks up in a database what scripts touch: read-only, bounded in time, and behind nobody's lock."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal, TypeVar

import psycopg
from psycopg.pq import TransactionStatus

from migrations.impact.asked import MOST, Asked
from migrations.impact.known import (
    Activity,
    Column,
    Dependent,
    Index,
    Key,
    Kind,
    Known,
    KnownType,
    Relation,
    Type,
    Volatility,
)
from migrations.impact.nulls import never_null
from migrations.impact.queries import SET_UP, everything
from migrations.impact.types import modifiers_of
from migrations.sql.names import Name

Connection = psycopg.AsyncConnection[Any]
T = TypeVar("T")

TIME = timedelta(seconds=3)
"""How long the server may take to answer."""
LOCK_TIME = timedelta(milliseconds=200)

_KINDS: dict[str, Kind] = {
    "r": "table",
    "p": "partitioned table",
    "i": "index",
    "I": "index",
    "v": "view",
    "m": "materialized view",
    "S": "sequence",
    "f": "foreign table",
    "c": "composite type",
}
_TYPES: dict[str, Literal["domain", "enum", "composite", "range"]] = {
    "d": "domain",
    "e": "enum",
    "c": "composite",
    "r": "range",
}
_VOLATILITIES: tuple[Volatility, ...] = ("immutable", "stable", "volatile")


async def look_up(conn: Connection, asked: Asked, *, time: timedelta = TIME) -> Known:
    """What is known of all that was asked about, in one round trip; the connection must not be in a transaction.

    Where that is refused or takes too long, a second one reads what pg_class and its like tell. What could not be
    read is in `missing`: this raises psycopg.OperationalError only, where the connection is lost.
    """
    if not asked.names and not asked.schemas:
        return Known()
    missing: list[str] = []
    if asked.more:
        missing.append(f"{asked.more} names beyond the first {MOST} were not looked up")
    for full in (True, False):
        try:
            return _known(asked, await _ask(conn, asked, time, full=full), tuple(missing))
        except psycopg.Error as error:
            if conn.closed:
                raise
            what = "sizes, activity and replication" if full else "the relations"
            missing.append(f"{what} could not be read: {_why(error, time)}")
    return Known(missing=tuple(missing))


async def _ask(conn: Connection, asked: Asked, time: timedelta, *, full: bool) -> dict[str, Any]:
    bounds = {"lock_timeout": _milliseconds(LOCK_TIME), "statement_timeout": _milliseconds(time)}
    values = {
        "schemas": [name.schema for name in asked.names],
        "names": [name.name for name in asked.names],
        "paths": [json.dumps(name.path) for name in asked.names],
        "functions": list(asked.functions),
        "whole": list(asked.schemas),
    }
    try:
        async with conn.pipeline():
            await conn.execute("BEGIN TRANSACTION READ ONLY")
            await conn.execute(SET_UP, bounds)
            cursor = await conn.execute(everything(conn.info.server_version, full=full).encode(), values)
            await conn.execute("ROLLBACK")
        row = await cursor.fetchone()
    finally:
        if not conn.closed and conn.info.transaction_status != TransactionStatus.IDLE:
            await conn.execute("ROLLBACK")
    assert row is not None
    found: dict[str, Any] = row[0]
    return found


def _milliseconds(time: timedelta) -> str:
    return str(time // timedelta(milliseconds=1))


def _why(error: psycopg.Error, time: timedelta) -> str:
    if isinstance(error, psycopg.errors.QueryCanceled):
        return f"it took more than {time.total_seconds():g} s"
    return error.diag.message_primary or type(error).__name__


def _known(asked: Asked, found: Mapping[str, Any], missing: tuple[str, ...]) -> Known:
    relations = {relation.name: relation for relation in (_relation(row, found["since"]) for row in found["relations"])}
    types = {type.name: type for type in (_type(row) for row in found["types"])}
    members: dict[str, list[Name]] = {}
    for schema, name in found["members"]:
        members.setdefault(schema, []).append(Name(*name))
    return Known(
        relations=relations | _aliases(asked, found["names"], relations),
        types=types | _aliases(asked, [row[:2] for row in found["types"]], types),
        functions={name: _VOLATILITIES[number] for name, number in found["functions"].items()},
        schemas={schema: tuple(sorted(members.get(schema, ()))) for schema in asked.schemas},
        slots=tuple(sorted(found["slots"])),
        relabels=frozenset((Name(*source), Name(*target)) for source, target in found["relabels"]),
        utc=found["utc"],
        missing=missing,
    )


def _aliases(asked: Asked, places: Sequence[Any], things: Mapping[Name, T]) -> dict[Name, T]:
    """The same things under the names that the scripts have for them."""
    return {asked.names[place - 1]: things[Name(*name)] for place, name in places if Name(*name) in things}


def _relation(row: Mapping[str, Any], since: Sequence[Any] | None) -> Relation:
    columns = tuple(row.get("columns", ()))
    proven = never_null(row.get("checks", ())) - set(row.get("open_nulls", ()))
    return Relation(
        name=Name(*row["name"]),
        kind=_KINDS.get(row["kind"], "table"),
        visible=row["visible"],
        rows=row["rows"],
        heap=row["heap"],
        toast=row["toast"] or 0,
        indexes_size=row["indexes_size"] or 0,
        sized="analysed" if row["guessed"] else "now",
        columns=tuple(_column(column, proven, row["open_nulls"]) for column in columns),
        indexes=tuple(
            Index(name, tuple(of), unique=unique, valid=valid, partial=partial, constraint=constraint or "")
            for name, unique, valid, partial, of, constraint in row["indexes"]
        ),
        keys_out=tuple(Key(name, tuple(of), Name(*partner)) for name, of, partner in row["keys_out"]),
        keys_in=tuple(Key(name, tuple(of), Name(*partner)) for name, of, partner in row["keys_in"]),
        parent=Name(*row["parent"]) if row["parent"] else None,
        default=Name(*row["default"]) if row["default"] else None,
        partitions=row["partitions"],
        triggers=row["triggers"],
        dead=row.get("dead"),
        activity=_activity(row, since),
        sessions=row.get("sessions", 0),
        publications=tuple(row.get("publications", ())),
        dependents=tuple(_dependent(dependent) for dependent in row.get("dependents", ())),
        swept=tuple(_dependent(dependent) for dependent in row.get("swept", ())),
        unvalidated=tuple(row.get("unvalidated", ())),
        table=Name(*row["table"]) if row["table"] else None,
        valid=row["valid"] is not False,
    )


def _column(row: Sequence[Any], proven: set[int], open_nulls: Sequence[int]) -> Column:
    name, type, typmod, array, not_null, number = row
    full = Name(*type)
    not_null = not_null and number not in open_nulls
    return Column(
        name, Type(full, modifiers_of(full, typmod), array=array), not_null, never_null=not_null or number in proven
    )


def _activity(row: Mapping[str, Any], since: Sequence[Any] | None) -> Activity | None:
    if row.get("writes") is None:
        return None
    at, seconds = since or (None, None)
    return Activity(row["writes"], row["reads"] or 0, at or "", seconds)


def _dependent(row: Sequence[Any]) -> Dependent:
    column, words, name, own, part = row
    return Dependent(column, words, Name(*name) if name else Name(None, ""), Name(*own) if own else None, part)


def _type(row: Sequence[Any]) -> KnownType:
    _, name, kind, base, typmod, checked, volatile, users = row
    of = Name(*base) if base else None
    return KnownType(
        name=Name(*name),
        kind=_TYPES.get(kind, "base"),
        base=Type(of, modifiers_of(of, typmod)) if of else None,
        checked=checked and kind == "d",
        volatile=volatile,
        users=tuple(sorted(Name(*user) for user in users)),
    )
