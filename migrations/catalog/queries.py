"""What a catalog snapshot asks: each query gives (kind, name, attributes), the attributes as text, nothing as null.

They are made for an empty search_path, so that every name in a definition is qualified, and none can be shadowed.
"""

IN_SCOPE = """
n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'gonogo')
    AND (%(schemas)s::text[] IS NULL OR n.nspname::text = ANY (%(schemas)s::text[]))
"""


def _own(catalog: str, oid: str, made_with: str = "e") -> str:
    """No member of an extension; with `ei`, nor what a type brings along."""
    return f"""
    {oid} NOT IN (SELECT objid FROM pg_depend
                  WHERE classid = '{catalog}'::regclass AND strpos('{made_with}', deptype::text) > 0)
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
FIRST_OF_OURS = 16384
"""Below are the numbers that PostgreSQL itself gives, in every database."""
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
        CASE c.relreplident WHEN 'n' THEN 'nothing' WHEN 'f' THEN 'full' WHEN 'i' THEN
            'using index ' || (SELECT quote_ident(ic.relname) FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid
                               WHERE i.indrelid = c.oid AND i.indisreplident) END END,
    'clustered on', (SELECT quote_ident(ic.relname) FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid
                     WHERE i.indrelid = c.oid AND i.indisclustered),
    'tablespace', (SELECT quote_ident(spcname) FROM pg_tablespace WHERE oid = c.reltablespace),
    'access method', (SELECT quote_ident(amname) FROM pg_am
                      WHERE oid = c.relam AND c.relkind IN ('r', 'm') AND amname <> 'heap'),
    'of type', CASE WHEN c.reloftype <> 0 THEN format_type(c.reloftype, NULL) END,
    'server', (SELECT concat_ws(' ', quote_ident(s.srvname), f.ftoptions::text)
               FROM pg_foreign_table f JOIN pg_foreign_server s ON s.oid = f.ftserver WHERE f.ftrelid = c.oid),
    'options', (SELECT string_agg(o, ', ' ORDER BY o COLLATE "C") FROM unnest(c.reloptions) o),
    'partitioned by', CASE c.relkind WHEN 'p' THEN pg_get_partkeydef(c.oid) END,
    'partition', pg_get_expr(c.relpartbound, c.oid),
    'parents', (SELECT string_agg(inhparent::regclass::text, ', ' ORDER BY inhseqno)
                FROM pg_inherits WHERE inhrelid = c.oid),
    'definition', CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END,
    'columns', CASE WHEN c.relkind IN ('v', 'm') THEN (
        SELECT string_agg(quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod), ', ' ORDER BY a.attnum)
        FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0) END,
    'type', CASE WHEN c.relkind = 'S' THEN format_type(s.seqtypid, NULL) END,
    'values', 'start ' || s.seqstart || ' increment ' || s.seqincrement || ' from ' || s.seqmin || ' to ' || s.seqmax
        || ' cache ' || s.seqcache || CASE WHEN s.seqcycle THEN ' cycle' ELSE '' END,
    'owned by', (SELECT d.refobjid::regclass::text || '.' || quote_ident(a.attname)
                 FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
                 WHERE c.relkind = 'S' AND d.classid = 'pg_class'::regclass AND d.objid = c.oid
                   AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')),
    'identity', (SELECT 'yes' FROM pg_depend d
                 WHERE c.relkind = 'S' AND d.classid = 'pg_class'::regclass AND d.objid = c.oid
                   AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'i'),
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
    'storage', CASE WHEN a.attstorage <> t.typstorage THEN
        CASE a.attstorage WHEN 'p' THEN 'plain' WHEN 'e' THEN 'external' WHEN 'm' THEN 'main' ELSE 'extended' END END,
    'compression', CASE to_jsonb(a) ->> 'attcompression' WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END,
    'statistics', CASE WHEN a.attstattarget >= 0 THEN a.attstattarget::text END,
    'options', (SELECT string_agg(o, ', ' ORDER BY o COLLATE "C") FROM unnest(a.attoptions || a.attfdwoptions) o),
    'privileges', CASE WHEN a.attacl IS NOT NULL THEN {_privileges("a.attacl", "a.attacl")} END,
    'comment', col_description(c.oid, a.attnum))
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid {OF_TABLE.format("a.attrelid")}
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped
  AND (c.relkind IN ('r', 'p', 'f') OR (c.relkind IN ('v', 'm') AND (
      a.attacl IS NOT NULL OR d.oid IS NOT NULL OR col_description(c.oid, a.attnum) IS NOT NULL)))
  AND {IN_SCOPE} AND {NOT_THE_LEDGER} AND {_own("pg_class", "c.oid")}
ORDER BY c.oid, a.attnum
"""

