"""What a server does while it runs a statement: the locks it holds, the rows it reads, the files it writes anew."""

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic, sleep
from typing import Any

import psycopg

from migrations.locks import Lock, Touch, touches_of
from migrations.locks.claims import Claim
from migrations.sql import read_script
from proving.reach import reached

Connection = psycopg.Connection[tuple[Any, ...]]

MODES = {lock.mode: lock for lock in Lock}
PATIENCE = 30.0  # seconds, for a statement to stop at a lock or to end

_RELATIONS = """
SELECT c.oid, c.oid::regclass::text, format('%I.%I', c.relnamespace::regnamespace, c.relname), c.relkind::text,
       pg_relation_filenode(c.oid), i.indrelid, c.relkind IN ('r', 'm') AND pg_relation_size(c.oid) > 0
FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid
WHERE c.oid >= 16384 AND c.relnamespace <> 'pg_toast'::regnamespace AND c.relkind <> 'c'
"""
_LOCKS = "SELECT relation, mode FROM pg_locks WHERE locktype = 'relation' AND pid = %s"
_READ = "SELECT relid, seq_tup_read FROM pg_stat_xact_user_tables"
_FILE = "SELECT pg_relation_filenode(%s::oid), pg_relation_size(%s::oid) > 0"
# So that rows are read where they stand: through an index nothing would be counted.
_PLAIN_PLANS = "SET enable_indexscan = off; SET enable_bitmapscan = off; SET enable_indexonlyscan = off"


@dataclass(frozen=True, slots=True)
class Relation:
    """Something that was there before. `full`: with its schema. `table`: of an index. `filled`: it has rows."""

    name: str
    full: str
    kind: str
    file: int | None
    table: int | None
    filled: bool


@dataclass(slots=True)
class Observed:
    """By the names that relations bore before. A lock is the strongest of all that the statement had or waited for.

    `told` are its touches, each with the oids of the relations that are meant. `blocked` are the words for what
    others could not do meanwhile.
    """

    relations: Mapping[int, Relation]
    told: tuple[tuple[Touch, frozenset[int]], ...]
    held: dict[int, Lock] = field(default_factory=dict)
    scanned: frozenset[str] = frozenset()
    rewritten: frozenset[str] = frozenset()
    failure: psycopg.Error | None = None
    blocked: dict[str, str] = field(default_factory=dict)
    showed: object = True

    @property
    def sqlstate(self) -> str:
        """How it failed; empty if it did not."""
        return "" if self.failure is None else self.failure.sqlstate or "unknown"

    def named(self, name: str) -> Iterator[tuple[int, Relation]]:
        """The relation of that name, if there was one."""
        return ((oid, one) for oid, one in self.relations.items() if one.name == name)

    def lock(self, name: str) -> Lock | None:
        """The lock on a relation of that name."""
        return next((self.held[oid] for oid, _ in self.named(name) if oid in self.held), None)


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """A connection whose statements are their own transactions."""
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


@dataclass(frozen=True, slots=True)
class Pair:
    """Two connections to one database: on one a statement runs, the other tries what nobody can do meanwhile."""

    url: str
    one: Connection
    other: Connection


@contextmanager
def paired(url: str) -> Iterator[Pair]:
    """Both, new."""
    with connected(url) as one, connected(url) as other:
        other.execute(b"SET lock_timeout = '20ms'")
        yield Pair(url, one, other)


def observe(pair: Pair, claim: Claim) -> Observed:
    """Run a claim's setup and its statement, and watch."""
    connection = pair.one
    if claim.setup:
        connection.execute(claim.setup.encode())
    connection.execute(_PLAIN_PLANS.encode())
    rows = connection.execute(_RELATIONS.encode()).fetchall()
    relations = {oid: Relation(*rest) for oid, *rest in rows}
    touches = [touch for one in touches_of(read_script(claim.sql)) for touch in one]
    seen = Observed(relations, tuple((touch, reached(connection, touch) & relations.keys()) for touch in touches))
    if claim.holding:
        _watch_from_outside(pair, claim, seen)
    else:
        _watch_from_inside(pair, claim, seen)
    return seen


