"""What a catalog snapshot asks: each query gives (kind, name, attributes), the attributes as text, nothing as null.

They are made for an empty search_path, so that every name in a definition is qualified, and none can be shadowed.
"""

IN_SCOPE = """
n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'gonogo')
    AND (%(schemas)s::text[] IS NULL OR n.nspname::text = ANY (%(schemas)s::text[]))
"""


def _own(catalog: str, oid: str) -> str:
    """No member of an extension."""
    return f"""
    {oid} NOT IN (SELECT objid FROM pg_depend WHERE classid = '{catalog}'::regclass AND deptype = 'e')
    """


def _privileges(acl: str, default: str) -> str:
    """As sorted text. The default is spelled out: NULL and an ACL that says the same are the same."""
    return f"""
    (SELECT string_agg(item::text, ', ' ORDER BY item::text COLLATE "C") FROM unnest(coalesce({acl}, {default})) item)
    """


def _name(*parts: str) -> str:
    return " || '.' || ".join(f"quote_ident({part})" for part in parts)


TABLE = f"{_name('n.nspname', 'c.relname')}"
OF_TABLE = "JOIN pg_class c ON c.oid = {0} JOIN pg_namespace n ON n.oid = c.relnamespace"
NOT_THE_LEDGER = "c.relname <> '_prisma_migrations'"

SCHEMAS = f"""
SELECT 'schema', quote_ident(n.nspname), jsonb_build_object(
    'owner', pg_get_userbyid(n.nspowner),
    'privileges', {_privileges("n.nspacl", "acldefault('n', n.nspowner)")},
    'comment', obj_description(n.oid, 'pg_namespace'))
FROM pg_namespace n WHERE {IN_SCOPE} AND {_own("pg_namespace", "n.oid")}
"""

RELATIONS = f"""
SELECT CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence'
                      WHEN 'f' THEN 'foreign table' ELSE 'table' END, {TABLE}, jsonb_build_object(
    'owner', pg_get_userbyid(c.relowner),
    'privileges', {
    _privileges(
        "c.relacl",
        '''acldefault((CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END)::"char",
                                                         c.relowner)''',
    )
},
    'persistence', CASE c.relpersistence WHEN 'u' THEN 'unlogged' END,
    'row security', CASE WHEN c.relforcerowsecurity THEN 'forced' WHEN c.relrowsecurity THEN 'enabled' END,
    'replica identity', CASE WHEN c.relkind IN ('r', 'p') THEN
        CASE c.relreplident WHEN 'n' THEN 'nothing' WHEN 'f' THEN 'full' WHEN 'i' THEN 'index' END END,
    'options', (SELECT string_agg(o, ', ' ORDER BY o COLLATE "C") FROM unnest(c.reloptions) o),
    'partitioned by', CASE c.relkind WHEN 'p' THEN pg_get_partkeydef(c.oid) END,
    'partition', pg_get_expr(c.relpartbound, c.oid),
    'parents', (SELECT string_agg(inhparent::regclass::text, ', ' ORDER BY inhseqno)
                FROM pg_inherits WHERE inhrelid = c.oid),
    'definition', CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END,
    'type', CASE WHEN c.relkind = 'S' THEN format_type(s.seqtypid, NULL) END,
    'values', 'start ' || s.seqstart || ' increment ' || s.seqincrement || ' from ' || s.seqmin || ' to ' || s.seqmax
        || ' cache ' || s.seqcache || CASE WHEN s.seqcycle THEN ' cycle' ELSE '' END,
    'owned by', (SELECT d.refobjid::regclass::text || '.' || quote_ident(a.attname)
                 FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
                 WHERE c.relkind = 'S' AND d.classid = 'pg_class'::regclass AND d.objid = c.oid
                   AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')),
    'comment', obj_description(c.oid, 'pg_class'))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_sequence s ON s.seqrelid = c.oid
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND {IN_SCOPE} AND {NOT_THE_LEDGER} AND {_own("pg_class", "c.oid")}
"""

COLUMNS = f"""
SELECT 'column', {_name("n.nspname", "c.relname", "a.attname")}, jsonb_build_object(
    'of', {TABLE},
    'type', format_type(a.atttypid, a.atttypmod),
    'collation', CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation::regcollation::text END,
    'not null', CASE WHEN a.attnotnull THEN 'yes' END,
    'default', CASE a.attgenerated WHEN '' THEN pg_get_expr(d.adbin, d.adrelid) END,
    'generated', CASE WHEN a.attgenerated <> '' THEN pg_get_expr(d.adbin, d.adrelid)
                      || CASE a.attgenerated WHEN 's' THEN ' stored' ELSE ' virtual' END END,
    'identity', CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' END,
    'storage', CASE WHEN a.attstorage <> t.typstorage THEN a.attstorage::text END,
    'privileges', CASE WHEN a.attacl IS NOT NULL THEN {_privileges("a.attacl", "a.attacl")} END,
    'comment', col_description(c.oid, a.attnum))
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid {OF_TABLE.format("a.attrelid")}
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'f')
  AND {IN_SCOPE} AND {NOT_THE_LEDGER} AND {_own("pg_class", "c.oid")}
"""

