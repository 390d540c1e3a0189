"""Who a target is, in what state, and what the role may do there."""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

Connection = psycopg.AsyncConnection[Any]

NOT_READABLE = "not readable"

# Not pg_control_checkpoint(): it goes on naming the old timeline for minutes after a promotion.
TIMELINE = """
CASE WHEN NOT pg_catalog.pg_is_in_recovery()
     THEN substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8) END
"""
FINGERPRINT = """
SELECT {system}, d.datname, d.oid::text, pg_catalog.pg_is_in_recovery(),
       to_char(pg_catalog.pg_postmaster_start_time() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
       {timeline}, pg_catalog.current_setting('server_version'),
       pg_catalog.current_setting('server_version_num')::int / 10000
FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()
"""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Which server and database, and in what state. 64-bit numbers are strings; times are RFC 3339 UTC."""

    system_identifier: str
    database: str
    oid: str
    in_recovery: bool
    postmaster_start: str
    timeline: str
    server_version: str
    server_major: int
    address: str

    @property
    def identity(self) -> tuple[str, str, str]:
        """What never changes while it is the same database."""
        return self.system_identifier, self.database, self.oid

    def changed(self, now: "Fingerprint") -> str | None:
        """In words, why `now` is not what this one was; a restarted server is still the same."""
        if now.identity != self.identity:
            was, is_ = "/".join(self.identity), "/".join(now.identity)
            return f"{now.address} is another database than before: {is_}, not {was} (system/database/oid)."
        if now.in_recovery != self.in_recovery:
            state = "a standby" if now.in_recovery else "a primary"
            return f"{now.address} has become {state} since it was pinned."
        if now.timeline != self.timeline:
            return (
                f"{now.address} has changed its timeline from {self.timeline} to {now.timeline}: a failover happened."
            )
        return None


@dataclass(frozen=True, slots=True)
class Privileges:
    """What the role may do here. `role` is the one that statements run as."""

    role: str
    superuser: bool
    createdb: bool
    owns_database: bool
    can_create_schema: bool
    can_create_in_schema: bool
    reads_all_stats: bool
    may_signal_backend: bool
    restore_point: bool


async def readable(conn: Connection) -> tuple[bool, bool]:
    """Whether the role may read the system identifier, and the timeline."""
    cur = await conn.execute(
        """
        SELECT pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE'),
               pg_catalog.has_function_privilege('pg_catalog.pg_walfile_name(pg_lsn)', 'EXECUTE')
                   AND pg_catalog.has_function_privilege('pg_catalog.pg_current_wal_lsn()', 'EXECUTE')
        """
    )
    row = await cur.fetchone()
    assert row is not None
    return bool(row[0]), bool(row[1])


async def fingerprint(conn: Connection, may_read: tuple[bool, bool] | None = None) -> Fingerprint:
    """Read identity and state; `may_read` is what readable() said before, if it did.

    Raises psycopg's errors if the connection is lost. Never in a script's transaction.
    """
    system, timeline = may_read or await readable(conn)
    query = FINGERPRINT.format(
        system="(SELECT system_identifier::text FROM pg_catalog.pg_control_system())" if system else "NULL",
        timeline=TIMELINE if timeline else "NULL",
    )
    row = await (await conn.execute(query.encode())).fetchone()
    assert row is not None
    return Fingerprint(
        system_identifier=row[0] or NOT_READABLE,
        database=row[1],
        oid=row[2],
        in_recovery=row[3],
        postmaster_start=row[4],
        timeline=row[5] or NOT_READABLE,
        server_version=row[6],
        server_major=row[7],
        address=f"{conn.info.host}:{conn.info.port}",
    )


async def privileges(conn: Connection) -> Privileges:
    """Read what the connection's role may do."""
    cur = await conn.execute(
        """
        SELECT r.rolname, r.rolsuper, r.rolcreatedb OR r.rolsuper,
               pg_has_role(r.oid, d.datdba, 'USAGE'),
               has_database_privilege(d.oid, 'CREATE'),
               current_schema() IS NOT NULL AND has_schema_privilege(current_schema(), 'CREATE'),
               pg_has_role('pg_read_all_stats', 'USAGE'),
               pg_has_role('pg_signal_backend', 'USAGE'),
               has_function_privilege('pg_create_restore_point(text)', 'EXECUTE')
        FROM pg_roles r, pg_database d
        WHERE r.rolname = current_user AND d.datname = current_database()
        """
    )
    row = await cur.fetchone()
    assert row is not None
    return Privileges(*row)


async def environment_mark(conn: Connection) -> str | None:
    """The environment that the database itself names (`ALTER DATABASE … SET gonogo.environment`), if it does."""
    cur = await conn.execute(
        """
        SELECT substr(setting, strpos(setting, '=') + 1)
        FROM pg_db_role_setting s
        JOIN pg_database d ON d.oid = s.setdatabase AND d.datname = current_database(), unnest(s.setconfig) setting
        WHERE s.setrole = 0 AND split_part(setting, '=', 1) = 'gonogo.environment'
        """
    )
    row = await cur.fetchone()
    return str(row[0]) if row else None


def marking(database: str, environment: str) -> str:
    """The SQL that writes such a mark: for a superuser or, from PostgreSQL 15, whoever was granted SET ON PARAMETER."""
    alter = sql.SQL("ALTER DATABASE {} SET gonogo.environment = {};")
    return alter.format(sql.Identifier(database), sql.Literal(environment)).as_string()