# NOT NULL is told by the column, unless it is not validated; the clones of a partitioned table's keys by their parent.
CONSTRAINTS = f"""
SELECT 'constraint', {_name("n.nspname", "coalesce(c.relname, t.typname)", "k.conname")}, jsonb_build_object(
    'of', {_name("n.nspname", "coalesce(c.relname, t.typname)")},
    'definition', pg_get_constraintdef(k.oid),
    'options', (SELECT string_agg(o, ', ' ORDER BY o COLLATE "C") FROM pg_class ic, unnest(ic.reloptions) o
                WHERE ic.oid = k.conindid AND k.contype IN ('p', 'u', 'x')),
    'attached to', (SELECT quote_ident(p.conname) FROM pg_constraint p WHERE p.oid = k.conparentid),
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
    'tablespace', (SELECT quote_ident(spcname) FROM pg_tablespace WHERE oid = ic.reltablespace),
    'attached to', (SELECT inhparent::regclass::text FROM pg_inherits WHERE inhrelid = i.indexrelid),
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
    'collation', CASE WHEN t.typtype = 'd' THEN (SELECT t.typcollation::regcollation::text FROM pg_type b
                      WHERE b.oid = t.typbasetype AND b.typcollation <> t.typcollation) END,
    'details', (SELECT concat_ws(' ', o.opcname, nullif(r.rngcollation, 0)::regcollation,
                                 nullif(r.rngcanonical::text, '-'), nullif(r.rngsubdiff::text, '-'))
                FROM pg_range r JOIN pg_opclass o ON o.oid = r.rngsubopc WHERE r.rngtypid = t.oid),
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

# The body is told by its hash, unless asked for: it may hold what nobody should read in a change ticket.
FUNCTIONS = f"""
SELECT CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END,
    {_name("n.nspname", "p.proname")} || '(' || pg_get_function_identity_arguments(p.oid) || ')', jsonb_build_object(
    'type', pg_get_function_result(p.oid),
    'body', CASE WHEN %(bodies)s THEN b.text ELSE encode(sha256(convert_to(b.text, 'UTF8')), 'hex') END,
    'owner', pg_get_userbyid(p.proowner),
    'privileges', {_privileges("p.proacl", "acldefault('f', p.proowner)")},
    'comment', obj_description(p.oid, 'pg_proc'))
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace LEFT JOIN pg_aggregate g ON g.aggfnoid = p.oid
CROSS JOIN LATERAL (SELECT CASE p.prokind
    WHEN 'a' THEN concat_ws(' ', g.aggtransfn::regprocedure, g.aggfinalfn::regproc, g.aggcombinefn::regproc,
                            format_type(g.aggtranstype, NULL), g.agginitval)
    ELSE pg_get_functiondef(p.oid) END AS text) b
WHERE {IN_SCOPE} AND {_own("pg_proc", "p.oid", "ei")}
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
    'definition', concat_ws(' ', 'as', CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END, 'for',
        CASE p.polcmd WHEN 'r' THEN 'select' WHEN 'a' THEN 'insert' WHEN 'w' THEN 'update' WHEN 'd' THEN 'delete'
                      ELSE 'all' END, 'to',
        (SELECT string_agg(role, ', ' ORDER BY role COLLATE "C") FROM (
            SELECT CASE each WHEN 0 THEN 'public' ELSE quote_ident(pg_get_userbyid(each)) END AS role
            FROM unnest(p.polroles) each) roles),
        'using (' || pg_get_expr(p.polqual, p.polrelid) || ')',
        'with check (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')'),
    'comment', obj_description(p.oid, 'pg_policy'))
FROM pg_policy p {OF_TABLE.format("p.polrelid")} WHERE {IN_SCOPE} AND {NOT_THE_LEDGER} AND {_own("pg_class", "c.oid")}
"""

RULES = f"""
SELECT 'rule', {_name("n.nspname", "c.relname", "r.rulename")}, jsonb_build_object(
    'of', {TABLE}, 'definition', pg_get_ruledef(r.oid),
    'state', CASE r.ev_enabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica' WHEN 'A' THEN 'always' END,
    'comment', obj_description(r.oid, 'pg_rewrite'))
FROM pg_rewrite r {OF_TABLE.format("r.ev_class")}
WHERE r.rulename <> '_RETURN' AND {IN_SCOPE} AND {NOT_THE_LEDGER} AND {_own("pg_class", "c.oid")}
"""

STATISTICS = f"""
SELECT 'statistics', {_name("n.nspname", "s.stxname")}, jsonb_build_object(
    'of', s.stxrelid::regclass::text, 'definition', pg_get_statisticsobjdef(s.oid),
    'target', CASE WHEN s.stxstattarget >= 0 THEN s.stxstattarget::text END,
    'owner', pg_get_userbyid(s.stxowner),
    'comment', obj_description(s.oid, 'pg_statistic_ext'))
FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace WHERE {IN_SCOPE}
"""

EXTENSIONS = """
SELECT 'extension', quote_ident(e.extname), jsonb_build_object(
    'version', e.extversion, 'schema', quote_ident(n.nspname))
FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE %(schemas)s::text[] IS NULL
"""

EVENT_TRIGGERS = f"""
SELECT 'event trigger', quote_ident(v.evtname), jsonb_build_object(
    'definition', concat_ws(' ', 'on', v.evtevent,
        'when tag in (' || (SELECT string_agg(quote_literal(t), ', ' ORDER BY t) FROM unnest(v.evttags) t) || ')',
        'execute function', v.evtfoid::regprocedure),
    'state', CASE v.evtenabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica' WHEN 'A' THEN 'always' END,
    'owner', pg_get_userbyid(v.evtowner),
    'comment', obj_description(v.oid, 'pg_event_trigger'))
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

PUBLICATIONS = f"""
SELECT 'publication', quote_ident(p.pubname), jsonb_build_object(
    'definition', concat_ws(', ', CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END,
        CASE WHEN p.pubdelete THEN 'delete' END, CASE WHEN p.pubtruncate THEN 'truncate' END,
        CASE WHEN p.pubviaroot THEN 'by the root of partitions' END),
    'tables', CASE WHEN p.puballtables THEN 'all tables' ELSE (
        SELECT string_agg(concat_ws(' where ', {_name("t.schemaname", "t.tablename")}, to_jsonb(t) ->> 'rowfilter'),
                          ', ' ORDER BY t.schemaname, t.tablename)
        FROM pg_publication_tables t WHERE t.pubname = p.pubname) END,
    'owner', pg_get_userbyid(p.pubowner),
    'comment', obj_description(p.oid, 'pg_publication'))
FROM pg_publication p WHERE %(schemas)s::text[] IS NULL AND {_own("pg_publication", "p.oid")}
"""

# What is rare: that it is there, whose it is, and as much of how it is made as one line tells.
RARE = f"""
SELECT i.type, i.identity, jsonb_build_object(
    'definition', o.definition, 'owner', pg_get_userbyid(o.owner), 'comment', obj_description(o.oid, o.class::name))
FROM (
    SELECT 'pg_operator' AS class, oid, oprnamespace AS space, oprowner AS owner, oprcode::text AS definition
    FROM pg_operator
    UNION ALL SELECT 'pg_opclass', oid, opcnamespace, opcowner, NULL FROM pg_opclass
    UNION ALL SELECT 'pg_opfamily', oid, opfnamespace, opfowner, NULL FROM pg_opfamily
    UNION ALL SELECT 'pg_conversion', oid, connamespace, conowner, NULL FROM pg_conversion
    UNION ALL SELECT 'pg_collation', oid, collnamespace, collowner, concat_ws(' ', collprovider,
        coalesce(to_jsonb(c) ->> 'colllocale', to_jsonb(c) ->> 'colliculocale', to_jsonb(c) ->> 'collcollate'),
        CASE WHEN NOT collisdeterministic THEN 'not deterministic' END) FROM pg_collation c
    UNION ALL SELECT 'pg_ts_config', oid, cfgnamespace, cfgowner, (
        SELECT string_agg(m.maptokentype || ' ' || m.mapdict::regdictionary, ', ' ORDER BY m.maptokentype, m.mapseqno)
        FROM pg_ts_config_map m WHERE m.mapcfg = c.oid) FROM pg_ts_config c
    UNION ALL SELECT 'pg_ts_dict', oid, dictnamespace, dictowner, dictinitoption FROM pg_ts_dict
    UNION ALL SELECT 'pg_ts_parser', oid, prsnamespace, NULL, NULL FROM pg_ts_parser
    UNION ALL SELECT 'pg_ts_template', oid, tmplnamespace, NULL, NULL FROM pg_ts_template
    UNION ALL SELECT 'pg_cast', oid, NULL, NULL, concat_ws(' ', castcontext, castmethod,
                                                          nullif(castfunc, 0)::regprocedure) FROM pg_cast
    UNION ALL SELECT 'pg_language', oid, NULL, lanowner, NULL FROM pg_language
    UNION ALL SELECT 'pg_am', oid, NULL, NULL, NULL FROM pg_am
    UNION ALL SELECT 'pg_foreign_data_wrapper', oid, NULL, fdwowner, NULL FROM pg_foreign_data_wrapper
    UNION ALL SELECT 'pg_foreign_server', oid, NULL, srvowner, NULL FROM pg_foreign_server
) o LEFT JOIN pg_namespace n ON n.oid = o.space
CROSS JOIN LATERAL pg_identify_object(o.class::regclass, o.oid, 0) i
WHERE o.oid >= {FIRST_OF_OURS} AND CASE WHEN n.oid IS NULL THEN %(schemas)s::text[] IS NULL ELSE {IN_SCOPE} END
  AND NOT EXISTS (SELECT FROM pg_depend d
                  WHERE d.classid = o.class::regclass AND d.objid = o.oid AND d.deptype IN ('e', 'i'))
"""

QUERIES = (
    *(SCHEMAS, RELATIONS, COLUMNS, CONSTRAINTS, INDEXES, TYPES, FUNCTIONS, TRIGGERS, POLICIES, RULES, STATISTICS),
    *(EXTENSIONS, EVENT_TRIGGERS, DEFAULT_PRIVILEGES, PUBLICATIONS, RARE),
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
