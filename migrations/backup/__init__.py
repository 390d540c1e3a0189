"""A dump that was read back: taken on an exported snapshot, `.partial` until it is whole."""

import asyncio
import contextlib
import re
import shutil
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from migrations.backup import archive
from migrations.backup.archive import OnLine, OnStart, nothing, program
from migrations.backup.beside import failed
from migrations.backup.files import Format, create, file_name, finish, no_folder, partial_of, remove, size_of
from migrations.backup.moment import Connection, Moment, held, rewritten
from migrations.backup.read import TICK, Progress, Reading
from migrations.backup.state import State, recorded
from migrations.backup.tools import Tools, tools
from migrations.backup.waiting import first_failure
from migrations.hashing import fingerprint
from migrations.listed import many
from migrations.problem import Problem, Unavailable

__all__ = ["Dump", "Format", "Order", "Progress", "Tools", "dump", "file_name", "partial_of", "space", "tools"]


@dataclass(frozen=True, slots=True)
class Order:
    """What to dump, with what, and to where. `env` is all that the programs see; it leads to the target.

    `exact_below`: tables with more rows than this are not counted but estimated. `lock_wait`: how long to wait for
    a table that somebody has locked. `jobs` tables are dumped at a time, where it is a directory.
    """

    connect: Callable[[], AbstractAsyncContextManager[Connection]]
    tools: Tools
    env: Mapping[str, str]
    folder: Path
    database: str
    schema: str | None
    exact_below: int = 10_000_000
    lock_wait: timedelta = timedelta(minutes=1)
    format: Format = "custom"
    jobs: int = 1


@dataclass(frozen=True, slots=True)
class Watch:
    """Who is told of a dump under way. `on_file` hears the final path before a byte is written, `on_whole` the
    result right before the file gets its name."""

    on_progress: Callable[[Progress], Awaitable[None]] = nothing
    on_line: OnLine = nothing
    on_start: OnStart = nothing
    on_file: Callable[[Path], Awaitable[None]] = nothing
    on_whole: Callable[["Dump"], Awaitable[None]] = nothing


@dataclass(frozen=True, slots=True)
class Dump:
    """A dump that is whole. `size` in bytes, `taken_at` RFC 3339 UTC, `tables` how many have their rows in it;
    `missing` are tables of the catalog that do not, `surplus` OIDs in it that the catalog does not explain."""

    path: Path
    size: int
    sha256: str
    snapshot_lsn: str
    taken_at: str
    tables: int
    state: State
    duration: timedelta
    missing: tuple[str, ...] = ()


