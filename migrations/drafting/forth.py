"""A script, run statement by statement on a throw-away database, with the catalog before and after each."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from migrations.catalog import Snapshot, snapshot
from migrations.drift.privileges import alike
from migrations.drift.sql.words import Attributes, Objects
from migrations.problem import Problem
from migrations.sql import Script, Statement, execution_model
from migrations.sql import actions as a
from migrations.sql.hiding import veil_of
from migrations.sql.undo import lasting

Connection = psycopg.AsyncConnection[Any]

MOST = 80
"""Looks at the catalog. In a longer script several statements share one."""
LEAVES_IT = (a.Set, a.Transaction, a.Insert, a.Update, a.Delete, a.Merge, a.Truncate, a.Maintain, a.LockTable, a.Copy)
ITS_OWN = (a.Rename, a.MoveToSchema)
"""What is taken back by what the statement says, and not by what it left."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Statements that follow each other, mostly one, and the catalog before and after them."""

    statements: tuple[Statement, ...]
    was: Objects
    is_: Objects


async def looked(conn: Connection, major: int) -> dict[str, Attributes]:
    """The catalog, with privileges in one form."""
    found: Snapshot = await snapshot(conn, bodies=True)
    return alike(found.objects, (major, major))


async def forth(conn: Connection, name: str, script: Script, major: int) -> list[Stretch]:
    """Run it, on a connection in autocommit. What it takes back itself is left out. Raises Problem where it fails.

    The statements of the stretches hold no secret any more.
    """
    model = execution_model(script)
    if model.kind == "refused":
        raise Problem(f"{name} cannot be run: {model.words}.", advice="Take back what was applied of it by hand.")
    shown = veil_of(script).script(script).statements
    kept = {statement.index for statement in lasting(script)}
    before = await looked(conn, major)
    found: list[Stretch] = []
    group: list[Statement] = []
    size = -(-sum(map(changes, script.statements)) // MOST)
    async for statement in _run(conn, name, script):
        group.append(shown[statement.index])
        following = script.statements[statement.index + 1 : statement.index + 2]
        if len(group) < size and not any(map(_by_itself, (*group, *following))) and len(kept) == len(script.statements):
            continue
        after = await looked(conn, major) if any(map(changes, group)) else before
        if statement.index in kept:
            found.append(Stretch(tuple(group), before, after))
        before, group = after, []
    return [*found, Stretch(tuple(group), before, await looked(conn, major))] if group else found


async def _run(conn: Connection, name: str, script: Script) -> AsyncIterator[Statement]:
    """Each statement once it has run, in the transactions that gonogo would put around them."""
    for piece in execution_model(script).pieces:
        own = [script.statements[index] for index in piece.indexes]
        if not piece.by_itself and own[0].facts.control != "begin":
            await conn.execute("BEGIN")
        for statement in own:
            try:
                await conn.execute(statement.text.encode())
            except psycopg.Error as error:
                words = error.diag.message_primary or str(error)
                raise Problem(
                    f"{name} cannot be taken back as drafted: on the throw-away server line {statement.line} fails: "
                    f"{words}.",
                    advice="See gonogo check --replay.",
                    code=error.sqlstate or "",
                    detail=words,
                ) from None
            yield statement
        if conn.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            await conn.execute("COMMIT")


def changes(statement: Statement) -> bool:
    """Whether it may change the catalog."""
    return not statement.actions or any(_changes(action) for action in statement.actions)


def _changes(action: a.Action) -> bool:
    back = isinstance(action, a.Transaction) and action.kind in ("rollback", "rollback to")
    return back or bool(getattr(action, "calls", ())) or not isinstance(action, LEAVES_IT)


def _by_itself(statement: Statement) -> bool:
    return any(isinstance(action, ITS_OWN) for action in statement.actions)


def texts(statements: Sequence[Statement]) -> str:
    """Their lines, in words."""
    first, last = statements[0].line, statements[-1].line
    return f"line {first}" if first == last else f"lines {first} to {last}"
