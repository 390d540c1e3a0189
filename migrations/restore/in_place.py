"""A whole dump put back into the live database in one transaction: what is there goes first, then the dump comes.

For roles that may not create or rename databases. Either all of it is committed, or nothing has happened.
"""

import re
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Any

import psycopg

from migrations import catalog
from migrations.backup.state import State
from migrations.listed import many
from migrations.problem import Problem
from migrations.restore import unversioned
from migrations.restore.stream import Archive, Copied, Sink, data_into, sql_of

Connection = psycopg.AsyncConnection[Any]
Say = Callable[[str], Awaitable[None]]

_OURS = "n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'gonogo')"
_BELONGS = """
EXISTS (SELECT FROM pg_catalog.pg_depend d
        WHERE d.classid = {} AND d.objid = {} AND d.objsubid = 0 AND d.deptype IN ('e', 'i'))
"""
# A sequence that feeds a column goes with its table.
_FED = (
    "EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.objid = x.oid AND x.relkind = 'S' AND d.deptype IN ('a', 'i'))"
)
_COMPOSITE = "EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = x.typrelid AND c.relkind = 'c')"

_CATALOGS = (
    ("pg_class", "relnamespace", f"x.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND NOT {_FED}", "x.relowner"),
    ("pg_proc", "pronamespace", "true", "x.proowner"),
    ("pg_operator", "oprnamespace", "true", "x.oprowner"),
    ("pg_opclass", "opcnamespace", "true", "x.opcowner"),
    ("pg_opfamily", "opfnamespace", "true", "x.opfowner"),
    (
        "pg_type",
        "typnamespace",
        f"(x.typtype IN ('e', 'd', 'r', 'b') OR {_COMPOSITE}) AND x.typcategory <> 'A'",
        "x.typowner",
    ),
    ("pg_collation", "collnamespace", "true", "x.collowner"),
    ("pg_conversion", "connamespace", "true", "x.conowner"),
    ("pg_ts_config", "cfgnamespace", "true", "x.cfgowner"),
    ("pg_ts_dict", "dictnamespace", "true", "x.dictowner"),
)
# pg_identify_object tells most of them in the words that DROP understands.
OBJECTS = " UNION ALL ".join(
    f"""
    SELECT i.type, i.identity, pg_catalog.pg_has_role({owner}, 'USAGE')
           OR pg_catalog.pg_has_role(n.nspowner, 'USAGE') AS ours, {number} AS number
    FROM pg_catalog.{name} x JOIN pg_catalog.pg_namespace n ON n.oid = x.{schema},
         LATERAL pg_catalog.pg_identify_object('pg_catalog.{name}'::regclass, x.oid, 0) i
    WHERE {_OURS} AND {condition} AND NOT {_BELONGS.format(f"'pg_catalog.{name}'::regclass", "x.oid")}
    """
    for number, (name, schema, condition, owner) in enumerate(_CATALOGS)
)
SCHEMAS = f"""
SELECT pg_catalog.quote_ident(n.nspname), n.nspname::text, pg_catalog.pg_has_role(n.nspowner, 'USAGE'),
       n.nspname = 'public' OR EXISTS (SELECT FROM pg_catalog.pg_extension e WHERE e.extnamespace = n.oid)
       OR {_BELONGS.format("'pg_catalog.pg_namespace'::regclass", "n.oid")}
FROM pg_catalog.pg_namespace n WHERE {_OURS}
"""
HINDRANCES = """
SELECT 'the subscription ' || subname FROM pg_catalog.pg_subscription s
JOIN pg_catalog.pg_database d ON d.oid = s.subdbid AND d.datname = current_database()
UNION ALL SELECT 'the publication ' || pubname FROM pg_catalog.pg_publication
UNION ALL SELECT 'the event trigger ' || evtname FROM pg_catalog.pg_event_trigger e WHERE NOT EXISTS (
    SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_event_trigger'::regclass
    AND d.objid = e.oid AND d.deptype = 'e')
UNION ALL SELECT 'the foreign server ' || srvname FROM pg_catalog.pg_foreign_server
UNION ALL (SELECT 'large objects' FROM pg_catalog.pg_largeobject_metadata LIMIT 1)
"""
OTHERS = """
SELECT count(*) FROM pg_catalog.pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND application_name NOT LIKE 'gonogo %'
"""
_TYPES = {"composite type": "type", "aggregate": "routine", "function": "routine", "procedure": "routine"}


