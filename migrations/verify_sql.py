"""`verify.sql` beside a migration: what must be true once it is applied, each statement a SELECT that says so."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psycopg

from migrations.folder import VERIFY, problem_of
from migrations.listed import many
from migrations.sql import Statement, read_script
from migrations.sql import actions as a

Connection = psycopg.AsyncConnection[Any]

LOCK_TIMEOUT = "5s"
SHOWN = 200
BOOL = 16
"""The OID of boolean."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement that must be true. `line` counts from 1."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Wrong:
    """Why a statement, or the file, cannot be asked."""

    line: int
    words: str


@dataclass(frozen=True, slots=True)
class Claims:
    """A whole file. Where there is something wrong, nothing of it is asked."""

    claims: tuple[Claim, ...] = ()
    wrong: tuple[Wrong, ...] = ()


def read_claims(data: bytes) -> Claims:
    """What a file claims. It takes as long as a script of its size: not for the event loop."""
    if problem := problem_of(data):
        return Claims(wrong=(Wrong(1, problem),))
    script = read_script(data.decode())
    if script.error is not None:
        return Claims(wrong=(Wrong(script.error.line, f"it cannot be read: {script.error.message}"),))
    if not script.statements:
        return Claims(wrong=(Wrong(1, "there is no statement in it"),))
    wrong = tuple(Wrong(s.line, words) for s in script.statements if (words := _refused(s)))
    return Claims(tuple(Claim(s.line, s.text) for s in script.statements), wrong)


def _refused(statement: Statement) -> str:
    """Why this is not to be asked; empty for a SELECT. What its functions do the server refuses, if they write."""
    others = [action for action in statement.certain if not isinstance(action, a.Query)]
    if others or not statement.certain:
        return f"only a SELECT that changes nothing can stand in {VERIFY}"
    if any(isinstance(action, a.Query) and action.locks_rows for action in statement.certain):
        return "it locks rows; a SELECT without FOR UPDATE and its like can stand here"
    return ""


async def came_instead(conn: Connection, claim: Claim, *, timeout: timedelta) -> str:
    """Ask, in a read-only transaction that is rolled back. Empty if it is true; else what came instead, in words.

    Raises psycopg.OperationalError if the connection is lost.
    """
    settings = {"statement_timeout": f"{timeout // timedelta(milliseconds=1)}", "lock_timeout": LOCK_TIMEOUT}
    try:
        await conn.execute("BEGIN TRANSACTION READ ONLY")
        for name, value in settings.items():
            await conn.execute("SELECT pg_catalog.set_config(%s, %s, true)", (name, value))
        # In a pipeline the server takes one statement and no more. The cursor is why a table is not sent whole.
        async with conn.pipeline():
            await conn.execute(b"DECLARE gonogo_verify NO SCROLL CURSOR FOR " + claim.text.encode())
        cursor = await conn.execute("FETCH 2 FROM gonogo_verify")
        return _other_than_true(cursor, await cursor.fetchall())
    except psycopg.errors.QueryCanceled:
        return f"no answer within {timeout.total_seconds():g} s (57014)"
    except psycopg.Error as error:
        if error.sqlstate is None or conn.closed:
            raise
        return f"an error: {error.diag.message_primary} ({error.sqlstate})"
    finally:
        if not conn.closed:
            await conn.execute("ROLLBACK")


def _other_than_true(cursor: psycopg.AsyncCursor[Any], rows: list[tuple[Any, ...]]) -> str:
    columns = cursor.description or []
    if len(columns) != 1:
        return f"{many(len(columns), 'column')}, where one is to be true"
    if len(rows) != 1:
        return "no row" if not rows else "more than one row"
    value = rows[0][0]
    if columns[0].type_code != BOOL:
        return f"{_shown(value)}, which is no boolean"
    return "" if value is True else _shown(value)


def _shown(value: object) -> str:
    """As SQL writes it, as far as there is room."""
    text = {None: "NULL", False: "false", True: "true"}.get(value) if isinstance(value, bool | None) else str(value)
    return text if text is not None and len(text) <= SHOWN else f"{str(text)[:SHOWN]}…"
