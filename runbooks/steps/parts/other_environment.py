"""The database of another environment of gonogo.toml, to be read by this process alone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg

from migrations.target import NOT_READABLE, Fingerprint, Pinned, environment_mark
from migrations.target.connecting import told
from runbooks.planning.identity import Stop, judge
from runbooks.steps.base import Context

READ_ONLY = {"default_transaction_read_only": "on"}


@asynccontextmanager
async def reading_beside(ctx: Context, name: str) -> AsyncIterator[tuple[psycopg.AsyncConnection[Any], Pinned]]:
    """A connection to it, once it is seen to be what gonogo.toml says. Raises Stop where it is not, Problem."""
    other = ctx.beside(name)
    connection = await other.open("read", application_name=ctx.application_name, settings=READ_ONLY)
    try:
        mark = await environment_mark(connection)
        here, there = ctx.target.pin, other.pin
        assert here is not None and there is not None
        judge(ctx.project, ctx.project.environments[name], there, mark)
        if mark != name and _same(here, there):
            raise Stop(
                f"{name} is the very database of this session: there is nothing to compare.",
                advice=f"Correct the variable {other.url.variable}, or `parity` in gonogo.toml.",
            )
        yield connection, other
    except psycopg.Error as error:
        raise told(error, lost=connection.closed, where=other.url.shown) from None
    finally:
        await connection.close()


def _same(here: Fingerprint, there: Fingerprint) -> bool:
    """Where the server does not give its identity, its start tells it apart as well as anything."""
    if NOT_READABLE in (here.system_identifier, there.system_identifier):
        mine, other = ((p.database, p.oid, p.postmaster_start) for p in (here, there))
        return mine == other
    return here.identity[:2] == there.identity[:2]