# NOT NULL is told by the column, unless it is not validated; the clones of a partitioned table's keys by their parent.
CONSTRAINTS = f"""
SELECT 'constraint', {_name("n.nspname", "coalesce(c.relname, t.typname)", "k.conname")}, jsonb_build_object(
    'of', {_name("n.nspname", "coalesce(c.relname, t.typname)")},
    'definition', pg_get_constraintdef(k.oid),
    'comment', obj_description(k.oid, 'pg_constraint'))
FROM pg_constraint k LEFT JOIN pg_class c ON c.oid = k.conrelid LEFT JOIN pg_type t ON t.oid = k.contypid
JOIN pg_namespace n ON n.oid = coalesce(c.relnamespace, t.typnamespace)
WHERE k.contype <> 't' AND NOT (k.contype = 'f' AND k.conparentid <> 0) AND NOT (k.contype = 'n' AND k.convalidated)
  AND {IN_SCOPE} AND coalesce({NOT_THE_LEDGER}, true)
  AND (c.oid IS NULL OR {_own("pg_class", "c.oid")}) AND (t.oid IS NULL OR {_own("pg_type", "t.oid")})
"""

INDEXES = f"""
SELECT 'index', {_name("n.nspname", "ic.relname")}, jsonb_build_object(
    'of', {TABLE},
    'definition', CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END || substr(pg_get_indexdef(i.indexrelid),
        strpos(pg_get_indexdef(i.indexrelid), quote_ident(ic.relname) || ' ON ') + length(quote_ident(ic.relname)) + 1),
    'state', CASE WHEN NOT i.indisvalid THEN 'invalid' WHEN NOT i.indisready THEN 'not ready' END,
    'clustered', CASE WHEN i.indisclustered THEN 'yes' END,
    'replica identity', CASE WHEN i.indisreplident THEN 'yes' END,
    'comment', obj_description(i.indexrelid, 'pg_class'))
FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid {OF_TABLE.format("i.indrelid")}
WHERE {IN_SCOPE} AND {NOT_THE_LEDGER} AND {_own("pg_class", "c.oid")}
  AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
"""

TYPES = f"""
SELECT CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' WHEN 'r' THEN 'range' WHEN 'c' THEN 'composite type'
                      ELSE 'type' END, {_name("n.nspname", "t.typname")}, jsonb_build_object(
    'labels', (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
               FROM pg_enum e WHERE e.enumtypid = t.oid),
    'type', CASE t.typtype WHEN 'd' THEN format_type(t.typbasetype, t.typtypmod) WHEN 'r' THEN format_type(
        (SELECT r.rngsubtype FROM pg_range r WHERE r.rngtypid = t.oid), NULL) END,
    'default', t.typdefault,
    'not null', CASE WHEN t.typnotnull THEN 'yes' END,
    'columns', (SELECT string_agg(quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod), ', '
                                  ORDER BY a.attnum)
                FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped),
    'owner', pg_get_userbyid(t.typowner),
    'privileges', {_privileges("t.typacl", "acldefault('T', t.typowner)")},
    'comment', obj_description(t.oid, 'pg_type'))
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_class c ON c.oid = t.typrelid
WHERE {IN_SCOPE} AND {_own("pg_type", "t.oid")} AND t.typtype <> 'm' AND (c.oid IS NULL OR c.relkind = 'c')
  AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid)
"""

# The body is told by its hash: it may hold what nobody should read in a change ticket.
FUNCTIONS = f"""
SELECT CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END,
    {_name("n.nspname", "p.proname")} || '(' || pg_get_function_identity_arguments(p.oid) || ')', jsonb_build_object(
    'type', pg_get_function_result(p.oid),
    'body', encode(sha256(convert_to(CASE p.prokind
        WHEN 'a' THEN concat_ws(' ', g.aggtransfn::regprocedure, g.aggfinalfn::regproc, g.aggcombinefn::regproc,
                                format_type(g.aggtranstype, NULL), g.agginitval)
        ELSE pg_get_functiondef(p.oid) END, 'UTF8')), 'hex'),
    'owner', pg_get_userbyid(p.proowner),
    'privileges', {_privileges("p.proacl", "acldefault('f', p.proowner)")},
    'comment', obj_description(p.oid, 'pg_proc'))
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace LEFT JOIN pg_aggregate g ON g.aggfnoid = p.oid
WHERE {IN_SCOPE} AND {_own("pg_proc", "p.oid")}
"""

