"""The head of the journal in the target: in the server's log, and beside the register. And the server's clock."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager

import psycopg

from migrations.anchoring import Connection, clock_ahead, write_to_log
from migrations.own import heads
from migrations.own.heads import Whose
from migrations.problem import Problem
from migrations.target import Pinned, session_name
from migrations.target.connecting import told
from runbooks.journal.clocks import SECOND, Reading
from runbooks.session.events import Check, Outcome
from runbooks.session.view import RunView
from runbooks.settings.setting import Setting

SECONDS = 10.0
"""What the target gets to take it all."""
APART = 2 * SECOND
"""Clocks that differ by less are as good as the same. Microseconds."""
LOG, REGISTER = "the server's log", "the register"


async def note_in_target(setting: Setting, view: RunView, why: str, line: str) -> tuple[list[Check], Reading | None]:
    """Note the head that the view has. What could not be noted is told in the checks."""
    places = _Places()
    if view.plan is None:
        places.add("target", "the target", "unknown", "nothing was noted there: the session ended before it had a plan")
        return places.checks, None
    try:
        async with asyncio.timeout(SECONDS), _connected(setting, view) as conn:
            await places.clock(conn)
            await places.tried("log", LOG, write_to_log(conn, line))
            if setting.environment.register and (whose := _whose(view)) is not None:
                await _register(places, conn, whose, why, view)
    except TimeoutError:
        places.lost(f"it took over {SECONDS:.0f} s")
    except Problem as problem:
        places.lost(problem.what)
    except psycopg.Error as error:
        places.lost(told(error, lost=error.sqlstate is None, where=setting.target.url.shown).what)
    return places.checks, places.reading


class _Places:
    """A check for each place, as it is tried."""

    def __init__(self) -> None:
        self.checks: list[Check] = []
        self.reading: Reading | None = None

    def add(self, id: str, title: str, outcome: Outcome, evidence: str, advice: str = "") -> None:
        self.checks.append(Check(id=id, title=title, outcome=outcome, evidence=evidence, advice=advice))

    def lost(self, why: str) -> None:
        self.add("target", "the target", "warn", f"nothing more was noted there: {why}")

    async def tried(self, id: str, title: str, attempt: Awaitable[None]) -> None:
        """One place; a refusal leaves the others be. Raises psycopg.Error if the connection is gone."""
        try:
            await attempt
        except Problem as problem:
            self.add(id, title, "warn", problem.what, problem.advice)
        except psycopg.Error as error:
            if error.sqlstate is None:
                raise
            self.add(id, title, "warn", f"it may not be written: {error.diag.message_primary or error.sqlstate}")
        else:
            self.add(id, title, "ok", "it has the head")

    async def clock(self, conn: Connection) -> None:
        """Raises psycopg.Error."""
        ahead, within = await clock_ahead(conn)
        self.reading = Reading(ahead=ahead, within=within)
        if abs(ahead) <= max(APART, within):
            self.add("clock", "the server's clock", "ok", "as this machine's")
            return
        way = "ahead of" if ahead > 0 else "behind"
        words = f"it is {abs(ahead) / SECOND:.1f} s {way} this machine's, which times the journal"
        self.add("clock", "the server's clock", "warn", words, "Set the clock of this machine.")


async def _register(places: _Places, conn: Connection, whose: Whose, why: str, view: RunView) -> None:
    if await heads.TABLE.is_there(conn):
        await places.tried("register", REGISTER, heads.write(conn, whose, why, view.seq, view.head))
    else:
        words = f"{heads.NOT_THERE} yet: it is made when the first script starts, where the role may"
        places.add("register", REGISTER, "unknown", words)


@asynccontextmanager
async def _connected(setting: Setting, view: RunView) -> AsyncIterator[Connection]:
    name = session_name(setting.folder.name, f"{view.seq}:{view.head}")
    target = setting.target  # its pin is learnt by whoever opens it: not by us, beside a swap
    conn = await Pinned(target.url, target.pin, pooled=target.pooled).open("read", application_name=name)
    try:
        yield conn
    finally:
        await conn.close()


def _whose(view: RunView) -> Whose | None:
    """As whom the session writes into the target; None for a backup, which writes nothing there."""
    opened = view.opened
    if opened is None or opened.mode == "backup":
        return None
    by = opened.operator
    return Whose(opened.session, opened.environment, by.name, by.host, opened.ticket)
