"""Who else is at work in the database: what a migration would wait for, and what would wait for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psycopg

from migrations.activity import queries as q
from migrations.catalog.reading import reading
from migrations.listed import many

Connection = psycopg.AsyncConnection[Any]

DUMPS = ("pg_dump", "pg_dumpall", "pg_restore")


@dataclass(frozen=True, slots=True)
class Session:
    """Another session on this database. Texts are empty where the role may not see them; a time is UTC.

    `since` and `seconds` are of its transaction. `transactions` is how many have begun since its snapshot was taken:
    all that is left to tell its age by where the time is hidden. `doing` is the first word of its latest query.
    `yields`: an autovacuum, which gives way to whoever waits for its lock.
    """

    pid: int
    user: str
    application: str
    client: str
    state: str
    since: str
    seconds: float | None
    backend_start: str
    transactions: int | None
    doing: str
    copies_out: bool
    yields: bool

    @property
    def hidden(self) -> bool:
        """The role may not see when it began and what it does."""
        return not self.backend_start

    @property
    def dumps(self) -> bool:
        """It is a pg_dump, a pg_restore, or copies a table out as those do."""
        return self.application.startswith(DUMPS) or self.copies_out

    @property
    def sql_to_end(self) -> str:
        """The statement that ends this session and no later one with its pid; empty if that cannot be told."""
        if self.hidden:
            return ""
        return (
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = {self.pid} "
            f"AND backend_start = '{self.backend_start}';"
        )

    @property
    def words(self) -> str:
        """Who it is and since when: `pid 77, app (web) from 10.0.0.4, idle in transaction since …`."""
        who = f"pid {self.pid}, {self.user or 'no role'} ({self.application or 'unnamed'})"
        where = f" from {self.client}" if self.client else ""
        if self.hidden:
            age = (
                f", its snapshot is {many(self.transactions, 'transaction')} old"
                if self.transactions is not None
                else ""
            )
            return f"{who}{where}, since when is hidden{age}"
        doing = f" ({self.doing})" if self.doing else ""
        since = f" in a transaction since {self.since}" if self.since else ""
        state = self.state or "active"
        return f"{who}{where}, {state}{doing}{since}"


@dataclass(frozen=True, slots=True)
class Blocker:
    """A session that others wait for (`blocks`: their pids), or that holds locks on `tables`."""

    session: Session
    blocks: tuple[int, ...]
    tables: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Waiter:
    """A session that waits for a lock: on what, in which mode, and for which pids (0: a prepared transaction)."""

    pid: int
    blocked_by: tuple[int, ...]
    on: str
    mode: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """A transaction prepared in two phases. It holds its locks until somebody ends it, also over a restart."""

    gid: str
    user: str
    since: str
    seconds: float
    sql_to_end: str


@dataclass(frozen=True, slots=True)
class Standby:
    """A receiver of the WAL. `lag_bytes` is None where the role may not see it, `lag_seconds` also when it is idle."""

    name: str
    client: str
    state: str
    sync: str
    lag_bytes: int | None
    lag_seconds: float | None


@dataclass(frozen=True, slots=True)
class Activity:
    """`hidden` are sessions of other roles that this one may not see into; `role` is this one's name, quoted."""

    role: str
    reads_all: bool
    long_transactions: tuple[Session, ...]
    dumps: tuple[Session, ...]
    blockers: tuple[Blocker, ...]
    lock_waiters: tuple[Waiter, ...]
    hidden: tuple[Session, ...]
    prepared_transactions: tuple[Prepared, ...]
    standbys: tuple[Standby, ...]

    @property
    def advice_to_see(self) -> str:
        """What would let the role see everything; empty if nothing is missing."""
        return "" if self.reads_all else f"As a superuser: GRANT pg_read_all_stats TO {self.role};"


async def look(
    conn: Connection,
    *,
    older_than: timedelta = timedelta(minutes=5),
    holding: timedelta = timedelta(seconds=10),
) -> Activity:
    """Look once, for the connection's database. The session's own connections are left out: by application_name.

    Blockers are those that others wait for, and those that hold locks on tables in a transaction older than `holding`.
    Raises Problem.
    """
    async with reading(conn):
        sessions = [Session(*row) for row in await _all(conn, q.SESSIONS)]
        waiters = [Waiter(pid, tuple(by), on, mode) for pid, by, on, mode in await _all(conn, q.WAITERS)]
        held = {pid: tuple(tables) for pid, tables in await _all(conn, q.HELD)}
        two_phase = await prepared(conn)
        standbys = [Standby(*row) for row in await _all(conn, q.STANDBYS)]
        ((reads_all, role),) = await _all(conn, q.SIGHT)
    return Activity(
        role=role,
        reads_all=reads_all,
        long_transactions=tuple(s for s in sessions if _older(s, older_than)),
        dumps=tuple(s for s in sessions if s.dumps),
        blockers=_blockers(sessions, waiters, held, holding),
        lock_waiters=tuple(waiters),
        hidden=tuple(s for s in sessions if s.hidden),
        prepared_transactions=two_phase,
        standbys=tuple(standbys),
    )


async def sessions(conn: Connection, pids: Sequence[int]) -> dict[int, Session]:
    """Those of these sessions that are still there. The search_path must be empty. Raises psycopg.Error."""
    found = await (await conn.execute(q.SESSIONS_BY_PID.encode(), (list(pids),))).fetchall()
    return {row[0]: Session(*row) for row in found}


async def prepared(conn: Connection) -> tuple[Prepared, ...]:
    """The transactions prepared in two phases. The search_path must be empty. Raises psycopg.Error."""
    return tuple(Prepared(*row) for row in await _all(conn, q.PREPARED))


async def sizes(conn: Connection) -> tuple[int, int]:
    """Bytes of the database on disk, and how many tables it has."""
    async with reading(conn):
        ((size, tables),) = await _all(conn, q.SIZES)
    return int(size), int(tables)


async def _all(conn: Connection, query: str) -> list[tuple[Any, ...]]:
    return await (await conn.execute(query.encode())).fetchall()


def _older(session: Session, than: timedelta) -> bool:
    return session.seconds is not None and session.seconds >= than.total_seconds() and not session.yields


def _blockers(
    sessions: list[Session], waiters: list[Waiter], held: Mapping[int, tuple[str, ...]], holding: timedelta
) -> tuple[Blocker, ...]:
    found = []
    for session in sessions:
        blocks = tuple(w.pid for w in waiters if session.pid in w.blocked_by)
        tables = held.get(session.pid, ())
        if blocks or (tables and _older(session, holding)):
            found.append(Blocker(session, blocks, tables))
    return tuple(sorted(found, key=lambda b: (-len(b.blocks), b.session.since)))
