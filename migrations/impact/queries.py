"""The one question that a database is asked about what scripts touch.

It is made for an empty search_path, in which nothing is shadowed; names are resolved by the path that held before. It
calls no function that would open a relation behind somebody's ACCESS EXCLUSIVE lock: those wait for it. So there is
no pg_get_expr and its like, and sizes of such relations are taken from pg_class. Compiling it (JIT) takes seconds.
"""

MOST_DEPENDENTS = 200
"""So many things that depend on one relation are told."""

SET_UP = """
SELECT pg_catalog.set_config('gonogo.path', pg_catalog.current_schemas(true)::pg_catalog.text, true),
       pg_catalog.set_config('search_path', '', true), pg_catalog.set_config('jit', 'off', true),
       pg_catalog.set_config('lock_timeout', %(lock_timeout)s, true),
       pg_catalog.set_config('statement_timeout', %(statement_timeout)s, true)
"""

_RESOLVED = """
path AS (SELECT p.schema, p.place FROM unnest(current_setting('gonogo.path')::text[])
                                       WITH ORDINALITY AS p(schema, place)),
asked AS (SELECT a.schema, a.name, a.path::jsonb AS path, a.place
          FROM ROWS FROM (unnest(%(schemas)s::text[]), unnest(%(names)s::text[]), unnest(%(paths)s::text[]))
               WITH ORDINALITY AS a(schema, name, path, place)),
found AS (SELECT DISTINCT ON (a.place) a.place, c.oid
          FROM asked a JOIN pg_class c ON c.relname = a.name JOIN pg_namespace n ON n.oid = c.relnamespace
          LEFT JOIN path p ON p.schema = n.nspname
          LEFT JOIN LATERAL jsonb_array_elements_text(a.path) WITH ORDINALITY AS o(schema, place)
               ON o.schema = n.nspname
          WHERE CASE WHEN a.schema IS NOT NULL THEN n.nspname = a.schema WHEN a.path <> '[]' THEN o.place IS NOT NULL
                     ELSE p.place IS NOT NULL END
          ORDER BY a.place, o.place, p.place),
found_type AS (SELECT DISTINCT ON (a.place) a.place, t.oid
          FROM asked a JOIN pg_type t ON t.typname = a.name JOIN pg_namespace n ON n.oid = t.typnamespace
          LEFT JOIN pg_class c ON c.oid = t.typrelid LEFT JOIN path p ON p.schema = n.nspname
          LEFT JOIN LATERAL jsonb_array_elements_text(a.path) WITH ORDINALITY AS o(schema, place)
               ON o.schema = n.nspname
          WHERE CASE WHEN a.schema IS NOT NULL THEN n.nspname = a.schema WHEN a.path <> '[]' THEN o.place IS NOT NULL
                     ELSE p.place IS NOT NULL END
            AND (c.oid IS NULL OR c.relkind = 'c')
          ORDER BY a.place, o.place, p.place),
type_user AS (SELECT DISTINCT f.oid AS type, c.oid
          FROM found_type f JOIN pg_type t ON t.oid = f.oid AND t.typtype IN ('d', 'e', 'c', 'r')
          JOIN pg_type same ON same.oid = f.oid OR same.oid = t.typarray OR same.typbasetype = f.oid
          JOIN pg_attribute a ON a.atttypid = same.oid AND NOT a.attisdropped AND a.attnum > 0
          JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p', 'm', 'f')),
member AS (SELECT n.nspname::text AS schema, c.oid FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid
          WHERE n.nspname = ANY (%(whole)s::text[]) AND c.relkind IN ('r', 'p', 'm', 'f')),
direct AS (SELECT oid FROM found UNION SELECT i.indrelid FROM found f JOIN pg_index i ON i.indexrelid = f.oid),
wanted AS (SELECT oid FROM direct UNION SELECT oid FROM type_user UNION SELECT oid FROM member
           UNION SELECT k.confrelid FROM direct d JOIN pg_constraint k ON k.conrelid = d.oid AND k.contype = 'f'
           UNION SELECT k.conrelid FROM direct d JOIN pg_constraint k ON k.confrelid = d.oid AND k.contype = 'f'
           UNION SELECT i.inhparent FROM direct d JOIN pg_inherits i ON i.inhrelid = d.oid
           UNION SELECT p.partdefid FROM direct d LEFT JOIN pg_inherits i ON i.inhrelid = d.oid
                 JOIN pg_partitioned_table p ON p.partrelid IN (d.oid, i.inhparent) AND p.partdefid <> 0),
part(root, oid) AS (SELECT oid, oid FROM wanted
                    UNION SELECT p.root, i.inhrelid FROM part p JOIN pg_inherits i ON i.inhparent = p.oid),
tree AS (SELECT p.root, count(*) - 1 AS partitions,
                CASE WHEN bool_and(c.reltuples >= 0) FILTER (WHERE c.relkind IN ('r', 'm', 'f'))
                     THEN (sum(c.reltuples) FILTER (WHERE c.relkind IN ('r', 'm', 'f')))::bigint END AS rows
         FROM part p JOIN pg_class c ON c.oid = p.oid GROUP BY p.root)
"""

