"""What a touch leads to, looked up in the catalog of a real server: one query for each way."""

from collections.abc import Mapping

import psycopg

from migrations.locks import Through, ThroughKind, Touch

Connection = psycopg.Connection[tuple[object, ...]]

_BELOW = """
WITH RECURSIVE below(oid) AS (
    {start}
    UNION SELECT i.inhrelid FROM below JOIN pg_inherits i ON i.inhparent = below.oid
) SELECT oid FROM below"""

# Of a foreign key that partitions have too, the one of the topmost table.
_KEYS = """
SELECT {side} AS oid FROM pg_constraint k
WHERE k.contype = 'f' AND k.conparentid = 0 AND k.{own} = to_regclass(%(relation)s)
  AND (%(constraint)s = '' OR k.conname = %(constraint)s)
  AND (%(columns)s::text[] = '{{}}' OR EXISTS (
       SELECT FROM pg_attribute a WHERE a.attrelid = k.{own} AND a.attnum = ANY (k.{columns})
       AND a.attname = ANY (%(columns)s)))"""

_SOURCES = """
WITH RECURSIVE source(oid) AS (
    SELECT to_regclass(%(relation)s)::oid
    UNION
    SELECT d.refobjid FROM source
    JOIN pg_rewrite r ON r.ev_class = source.oid AND r.rulename = '_RETURN'
    JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
) SELECT oid FROM source WHERE oid <> to_regclass(%(relation)s)"""

_ROWS = """
WITH RECURSIVE way(a, b) AS (
    SELECT inhparent, inhrelid FROM pg_inherits
    UNION SELECT conrelid, confrelid FROM pg_constraint WHERE contype = 'f'
    UNION SELECT confrelid, conrelid FROM pg_constraint WHERE contype = 'f'
    UNION SELECT r.ev_class, d.refobjid FROM pg_rewrite r
          JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
          AND d.refclassid = 'pg_class'::regclass WHERE r.rulename = '_RETURN'
), led(oid) AS (
    SELECT to_regclass(%(relation)s)::oid UNION SELECT way.b FROM led JOIN way ON way.a = led.oid
) SELECT oid FROM led"""

_ALONG = """
WITH RECURSIVE way(a, b) AS (
    SELECT inhparent, inhrelid FROM pg_inherits
    UNION SELECT confrelid, conrelid FROM pg_constraint WHERE contype = 'f'
), led(oid) AS (
    SELECT to_regclass(%(relation)s)::oid UNION SELECT way.b FROM led JOIN way ON way.a = led.oid
) SELECT oid FROM led WHERE oid <> to_regclass(%(relation)s)"""

_USERS = """
WITH RECURSIVE kind(oid) AS (
    SELECT to_regtype(%(relation)s)::oid
    UNION SELECT t.oid FROM kind JOIN pg_type t ON kind.oid IN (t.typbasetype, t.typelem)
) SELECT a.attrelid FROM kind JOIN pg_attribute a ON a.atttypid = kind.oid JOIN pg_class c ON c.oid = a.attrelid
WHERE c.relkind IN ('r', 'p', 'm')"""

