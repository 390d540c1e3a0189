"""`backup.dump`: a dump of the target that was read back, byte by byte."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

from pydantic import Field, JsonValue, model_validator

from migrations import activity, backup
from migrations.backup import Dump, Format, Progress
from migrations.backup.files import remove
from migrations.backup.tools import Tools
from migrations.hashing import file_list, fingerprint
from migrations.listed import many
from migrations.process import Child
from runbooks.history.sessions import dumps_folder
from runbooks.journal.artefacts import write_private
from runbooks.session.events import Check, StepStarted
from runbooks.session.frozen import Frozen
from runbooks.settings.durations import microseconds, spell
from runbooks.steps.base import Context, Settled, StepKind
from runbooks.steps.parts.dumps import end_children, program_environment, records_of, server_tools
from runbooks.steps.parts.duration import Duration

MIB = 2**20


class Params(Frozen):
    """`folder`: where the dump goes, else `dumps` of gonogo.toml. `max_age`: how long it is good for a GO.

    `jobs`: so many tables at a time, each over a connection of its own, into a directory.
    `exact_below`: tables of more rows are estimated, not counted. `bin`: where pg_dump and pg_restore are.
    """

    format: Format = "custom"
    jobs: int = Field(default=1, ge=1, le=64)
    folder: str | None = None
    max_age: Duration = timedelta(hours=4)
    exact_below: int = 10_000_000
    lock_wait: Duration = timedelta(minutes=1)
    bin: str | None = None

    @model_validator(mode="after")
    def _together(self) -> Self:
        if self.jobs > 1 and self.format != "directory":
            raise ValueError('several jobs write only into format = "directory"')
        return self


class Result(Frozen):
    """`bytes` is the dump's size; `rows` are counted ones only; `state` names the artefact to compare with.

    `sha256` of a directory is that of the list of its files, which is kept as the artefact `dump-files`.
    """

    path: str
    bytes: int
    sha256: str
    lsn: str
    taken_at: str
    stale_at: str
    max_age_us: int
    duration_us: int
    tables: int
    rows: dict[str, int]
    estimated: tuple[str, ...]
    format: Format
    pg_dump: str
    server: str
    state: str


async def run(ctx: Context, params: Params) -> Result:
    """Dump. Raises Misuse, Problem, Unavailable."""
    folder = Path(params.folder).expanduser() if params.folder else dumps_folder(ctx.project, ctx.child_environment())
    folder = ctx.project.folder / folder
    found = await _tools(ctx, params)
    await _check_space(ctx, folder)
    order = backup.Order(
        connect=lambda: ctx.connect("dump"),
        tools=found,
        env=program_environment(ctx),
        folder=folder,
        database=ctx.target.url.database,
        schema=ctx.target.url.schema,
        exact_below=params.exact_below,
        lock_wait=params.lock_wait,
        format=params.format,
        jobs=params.jobs,
    )
    watcher = _Watcher(ctx, params, found)
    dump = await backup.dump(order, watcher.watch)
    await _keep(ctx, dump.path)
    return watcher.result(dump)


async def _keep(ctx: Context, path: Path) -> None:
    """Of a directory, the list of its files is kept."""
    if not path.is_dir():
        await ctx.keep("dump", path)
        return
    listed, _ = await asyncio.to_thread(file_list, path)
    artefact = ctx.artefact("dump-files")
    await asyncio.to_thread(write_private, artefact, listed.encode())
    await ctx.keep("dump-files", artefact)


async def _tools(ctx: Context, params: Params) -> Tools:
    found, pin = await server_tools(ctx, params.bin), ctx.target.pin
    assert pin is not None
    words = f"pg_dump {found.version} ({found.pg_dump.parent}), server {pin.server_version}"
    ctx.check("tool-version", "Programs fit the server", "warn" if found.newer else "ok", words, found.consequence)
    return found


async def _check_space(ctx: Context, folder: Path) -> None:
    free = await asyncio.to_thread(backup.space, folder)
    async with ctx.connect("read") as connection:
        size, _ = await activity.sizes(connection)
    words = f"{free // MIB} MiB free in {folder}, the database has {size // MIB} MiB"
    advice = "" if free > size else "A dump is often smaller than its database, but not surely: make room."
    ctx.check("disk-space", "Room for the dump", "ok" if free > size else "warn", words, advice)


class _Watcher:
    """Tells the session how a dump goes."""

    def __init__(self, ctx: Context, params: Params, tools: Tools) -> None:
        self._ctx = ctx
        self._params = params
        self._tools = tools
        self._state = ctx.artefact("state.json")
        self._path = ""
        self._begun = asyncio.get_running_loop().time()

    @property
    def watch(self) -> backup.Watch:
        """What `backup.dump` calls."""
        return backup.Watch(self.progress, self.line, self.started, self.named, self.whole)

    async def progress(self, progress: Progress) -> None:
        """Bytes, tables done, and the average rate."""
        rate = int(progress.size / max(asyncio.get_running_loop().time() - self._begun, 0.1))
        label = {"dump": "dumping", "read back": "reading every byte back", "hash": "hashing"}[progress.stage]
        speed = f", {rate / MIB:.1f} MiB/s" if progress.stage == "dump" else ""
        await self._ctx.progress(
            label=label,
            done=progress.done,
            total=progress.total,
            unit="tables",
            detail=f"{progress.size / MIB:.1f} MiB{speed} {progress.table}".rstrip(),
            bytes=progress.size,
            rate=rate,
            stage=progress.stage,
        )

    async def line(self, line: str) -> None:
        """A warning or an error of pg_dump's."""
        await self._ctx.output(line + "\n", "err")

    async def named(self, path: Path) -> None:
        """The file is about to be written."""
        self._path = str(path)
        await self._record()

    async def started(self, child: Child) -> None:
        """pg_dump or pg_restore runs."""
        await self._record(pid=child.pid, started=child.started, group=child.group)

    async def whole(self, dump: Dump) -> None:
        """Everything was checked. What reconcile would report is on disk before the file gets its name."""
        clean = self._ctx.clean
        await asyncio.to_thread(lambda: self._state.write_text(dump.state.to_json(clean), encoding="utf-8"))
        self._state.chmod(0o600)
        await self._ctx.keep("state", self._state)
        for check in _green(dump, self._params.format):
            self._ctx.check(check.id, check.title, check.outcome, check.evidence, check.advice)
        await self._record(result=self.result(dump).model_dump(mode="json"))

    async def _record(self, **data: JsonValue) -> None:
        await self._ctx.record(label="dumping", attempt=self._ctx.attempt, path=self._path, **data)

    def result(self, dump: Dump) -> Result:
        """The step's result."""
        taken = datetime.fromisoformat(dump.taken_at)
        stale = (taken + self._params.max_age).isoformat(timespec="microseconds").replace("+00:00", "Z")
        pin = self._ctx.target.pin
        return Result(
            path=str(dump.path),
            bytes=dump.size,
            sha256=dump.sha256,
            lsn=dump.snapshot_lsn,
            taken_at=dump.taken_at,
            stale_at=stale,
            max_age_us=microseconds(self._params.max_age),
            duration_us=microseconds(dump.duration),
            tables=dump.tables,
            rows={table: count.rows for table, count in sorted(dump.state.rows.items()) if count.exact},
            estimated=tuple(sorted(table for table, count in dump.state.rows.items() if not count.exact)),
            format=self._params.format,
            pg_dump=self._tools.version,
            server=pin.server_version if pin else "",
            state=str(self._state.relative_to(self._ctx.folder)),
        )