def _watch_from_inside(pair: Pair, claim: Claim, seen: Observed) -> None:
    """In a transaction, which keeps every lock until it ends, and is taken back."""
    connection = pair.one
    with connection.transaction(force_rollback=True):
        before: dict[int, int] = dict(connection.execute(_READ.encode()).fetchall())
        try:
            connection.execute(claim.sql.encode())
        except psycopg.Error as error:
            seen.failure = error
            return
        after: dict[int, int] = dict(connection.execute(_READ.encode()).fetchall())
        read = {oid for oid, rows in after.items() if rows != before.get(oid, 0)}
        _see_locks(connection, connection, seen)
        seen.scanned = frozenset(one.name for oid, one in seen.relations.items() if oid in read)
        seen.rewritten = frozenset(_rewritten(connection, seen))
        seen.blocked = _blocked(pair.other, claim, seen)
        seen.showed = _show(connection, claim)


def _watch_from_outside(pair: Pair, claim: Claim, seen: Observed) -> None:
    """By another connection, when the statement waits for what a third one holds, which then lets go."""
    connection, watcher = pair.one, pair.other
    with connected(pair.url) as holder, ThreadPoolExecutor(1) as thread:
        holder.execute(("BEGIN;" + claim.holding).encode())
        running = thread.submit(connection.execute, claim.sql.encode())
        _wait(watcher, connection.info.backend_pid, running)
        _see_locks(watcher, connection, seen)
        if claim.fails:
            seen.failure = _failure(running)
        holder.execute(b"ROLLBACK")
        seen.failure = seen.failure or _failure(running)
        seen.rewritten = frozenset(_rewritten(watcher, seen))
        seen.showed = _show(watcher, claim)


def _see_locks(watcher: Connection, connection: Connection, seen: Observed) -> None:
    for oid, mode in watcher.execute(_LOCKS.encode(), (connection.info.backend_pid,)).fetchall():
        if oid in seen.relations:
            seen.held[oid] = max(seen.held.get(oid, MODES[mode]), MODES[mode], key=lambda lock: lock.strength)


def _failure(running: Future[Any]) -> psycopg.Error | None:
    error = running.exception(PATIENCE)
    if error is None or isinstance(error, psycopg.Error):
        return error
    raise error


def _wait(watcher: Connection, pid: int, running: Future[Any]) -> None:
    """Until the statement waits for a lock, or is over."""
    deadline = monotonic() + PATIENCE
    query = b"SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s"
    while not running.done() and watcher.execute(query, (pid,)).fetchone() != (True,):
        assert monotonic() < deadline, "the statement neither waits nor ends"
        sleep(0.005)


def _rewritten(connection: Connection, seen: Observed) -> Iterator[str]:
    """What is in another file than before; what has lost its rows with the old one was only emptied."""
    for oid, one in seen.relations.items():
        if one.kind in "rm":
            ((file, filled),) = connection.execute(_FILE.encode(), (oid, oid)).fetchall()
            if file and file != one.file and (filled or not one.filled):
                yield one.name


def _show(connection: Connection, claim: Claim) -> object:
    if not claim.shows:
        return True
    row = connection.execute(claim.shows.encode()).fetchone()
    return row is not None and row[0]


def _blocked(other: Connection, claim: Claim, seen: Observed) -> dict[str, str]:
    """What other sessions cannot do to tables and materialized views now; DDL only where nothing else is kept out."""
    blocked = {}
    for one in (one for name in claim.locks for _, one in seen.named(name)):
        if one.kind in "rp":
            does = {"reads": "ACCESS SHARE", "writes": "ROW EXCLUSIVE", "DDL": "SHARE UPDATE EXCLUSIVE"}
            tries = {word: f"LOCK TABLE ONLY {one.full} IN {mode} MODE NOWAIT" for word, mode in does.items()}
        elif one.kind == "m":
            tries = {"reads": f"SELECT FROM {one.full} LIMIT 0"}
        else:
            continue
        refused = [word for word, statement in tries.items() if _is_refused(other, statement)]
        blocked[one.name] = " and ".join(word for word in refused if word != "DDL") or "".join(refused)
    return blocked


def _is_refused(connection: Connection, statement: str) -> bool:
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(statement.encode())
    except psycopg.errors.LockNotAvailable:
        return True
    return False