# What CASCADE takes along: each part of a relation stands for the relation, a rule of a view for the view.
_DEPENDING = """
WITH RECURSIVE start(class, oid, sub) AS (
    SELECT 'pg_class'::regclass::oid, to_regclass(%(relation)s)::oid, 0
    WHERE %(columns)s::text[] = '{}' AND %(constraint)s = '' AND %(of)s NOT IN ('type', 'domain', 'schema')
    UNION SELECT 'pg_class'::regclass, attrelid, attnum FROM pg_attribute
          WHERE attrelid = to_regclass(%(relation)s) AND attname = ANY (%(columns)s)
    UNION SELECT 'pg_constraint'::regclass, oid, 0 FROM pg_constraint
          WHERE conrelid = to_regclass(%(relation)s) AND conname = %(constraint)s
    UNION SELECT 'pg_type'::regclass, to_regtype(%(relation)s)::oid, 0 WHERE %(of)s IN ('type', 'domain')
    UNION SELECT 'pg_namespace'::regclass, oid, 0 FROM pg_namespace WHERE %(of)s = 'schema' AND nspname = %(name)s
    UNION SELECT 'pg_proc'::regclass, oid, 0 FROM pg_proc WHERE %(of)s = 'function' AND proname = %(name)s
    UNION SELECT 'pg_extension'::regclass, oid, 0 FROM pg_extension WHERE %(of)s = 'extension' AND extname = %(name)s
), gone(class, oid, sub) AS (
    SELECT * FROM start
    UNION
    SELECT x.* FROM gone CROSS JOIN LATERAL (
        SELECT d.classid, d.objid, d.objsubid FROM pg_depend d
        WHERE d.refclassid = gone.class AND d.refobjid = gone.oid AND gone.sub IN (0, d.refobjsubid)
        UNION ALL
        SELECT 'pg_class'::regclass, r.ev_class, 0 FROM pg_rewrite r
        WHERE gone.class = 'pg_rewrite'::regclass AND r.oid = gone.oid AND r.rulename = '_RETURN'
    ) x
), part AS (
    SELECT CASE class WHEN 'pg_class'::regclass THEN oid
           WHEN 'pg_rewrite'::regclass THEN (SELECT ev_class FROM pg_rewrite r WHERE r.oid = gone.oid)
           WHEN 'pg_attrdef'::regclass THEN (SELECT adrelid FROM pg_attrdef r WHERE r.oid = gone.oid)
           WHEN 'pg_trigger'::regclass THEN (SELECT tgrelid FROM pg_trigger r WHERE r.oid = gone.oid)
           WHEN 'pg_policy'::regclass THEN (SELECT polrelid FROM pg_policy r WHERE r.oid = gone.oid) END AS oid
    FROM gone
    UNION SELECT unnest(ARRAY[conrelid, confrelid]) FROM gone JOIN pg_constraint k
          ON gone.class = 'pg_constraint'::regclass AND k.oid = gone.oid
) SELECT oid FROM part WHERE oid <> 0"""

REACH: Mapping[ThroughKind, str] = {
    "descendants": _BELOW.format(start="SELECT inhrelid FROM pg_inherits WHERE inhparent = to_regclass(%(relation)s)"),
    "parent": "SELECT i.inhparent FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
    " WHERE c.relispartition AND c.oid = to_regclass(%(relation)s)",
    "default partition": _BELOW.format(
        start="SELECT partdefid FROM pg_partitioned_table"
        " WHERE partrelid = to_regclass(%(relation)s) AND partdefid <> 0"
    ),
    "default beside": _BELOW.format(
        start="SELECT p.partdefid FROM pg_partitioned_table p JOIN pg_inherits i ON i.inhparent = p.partrelid"
        " WHERE i.inhrelid = to_regclass(%(relation)s) AND p.partdefid <> 0"
    ),
    "referenced": _BELOW.format(start=_KEYS.format(side="confrelid", own="conrelid", columns="conkey")),
    "referencing": _BELOW.format(start=_KEYS.format(side="conrelid", own="confrelid", columns="confkey")),
    "truncated along": _ALONG,
    "rows": _ROWS,
    "table": _BELOW.format(
        start="SELECT indrelid FROM pg_index WHERE indexrelid = to_regclass(%(relation)s) AND %(of)s = ''"
        " UNION SELECT stxrelid FROM pg_statistic_ext WHERE %(of)s = 'statistics' AND stxname = %(name)s"
    ),
    "indexes": "SELECT indexrelid FROM pg_index WHERE indrelid = to_regclass(%(relation)s)",
    "sources": _SOURCES,
    "users": _USERS,
    "depending": _DEPENDING,
    "members": "SELECT oid FROM pg_class WHERE relnamespace = to_regnamespace(%(relation)s) AND relkind IN ('r', 'm')",
    "owned": "SELECT c.oid FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner WHERE r.rolname = %(name)s",
    "published": "SELECT r.prrelid FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid"
    " WHERE p.pubname = %(name)s",
    "everything": "SELECT oid FROM pg_class WHERE oid >= 16384 AND relkind IN ('r', 'm')",
}


def reached(connection: Connection, touch: Touch) -> frozenset[int]:
    """The relations (their oids) that are meant by a touch; none if there is no such thing."""
    through = touch.through or Through("descendants")
    query = REACH[through.kind] if touch.through else "SELECT to_regclass(%(relation)s)::oid"
    values = {
        "relation": touch.relation.sql,
        "name": touch.relation.name,
        "columns": list(through.columns),
        "constraint": through.constraint,
        "of": through.of,
    }
    rows = connection.execute(query.encode(), values).fetchall()
    return frozenset(oid for (oid,) in rows if isinstance(oid, int))
