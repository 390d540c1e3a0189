"""A dump that was read back: taken on an exported snapshot, `.partial` until it is whole."""

import asyncio
import contextlib
import os
import re
import shutil
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import psycopg

from migrations.backup import archive
from migrations.backup.archive import OnLine, OnStart, nothing, program
from migrations.backup.beside import failed
from migrations.backup.moment import Connection, Moment, held, rewritten
from migrations.backup.state import State, recorded
from migrations.backup.tools import Tools, tools
from migrations.backup.waiting import first_failure
from migrations.hashing import fingerprint_file
from migrations.problem import Problem, Unavailable

__all__ = ["Dump", "Order", "Progress", "Tools", "dump", "file_name", "space", "tools"]

TICK = 0.5
SAME_SECOND = 9


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a dump is. `size` in bytes; `table` is the one at hand."""

    stage: Literal["dump", "read back", "hash"] = "dump"
    size: int = 0
    done: int = 0
    total: int = 0
    table: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """What to dump, with what, and to where. `env` is all that the programs see; it leads to the target.

    `exact_below`: tables with more rows than this are not counted but estimated. `lock_wait`: how long to wait for
    a table that somebody has locked.
    """

    connect: Callable[[], AbstractAsyncContextManager[Connection]]
    tools: Tools
    env: Mapping[str, str]
    folder: Path
    database: str
    schema: str | None
    exact_below: int = 10_000_000
    lock_wait: timedelta = timedelta(minutes=1)


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


def file_name(database: str, at: datetime) -> str:
    """`shop_20260131T020304Z.dump`; what is awkward in a file's name becomes `_`."""
    plain = re.sub(r"[^\w.-]", "_", database).lstrip(".-") or "database"
    return f"{plain}_{at.astimezone(UTC):%Y%m%dT%H%M%SZ}.dump"


def partial_of(path: Path) -> Path:
    """What a dump is called until it is whole."""
    return path.with_name(path.name + ".partial")


def space(folder: Path) -> int:
    """Free bytes where the dump will lie. Makes the folder (0700). Raises Unavailable if that cannot be."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return shutil.disk_usage(folder).free
    except OSError as error:
        raise _no_folder(folder, error) from None


async def dump(order: Order, watch: Watch | None = None) -> Dump:
    """Dump, read every byte back, compare with the catalog, make it durable, give it its name.

    Raises Problem if the dump is not good, Unavailable if the disk or the programs fail. Nothing half done is left.
    """
    watch = watch or Watch()
    started = time.monotonic()
    space(order.folder)
    partial = _create(order.folder / file_name(order.database, datetime.now(UTC)))
    path = partial.with_suffix("")
    try:
        await watch.on_file(path)
        async with order.connect() as connection, held(connection) as moment:
            try:
                state = await _dump_and_record(order, watch, connection, moment, partial)
            except psycopg.OperationalError as error:
                raise failed(connection, error) from error
        found = await _verify(order, watch, partial, len(moment.tables))
        await watch.on_progress(Progress("hash", partial.stat().st_size))
        sha256, size = await asyncio.to_thread(fingerprint_file, partial)
        result = Dump(
            path=path,
            size=size,
            sha256=sha256,
            snapshot_lsn=moment.lsn,
            taken_at=moment.taken_at,
            tables=len(found),
            state=state,
            duration=timedelta(seconds=time.monotonic() - started),
            missing=tuple(name for oid, name in moment.tables.items() if oid not in found),
        )
        _must_be_whole(result)
        await watch.on_whole(result)
        await asyncio.to_thread(_finish, partial, path)
        return result
    except OSError as error:
        raise _no_folder(order.folder, error) from error
    finally:
        partial.unlink(missing_ok=True)


def _create(path: Path) -> Path:
    """An empty partial file whose final name is free. A dump of the same second gets `-2` behind its time."""
    for number in range(1, SAME_SECOND + 1):
        partial = partial_of(path if number == 1 else path.with_stem(f"{path.stem}-{number}"))
        try:
            if partial.with_suffix("").exists():
                continue
            os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))
            return partial
        except FileExistsError:
            continue
        except OSError as error:
            raise _no_folder(path.parent, error) from None
    raise Problem(f"{path} exists already.", advice="Others dump into the same folder: try again.")


async def _dump_and_record(order: Order, watch: Watch, connection: Connection, moment: Moment, partial: Path) -> State:
    locked = asyncio.Event()
    tracker = _Tracker(watch, partial, Progress(total=len(moment.tables)), locked)
    argv = [
        str(order.tools.pg_dump),
        "--format=custom",
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
            self._progress = replace(self._progress, size=self._partial.stat().st_size)
        await self._watch.on_progress(self._progress)


async def _verify(order: Order, watch: Watch, partial: Path, total: int) -> frozenset[int]:
    """The OIDs of the tables whose rows are in the file, every byte of which was read."""
    size, done = partial.stat().st_size, 0

    async def on_line(line: str) -> None:
        nonlocal done
        begun = re.match(r'pg_restore: processing data for table "(.*)"', line)
        if begun:
            await watch.on_progress(Progress("read back", size, done, total, begun[1]))
            done += 1

    await archive.read_back(order.tools, partial, order.env, on_line=on_line, on_start=watch.on_start)
    return (await archive.contents(order.tools, partial, order.env)).tables


def _must_be_whole(result: Dump) -> None:
    if result.missing:
        raise Problem(
            f"The dump lacks the rows of {len(result.missing)} tables: {', '.join(result.missing[:5])}.",
            advice="It was thrown away. Look at what pg_dump said, and dump again.",
        )


def _finish(partial: Path, path: Path) -> None:
    _sync(partial)
    partial.rename(path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


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


def _no_folder(folder: Path, error: OSError) -> Unavailable:
    return Unavailable(
        f"Dumps cannot be written to {folder}: {error.strerror}.",
        advice="Make room, give yourself the right to write there, or name another folder (dumps in gonogo.toml).",
    )
