"""Reads the facts of a diagnosis: the folder, the ledger, and what of the catalog bears on them."""

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import psycopg

from migrations import ledger
from migrations.doctor.borne_out import borne_out
from migrations.doctor.facts import Earlier, Facts
from migrations.doctor.traces import Traces, claims_in, traces_of
from migrations.doctor.wish import Wish, to_apply
from migrations.folder import Migration, other_provider, read_folder
from migrations.ledger.lock import holders
from migrations.sql import read_script

Connection = psycopg.AsyncConnection[Any]

_AROUND = """
SELECT EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname = 'prisma_contract' AND c.relname = 'marker'),
       coalesce(pg_catalog.current_schema()::text, ''),
       ARRAY(SELECT format('%%I.%%I', n.nspname, c.relname)
             FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
             WHERE c.relname = %(name)s AND c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_'
               AND format('%%I.%%I', n.nspname, c.relname) IS DISTINCT FROM %(used)s ORDER BY 1)
"""


async def read_facts(
    conn: Connection, path: Path, schema: str | None = None, *, earlier: Sequence[Earlier] = ()
) -> Facts:
    """Read everything, behind nobody's lock. `schema` is that of the address. Raises Misuse or Problem."""
    provider = await asyncio.to_thread(other_provider, path)
    folder = await asyncio.to_thread(read_folder, path) if provider is None else None
    rows = await ledger.rows(conn, schema)
    given = {"name": ledger.NAME, "used": await ledger.find(conn, schema)}
    around = await (await conn.execute(_AROUND.encode(), given)).fetchone()
    contract, home, ledgers = around or (False, "", [])
    failed = {row.applied.name for row in rows or () if row.applied.failed}
    return Facts(
        folder=folder,
        rows=rows,
        provider=provider,
        tables=await ledger.other_tables(conn, [schema] if schema else []) if rows is None else 0,
        ledgers=tuple(ledgers),
        schema=schema or str(home) or "no schema",
        schema_named=schema is not None,
        contract=bool(contract),
        holders=await holders(conn),
        traces=await read_traces(conn, [m for m in folder or () if m.name in failed and m.data is not None]),
        earlier=tuple(earlier),
    )


async def read_traces(conn: Connection, migrations: Iterable[Migration]) -> dict[str, Traces]:
    """What the catalog shows of scripts that ran in this order, by name; what a later one takes back is not looked for.

    Scripts that cannot be read are left out.
    """
    scripts = await asyncio.to_thread(lambda: {m.name: read_script(m.text) for m in migrations})
    whole = {name: script for name, script in scripts.items() if script.error is None}
    claims = dict(zip(whole, claims_in(*whole.values()), strict=True))
    holds = await borne_out(conn, [claim for own in claims.values() for _, found in own for claim in found])
    return {name: traces_of(own, holds) for name, own in claims.items()}


async def wished_traces(conn: Connection, wish: Wish, facts: Facts) -> dict[str, Traces]:
    """What the catalog shows of the scripts that a wish is about, as run after those that are applied."""
    wished = {*wish.rolled_back, *to_apply(wish, facts)}
    ran = [m for m in facts.folder or () if m.data is not None and (m.name in wished or m.name in facts.live)]
    return await read_traces(conn, ran) if wished else {}
