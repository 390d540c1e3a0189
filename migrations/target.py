"""The database that a session acts on: how to reach it, and how to know that it is still the same one."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import psycopg
from psycopg import pq, sql

from migrations.connecting import refused
from migrations.problem import Problem
from migrations.url import Url as Url

Connection = psycopg.AsyncConnection[Any]
Pooling = Literal["direct", "transaction", "session"]
"""`session`: there is a pooler between, and it was not seen to be in transaction mode."""

NOT_READABLE = "not readable"
APPLICATION_NAME_BYTES = 63
KEEPALIVE = {"keepalives_idle": "20", "keepalives_interval": "10", "keepalives_count": "3", "tcp_user_timeout": "60000"}
NEVER_HONOURED = ("PGSERVICE", "PGSERVICEFILE", "PGSYSCONFDIR", "PGTZ", "PGDATESTYLE", "PGGEQO")


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
    replication: bool
    owns_database: bool
    can_create_schema: bool
    can_create_in_schema: bool
    reads_all_stats: bool
    may_signal_backend: bool
    restore_point: bool


def session_name(session: str, tail: str) -> str:
    """The application_name of a session's connection: `gonogo <session> <tail>`, cut to 63 bytes of ASCII."""
    name = session if len(session) <= 40 else f"{session[:33]}~{session[-6:]}"
    text = f"gonogo {name} {tail}".encode("ascii", "replace")
    return text[:APPLICATION_NAME_BYTES].decode()


async def fingerprint(conn: Connection) -> Fingerprint:
    """Read identity and state. Raises psycopg's errors if the connection is lost. Never in a script's transaction."""
    cur = await conn.execute(
        """
        SELECT d.datname, d.oid::text, pg_catalog.pg_is_in_recovery(),
               to_char(pg_catalog.pg_postmaster_start_time() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
               pg_catalog.current_setting('server_version'),
               pg_catalog.current_setting('server_version_num')::int / 10000,
               pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE'),
               pg_catalog.has_function_privilege('pg_catalog.pg_walfile_name(pg_lsn)', 'EXECUTE')
                   AND pg_catalog.has_function_privilege('pg_catalog.pg_current_wal_lsn()', 'EXECUTE')
        FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()
        """
    )
    row = await cur.fetchone()
    assert row is not None
    database, oid, in_recovery, started, version, major, system_readable, wal_readable = row
    return Fingerprint(
        system_identifier=await _one(
            conn, system_readable, "SELECT system_identifier::text FROM pg_catalog.pg_control_system()"
        ),
        database=database,
        oid=oid,
        in_recovery=in_recovery,
        postmaster_start=started,
        # Not pg_control_checkpoint(): it goes on naming the old timeline for minutes after a promotion.
        timeline=await _one(
            conn,
            wal_readable and not in_recovery,
            "SELECT substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8)",
        ),
        server_version=version,
        server_major=major,
        address=f"{conn.info.host}:{conn.info.port}",
    )


async def _one(conn: Connection, readable: bool, query: str) -> str:
    if not readable:
        return NOT_READABLE
    row = await (await conn.execute(query.encode())).fetchone()
    return str(row[0]) if row else NOT_READABLE


