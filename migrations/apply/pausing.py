"""Pauses between transactions, where a person says whether to go on. Never inside one: others would wait for it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from migrations.apply.sending import Cancelled, Wire

POLL = 0.2


@dataclass(frozen=True, slots=True)
class Next:
    """What comes next: the statements of a script from `first` to `last` (from 0) of `statements`.

    Those before `first` are committed.
    """

    name: str
    row: str
    first: int
    last: int
    statements: int
    line: int
    summary: str


GoOn = Callable[[Next], Awaitable[bool]]


class Paused(Exception):
    """A person ended it between two transactions."""

    def __init__(self) -> None:
        super().__init__("stopped between two transactions, as asked")


class Pauses:
    """Asks before each transaction but the first one; never, if there is nobody to ask."""

    def __init__(self, ask: GoOn | None, wire: Wire, stop_asked: Callable[[], bool]) -> None:
        self._ask, self._wire, self._stop_asked = ask, wire, stop_asked
        self._begun = False

    async def before(self, following: Next) -> None:
        """Wait for the word to go on. Raises Paused, or Cancelled."""
        if self._ask is None:
            return
        if self._begun and not await self._asked(self._ask, following):
            raise Paused
        self._begun = True

    async def _asked(self, ask: GoOn, following: Next) -> bool:
        if self._wire.script.info.server_version >= 140000:
            await self._wire.send("SET idle_session_timeout = 0")
        answer = asyncio.ensure_future(ask(following))
        try:
            while not (await asyncio.wait({answer}, timeout=POLL))[0]:
                if self._wire.cancel_asked:
                    raise Cancelled(sent=False)
                if self._stop_asked():
                    return False
            return answer.result()
        finally:
            answer.cancel()
