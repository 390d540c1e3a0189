"""What drifted on a target: for `gonogo status --drift`, and for the step `schema.drift`."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg

from migrations import ledger
from migrations.drift import Drift
from migrations.drift.compare import ignored
from migrations.drift.look import CannotReplay, Looked, Wanted, look
from migrations.folder import Migration, read_folder
from migrations.plan import Plan, compare
from migrations.replay import Source
from migrations.replay.kept import Kept
from runbooks.history.sessions import replays_folder
from runbooks.session.frozen import Frozen
from runbooks.settings.project import Environment, Project
from runbooks.settings.setting import read_urls, target_of

Connection = psycopg.AsyncConnection[Any]
Advance = Callable[[int, int, str], Awaitable[None]]


class DriftTold(Frozen):
    """One difference; see migrations.drift.Drift. `sql` stands ready to be run, and is never run by gonogo."""

    id: str
    title: str
    folder: str
    target: str
    sql: tuple[str, ...]
    caution: str


class DriftStatus(Frozen):
    """What drifted. `replayed` is empty where nothing could be compared: `could_not` then says why, and `advice` more.

    `ignored` are the ids of known ones, by `[drift] ignore` of gonogo.toml. `unsure` says what makes the replay
    another one than the target's history. `foretold`: why the pending scripts' outcome is not; else empty.
    """

    replayed: str = ""
    could_not: str = ""
    advice: str = ""
    differences: tuple[DriftTold, ...] = ()
    ignored: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()
    foretold: str = ""

    @property
    def clean(self) -> bool:
        """Compared, and nothing drifted."""
        return bool(self.replayed) and not self.differences


@dataclass(frozen=True, slots=True)
class Asked:
    """How to look. `pending`: the session's scripts, of which the outcome is foretold; `bin`: programs to take."""

    project: Project
    schema: str | None
    pending: Mapping[str, str]
    bin: Path | None
    seconds: float
    environ: Mapping[str, str]


async def drift_status(
    project: Project, environment: Environment, environ: Mapping[str, str], bin: Path | None, advance: Advance
) -> DriftStatus:
    """What drifted on an environment. Raises Misuse, Unavailable or Problem."""
    target = target_of(environment, read_urls(environment, environ))
    connection = await target.open("read", application_name="gonogo status")
    try:
        return await drifted(connection, Asked(project, target.url.schema, {}, bin, 300.0, environ), advance)
    finally:
        await connection.close()


async def drifted(connection: Connection, asked: Asked, advance: Advance) -> DriftStatus:
    """What drifted. Scripts of `asked.pending` are taken from there, not from the folder. Raises Misuse or Problem."""
    folder = await asyncio.to_thread(read_folder, asked.project.folder / asked.project.migrations)
    rows = await ledger.read(connection, asked.schema)
    if rows is None and await ledger.other_tables(connection, [asked.schema] if asked.schema else []):
        return DriftStatus(
            could_not="The target has tables and no ledger, so which migrations it has is not known.",
            advice="Baseline it first: `gonogo status` says how.",
        )
    plan = compare(folder, rows or ())
    try:
        found = await look(connection, _wanted(folder, plan, asked), advance)
    except CannotReplay as problem:
        return DriftStatus(could_not=problem.what, advice=problem.advice, unsure=_unsure(plan))
    return _told(found, plan, asked.project.drift_ignored)


def _wanted(folder: Sequence[Migration], plan: Plan, asked: Asked) -> Wanted:
    applied, failed = set(plan.applied), set(plan.failed)
    sources = [_source(migration, asked.pending) for migration in folder if migration.name not in failed]
    return Wanted(
        applied=tuple(source for source in sources if source.name in applied),
        pending=tuple(s for s in sources if s.name in asked.pending and s.name not in applied),
        schema=asked.schema,
        bin=asked.bin,
        kept=Kept(replays_folder(asked.environ)),
        environ=asked.environ,
        seconds=asked.seconds,
    )


def _source(migration: Migration, reviewed: Mapping[str, str]) -> Source:
    source = Source.of(migration)
    return replace(source, text=reviewed[source.name], problem=None) if source.name in reviewed else source


def _unsure(plan: Plan) -> tuple[str, ...]:
    words = (
        ("applied, but not in the folder, so what they made counts as a difference", plan.missing),
        ("edited after they were applied, and replayed as they are now", plan.changed),
        ("failed, and not replayed", plan.failed),
    )
    return tuple(f"{text}: {', '.join(names)}" for text, names in words if names)


def _told(found: Looked, plan: Plan, known: Sequence[str]) -> DriftStatus:
    return DriftStatus(
        replayed=found.replayed,
        differences=tuple(_difference(drift) for drift in found.drifts if not ignored(drift, known)),
        ignored=tuple(drift.id for drift in found.drifts if ignored(drift, known)),
        notes=found.notes,
        unsure=_unsure(plan),
        foretold=found.foretold,
    )


def _difference(drift: Drift) -> DriftTold:
    return DriftTold(
        id=drift.id,
        title=drift.title,
        folder=drift.folder,
        target=drift.target,
        sql=drift.statements,
        caution=drift.caution,
    )


def script_of(difference: DriftTold) -> str:
    """One difference as SQL, with what it is in comments."""
    folder, target = _in_line(difference.folder), _in_line(difference.target)
    lines = [f"-- {_in_line(difference.id)}", f"--   the folder: {folder}", f"--   the target: {target}"]
    lines += [f"-- {_in_line(difference.caution)}"] if difference.caution else []
    lines += [f"{statement};" for statement in difference.sql] or ["-- no SQL is offered"]
    return "\n".join(lines) + "\n"


def _in_line(text: str) -> str:
    """Text of the catalog for a comment: what stood on a second line would be run."""
    return " ".join(text.split())
