"""Events go to disk first, and only then into the view."""

import asyncio
from collections.abc import Callable

from runbooks.events import Event
from runbooks.journal import Journal, Record
from runbooks.redact import Redactor
from runbooks.view import RunView, advance

UNSYNCED = frozenset({"step_output", "step_progress", "face_attached", "face_detached"})
"""Kinds from which nothing follows; every other kind is on disk before anything follows from it."""


class Recorder:
    """The journal's one writer, and the view that is folded from what was written."""

    def __init__(self, journal: Journal, redactor: Redactor, view: RunView) -> None:
        self._journal = journal
        self._redactor = redactor
        self.view = view
        self._listeners: list[Callable[[], None]] = []
        self._changed = asyncio.Event()

    def append(self, event: Event, *, sync: bool | None = None) -> Record:
        """Write an event, secrets taken out, and advance the view.

        Raises JournalBroken when the disk refuses; nothing may follow then.
        """
        clean = self._redactor.event(event)
        durable = clean.kind not in UNSYNCED if sync is None else sync
        record = self._journal.append(clean, sync=durable)
        self.view = advance(self.view, record.seq, record.at, record.event, record.hash)
        self._changed.set()
        for listener in self._listeners:
            listener()
        return record

    @property
    def redactor(self) -> Redactor:
        """What takes secrets out of everything that is written."""
        return self._redactor

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after each record. Returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def until(self, condition: Callable[[RunView], bool]) -> RunView:
        """Wait until the view fulfils a condition."""
        while not condition(self.view):
            self._changed.clear()
            await self._changed.wait()
        return self.view
