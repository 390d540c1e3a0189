"""The ledger and the schema after Prisma's command has ended, by itself or not: read on the pinned target."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from migrations import ledger
from migrations.apply.orphans import let_go
from migrations.catalog import diff, snapshot
from migrations.doctor import Facts, State, diagnose
from migrations.doctor.reading import read_traces
from migrations.folder import Migration
from migrations.ledger import Row
from migrations.ledger.lock import Lock
from migrations.listed import many
from migrations.prisma.before import Before, without_logs
from migrations.prisma.judged import Judged, Wanted, judge
from migrations.problem import Problem
from migrations.target import Pinned, session_name

Connection = psycopg.AsyncConnection[Any]

LINES = 60
OWN = "prisma"


def child_name(session: str) -> str:
    """The application_name of the sessions that Prisma's command opens."""
    return session_name(session, OWN)


@dataclass(frozen=True, slots=True)
class After:
    """`changes` are lines: how the schema differs from before. `lock` says who held the lock, if it was not free.

    `failed` is what the doctor says of a script that was begun and did not end.
    """

    judged: Judged
    changes: tuple[str, ...]
    lock: str = ""
    failed: State | None = None

    @property
    def words(self) -> str:
        """`1 of 2 scripts are applied; 2_b: its row …`."""
        count = len(self.judged.of("applied"))
        open_ones = [f"{fate.name}: {fate.words}" for fate in self.judged.fates if fate.state != "applied"]
        return "; ".join((f"{count} of {many(len(self.judged.fates), 'script is', 'scripts are')} applied", *open_ones))

    @property
    def lines(self) -> tuple[str, ...]:
        """What took effect since the start, as the catalog tells it, for a person."""
        left = self.failed.details if self.failed else ()
        if not self.changes:
            return (*left, "The schema is as it was before. What was done to rows cannot be seen there.")
        more = len(self.changes) - LINES
        return (
            *left,
            "Since this step began, the schema has changed (all scripts together; rows cannot be seen there):",
            *(f"  {line}" for line in self.changes[:LINES]),
            *([f"  and {more} more"] if more > 0 else []),
        )


async def settle(
    target: Pinned,
    session: str,
    application_name: str,
    wanted: Sequence[Wanted],
    before: Before,
    *,
    environment: str = "ENV",
) -> After:
    """End what Prisma's command may have left in the server, take the lock again, and read. Raises Problem.

    `environment` is named in the way out.
    """
    conn = await target.open("ledger", application_name=application_name)
    try:
        await let_go(conn, child_name(session), ())
        held = ""
        try:
            await Lock(conn).take()
        except Problem as problem:
            held = problem.what
        rows = await ledger.rows(conn, target.url.schema) or ()
        changes = diff(before.catalog, await snapshot(conn))
        judged = judge(wanted, before.rows, without_logs(rows))
        return After(judged, changes, held, await _failed(conn, wanted, judged, rows, environment))
    finally:
        await conn.close()


async def _failed(
    conn: Connection, wanted: Sequence[Wanted], judged: Judged, rows: Sequence[Row], environment: str
) -> State | None:
    """What the doctor says of the failed script, as run after those that were applied."""
    if not judged.of("failed"):
        return None
    ran = {fate.name for fate in (*judged.of("applied"), *judged.of("failed"))}
    traces = await read_traces(conn, [Migration(one.name, Path(), one.data) for one in wanted if one.name in ran])
    found = diagnose(Facts(rows=tuple(rows), traces=traces), environment)
    return next((state for state in found if state.code == "P3009"), None)
