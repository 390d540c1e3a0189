"""What `activity` asks. The queries expect an empty search_path, and see only the database of the connection."""

_SESSION = """
SELECT a.pid, coalesce(a.usename::text, ''),
       CASE a.backend_type WHEN 'autovacuum worker' THEN 'autovacuum' ELSE coalesce(a.application_name, '') END,
       CASE WHEN a.backend_start IS NULL THEN '' ELSE coalesce(host(a.client_addr), 'local') END,
       coalesce(a.state, ''),
       coalesce(to_char(a.xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"'), ''),
       extract(epoch FROM clock_timestamp() - a.xact_start)::float8,
       coalesce(to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US"+00"'), ''),
       greatest(age(a.backend_xmin), age(a.backend_xid)),
       upper(coalesce(substring(a.query FROM '^[[:space:]]*([[:alpha:]]+)'), '')),
       coalesce(a.query ~* '^[[:space:]]*COPY .* TO STDOUT', false),
       coalesce(a.backend_type = 'autovacuum worker' AND a.query NOT LIKE '%to prevent wraparound%', false)
FROM pg_stat_activity a
"""

# Connections of one session of gonogo share the second word of their application_name, which may be shortened.
SESSIONS = f"""{_SESSION}
WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
  AND (a.backend_type IN ('client backend', 'walsender', 'autovacuum worker')
       OR a.backend_start IS NULL AND a.usesysid IS NOT NULL)
  AND NOT (current_setting('application_name') LIKE 'gonogo %' AND a.application_name LIKE 'gonogo %'
           AND left(split_part(a.application_name, ' ', 2), 33)
             = left(split_part(current_setting('application_name'), ' ', 2), 33))
ORDER BY a.xact_start NULLS LAST, a.pid
"""

SESSIONS_BY_PID = _SESSION.replace("%", "%%") + "WHERE a.pid = ANY (%s)"

WAITERS = """
SELECT DISTINCT ON (l.pid) l.pid, pg_blocking_pids(l.pid), coalesce(l.relation::regclass::text, l.locktype), l.mode
FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE NOT l.granted AND a.datname = current_database()
ORDER BY l.pid
"""

HELD = """
SELECT l.pid, array_agg(DISTINCT l.relation::regclass::text ORDER BY l.relation::regclass::text)
FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE l.locktype = 'relation' AND l.granted AND l.pid IS NOT NULL AND c.relkind IN ('r', 'p', 'm')
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
GROUP BY l.pid
"""

PREPARED = """
SELECT p.gid, p.owner::text, to_char(p.prepared AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"'),
       extract(epoch FROM clock_timestamp() - p.prepared)::float8,
       'ROLLBACK PREPARED ' || quote_literal(p.gid) || ';'
FROM pg_prepared_xacts p WHERE p.database = current_database() ORDER BY p.prepared
"""

STANDBYS = """
SELECT coalesce(r.application_name, ''), coalesce(host(r.client_addr), 'local'), coalesce(r.state, ''),
       coalesce(r.sync_state, ''),
       pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
                       r.replay_lsn)::bigint,
       extract(epoch FROM r.replay_lag)::float8
FROM pg_stat_replication r ORDER BY 1, 2
"""

SIGHT = "SELECT pg_has_role('pg_read_all_stats', 'USAGE'), quote_ident(current_user)"

SIZES = """
SELECT pg_database_size(current_database())::bigint,
       (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname !~ '^pg_'
          AND n.nspname <> 'information_schema')
"""