_NAME = "jsonb_build_array({0}.nspname, {1})"
_OF = (
    "(SELECT "
    + _NAME.format("n", "c.relname")
    + """
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = {0})"""
)
_COLUMNS = """(SELECT coalesce(jsonb_agg(coalesce(col.attname, '') ORDER BY nth.place), '[]')
    FROM unnest({1}) WITH ORDINALITY AS nth(number, place)
    LEFT JOIN pg_attribute col ON col.attrelid = {0} AND col.attnum = nth.number AND nth.number > 0)"""

# What somebody holds, or waits for, ACCESS EXCLUSIVE on cannot be opened without waiting.
_SIZED = """
shut AS MATERIALIZED (SELECT DISTINCT l.relation AS oid FROM pg_locks l
    WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.pid <> pg_backend_pid()
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())),
block AS (SELECT current_setting('block_size')::bigint AS bytes),
storage AS (SELECT p.root, p.oid AS leaf, c.oid, 'heap' AS what FROM part p JOIN pg_class c ON c.oid = p.oid
            WHERE c.relkind IN ('r', 'm', 'i', 'S')
            UNION ALL SELECT p.root, p.oid, c.reltoastrelid, 'toast' FROM part p JOIN pg_class c ON c.oid = p.oid
            WHERE c.reltoastrelid <> 0 AND c.relkind IN ('r', 'm')
            UNION ALL SELECT p.root, p.oid, i.indexrelid, 'indexes' FROM part p JOIN pg_index i ON i.indrelid = p.oid
            JOIN pg_class x ON x.oid = i.indexrelid AND x.relkind = 'i'),
measured AS (SELECT s.root, s.what, {measure} AS bytes, {shut} AS guessed,
                    c.relpages = 0 AND c.reltuples < 0 AND s.what = 'heap' AS unknown
             FROM storage s JOIN pg_class c ON c.oid = s.oid CROSS JOIN block b),
size AS (SELECT root, sum(bytes) FILTER (WHERE what = 'heap')::bigint AS heap,
                coalesce(sum(bytes) FILTER (WHERE what = 'toast'), 0)::bigint AS toast,
                coalesce(sum(bytes) FILTER (WHERE what = 'indexes'), 0)::bigint AS indexes,
                bool_or(guessed) AS guessed, bool_or(guessed AND unknown) AS unknown
         FROM measured GROUP BY root)
"""
_NOW = {
    "measure": "CASE WHEN s.oid IN (SELECT oid FROM shut) OR s.leaf IN (SELECT oid FROM shut)"
    " THEN c.relpages * b.bytes ELSE coalesce(pg_relation_size(s.oid), 0) END",
    "shut": "s.oid IN (SELECT oid FROM shut) OR s.leaf IN (SELECT oid FROM shut)",
}
_AS_ANALYSED = {"measure": "c.relpages * b.bytes", "shut": "true"}

