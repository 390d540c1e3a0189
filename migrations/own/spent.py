"""Which approvals were used up, in the target itself: rows that are only added, in gonogo's own schema."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from migrations.own.table import Connection, OwnTable
from migrations.problem import Problem
from migrations.server_clock import server_time

TABLE = OwnTable(
    "approvals",
    """
    number    text PRIMARY KEY,
    at        timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    role      text NOT NULL DEFAULT session_user,
    session   text NOT NULL,
    operator  text NOT NULL,
    ticket    text NOT NULL,
    plan      text NOT NULL,
    approvers text NOT NULL,
    mark      text NOT NULL
    """,
    "Which approvals of gonogo were used up here, and by whom. Rows are only added.",
)
_SPEND = """
INSERT INTO gonogo.approvals (number, session, operator, ticket, plan, approvers, mark)
VALUES (%(number)s, %(session)s, %(operator)s, %(ticket)s, %(plan)s, %(approvers)s, %(mark)s)
ON CONFLICT (number) DO NOTHING
"""
_FOUND = "SELECT session, operator, at, mark FROM gonogo.approvals WHERE number = %s"
ANEW = "End this session, and ask for an approval of a new plan: gonogo plan."


@dataclass(frozen=True, slots=True)
class Use:
    """What an approval is used up for. `mark`: what the session's own record says of this use, before it is noted."""

    number: str
    session: str
    operator: str
    ticket: str
    plan: str
    approvers: str
    mark: str


@dataclass(frozen=True, slots=True)
class Spent:
    """By which session, and when."""

    session: str
    operator: str
    at: datetime
    mark: str

    @property
    def words(self) -> str:
        """For a person."""
        return f"used up by {self.operator} in the session {self.session}, on {self.at:%Y-%m-%d at %H:%M} UTC"


async def may(conn: Connection) -> None:
    """Raises Problem, with the SQL for an administrator, where this role could not note that one is used up."""
    rights = await TABLE.rights(conn)
    if not rights.enough:
        raise Problem(
            f"That an approval is used up is noted in the target, and {rights.role} may not "
            f"{'write to' if rights.there else 'make'} gonogo.approvals.",
            advice=f"Let an administrator run: {rights.grant}",
            code="42501",
        )


async def spent(conn: Connection, number: str) -> Spent | None:
    """By whom it was used up, or None. Raises psycopg.Error."""
    if not await TABLE.is_there(conn):
        return None
    row = await (await conn.execute(_FOUND, (number,))).fetchone()
    return Spent(row[0], row[1], row[2].astimezone(UTC), row[3]) if row else None


async def spend(conn: Connection, use: Use, expires: datetime, marks: Collection[str]) -> None:
    """Note that it is used up, once for a session, whose record has the `marks`.

    A copy of a session's folder from before, or a journal cut there, has the session's name and not the mark.
    Raises Problem: by another session, or too late; psycopg.Error.
    """
    before = await spent(conn, use.number)
    if before is None:
        if await server_time(conn) >= expires:
            raise Problem(f"The approval has expired: it was good until {expires:%Y-%m-%d %H:%M} UTC.", advice=ANEW)
        async with conn.transaction():
            await TABLE.make(conn)
            await conn.execute(_SPEND, asdict(use))
        before = await spent(conn, use.number)
    if before is None or before.session != use.session:
        raise Problem(f"The approval was {before.words if before else 'not noted'}.", advice=ANEW)
    if before.mark not in {use.mark, *marks}:
        raise Problem(
            f"The approval was {before.words}, of which this record says nothing: it is an older copy, or was cut.",
            advice="Go on with the record that has it, or ask for an approval of a new plan: gonogo plan.",
        )
