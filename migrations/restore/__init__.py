"""Restoring a dump into a database beside the live one, and proving that it is what was dumped."""

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from migrations import catalog
from migrations.backup.beside import beside
from migrations.backup.state import VERSIONS, State
from migrations.catalog import Snapshot
from migrations.hashing import fingerprint
from migrations.problem import Problem
from migrations.restore.carry import carry_over, creation, properties
from migrations.restore.filling import Restoring as Restoring
from migrations.restore.filling import fill as fill
from migrations.restore.filling import harmless as harmless
from migrations.target import Pinned

Connection = psycopg.AsyncConnection[Any]

EXTENSIONS = """
SELECT wanted.name, v.name IS NULL, v.superuser AND NOT v.trusted
FROM pg_catalog.unnest(%s::text[]) AS wanted(name)
LEFT JOIN pg_catalog.pg_available_extensions a ON a.name = wanted.name
LEFT JOIN pg_catalog.pg_available_extension_versions v ON v.name = a.name AND v.version = a.default_version
"""

ROLE = """
SELECT r.rolname, r.rolsuper, r.rolcreatedb OR r.rolsuper, pg_catalog.pg_has_role(d.datdba, 'USAGE'),
       pg_catalog.pg_get_userbyid(d.datdba)
FROM pg_catalog.pg_roles r, pg_catalog.pg_database d
WHERE r.rolname = current_user AND d.datname = current_database()
"""


HERE = "SELECT datname, oid::bigint FROM pg_catalog.pg_database WHERE datname = current_database()"


@dataclass(frozen=True, slots=True)
class Side:
    """A restored database. `differences` and `rows` (table, rows at the dump, rows now) are what is not as it was
    at the dump; `versions` are extensions of another version than then (a dump does not name one); `uncounted` tables
    were not counted then or cannot be now; `left` are statements that somebody else must run."""

    database: str
    oid: int
    differences: tuple[str, ...]
    versions: tuple[str, ...]
    rows: tuple[tuple[str, int, int], ...]
    counted: int
    uncounted: tuple[str, ...]
    left: tuple[str, ...]


async def obstacles(connection: Connection, extensions: tuple[str, ...]) -> tuple[str, ...]:
    """Why this role could not restore the database through one beside it, in sentences. Reads only."""
    row = await (await connection.execute(ROLE)).fetchone()
    assert row is not None
    role, superuser, creates, owns, owner = row
    found = []
    if not creates:
        found.append(f"{role} may not create databases (ALTER ROLE … CREATEDB).")
    if not owns:
        found.append(f"{role} is not a member of {owner}, who owns the database: it cannot rename it.")
    for name, absent, closed in await (await connection.execute(EXTENSIONS, (list(extensions),))).fetchall():
        if absent:
            found.append(f"The extension {name} is not installed on the server.")
        elif closed and not superuser:
            found.append(f"{role} may not create the extension {name}: that takes a superuser.")
    return tuple(found)


async def in_the_way(connection: Connection) -> tuple[str, ...]:
    """The obstacles for the database as it is now: what an opening asks, before there is a dump."""
    return await obstacles(connection, tuple(name for name, _ in await (await connection.execute(VERSIONS)).fetchall()))


def impossible(found: tuple[str, ...]) -> Problem:
    """The problem that the obstacles are."""
    return Problem(
        f"This role cannot restore the database: {' '.join(found)}",
        advice="Let an administrator grant or install what is missing, or restore as another role.",
        code="42501",
    )


async def check_file(path: Path, sha256: str) -> None:
    """Raises Problem if the dump is not there, or is not the one that was recorded."""
    try:
        found, _ = await asyncio.to_thread(fingerprint, path)
    except OSError as error:
        raise Problem(f"The dump {path} cannot be read: {error.strerror}.", advice="Bring it back there.") from None
    if found != sha256:
        raise Problem(
            f"{path.name} is not the dump that was taken: its SHA-256 is {found[:12]}…, not {sha256[:12]}….",
            advice="Bring back the one with the recorded hash.",
        )


async def create_side(connection: Connection, live: str, name: str) -> int:
    """Make the empty database, like the live one. Returns its OID. Raises Problem."""
    like = await properties(connection, live)
    assert like is not None
    try:
        await connection.execute(creation(name, like))
    except psycopg.errors.InsufficientPrivilege as error:
        raise Problem(
            f"The database {name} cannot be created: {error.diag.message_primary}.",
            advice="Give the role CREATEDB and membership of the owner, or restore as another role.",
            code="42501",
        ) from None
    made = await properties(connection, name)
    assert made is not None
    return made.oid


async def is_there(connection: Connection, name: str) -> bool:
    """Whether there is a database of this name."""
    return await properties(connection, name) is not None


async def drop_side(connection: Connection, name: str, oid: int) -> None:
    """Drop the database, if it is still the one that we made."""
    found = await properties(connection, name)
    if found is not None and found.oid == oid:
        await connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


async def compare(connection: Connection, state: State) -> Side:
    """Hold the side database against what was recorded at the dump. `left` is still to be filled."""
    row = await (await connection.execute(HERE)).fetchone()
    assert row is not None
    now = await catalog.snapshot(connection)
    then = {table: count.rows for table, count in state.rows.items() if count.exact}
    # Far above the largest: whether a table is counted is judged by an estimate, which may be off.
    counts = await catalog.row_counts(connection, exact_below=max(then.values(), default=0) * 4 + 100_000)
    found = {table: counts[table].rows if table in counts else -1 for table in then}
    counted = [table for table in sorted(then) if table not in counts or counts[table].exact]
    return Side(
        database=row[0],
        oid=row[1],
        differences=catalog.diff(unversioned(state.catalog), unversioned(now)),
        versions=tuple(f"{name} {was} → {is_}" for name, was, is_ in await _versions(connection, state)),
        rows=tuple((table, then[table], found[table]) for table in counted if then[table] != found[table]),
        counted=len(counted),
        uncounted=tuple(sorted(set(state.rows) - set(counted))),
        left=(),
    )


def unversioned(snapshot: Snapshot) -> Snapshot:
    """Without what no dump names: the versions of extensions."""
    plain = {
        key: {name: value for name, value in attributes.items() if name != "version"}
        if key.startswith("extension ")
        else attributes
        for key, attributes in snapshot.objects.items()
    }
    return Snapshot(plain)


async def _versions(connection: Connection, state: State) -> list[tuple[str, str, str]]:
    found = dict(await (await connection.execute(VERSIONS)).fetchall())
    return [(name, then, found[name]) for name, then in state.extensions.items() if found.get(name, then) != then]


async def settle(live: Pinned, name: str, state: State, application_name: str) -> Side:
    """Let the planner know the filled database, compare it, and give it what belongs to the live one."""
    async with beside(live, name, application_name) as connection:
        await connection.execute("ANALYZE")
        side = await compare(connection, state)
        return replace(side, left=await carry_over(connection, live.url.database, name))