_RELATION = f"""
jsonb_build_object(
    'name', {_NAME.format("n", "c.relname")}, 'kind', c.relkind,
    'visible', coalesce((SELECT o.oid = c.oid FROM pg_class o JOIN pg_namespace s ON s.oid = o.relnamespace
                         JOIN path ON path.schema = s.nspname
                         WHERE o.relname = c.relname ORDER BY path.place LIMIT 1), false),
    'rows', tree.rows, 'partitions', tree.partitions,
    'heap', CASE WHEN NOT size.unknown THEN size.heap END, 'toast', size.toast, 'indexes_size', size.indexes,
    'guessed', size.guessed,
    'parent', (SELECT {_OF.format("i.inhparent")} FROM pg_inherits i
               WHERE i.inhrelid = c.oid ORDER BY i.inhseqno LIMIT 1),
    'default', (SELECT {_OF.format("p.partdefid")} FROM pg_partitioned_table p WHERE p.partrelid = c.oid),
    'table', (SELECT {_OF.format("i.indrelid")} FROM pg_index i WHERE i.indexrelid = c.oid),
    'valid', (SELECT i.indisvalid FROM pg_index i WHERE i.indexrelid = c.oid),
    'indexes', (SELECT coalesce(jsonb_agg(jsonb_build_array(x.relname, i.indisunique, i.indisvalid,
                    i.indpred IS NOT NULL, {_COLUMNS.format("c.oid", "(i.indkey::int2[])[0:i.indnkeyatts - 1]")},
                    (SELECT k.conname FROM pg_constraint k WHERE k.conrelid = c.oid AND k.conindid = x.oid
                                              AND k.contype IN ('p', 'u', 'x')))),
                    '[]') FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid WHERE i.indrelid = c.oid),
    'keys_out', (SELECT coalesce(jsonb_agg(jsonb_build_array(k.conname, {_COLUMNS.format("k.conrelid", "k.conkey")},
                    {_OF.format("k.confrelid")})), '[]')
                 FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'f' AND k.confrelid <> 0),
    'keys_in', coalesce(key_in.keys, '[]'),
    'triggers', (SELECT count(*) FROM pg_trigger g WHERE g.tgrelid = c.oid AND NOT g.tgisinternal))
"""

# No index leads from a table to the foreign keys that reference it: they are looked for once.
_KEYS_IN = f"""
key_in AS (SELECT k.confrelid AS root, jsonb_agg(jsonb_build_array(k.conname,
                  {_COLUMNS.format("k.confrelid", "k.confkey")}, {_OF.format("k.conrelid")})) AS keys
           FROM wanted w JOIN pg_constraint k ON k.confrelid = w.oid AND k.contype = 'f' AND k.conparentid = 0
           GROUP BY k.confrelid)
"""

