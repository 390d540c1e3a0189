"""The database that a session acts on: how to reach it, and how to know that it is still the same one."""

import os
from collections.abc import Mapping
from typing import Any, Literal

import psycopg
from psycopg import pq, sql

from migrations.problem import Problem
from migrations.target.connecting import refused
from migrations.target.fingerprint import NOT_READABLE as NOT_READABLE
from migrations.target.fingerprint import Fingerprint as Fingerprint
from migrations.target.fingerprint import Privileges as Privileges
from migrations.target.fingerprint import environment_mark as environment_mark
from migrations.target.fingerprint import fingerprint as fingerprint
from migrations.target.fingerprint import marking as marking
from migrations.target.fingerprint import privileges as privileges
from migrations.target.fingerprint import readable
from migrations.target.session_settings import set_session
from migrations.target.url import Url as Url

Connection = psycopg.AsyncConnection[Any]
Pooling = Literal["direct", "transaction", "session"]
"""`session`: there is a pooler between, and it was not seen to be in transaction mode."""

APPLICATION_NAME_BYTES = 63
KEEPALIVE = {"keepalives_idle": "20", "keepalives_interval": "10", "keepalives_count": "3", "tcp_user_timeout": "60000"}
NEVER_HONOURED = ("PGSERVICE", "PGSERVICEFILE", "PGSYSCONFDIR", "PGTZ", "PGDATESTYLE", "PGGEQO")


def session_name(session: str, tail: str) -> str:
    """The application_name of a session's connection: `gonogo <session> <tail>`, cut to 63 bytes of ASCII."""
    name = session if len(session) <= 40 else f"{session[:33]}~{session[-6:]}"
    text = f"gonogo {name} {tail}".encode("ascii", "replace")
    return text[:APPLICATION_NAME_BYTES].decode()


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
        self._may_read: tuple[bool, bool] | None = None

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
            await set_session(conn, self._to_set(conn, purpose, settings), check=settings)
        except psycopg.OperationalError as error:
            await conn.close()
            problem = refused(self.url, error)
        except BaseException:
            await conn.close()
            raise
        else:
            return conn
        raise problem

    def _to_set(self, conn: Connection, purpose: str, settings: Mapping[str, str]) -> dict[str, str]:
        idle = purpose in ("ledger", "guard") and conn.info.server_version >= 140000
        return {
            **(settings if self.pooled else {}),
            **({"idle_session_timeout": "0"} if idle else {}),
            **self.search_path(conn),
        }

    def search_path(self, conn: Connection) -> dict[str, str]:
        """What `?schema=` of the URL sets; nothing without it."""
        return {"search_path": sql.Identifier(self.url.schema).as_string(conn)} if self.url.schema else {}

    async def compare(self, conn: Connection) -> Fingerprint:
        """Compare a connection's fingerprint with the pin, which learns a restart of the server. Raises Problem."""
        self._may_read = self._may_read or await readable(conn)
        now = await fingerprint(conn, self._may_read)
        changed = self.pin.changed(now) if self.pin else None
        if changed:
            raise Problem(changed, advice="Nothing was sent to it. End this session; start anew on what is there now.")
        self.pin = now
        return now


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