READERS: dict[Format, str] = {
    "custom": "by pg_restore",
    "directory": "by pg_restore",
    "plain": "by its COPY lines, to pg_dump's closing line",
}


def _green(dump: Dump, format: Format) -> tuple[Check, ...]:
    read = f"{dump.size / MIB:.1f} MiB, {READERS[format]}"
    return (
        Check(id="complete", title="All tables are in it", outcome="ok", evidence=many(dump.tables, "table")),
        Check(id="read-back", title="Every byte was read back", outcome="ok", evidence=read),
        Check(id="durable", title="On disk under its name", outcome="ok", evidence=f"{dump.path}, mode 0600, fsynced"),
    )


async def reconcile(ctx: Context, params: Params, start: StepStarted) -> Settled:
    """What became of a dump whose runner died. The programs die with the runner; the file tells the rest."""
    records = records_of(ctx, start.attempt)
    await end_children(records)
    path = next((Path(str(data["path"])) for data in records if data.get("path")), None)
    if path is None:
        return Settled("failed", "fail", "it was cut short before a file was begun")
    result = next((data["result"] for data in records if isinstance(data.get("result"), dict)), None)
    if isinstance(result, dict) and path.exists():
        sha256, _ = await asyncio.to_thread(fingerprint, path)
        if sha256 == result["sha256"]:
            evidence = f"{path}, its SHA-256 is the recorded one"
            check = Check(id="durable", title="On disk under its name", outcome="ok", evidence=evidence)
            return Settled("done", "ok", "the dump is whole", (check,), result)
    await asyncio.to_thread(remove, backup.partial_of(path))
    return Settled("failed", "fail", "the dump was not finished; the unfinished file was removed")


def shows(params: Params) -> str:
    """What is about to happen, in words."""
    where = params.folder or "the dumps folder"
    jobs = f" --jobs={params.jobs}" if params.jobs > 1 else ""
    return f"pg_dump --format={params.format}{jobs} into {where}; good for {spell(params.max_age)}"


STEP = StepKind("Dump the database", "outside", Params, run, shows, reconcile)
