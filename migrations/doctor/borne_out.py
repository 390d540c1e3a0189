"""Asks the catalog whether claims hold."""

from collections.abc import Iterable
from typing import Any

import psycopg

from migrations.doctor.traces import Claim

Connection = psycopg.AsyncConnection[Any]

# Under the connection's own search_path: it is what unqualified names lead by.
_THERE = """
SELECT w.place, CASE w.sort
    WHEN 'relation' THEN EXISTS (SELECT FROM relations r WHERE r.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
        AND r.relname = w.name AND (r.nspname = w.schema OR w.schema IS NULL AND r.visible))
    WHEN 'index' THEN EXISTS (SELECT FROM relations r JOIN pg_catalog.pg_index i ON i.indexrelid = r.oid
        WHERE r.relname = w.name AND (r.nspname = w.schema OR w.schema IS NULL AND r.visible))
    WHEN 'valid index' THEN EXISTS (SELECT FROM relations r JOIN pg_catalog.pg_index i ON i.indexrelid = r.oid
        WHERE i.indisvalid AND r.relname = w.name AND (r.nspname = w.schema OR w.schema IS NULL AND r.visible))
    WHEN 'column' THEN EXISTS (SELECT FROM relations r JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid
        WHERE NOT a.attisdropped AND a.attname = w.part
          AND r.relname = w.name AND (r.nspname = w.schema OR w.schema IS NULL AND r.visible))
    WHEN 'constraint' THEN EXISTS (SELECT FROM relations r JOIN pg_catalog.pg_constraint k ON k.conrelid = r.oid
        WHERE k.conname = w.part
          AND r.relname = w.name AND (r.nspname = w.schema OR w.schema IS NULL AND r.visible))
    WHEN 'trigger' THEN EXISTS (SELECT FROM relations r JOIN pg_catalog.pg_trigger t ON t.tgrelid = r.oid
        WHERE t.tgname = w.part
          AND r.relname = w.name AND (r.nspname = w.schema OR w.schema IS NULL AND r.visible))
    WHEN 'type' THEN EXISTS (SELECT FROM types t
        WHERE t.typname = w.name AND (t.nspname = w.schema OR w.schema IS NULL AND t.visible))
    WHEN 'label' THEN EXISTS (SELECT FROM types t JOIN pg_catalog.pg_enum e ON e.enumtypid = t.oid
        WHERE e.enumlabel = w.part
          AND t.typname = w.name AND (t.nspname = w.schema OR w.schema IS NULL AND t.visible))
    WHEN 'function' THEN EXISTS (SELECT FROM pg_catalog.pg_proc p
        JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE p.proname = w.name
          AND (n.nspname = w.schema OR w.schema IS NULL AND n.nspname = ANY (pg_catalog.current_schemas(false))))
    WHEN 'schema' THEN EXISTS (SELECT FROM pg_catalog.pg_namespace n WHERE n.nspname = w.name)
    WHEN 'extension' THEN EXISTS (SELECT FROM pg_catalog.pg_extension x WHERE x.extname = w.name)
END
FROM ROWS FROM (pg_catalog.unnest(%(sorts)s::text[]), pg_catalog.unnest(%(schemas)s::text[]),
                pg_catalog.unnest(%(names)s::text[]), pg_catalog.unnest(%(parts)s::text[]))
     WITH ORDINALITY AS w(sort, schema, name, part, place)
"""
_QUERY = f"""
WITH relations AS MATERIALIZED (
    SELECT c.oid, c.relname, c.relkind, n.nspname, pg_catalog.pg_table_is_visible(c.oid) AS visible
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relname = ANY (%(names)s::text[])),
types AS MATERIALIZED (
    SELECT t.oid, t.typname, n.nspname, pg_catalog.pg_type_is_visible(t.oid) AS visible
    FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
    WHERE t.typname = ANY (%(names)s::text[]))
{_THERE}
"""


async def borne_out(conn: Connection, claims: Iterable[Claim]) -> dict[Claim, bool]:
    """Of each claim, whether the catalog says the same. One query, behind no lock."""
    asked = list(dict.fromkeys(claims))
    if not asked:
        return {}
    given = {
        "sorts": [claim.sort for claim in asked],
        "schemas": [claim.name.home for claim in asked],
        "names": [claim.name.name for claim in asked],
        "parts": [claim.part for claim in asked],
    }
    found = await (await conn.execute(_QUERY.encode(), given)).fetchall()
    return {asked[place - 1]: bool(there) == asked[place - 1].there for place, there in found}