_DETAIL = f"""
jsonb_build_object('columns', (SELECT coalesce(jsonb_agg(jsonb_build_array(a.attname, {_NAME.format("m", "b.typname")},
        CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END, t.typcategory = 'A' AND t.typelem <> 0,
        a.attnotnull, a.attnum) ORDER BY a.attnum),
        '[]')
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype
                                   WHEN t.typcategory = 'A' AND t.typelem <> 0 THEN t.typelem ELSE t.oid END
    JOIN pg_namespace m ON m.oid = b.typnamespace
    WHERE a.attrelid = d.oid AND a.attnum > 0 AND NOT a.attisdropped),
  'checks', (SELECT coalesce(jsonb_agg(k.conbin::text), '[]') FROM pg_constraint k
    WHERE k.conrelid = d.oid AND k.contype = 'c' AND k.convalidated
      AND (k.conbin::text LIKE '{{NULLTEST%%' OR k.conbin::text LIKE '{{BOOLEXPR :boolop and%%')),
  'unvalidated', (SELECT coalesce(jsonb_agg(k.conname), '[]') FROM pg_constraint k
    WHERE k.conrelid = d.oid AND NOT k.convalidated),
  'open_nulls', (SELECT coalesce(jsonb_agg(k.conkey[1]), '[]') FROM pg_constraint k
    WHERE k.conrelid = d.oid AND k.contype = 'n' AND NOT k.convalidated),
  'dependents', (SELECT coalesce(jsonb_agg(DISTINCT jsonb_build_array(coalesce(a.attname, ''),
        pg_describe_object(x.classid, x.objid, x.objsubid), x.name, x.own, coalesce(x.part, ''))), '[]')
    FROM (SELECT p.refobjsubid, coalesce(v.class, p.classid) AS classid, coalesce(v.oid, p.objid) AS objid, p.objsubid,
                 {_OF.format("v.oid")} AS name,
                 {_OF.format("coalesce(k.conrelid, g.tgrelid, o.polrelid, f.adrelid)")} AS own,
                 coalesce(k.conname, g.tgname, o.polname, col.attname) AS part, coalesce(k.conrelid, v.oid) AS home
          FROM pg_depend p
          LEFT JOIN pg_rewrite r ON p.classid = 'pg_rewrite'::regclass AND r.oid = p.objid
          LEFT JOIN LATERAL (SELECT 'pg_class'::regclass::oid AS class, r.ev_class AS oid
                             WHERE r.rulename = '_RETURN') v ON true
          LEFT JOIN pg_constraint k ON p.classid = 'pg_constraint'::regclass AND k.oid = p.objid
          LEFT JOIN pg_trigger g ON p.classid = 'pg_trigger'::regclass AND g.oid = p.objid
          LEFT JOIN pg_policy o ON p.classid = 'pg_policy'::regclass AND o.oid = p.objid
          LEFT JOIN pg_attrdef f ON p.classid = 'pg_attrdef'::regclass AND f.oid = p.objid
          LEFT JOIN pg_attribute col ON col.attrelid = f.adrelid AND col.attnum = f.adnum
          WHERE p.refclassid = 'pg_class'::regclass AND p.refobjid = d.oid AND p.deptype = 'n'
          LIMIT {MOST_DEPENDENTS}) x
    LEFT JOIN pg_attribute a ON a.attrelid = d.oid AND a.attnum = x.refobjsubid AND x.refobjsubid > 0
    WHERE x.home IS DISTINCT FROM d.oid),
  'swept', (WITH RECURSIVE reach(class, oid, part) AS (
      SELECT 'pg_class'::regclass::oid, c.oid, 0 FROM pg_class c WHERE c.oid = d.oid AND c.relkind IN ('v', 'm')
      UNION
      SELECT CASE WHEN w.oid IS NULL AND g.attnum IS NULL THEN p.classid ELSE 'pg_class'::regclass::oid END,
             coalesce(w.ev_class, g.attrelid, p.objid), CASE WHEN w.oid IS NULL THEN coalesce(g.attnum, p.objsubid)
                                                             ELSE 0 END
      FROM reach r JOIN pg_depend p ON p.refclassid = r.class AND p.refobjid = r.oid
                                       AND (r.part = 0 OR p.refobjsubid = r.part)
      LEFT JOIN pg_rewrite w ON p.classid = 'pg_rewrite'::regclass AND w.oid = p.objid AND w.rulename = '_RETURN'
      LEFT JOIN pg_attrdef f ON p.classid = 'pg_attrdef'::regclass AND f.oid = p.objid
      LEFT JOIN pg_attribute g ON g.attrelid = f.adrelid AND g.attnum = f.adnum AND g.attgenerated <> '')
    SELECT coalesce(jsonb_agg(x.told), '[]')
    FROM (SELECT jsonb_build_array('', pg_describe_object(r.class, r.oid, r.part),
                                   CASE WHEN r.part = 0 THEN {_OF.format("r.oid")} END,
                                   CASE WHEN r.part > 0 THEN {_OF.format("r.oid")} END, coalesce(a.attname, '')) AS told
          FROM reach r JOIN pg_class c ON r.class = 'pg_class'::regclass AND c.oid = r.oid AND c.oid <> d.oid
          LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = r.part AND r.part > 0
          WHERE CASE WHEN r.part = 0 THEN c.relkind = 'm' ELSE c.relkind IN ('r', 'p', 'f') END
          LIMIT {MOST_DEPENDENTS}) x))
"""

