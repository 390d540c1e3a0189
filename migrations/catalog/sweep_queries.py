"""What a sweep asks. Each query gives: oid, quoted name, schema and table it belongs to, words, SQL that mends it,
weight, and parts. They are made for an empty search_path; `n` and `c` are the table's.
"""

from migrations.catalog.queries import IN_SCOPE, NOT_THE_LEDGER

_HELD = """
SELECT l.relation FROM pg_locks l JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()
WHERE l.granted AND l.mode
"""
SHUT = f"{_HELD} = 'AccessExclusiveLock'"
SEQUENCE_SHUT = f"{_HELD} IN ('ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')"

# A role that may not see what others do gets a progress row without a table: then the lock tells which one it is.
BUILDING = """
EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid OR (
    p.relid IS NULL AND EXISTS (SELECT FROM pg_locks l WHERE l.pid = p.pid AND l.relation = i.indrelid)))
"""

# An index of a TOAST table is told with the table that the operator knows.
INVALID_INDEXES = f"""
SELECT i.indexrelid::text, i.indexrelid::regclass::text, n.nspname, c.relname,
    CASE WHEN built.now THEN 'it is being built right now'
         WHEN ic.relkind = 'I' THEN 'it is not on every partition, and enforces nothing: missing on ' || coalesce((
             SELECT string_agg(h.inhrelid::regclass::text, ', ' ORDER BY h.inhrelid::regclass::text)
             FROM pg_inherits h WHERE h.inhparent = c.oid AND NOT EXISTS (
                 SELECT FROM pg_inherits x JOIN pg_index xi ON xi.indexrelid = x.inhrelid
                 WHERE x.inhparent = i.indexrelid AND xi.indrelid = h.inhrelid AND xi.indisvalid)), 'none')
         WHEN ic.relname ~ '_ccnew[0-9]*$' THEN 'left by a REINDEX CONCURRENTLY that failed; the old index serves'
         WHEN ic.relname ~ '_ccold[0-9]*$' THEN 'left by a REINDEX CONCURRENTLY; the new index serves'
         ELSE 'INVALID: it serves no query, and costs every write' END,
    CASE WHEN ic.relkind = 'i' AND NOT built.now
         THEN 'DROP INDEX CONCURRENTLY ' || i.indexrelid::regclass || ';' ELSE '' END,
    CASE WHEN built.now THEN 'passing' ELSE 'stop' END, '{{}}'::text[]
FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid JOIN pg_class o ON o.oid = i.indrelid
JOIN pg_class c ON c.oid = CASE o.relkind WHEN 't' THEN (SELECT t.oid FROM pg_class t WHERE t.reltoastrelid = o.oid)
                           ELSE o.oid END
JOIN pg_namespace n ON n.oid = c.relnamespace, LATERAL (SELECT {BUILDING} AS now) built
WHERE NOT (i.indisvalid AND i.indisready AND i.indislive) AND {IN_SCOPE}
"""

# What is NOT ENFORCED (18) is so on purpose. A partition's copy is told with the constraint that it is a copy of.
NOT_VALIDATED = f"""
SELECT k.oid::text, quote_ident(n.nspname) || '.' || quote_ident(coalesce(c.relname, t.typname)) || '.'
        || quote_ident(k.conname), n.nspname, coalesce(c.relname, t.typname),
    'NOT VALID: it holds for new rows only', CASE WHEN c.oid IS NULL THEN 'ALTER DOMAIN ' || t.oid::regtype
        ELSE 'ALTER TABLE ' || c.oid::regclass END || ' VALIDATE CONSTRAINT ' || quote_ident(k.conname) || ';',
    'stop', '{{}}'::text[]
FROM pg_constraint k LEFT JOIN pg_class c ON c.oid = k.conrelid LEFT JOIN pg_type t ON t.oid = k.contypid
JOIN pg_namespace n ON n.oid = coalesce(c.relnamespace, t.typnamespace)
WHERE NOT k.convalidated AND coalesce(to_jsonb(k) ->> 'conenforced', 'true') = 'true' AND {IN_SCOPE}
  AND NOT EXISTS (SELECT FROM pg_constraint p WHERE p.oid = k.conparentid AND NOT p.convalidated)
  AND NOT (k.coninhcount > 0 AND EXISTS (
      SELECT FROM pg_inherits h JOIN pg_constraint p ON p.conrelid = h.inhparent
      WHERE h.inhrelid = k.conrelid AND p.conname = k.conname AND NOT p.convalidated))
"""