def space(folder: Path) -> int:
    """Free bytes where the dump will lie. Makes the folder (0700). Raises Unavailable if that cannot be."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return shutil.disk_usage(folder).free
    except OSError as error:
        raise no_folder(folder, error) from None


async def dump(order: Order, watch: Watch | None = None) -> Dump:
    """Dump, read every byte back, compare with the catalog, make it durable, give it its name.

    Raises Problem if the dump is not good, Unavailable if the disk or the programs fail. Nothing half done is left.
    """
    watch = watch or Watch()
    started = time.monotonic()
    space(order.folder)
    partial = create(order.folder / file_name(order.database, datetime.now(UTC), order.format), order.format)
    path = partial.with_suffix("")
    try:
        await watch.on_file(path)
        async with order.connect() as connection, held(connection) as moment:
            try:
                state = await _dump_and_record(order, watch, connection, moment, partial)
            except psycopg.OperationalError as error:
                raise failed(connection, error) from error
        missing = await _missing(order, watch, partial, moment, state)
        await watch.on_progress(Progress("hash", size_of(partial)))
        sha256, size = await asyncio.to_thread(fingerprint, partial)
        result = Dump(
            path=path,
            size=size,
            sha256=sha256,
            snapshot_lsn=moment.lsn,
            taken_at=moment.taken_at,
            tables=len(moment.tables) - len(missing),
            state=state,
            duration=timedelta(seconds=time.monotonic() - started),
            missing=missing,
        )
        _must_be_whole(result)
        await watch.on_whole(result)
        await asyncio.to_thread(finish, partial, path)
        return result
    except OSError as error:
        raise no_folder(order.folder, error) from error
    finally:
        remove(partial)


async def _dump_and_record(order: Order, watch: Watch, connection: Connection, moment: Moment, partial: Path) -> State:
    locked = asyncio.Event()
    tracker = _Tracker(watch, partial, Progress(total=len(moment.tables)), locked)
    argv = [
        str(order.tools.pg_dump),
        f"--format={order.format}",
        *([f"--jobs={order.jobs}"] if order.jobs > 1 else []),
        "--no-password",
        "--verbose",
        f"--snapshot={moment.snapshot}",
        f"--lock-wait-timeout={order.lock_wait // timedelta(milliseconds=1)}",
        f"--file={partial}",
    ]

    async def dumping() -> None:
        code, said = await program(argv, order.env, on_line=tracker.line, on_start=watch.on_start)
        if code != 0:
            raise _failed(order, code, said)
        locked.set()

    async def recording() -> State:
        # pg_dump has its locks from here on: nothing that it is to read can be rewritten any more.
        await locked.wait()
        if lost := await rewritten(connection, moment):
            raise Problem(
                f"The schema was changed just as the dump began ({', '.join(lost[:5])}): rows may be missing from it.",
                advice="Wait until the other change is over, then dump again.",
            )
        return await recorded(connection, order.schema, moment.counters, exact_below=order.exact_below)

    _, state = await first_failure(dumping(), recording(), tick=tracker.tick, every=TICK)
    return state


class _Tracker:
    """Follows pg_dump's own words and the growth of its file."""

    def __init__(self, watch: Watch, partial: Path, progress: Progress, locked: asyncio.Event) -> None:
        self._watch = watch
        self._partial = partial
        self._progress = progress
        self._locked = locked
        self._begun = 0

    async def line(self, line: str) -> None:
        """One line of pg_dump's."""
        begun = re.match(r'pg_dump: dumping contents of table "(.*)"', line)
        if begun:
            self._locked.set()
            self._progress = replace(self._progress, done=self._begun, table=begun[1])
            self._begun += 1
        elif not archive.progress(line):
            await self._watch.on_line(line)

    async def tick(self) -> None:
        """Look at the file, and tell."""
        with contextlib.suppress(FileNotFoundError):
            self._progress = replace(self._progress, size=size_of(self._partial))
        await self._watch.on_progress(self._progress)


async def _missing(order: Order, watch: Watch, partial: Path, moment: Moment, state: State) -> tuple[str, ...]:
    """The tables whose rows are not in it, once every byte was read."""
    reading = Reading(order.tools, order.env, len(moment.tables), watch.on_progress, watch.on_start)
    if order.format != "plain":
        found = await reading.tables(partial)
        return tuple(name for oid, name in moment.tables.items() if oid not in found)
    rows = (await reading.text(partial, "plain")).rows
    for table, count in state.rows.items():
        if count.exact and rows.get(table, count.rows) != count.rows:
            raise Problem(
                f"The dump has {many(rows[table], 'row')} of {table}, and the database had {count.rows} then.",
                advice="It was thrown away. Look at the disk that it was written to, and dump again.",
            )
    return tuple(name for name in moment.tables.values() if name not in rows)


def _must_be_whole(result: Dump) -> None:
    if result.missing:
        raise Problem(
            f"The dump lacks the rows of {many(len(result.missing), 'table')}: {', '.join(result.missing[:5])}.",
            advice="It was thrown away. Look at what pg_dump said, and dump again.",
        )


def _failed(order: Order, code: int, said: str) -> Problem:
    if re.search(r"No space left on device|Disk quota exceeded|File too large", said) or code == -25:
        return Unavailable(
            f"There was no room for the dump in {order.folder}.",
            advice="Make room, or name another folder (dumps in gonogo.toml). The unfinished file was removed.",
            detail=said,
        )
    if "statement timeout" in said and "LOCK TABLE" in said:
        return Problem(
            f"A table is locked by somebody else, and stayed so for {order.lock_wait}.",
            advice="See who holds it, wait for the end of that work, then dump again.",
            code="55P03",
            detail=said,
        )
    reason = next((line.partition("error: ")[2] for line in said.splitlines() if "error: " in line), "")
    return Problem(
        f"pg_dump failed: {reason or f'exit code {code}'}.",
        advice="Its own words stand below. The unfinished file was removed.",
        detail=said,
    )