_TYPES = f"""
(SELECT coalesce(jsonb_agg(jsonb_build_array(f.place, {_NAME.format("n", "t.typname")}, t.typtype,
        CASE WHEN b.oid IS NOT NULL THEN {_NAME.format("bn", "b.typname")} END, t.typtypmod,
        t.typnotnull OR EXISTS (SELECT FROM pg_constraint k
                                WHERE k.contypid IN (t.oid, b.oid) AND k.contype IN ('c', 'n')),
        EXISTS (SELECT FROM regexp_matches(t.typdefaultbin::text, ':(?:op)?funcid ([0-9]+)', 'g') AS called
                JOIN pg_proc p ON p.oid = called[1]::oid AND p.provolatile = 'v'),
        (SELECT coalesce(jsonb_agg({_OF.format("u.oid")}), '[]') FROM type_user u WHERE u.type = t.oid))), '[]')
 FROM found_type f JOIN pg_type t ON t.oid = f.oid JOIN pg_namespace n ON n.oid = t.typnamespace
 LEFT JOIN pg_type b ON b.oid = t.typbasetype LEFT JOIN pg_namespace bn ON bn.oid = b.typnamespace)
"""

_FUNCTIONS = """
(SELECT coalesce(jsonb_object_agg(f.name, f.volatility), '{}') FROM (
    SELECT p.proname::text AS name, max(CASE p.provolatile WHEN 'i' THEN 0 WHEN 's' THEN 1 ELSE 2 END) AS volatility
    FROM pg_proc p WHERE p.proname = ANY (%(functions)s::text[]) GROUP BY p.proname) f)
"""

_RELABELS = f"""
(SELECT coalesce(jsonb_agg(jsonb_build_array({_NAME.format("sn", "s.typname")},
                                             {_NAME.format("tn", "t.typname")})), '[]')
 FROM pg_cast k JOIN pg_type s ON s.oid = k.castsource JOIN pg_namespace sn ON sn.oid = s.typnamespace
 JOIN pg_type t ON t.oid = k.casttarget JOIN pg_namespace tn ON tn.oid = t.typnamespace
 WHERE k.castmethod = 'b' AND k.casttarget IN (SELECT f.oid FROM found_type f))
"""

_MEMBERS = f"""
(SELECT coalesce(jsonb_agg(jsonb_build_array(m.schema, {_OF.format("m.oid")})), '[]') FROM member m)
"""