DISABLED_TRIGGERS = f"""
SELECT g.oid::text, quote_ident(n.nspname) || '.' || quote_ident(c.relname) || '.' || quote_ident(g.tgname),
    n.nspname, c.relname,
    CASE WHEN g.tgisinternal AND k.oid IS NOT NULL
         THEN 'disabled: the constraint ' || quote_ident(k.conname) || ' is not enforced' ELSE 'disabled' END,
    'ALTER TABLE ' || c.oid::regclass || ' ENABLE TRIGGER ' || quote_ident(g.tgname) || ';', 'stop', '{{}}'::text[]
FROM pg_trigger g LEFT JOIN pg_constraint k ON k.oid = g.tgconstraint
JOIN pg_class c ON c.oid = g.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE g.tgenabled = 'D' AND {IN_SCOPE}
  AND NOT EXISTS (SELECT FROM pg_trigger p WHERE p.oid = g.tgparentid AND p.tgenabled = 'D')
"""

PENDING_DETACHES = f"""
SELECT h.inhrelid::text, h.inhrelid::regclass::text, n.nspname, c.relname,
    'its DETACH CONCURRENTLY from ' || h.inhparent::regclass || ' was cut short: neither a partition nor a table',
    'ALTER TABLE ' || h.inhparent::regclass || ' DETACH PARTITION ' || h.inhrelid::regclass || ' FINALIZE;',
    'stop', '{{}}'::text[]
FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhparent JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE to_jsonb(h) ->> 'inhdetachpending' = 'true' AND {IN_SCOPE}
"""

# A sequence ends where it says, or where the column ends that takes its numbers, whichever comes first.
SEQUENCES = f"""
WITH fed AS (
    SELECT d.objid AS seq, d.refobjid AS rel, d.refobjsubid AS att FROM pg_depend d
    WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
      AND d.refobjsubid > 0
    UNION
    SELECT d.refobjid, ad.adrelid, ad.adnum FROM pg_depend d JOIN pg_attrdef ad ON ad.oid = d.objid
    WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass
), columns AS (
    SELECT fed.seq, string_agg(a.attrelid::regclass || '.' || quote_ident(a.attname) || ' ('
               || format_type(a.atttypid, a.atttypmod) || ')', ', ' ORDER BY a.attrelid, a.attnum) AS words,
        min(holds.most) AS most,
        string_agg('ALTER TABLE ' || a.attrelid::regclass || ' ALTER COLUMN ' || quote_ident(a.attname)
                   || ' TYPE bigint;', ' ' ORDER BY a.attrelid, a.attnum) FILTER (WHERE holds.most IS NOT NULL) AS mend
    FROM fed JOIN pg_attribute a ON a.attrelid = fed.rel AND a.attnum = fed.att JOIN pg_type t ON t.oid = a.atttypid,
    LATERAL (SELECT CASE coalesce(nullif(t.typbasetype, 0), t.oid) WHEN 'int2'::regtype THEN 32767
                         WHEN 'int4'::regtype THEN 2147483647 END::bigint AS most) holds
    GROUP BY fed.seq
), given AS MATERIALIZED (
    SELECT s.*, n.nspname, c.relname, columns.words, columns.mend, columns.most,
        CASE WHEN has_sequence_privilege(c.oid, 'SELECT,USAGE') AND c.oid NOT IN ({SEQUENCE_SHUT})
             THEN pg_sequence_last_value(c.oid) END AS last
    FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN columns ON columns.seq = s.seqrelid
    WHERE {IN_SCOPE} AND c.relpersistence <> 't'
), ends AS (
    SELECT given.*, CASE WHEN seqincrement > 0 THEN least(seqmax, most) ELSE greatest(seqmin, -most - 1) END AS final,
        CASE WHEN seqincrement > 0 THEN seqmin ELSE seqmax END AS first
    FROM given WHERE last IS NOT NULL
), used AS (
    SELECT ends.*, (abs(last::numeric - first) + 1) / (abs(final::numeric - first) + 1) * 100 AS percent,
        final IN (seqmin, seqmax) AS own,
        CASE WHEN seqincrement > 0 THEN last::numeric + seqincrement > final
             ELSE last::numeric + seqincrement < final END AS over
    FROM ends
)
SELECT seqrelid::text, seqrelid::regclass::text, nspname, relname,
    CASE WHEN over THEN 'it has no number left: ' ELSE trunc(percent, 1) || ' %% of its numbers are used up: ' END
        || last || ', where ' || final || ' is the last' || coalesce('; it feeds ' || words, ''),
    concat_ws(' ', CASE WHEN own THEN 'ALTER SEQUENCE ' || seqrelid::regclass || ' AS bigint NO '
                   || CASE WHEN seqincrement > 0 THEN 'MAXVALUE;' ELSE 'MINVALUE;' END END, mend),
    CASE WHEN over THEN 'stop' ELSE 'warn' END, '{{}}'::text[]
FROM used WHERE (percent >= %(percent)s OR over) AND NOT (seqcycle AND own)
"""

