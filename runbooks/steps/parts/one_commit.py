"""Work of a step in one transaction on a connection of its own, whose COMMIT the server can be asked about later."""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import psycopg
from pydantic import JsonValue

from migrations.apply.orphans import let_go
from migrations.apply.sending import Timeouts
from migrations.apply.settle import TOOK_OVER
from migrations.problem import Problem, Unavailable
from migrations.target import NOT_READABLE, session_name
from runbooks.steps.base import Context, Doubt, Settled
from runbooks.steps.parts.dumps import end_children

_WHO = """
SELECT pg_catalog.pg_current_xact_id()::text, pid, backend_start::text
FROM pg_catalog.pg_stat_activity WHERE pid = pg_catalog.pg_backend_pid()
"""


class Committing:
    """`async with`: BEGIN, its number on record; `commit` when all is well, else everything is rolled back.

    Without `begin` it begins later: what comes before is no part of it.
    """

    connection: psycopg.AsyncConnection[Any]
    xid: str

    def __init__(self, ctx: Context, timeouts: Timeouts, *, begin: bool = True) -> None:
        self._ctx, self._timeouts, self._begins = ctx, timeouts, begin

    async def __aenter__(self) -> Self:
        name = session_name(self._ctx.session, "script")
        self.connection = await self._ctx.target.open("script", application_name=name, settings=self._timeouts.settings)
        try:
            if self._begins:
                await self.begin()
        except BaseException:
            await self.connection.close()
            raise
        return self

    async def begin(self) -> None:
        """Begin, and record the number by which the server knows the transaction."""
        await self.connection.execute("BEGIN")
        row = await (await self.connection.execute(_WHO.encode())).fetchone()
        assert row is not None
        self.xid = str(row[0])
        pin = self._ctx.target.pin
        await self._ctx.record(
            attempt=self._ctx.attempt, xid=self.xid, backend=[row[1], row[2]], timeline=pin.timeline if pin else ""
        )

    async def commit(self) -> None:
        """Raises Unavailable where no reply came; Problem if the server rolled it back."""
        try:
            cursor = await self.connection.execute("COMMIT")
        except psycopg.OperationalError as error:
            raise Unavailable(
                "The connection was lost at the COMMIT: it is not known whether it took effect.",
                advice=f"Ask the server: SELECT pg_xact_status('{self.xid}');",
                detail=str(error).strip(),
            ) from None
        if cursor.statusmessage != "COMMIT":
            raise Problem("The server rolled it back: nothing was changed.", advice="See what its log says.")

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.connection.close()  # what is not committed is rolled back by that


async def committed_or_not(ctx: Context, records: Sequence[Mapping[str, JsonValue]]) -> str | Settled | Doubt:
    """The number of the transaction if it was committed; else how the attempt is settled, or what to look at."""
    await end_children(list(records))
    begun = [record for record in records if record.get("xid")]
    if not begun:
        return Settled("stopped", "unknown", "it was cut short before anything was done")
    xid = str(begun[-1]["xid"])
    backends = [(int(str(b[0])), str(b[1])) for r in begun if isinstance(b := r.get("backend"), list)]
    async with ctx.connect("ledger") as connection:
        await let_go(connection, session_name(ctx.session, "script"), backends)
        try:
            query = "SELECT pg_catalog.pg_xact_status(%s::text::xid8)"
            row = await (await connection.execute(query, (xid,))).fetchone()
        except psycopg.errors.InvalidParameterValue:
            row = None
    if _taken_over(ctx, str(begun[-1].get("timeline") or "")):
        return Doubt(f"{TOOK_OVER}, and its transaction {xid} is another one. Look at what is there")
    match row[0] if row else None:
        case "committed":
            return xid
        case "aborted":
            return Settled("failed", "fail", "it was rolled back: nothing was changed")
        case _:
            return Doubt(f"The server does not know any more what became of transaction {xid}. Look at what is there")


def _taken_over(ctx: Context, then: str) -> bool:
    """Whether it is another server by now, whose numbers of transactions are its own."""
    now = ctx.target.pin.timeline if ctx.target.pin else ""
    return bool(then and now) and NOT_READABLE not in (then, now) and then != now