TRIGGERS = f"""
SELECT 'trigger', {_name("n.nspname", "c.relname", "g.tgname")}, jsonb_build_object(
    'of', {TABLE},
    'definition', pg_get_triggerdef(g.oid),
    'state', CASE g.tgenabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica' WHEN 'A' THEN 'always' END,
    'comment', obj_description(g.oid, 'pg_trigger'))
FROM pg_trigger g {OF_TABLE.format("g.tgrelid")}
WHERE NOT g.tgisinternal AND g.tgparentid = 0 AND {IN_SCOPE} AND {NOT_THE_LEDGER} AND {_own("pg_class", "c.oid")}
"""

POLICIES = f"""
SELECT 'policy', {_name("n.nspname", "c.relname", "p.polname")}, jsonb_build_object(
    'of', {TABLE},
    'definition', concat_ws(' ', CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END, 'for',
        CASE p.polcmd WHEN 'r' THEN 'select' WHEN 'a' THEN 'insert' WHEN 'w' THEN 'update' WHEN 'd' THEN 'delete'
                      ELSE 'all' END, 'to',
        (SELECT string_agg(CASE role WHEN 0 THEN 'public' ELSE quote_ident(pg_get_userbyid(role)) END, ', ')
         FROM unnest(p.polroles) role),
        'using ' || pg_get_expr(p.polqual, p.polrelid), 'check ' || pg_get_expr(p.polwithcheck, p.polrelid)),
    'comment', obj_description(p.oid, 'pg_policy'))
FROM pg_policy p {OF_TABLE.format("p.polrelid")} WHERE {IN_SCOPE} AND {NOT_THE_LEDGER} AND {_own("pg_class", "c.oid")}
"""

RULES = f"""
SELECT 'rule', {_name("n.nspname", "c.relname", "r.rulename")}, jsonb_build_object(
    'of', {TABLE}, 'definition', pg_get_ruledef(r.oid))
FROM pg_rewrite r {OF_TABLE.format("r.ev_class")}
WHERE r.rulename <> '_RETURN' AND {IN_SCOPE} AND {_own("pg_class", "c.oid")}
"""

STATISTICS = f"""
SELECT 'statistics', {_name("n.nspname", "s.stxname")}, jsonb_build_object(
    'of', s.stxrelid::regclass::text, 'definition', pg_get_statisticsobjdef(s.oid))
FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace WHERE {IN_SCOPE}
"""

EXTENSIONS = """
SELECT 'extension', quote_ident(e.extname), jsonb_build_object(
    'version', e.extversion, 'schema', quote_ident(n.nspname))
FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE %(schemas)s::text[] IS NULL
"""

EVENT_TRIGGERS = f"""
SELECT 'event trigger', quote_ident(v.evtname), jsonb_build_object(
    'definition', concat_ws(' ', v.evtevent, array_to_string(v.evttags, ', '), v.evtfoid::regprocedure::text),
    'state', CASE v.evtenabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica' WHEN 'A' THEN 'always' END)
FROM pg_event_trigger v WHERE %(schemas)s::text[] IS NULL AND {_own("pg_event_trigger", "v.oid")}
"""

DEFAULT_PRIVILEGES = f"""
SELECT 'default privileges', concat_ws(' ', quote_ident(pg_get_userbyid(d.defaclrole)), 'on',
    CASE d.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'functions'
                         WHEN 'T' THEN 'types' WHEN 'n' THEN 'schemas' ELSE d.defaclobjtype::text END,
    'in ' || quote_ident(n.nspname)), jsonb_build_object(
    'privileges', {_privileges("d.defaclacl", "d.defaclacl")})
FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
WHERE CASE WHEN n.oid IS NULL THEN %(schemas)s::text[] IS NULL ELSE {IN_SCOPE} END
"""

QUERIES = (
    *(SCHEMAS, RELATIONS, COLUMNS, CONSTRAINTS, INDEXES, TYPES, FUNCTIONS, TRIGGERS, POLICIES, RULES, STATISTICS),
    *(EXTENSIONS, EVENT_TRIGGERS, DEFAULT_PRIVILEGES),
)

# Under the connection's own search_path: it is what unqualified names lead by.
MISSING = """
SELECT w.schema, w.name, w.col
FROM ROWS FROM (pg_catalog.unnest(%(schemas)s::text[]), pg_catalog.unnest(%(names)s::text[]),
                pg_catalog.unnest(%(columns)s::text[])) WITH ORDINALITY AS w(schema, name, col, place)
WHERE NOT EXISTS (
    SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relname = w.name AND c.relkind IN ('r', 'p', 'f', 'v', 'm')
      AND (n.nspname = w.schema OR w.schema IS NULL AND pg_catalog.pg_table_is_visible(c.oid))
      AND (w.col IS NULL OR EXISTS (SELECT FROM pg_catalog.pg_attribute a
                                    WHERE a.attrelid = c.oid AND NOT a.attisdropped AND a.attname = w.col)))
ORDER BY w.place
"""
