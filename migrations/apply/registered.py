"""What is applied, written into the target's register too, where there is to be one."""

from typing import Any

import psycopg

from migrations.apply import events as e
from migrations.own import register
from migrations.own.register import Who
from migrations.problem import Problem

Connection = psycopg.AsyncConnection[Any]


async def registered(conn: Connection, who: Who | None, on: e.OnEvent) -> e.OnEvent:
    """`on`, and beside it a line in the register for each script that starts or ends. Raises Problem.

    A script does not start without its line. One that has ended has ended, line or not.
    """
    if who is None:
        return on
    await register.make(conn)
    checksums: dict[str, str] = {}

    async def write(name: str, row: str, event: register.Event) -> None:
        await register.write(conn, who, name, checksums.get(row, ""), row, event)

    async def both(event: e.ApplyEvent) -> None:
        await on(event)
        match event:
            case e.ScriptStarted(name=name, row=row, checksum=checksum):
                checksums[row] = checksum
                try:
                    await write(name, row, "started")
                except psycopg.Error as error:
                    raise _refused(error) from None
            case e.ScriptEnded(name=name, row=row):
                await _after(write(name, row, "applied"), name, on)
            case e.ScriptBroken(name=name, row=row):
                ended: register.Event = "cancelled" if event.cancelled else "failed"
                await _after(write(name, row, ended if event.known else "unknown"), name, on)

    return both


async def _after(writing: Any, name: str, on: e.OnEvent) -> None:
    try:
        await writing
    except psycopg.Error as error:
        why = error.diag.message_primary or "the connection was lost"
        await on(e.Notice(name, "NOTE", f"how it ended could not be written into gonogo.register: {why}"))


def _refused(error: psycopg.Error) -> Problem:
    return Problem(
        f"The register in the target cannot be written: {error.diag.message_primary or 'the connection was lost'}.",
        advice="The script was not started. See what became of gonogo.register, then start the step again.",
        code=error.sqlstate or "",
    )