# ANALYZE leaves something of each column that has a row, and of each expression of an index.
STATISTICS = f"""
WITH seen AS MATERIALIZED (SELECT schemaname, tablename, attname FROM pg_stats), parts AS (
    SELECT c.oid AS rel, a.attrelid, a.attnum, n.nspname, c.relname, a.attname, quote_ident(a.attname) AS part
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'm') AND a.attnum > 0 AND NOT a.attisdropped
      AND a.attgenerated <> 'v' AND coalesce(a.attstattarget, -1) <> 0
    UNION ALL
    SELECT i.indrelid, a.attrelid, a.attnum, n.nspname, ic.relname, a.attname, 'index ' || quote_ident(ic.relname)
    FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid JOIN pg_attribute a ON a.attrelid = ic.oid
    JOIN pg_namespace n ON n.oid = ic.relnamespace
    WHERE i.indexprs IS NOT NULL AND i.indisvalid AND i.indkey[a.attnum - 1] = 0
      AND coalesce(a.attstattarget, -1) <> 0
), missing AS (
    SELECT rel, array_agg(DISTINCT part ORDER BY part) AS parts FROM parts
    WHERE has_column_privilege(attrelid, attnum, 'SELECT')
      AND NOT EXISTS (SELECT FROM seen
                      WHERE schemaname = nspname AND tablename = relname AND seen.attname = parts.attname)
    GROUP BY rel
)
SELECT c.oid::text, c.oid::regclass::text, n.nspname, c.relname,
    'about ' || size.rows || ' rows, '
        || coalesce('analysed last at ' || to_char(greatest(s.last_analyze, s.last_autoanalyze) AT TIME ZONE 'UTC',
                                                  'YYYY-MM-DD HH24:MI "UTC"'), 'never analysed'),
    'ANALYZE ' || c.oid::regclass || ';',
    CASE WHEN size.rows >= %(rows)s THEN 'warn' ELSE 'note' END, missing.parts
FROM missing JOIN pg_class c ON c.oid = missing.rel JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid,
LATERAL (SELECT (CASE WHEN c.reltuples > 0 THEN c.reltuples WHEN c.oid IN ({SHUT}) THEN 0
                      ELSE pg_relation_size(c.oid) / 60.0 END)::bigint AS rows) size
WHERE size.rows > 0 AND c.relpersistence <> 't' AND NOT row_security_active(c.oid) AND {IN_SCOPE} AND {NOT_THE_LEDGER}
"""

QUERIES = {
    "invalid-index": INVALID_INDEXES,
    "not-validated": NOT_VALIDATED,
    "disabled-trigger": DISABLED_TRIGGERS,
    "pending-detach": PENDING_DETACHES,
    "sequence-end": SEQUENCES,
    "statistics": STATISTICS,
}
