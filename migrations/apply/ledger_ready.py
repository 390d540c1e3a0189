"""The ledger before anything is applied: made where it is missing, and refused where it is not in order."""

from collections.abc import Sequence
from typing import Any

import psycopg

from migrations import ledger
from migrations.apply import events as e
from migrations.apply.script_run import ScriptToRun
from migrations.doctor import Facts, diagnose, words
from migrations.problem import Problem

Connection = psycopg.AsyncConnection[Any]


async def ready(
    book: Connection,
    schema: str | None,
    scripts: Sequence[ScriptToRun],
    roll_back: Sequence[tuple[str, str]],
    on: e.OnEvent,
) -> str:
    """The ledger's qualified name; made if this is the first run. Held under the lock.

    `roll_back` are (name, id) of our own failed rows, to be marked. Raises Problem: P3005 (tables and no ledger),
    P3009 (somebody's failed row), P3008 (a script was applied by somebody else).
    """
    rows = await ledger.rows(book, schema)
    if rows is None:
        if count := await ledger.other_tables(book, [schema] if schema else []):
            raise words.no_baseline(count, "ENV").problem
        return await ledger.create(book, schema)
    for name, id in roll_back:
        if await ledger.roll_back_row(book, id, schema=schema):
            await on(e.RowRolledBack(name, id))
    _refuse_others(scripts, await ledger.rows(book, schema) or ())
    table = await ledger.find(book, schema)
    assert table is not None
    return table


def _refuse_others(scripts: Sequence[ScriptToRun], rows: Sequence[ledger.Row]) -> None:
    ours = {script.row for script in scripts}
    others = Facts(rows=tuple(row for row in rows if row.id not in ours))
    for state in diagnose(others):
        if state.code == "P3009":
            raise state.problem
    for script in scripts:
        for row in others.live.get(script.name, ()):
            raise Problem(
                f"{script.name} was applied by somebody else at {row.applied.finished_at}.",
                advice="The plan no longer holds. End this session and start anew.",
                code="P3008",
            )
