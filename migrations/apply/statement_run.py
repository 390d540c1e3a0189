"""One statement of a script: sent as it stands, watched through the guard, and its after-effects on the session."""

import time
from typing import Any

import psycopg

from migrations.apply import events as e
from migrations.apply import server_progress
from migrations.apply.script_failed import Place, caret
from migrations.apply.sending import Timeouts, Wire
from migrations.sql import Statement
from migrations.target.session_settings import milliseconds

Connection = psycopg.AsyncConnection[Any]


class Refusal(Exception):
    """The server took what was sent, and still the script cannot go on or count as applied."""


class StatementRun:
    """Sends a script's statements. `at` is the one that went out last (from 0)."""

    def __init__(
        self, name: str, text: str, statements: tuple[Statement, ...], wire: Wire, timeouts: Timeouts, on: e.OnEvent
    ) -> None:
        self._name, self._text, self._statements = name, text, statements
        self._wire, self._timeouts, self._on = wire, timeouts, on
        self._sent_as_is = False
        self.at = 0
        self.waits_for = ""

    async def send(self, index: int) -> None:
        """Send one statement and wait for its reply. Raises psycopg.Error, NoReply, Cancelled, or Refusal."""
        statement, count, began = self._statements[index], len(self._statements), time.monotonic()
        self.check(index)
        await self._on(e.StatementStarted(self._name, index, count, statement.line, statement.summary))
        self._sent_as_is = True
        reply = await self._wire.send(statement.text, look=self._look)
        self._sent_as_is = False
        took = int((time.monotonic() - began) * 1_000_000)
        await self.tell_notices()
        if statement.facts.sets or statement.facts.may_commit or not statement.analysed:
            await self._clamp()
        await self._on(e.StatementEnded(self._name, index, count, took, reply.rows, reply.tag))

    def check(self, index: int) -> None:
        """The server must read the bytes of this statement, which is next, as the review did. Raises Refusal."""
        self.at, self.waits_for = index, ""
        statement = self._statements[index]
        if "\\" in statement.text and self._wire.parameter("standard_conforming_strings") != "on":
            raise Refusal("standard_conforming_strings is off: the server would read backslashes differently")
        if not statement.text.isascii() and self._wire.parameter("client_encoding") != "UTF8":
            raise Refusal("client_encoding is not UTF8: the server would read other characters")

    async def _clamp(self) -> None:
        """A script may lower the timeouts for itself, and never raise them. SHOW takes no snapshot."""
        for name, most in self._timeouts.settings.items():
            reply = await self._wire.send(f"SHOW {name}")
            found, limit = str(reply.row[0]) if reply.row else "0", milliseconds(most)
            if limit and not 0 < milliseconds(found) <= limit:
                await self._wire.send(f"SET {name} = '{most}'")
                text = f"the script sets {name} to {found}; the step's own {most} stays in force"
                await self._on(e.Notice(self._name, "NOTE", text))

    async def tell_notices(self) -> None:
        """Tell what the server said beside its replies."""
        while self._wire.notices:
            await self._on(e.Notice(self._name, *self._wire.notices.pop(0)))

    async def _look(self, guard: Connection, pid: int) -> None:
        await self.tell_notices()
        try:
            now = await server_progress.look(guard, pid)
        except psycopg.Error:
            return  # The guard is gone; the script's connection decides alone, and the next script does not start.
        self.waits_for = now.waits_for or self.waits_for
        await self._on(e.Running(self._name, self.at, now.label, now.done, now.total, now.unit, now.waits_for))

    def place(self, error: Exception) -> Place:
        """Where the script stands, with a caret where the server names a position."""
        if not self._statements:
            return Place(0, 0, 1, "")
        statement = self._statements[self.at]
        position = error.diag.statement_position if isinstance(error, psycopg.Error) and self._sent_as_is else None
        offset = statement.start + (int(position) - 1 if position else 0)
        line, shown = caret(self._text, min(offset, len(self._text)), exact=position is not None)
        return Place(self.at, len(self._statements), line if position else statement.line, shown)
