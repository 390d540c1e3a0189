"""Filling an empty database from a dump, by the program that its format takes."""

import asyncio
import os
import re
import secrets
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from migrations.backup import archive
from migrations.backup.archive import OnLine, OnStart, nothing, program
from migrations.backup.files import format_of, packed
from migrations.backup.plain import Text
from migrations.backup.read import Reading
from migrations.backup.tools import Tools
from migrations.problem import Problem, Unavailable
from migrations.restore.entries import OWN, of_postgres, read_entries, write_entries

_ERROR = re.compile(r"(?:psql:.*?:(?P<line>\d+): |psql: )(?:ERROR|FATAL|error):\s*(?P<what>.*)")
_GUARDED = ("backslash commands are restricted", "\\unrestrict: wrong key")
"""What psql says of a dump's own guards while ours holds."""
_UNKNOWN = 'unrecognized configuration parameter "transaction_timeout"'


@dataclass(frozen=True, slots=True)
class Restoring:
    """What to restore, with what, and into which database. `env` leads to the live one.

    `jobs` tables at a time, except from a plain dump, which has an order of its own. `superuser`: the role may grant
    what PostgreSQL itself owns, such as its functions.
    """

    tools: Tools
    env: Mapping[str, str]
    file: Path
    database: str
    on_line: OnLine = nothing
    on_start: OnStart = nothing
    on_table: Callable[[int, str], Awaitable[None]] = nothing
    jobs: int = 1
    superuser: bool = True


async def fill(order: Restoring) -> tuple[str, ...]:
    """Restore into the side database; the first error ends it. Raises Problem with the program's own words.

    Returns what was left out: the grants on these things of PostgreSQL's own, which only a superuser may give.
    """
    if format_of(order.file) == "plain":
        await _by_psql(order)
        return ()
    entries = () if order.superuser else await read_entries(order.tools, order.file, order.env)
    own = [entry for entry in entries if of_postgres(entry)]
    with tempfile.NamedTemporaryFile("w", suffix=".txt", prefix="gonogo-") as file:
        if own:
            await asyncio.to_thread(write_entries, Path(file.name), entries, lambda entry: not of_postgres(entry))
        await _by_pg_restore(order, [f"--use-list={file.name}"] if own else [])
    return tuple(entry.rest.removeprefix(OWN) for entry in own)


async def _by_pg_restore(order: Restoring, chosen: list[str]) -> None:
    strict = [] if order.tools.upsets_old_servers else ["--exit-on-error"]
    jobs = [f"--jobs={order.jobs}"] if order.jobs > 1 else []
    done = 0

    async def on_line(line: str) -> None:
        nonlocal done
        if table := re.match(r'pg_restore: processing data for table "(.*)"', line):
            await order.on_table(done, table[1])
            done += 1
        elif not archive.progress(line):
            await order.on_line(line)

    argv = [str(order.tools.pg_restore), "--verbose", "--no-password", *strict, *jobs, f"--dbname={_into(order)}"]
    code, said = await program([*argv, *chosen, str(order.file)], order.env, on_line=on_line, on_start=order.on_start)
    if code != 0 and not (order.tools.upsets_old_servers and harmless(said)):
        reason = next((line.partition("error: ")[2] for line in said.splitlines() if "error: " in line), "")
        raise _failed(f"pg_restore failed: {reason or f'exit code {code}'}.", said)


async def _by_psql(order: Restoring) -> None:
    psql = order.tools.pg_restore.with_name("psql")
    if not os.access(psql, os.X_OK):
        raise Unavailable(
            f"There is no psql beside {order.tools.pg_restore}: a plain dump cannot be restored without it.",
            advice="Install PostgreSQL's client programs whole, or dump as custom or directory.",
        )
    text = await _inside(order)
    tables, done = list(text.rows), 0

    async def on_out(line: str) -> None:
        """The tag of a COPY comes when its table is full."""
        nonlocal done
        if line.startswith("COPY ") and done < len(tables):
            await order.on_table(done, tables[done])
            done += 1

    async def on_line(line: str) -> None:
        error = _ERROR.match(line)
        if error is None or _UNKNOWN in error["what"]:
            await order.on_line(line)
            return
        if guard and int(error["line"] or 0) in text.guards and error["what"].startswith(_GUARDED):
            return
        await order.on_line(line)
        raise _failed(f"psql failed: {error['what']}.", line)

    guard = [f"--command=\\restrict {secrets.token_hex(16)}"] if order.tools.restricts else []
    argv = [str(psql), "--no-psqlrc", "--no-password", f"--dbname={_into(order)}", *guard, f"--file={order.file}"]
    code, said = await program(argv, order.env, on_line=on_line, on_out=on_out, on_start=order.on_start)
    if code != 0:
        raise _failed(f"psql failed: exit code {code}.", said)


async def _inside(order: Restoring) -> Text:
    """What is in it. Raises Problem for a dump that psql cannot read, or that leads to another database."""
    if packed(order.file):
        raise Problem(
            f"{order.file.name} is compressed: psql cannot read it.",
            advice=f"Unpack it beside (gunzip --keep {order.file.name}), and restore that.",
        )
    text = await Reading(order.tools, order.env, on_start=order.on_start).text(order.file, "plain")
    if text.outwards:
        number, line = text.outwards[0]
        raise Problem(
            f"{order.file.name} reaches beyond the database that it would be restored into: line {number}, {line}",
            advice="It was dumped with --create, or by another program. Dump without it, or take such lines out.",
        )
    return text


def _into(order: Restoring) -> str:
    name = order.database.replace("\\", "\\\\").replace("'", "\\'")
    return f"dbname='{name}'"


def _failed(what: str, said: str) -> Problem:
    return Problem(what, advice="The live database was not touched. The half-filled one was dropped.", detail=said)


def harmless(said: str) -> bool:
    """Whether the only error is that an older server does not know `transaction_timeout`."""
    errors = [line for line in said.splitlines() if re.match(r"pg_restore: (error|fatal)", line)]
    return len(errors) == 1 and _UNKNOWN in errors[0]
