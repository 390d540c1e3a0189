"""Events go to disk first, and only then into the view."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence

from pydantic import JsonValue

from runbooks.journal import Journal, JournalBroken, Record
from runbooks.redact import Redactor
from runbooks.session.events import Event, StepProgress
from runbooks.session.view import RunView, advance

UNSYNCED = frozenset({"step_output", "step_progress", "face_attached", "face_detached"})
"""Kinds from which nothing follows; every other kind is on disk before anything follows from it."""


def is_noted(event: Event) -> bool:
    """Whether a step recorded this for its reconcile."""
    return isinstance(event, StepProgress) and bool(event.data.get("recorded"))


class Recorder:
    """The journal's one writer, and the view that is folded from what was written.

    `view` is what the journal holds already, `earlier` those of its records that are noted.
    `broken` is why the journal takes no more.
    """

    def __init__(self, journal: Journal, redactor: Redactor, view: RunView, earlier: Iterable[Record] = ()) -> None:
        self._journal = journal
        self._redactor = redactor
        self.view = view
        self.broken: JournalBroken | None = None
        self._listeners: list[Callable[[], None]] = []
        self._changed = asyncio.Event()
        self._noted: dict[str, list[Mapping[str, JsonValue]]] = {}
        for record in earlier:
            self._note(record.event)

    def append(self, event: Event, *, sync: bool | None = None) -> Record:
        """Write an event, secrets taken out, and advance the view.

        Raises JournalBroken when the disk refuses; nothing may follow then.
        """
        clean = self._redactor.event(event)
        durable = clean.kind not in UNSYNCED if sync is None else sync
        try:
            record = self._journal.append(clean, sync=durable)
        except JournalBroken as broken:
            # Whoever appends may be a timer or a face: what must stop is told here, not by whom it happened to.
            self.broken = self.broken or broken
            self._changed.set()
            raise
        self.view = advance(self.view, record.seq, record.at, record.event, record.hash)
        self._note(record.event)
        self._changed.set()
        for listener in self._listeners:
            listener()
        return record

    def noted(self, step: str) -> Sequence[Mapping[str, JsonValue]]:
        """Everything that a step recorded for its reconcile, in this session, oldest first."""
        return tuple(self._noted.get(step, ()))

    def _note(self, event: Event) -> None:
        if isinstance(event, StepProgress) and is_noted(event):
            self._noted.setdefault(event.step, []).append(event.data)

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
            await self._change()
        return self.view

    async def until_broken(self) -> JournalBroken:
        """Wait until the journal takes no more."""
        while self.broken is None:
            await self._change()
        return self.broken

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()