async def privileges(conn: Connection) -> Privileges:
    """Read what the connection's role may do."""
    cur = await conn.execute(
        """
        SELECT r.rolname, r.rolsuper, r.rolcreatedb OR r.rolsuper, r.rolreplication OR r.rolsuper,
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


async def pooling(url: Url) -> Pooling:
    """Whether a pooler stands between. Raises Unavailable if the server cannot be reached."""
    first = await _connect(url, {"application_name": "gonogo pooling"})
    try:
        here = await _server_pid(first)
        if here == first.info.backend_pid:
            return "direct"
        return "transaction" if await _shares(url, first, here) else "session"
    finally:
        await first.close()


async def _shares(url: Url, first: Connection, here: int) -> bool:
    second = await _connect(url, {"application_name": "gonogo pooling"})
    try:
        await second.execute("BEGIN")
        given_away = await _server_pid(second) == here
        moved = await _server_pid(first) != here
        await second.execute("ROLLBACK")
        return given_away or moved
    finally:
        await second.close()


async def _server_pid(conn: Connection) -> int:
    row = await (await conn.execute("SELECT pg_catalog.pg_backend_pid()")).fetchone()
    assert row is not None
    return int(row[0])


class Pinned:
    """A target with its pin. Every connection is new, and its fingerprint is compared before anything else.

    `pin` is taken from the first connection if it is None; whoever restores or resumes may set it anew.
    `pooled`: a session-mode pooler stands between, which would refuse settings at the start of a connection.
    """

    def __init__(self, url: Url, pin: Fingerprint | None = None, *, pooled: bool = False) -> None:
        self.url = url
        self.pin = pin
        self.pooled = pooled

    async def open(
        self, purpose: str, *, application_name: str, settings: Mapping[str, str] | None = None
    ) -> Connection:
        """Connect, in autocommit, with `?schema=` as the search_path. The caller closes it.

        `settings` hold for the session and survive RESET, unless a pooler stands between. `ledger` and `guard` are
        never ended for being idle. Raises Unavailable (not reached), or Problem (another database, or a failover).
        """
        settings = dict(settings or {})
        over = {
            **{k: v for k, v in KEEPALIVE.items() if k not in self.url.parameters},
            "application_name": application_name,
        }
        if not self.pooled and settings:
            over["options"] = " ".join(f"-c {name}={_escaped(value)}" for name, value in settings.items())
        conn = await _connect(self.url, over)
        try:
            await self.compare(conn)
            if self.pooled:
                await set_session(conn, settings)
            if purpose in ("ledger", "guard") and conn.info.server_version >= 140000:
                await set_session(conn, {"idle_session_timeout": "0"})
            await self.set_schema(conn)
        except psycopg.OperationalError as error:
            await conn.close()
            problem = refused(self.url, error)
        except BaseException:
            await conn.close()
            raise
        else:
            return conn
        raise problem

    async def compare(self, conn: Connection) -> Fingerprint:
        """Compare a connection's fingerprint with the pin, which learns a restart of the server. Raises Problem."""
        now = await fingerprint(conn)
        changed = self.pin.changed(now) if self.pin else None
        if changed:
            raise Problem(changed, advice="Nothing was sent to it. End this session; start anew on what is there now.")
        self.pin = now
        return now

    async def set_schema(self, conn: Connection) -> None:
        """Set `?schema=` of the URL as the search_path, and read it back. Does nothing without it."""
        if self.url.schema is None:
            return
        path = sql.Identifier(self.url.schema).as_string(conn)
        await set_session(conn, {"search_path": path})


async def set_session(conn: Connection, settings: Mapping[str, str]) -> None:
    """Set settings for the session and read each back. Raises Problem if one is not in force."""
    for name, value in settings.items():
        await conn.execute("SELECT pg_catalog.set_config(%s, %s, false)", (name, value))
    await check_settings(conn, settings)


async def check_settings(conn: Connection, settings: Mapping[str, str]) -> None:
    """Compare settings with what is in force, by value and not by spelling. Raises Problem."""
    for name, value in settings.items():
        cur = await conn.execute("SELECT pg_catalog.current_setting(%s)", (name,))
        row = await cur.fetchone()
        found = str(row[0]) if row else ""
        same = found == value or (
            TIME.fullmatch(found) and TIME.fullmatch(value) and milliseconds(found) == milliseconds(value)
        )
        if not same:
            raise Problem(
                f"{name} is {found or 'empty'} on the connection, not {value} as it was set.",
                advice="Something between here and the server changes settings; connect without a pooler.",
            )


UNITS = {"": 1, "ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
TIME = re.compile(r"([0-9]+) ?(ms|s|min|h|d|)")


def milliseconds(setting: str) -> int:
    """A timeout as the server spells it (`5s`, `15min`, `0`). Raises ValueError for anything else."""
    match = TIME.fullmatch(setting)
    if match is None:
        raise ValueError(f"{setting} is not a length of time")
    return int(match[1]) * UNITS[match[2]]


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace(" ", "\\ ")


def _forget_environment() -> None:
    """libpq fills every gap from PG* variables, which would lead elsewhere than the URL says."""
    for option in pq.Conninfo.get_defaults():
        if option.envvar:
            os.environ.pop(option.envvar.decode(), None)
    for name in NEVER_HONOURED:
        os.environ.pop(name, None)


async def _connect(url: Url, over: Mapping[str, str]) -> Connection:
    _forget_environment()
    try:
        return await psycopg.AsyncConnection.connect(
            "",
            autocommit=True,
            prepare_threshold=None,
            **url.conninfo(**over),  # type: ignore[arg-type]
        )
    except (psycopg.Error, OSError, UnicodeError) as error:
        problem = refused(url, error)
    # Outside the handler, so that libpq's own text, which may hold pieces of the URL, is not chained to it.
    raise problem