_LIVELINESS = """
lively AS (SELECT p.root, sum(pg_stat_get_dead_tuples(p.oid))::bigint AS dead,
                  sum(pg_stat_get_tuples_inserted(p.oid) + pg_stat_get_tuples_updated(p.oid)
                      + pg_stat_get_tuples_deleted(p.oid))::bigint AS writes,
                  sum(pg_stat_get_numscans(p.oid) + coalesce(i.scans, 0))::bigint AS reads
           FROM part p LEFT JOIN LATERAL (SELECT sum(pg_stat_get_numscans(x.indexrelid)) AS scans
                                          FROM pg_index x WHERE x.indrelid = p.oid) i ON true
           GROUP BY p.root),
held AS (SELECT p.root, count(DISTINCT l.pid) AS sessions
         FROM part p JOIN pg_locks l ON l.relation = p.oid AND l.locktype = 'relation' AND l.pid <> pg_backend_pid()
          AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
         GROUP BY p.root),
home AS (SELECT root, oid FROM part
         UNION SELECT w.oid, i.inhparent FROM wanted w JOIN pg_inherits i ON i.inhrelid = w.oid),
published AS (SELECT h.root, jsonb_agg(DISTINCT p.pubname) AS publications
              FROM home h JOIN pg_class c ON c.oid = h.oid AND c.relkind IN ('r', 'p') AND c.relpersistence = 'p'
              JOIN pg_publication p ON p.puballtables
                OR EXISTS (SELECT FROM pg_publication_rel r WHERE r.prpubid = p.oid AND r.prrelid = h.oid)
                {schema_publications}
              GROUP BY h.root)
"""
_SCHEMA_PUBLICATIONS = """
OR EXISTS (SELECT FROM pg_publication_namespace s WHERE s.pnpubid = p.oid AND s.pnnspid = c.relnamespace)
"""
_LIVELY_FACTS = """
|| jsonb_build_object('dead', lively.dead, 'writes', lively.writes, 'reads', lively.reads,
                      'sessions', coalesce(held.sessions, 0), 'publications', coalesce(published.publications, '[]'))
"""
_LIVELY_JOINS = """
LEFT JOIN lively ON lively.root = w.oid LEFT JOIN held ON held.root = w.oid
LEFT JOIN published ON published.root = w.oid
"""

_SLOTS = """
(SELECT coalesce(jsonb_agg(s.slot_name), '[]') FROM pg_replication_slots s
 WHERE s.slot_type = 'logical' AND s.database = current_database())
"""
_SINCE = """
(SELECT jsonb_build_array(to_char(s.at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'),
                          extract(epoch FROM clock_timestamp() - s.at)::bigint)
 FROM (SELECT pg_stat_get_db_stat_reset_time(oid) AS at FROM pg_database WHERE datname = current_database()) s)
"""


def everything(server_version: int, *, full: bool) -> str:
    """The question. Without `full`, no sizes of files, no statistics, no replication: only what the catalog tells."""
    schemas = _SCHEMA_PUBLICATIONS if server_version >= 150000 else ""
    lively = f", {_LIVELINESS.format(schema_publications=schemas)}" if full else ""
    return f"""
WITH RECURSIVE {_RESOLVED}, {_SIZED.format(**(_NOW if full else _AS_ANALYSED))}, {_KEYS_IN} {lively}
SELECT jsonb_build_object(
  'names', (SELECT coalesce(jsonb_agg(jsonb_build_array(f.place, {_OF.format("f.oid")})), '[]') FROM found f),
  'relations', (SELECT coalesce(jsonb_agg({_RELATION} {_LIVELY_FACTS if full else ""}
                       || CASE WHEN d.oid IS NULL THEN '{{}}'::jsonb ELSE {_DETAIL} END), '[]')
                FROM wanted w JOIN pg_class c ON c.oid = w.oid JOIN pg_namespace n ON n.oid = c.relnamespace
                JOIN tree ON tree.root = w.oid LEFT JOIN size ON size.root = w.oid {_LIVELY_JOINS if full else ""}
                LEFT JOIN direct d ON d.oid = w.oid LEFT JOIN key_in ON key_in.root = w.oid),
  'types', {_TYPES}, 'functions', {_FUNCTIONS}, 'relabels', {_RELABELS}, 'members', {_MEMBERS},
  'slots', {_SLOTS if full else "'[]'::jsonb"}, 'since', {_SINCE if full else "NULL"},
  'utc', current_setting('TimeZone') IN ('UTC', 'Etc/UTC', 'GMT', 'UCT', 'Zulu', 'Etc/UCT', 'Etc/GMT'))
"""