@dataclass(frozen=True, slots=True)
class Present:
    """What is in the live database. `drops` take it away, in order; `schemas` and `extensions` stay."""

    drops: tuple[str, ...]
    schemas: tuple[str, ...]
    extensions: tuple[str, ...]


async def look(connection: Connection, dumped: Collection[str] | None = None) -> Present:
    """What would go, and what stays. `dumped`: the extensions of the dump, if there is one yet.

    Raises Problem with every reason for which it cannot be done in place.
    """
    objects = await (await connection.execute(f"{OBJECTS} ORDER BY 4, 2".encode())).fetchall()
    schemas = await (await connection.execute(SCHEMAS.encode())).fetchall()
    hindrances = [row[0] for row in await (await connection.execute(HINDRANCES.encode())).fetchall()]
    extensions = [row[0] for row in await (await connection.execute("SELECT extname FROM pg_extension")).fetchall()]
    reasons = [f"{name} is not handled within one transaction" for name in hindrances]
    reasons += [f"{type} {identity} belongs to another role" for type, identity, ours, _ in objects if not ours]
    reasons += [f"schema {quoted} belongs to another role" for quoted, _, ours, stays in schemas if not (ours or stays)]
    newer = [name for name in extensions if dumped is not None and name not in dumped]
    reasons += [f"the extension {name} came after the dump" for name in newer]
    if reasons:
        more = f", and {len(reasons) - 5} more" if len(reasons) > 5 else ""
        raise Problem(
            f"The database cannot be replaced in place: {'; '.join(reasons[:5])}{more}.",
            advice="Restore it through a database beside it, or as a role that owns what is there.",
            code="42501" if any("another role" in reason for reason in reasons) else "",
        )
    drops = [f"DROP {_TYPES.get(type, type)} IF EXISTS {identity} CASCADE;" for type, identity, _, _ in objects]
    drops += [f"DROP SCHEMA {quoted};" for quoted, _, _, stays in schemas if not stays]
    return Present(tuple(drops), tuple(name for _, name, _, stays in schemas if stays), tuple(extensions))


async def others(connection: Connection) -> int:
    """How many sessions are on the database that are not gonogo's."""
    row = await (await connection.execute(OTHERS.encode())).fetchone()
    return int(row[0]) if row else 0


async def replace(connection: Connection, present: Present, archive: Archive, wanted: State, say: Say) -> None:
    """Drop, restore and compare, in the transaction that the connection is in; the caller commits it.

    Raises Problem if it is not what was dumped; psycopg.Error.
    """
    before, after = await sql_of(archive, "pre-data"), await sql_of(archive, "post-data")
    await say("dropping what is there")
    for drop in present.drops:
        await connection.execute(drop.encode())
    await say("making the tables of the dump")
    await connection.execute(before.encode())

    async def into(copied: Copied) -> str:
        await say(copied.table)
        return (
            f"COPY {copied.table} ({copied.columns}) FROM STDIN"
            if copied.columns
            else f"COPY {copied.table} FROM STDIN"
        )

    await data_into(archive, Sink(connection, into, archive.skips))
    await say("keys, indexes, triggers")
    await connection.execute(after.encode())
    await connection.execute("RESET ALL")
    await connection.execute("ANALYZE")
    await say("comparing")
    if wrong := await differences(connection, wanted):
        more = f", and {len(wrong) - 1} more" if wrong[1:] else ""
        raise Problem(
            f"What was restored is not what was dumped: {wrong[0]}{more}.",
            advice="It was rolled back: the database is as it was. Restore it through a database beside it.",
            detail="\n".join(wrong),
        )


async def differences(connection: Connection, wanted: State) -> tuple[str, ...]:
    """How the database, as this transaction sees it, differs from the state at the dump; readable lines."""
    now = await catalog.snapshot(connection)
    lines = [f"schema: {line}" for line in catalog.diff(unversioned(wanted.catalog), unversioned(now))]
    for table, count in wanted.rows.items():
        if count.exact and not re.match(r'"?gonogo"?\.', table):
            row = await (await connection.execute(f"SELECT count(*) FROM {table}".encode())).fetchone()
            if row is not None and row[0] != count.rows:
                lines.append(f"{table}: {many(count.rows, 'row')} at the dump, {row[0]} now")
    return tuple(lines)
