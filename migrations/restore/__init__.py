"""Restoring a dump into a database beside the live one, and proving that it is what was dumped."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from migrations import catalog
from migrations.backup import archive
from migrations.backup.archive import OnLine, OnStart, nothing, program
from migrations.backup.beside import beside
from migrations.backup.state import VERSIONS, State
from migrations.backup.tools import Tools
from migrations.catalog import Snapshot
from migrations.hashing import fingerprint_file
from migrations.problem import Problem
from migrations.restore.carry import carry_over, creation, properties
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
        found, _ = await asyncio.to_thread(fingerprint_file, path)
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


@dataclass(frozen=True, slots=True)
class Restoring:
    """What to restore, with what, and into which database. `env` leads to the live one."""

    tools: Tools
    env: Mapping[str, str]
    file: Path
    database: str
    on_line: OnLine = nothing
    on_start: OnStart = nothing
    on_table: Callable[[int, str], Awaitable[None]] = nothing


async def fill(order: Restoring) -> None:
    """Restore into the side database; the first error ends it. Raises Problem with pg_restore's own words."""
    strict = [] if order.tools.upsets_old_servers else ["--exit-on-error"]
    name = order.database.replace("\\", "\\\\").replace("'", "\\'")
    done = 0

    async def on_line(line: str) -> None:
        nonlocal done
        if table := re.match(r'pg_restore: processing data for table "(.*)"', line):
            await order.on_table(done, table[1])
            done += 1
        elif not archive.progress(line):
            await order.on_line(line)

    argv = [str(order.tools.pg_restore), "--verbose", "--no-password", *strict, f"--dbname=dbname='{name}'"]
    code, said = await program([*argv, str(order.file)], order.env, on_line=on_line, on_start=order.on_start)
    if code != 0 and not (order.tools.upsets_old_servers and harmless(said)):
        reason = next((line.partition("error: ")[2] for line in said.splitlines() if "error: " in line), "")
        raise Problem(
            f"pg_restore failed: {reason or f'exit code {code}'}.",
            advice="The live database was not touched. The half-filled one was dropped.",
            detail=said,
        )


def harmless(said: str) -> bool:
    """Whether the only error is that an older server does not know `transaction_timeout`."""
    errors = [line for line in said.splitlines() if re.match(r"pg_restore: (error|fatal)", line)]
    return len(errors) == 1 and 'unrecognized configuration parameter "transaction_timeout"' in errors[0]


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
        differences=catalog.diff(_unversioned(state.catalog), _unversioned(now)),
        versions=tuple(f"{name} {was} → {is_}" for name, was, is_ in await _versions(connection, state)),
        rows=tuple((table, then[table], found[table]) for table in counted if then[table] != found[table]),
        counted=len(counted),
        uncounted=tuple(sorted(set(state.rows) - set(counted))),
        left=(),
    )


def _unversioned(snapshot: Snapshot) -> Snapshot:
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
