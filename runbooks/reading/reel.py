"""A journal to be gone through, record by record or in time. What it says stays on disk; places in it are kept."""

import os
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from migrations.problem import Problem
from runbooks.journal import NAME
from runbooks.journal.files import open_to_read, read_lines, whole
from runbooks.journal.records import BadRecord, Chain, Record
from runbooks.reading.verifying import while_needed
from runbooks.report.facts import Facts, gather
from runbooks.report.timings import between
from runbooks.session import events as e
from runbooks.session.runbook import PhaseName
from runbooks.session.view import RunView, advance

MOST_VIEWS = 64
"""So many views are kept to begin from; a session has one after each record."""


class Changed(Exception):
    """Somebody wrote to the journal after it was wound."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A phase as it went: from record `first`, at a time, to the next phase's; GO in record `go`, if it was called."""

    name: PhaseName
    first: int
    at: str
    lasted: int
    go: int | None
    no_gos: tuple[int, ...]


class Reel:
    """All records up to the first that does not hold. `fault` says what is wrong with that one, else it is empty."""

    def __init__(self, journal: Path) -> None:
        """Nothing is read yet. Raises Problem, Unavailable if the journal cannot be opened."""
        self.fault = ""
        self.facts = Facts()
        self.deviations: dict[int, list[str]] = {}
        self.stages: tuple[Stage, ...] = ()
        self._file = open_to_read(journal)
        self._offsets, self._times = array("Q", [0]), array("q")
        self._told = array("Q")
        self._views: dict[int, RunView] = {}
        self._every = 64
        self._opened: list[tuple[int, PhaseName, str]] = []

    def __len__(self) -> int:
        return len(self._times)

    def wind(self, needed: Callable[[], bool] = lambda: True) -> None:
        """Read it once, in constant memory; slow. Raises Left when it is no longer needed."""
        try:
            self.facts = gather(self._taken(while_needed(read_lines(os.dup(self._file)), needed)))
        except (Problem, ValueError) as error:
            self.fault = self.fault or str(error)
        self.deviations = dict(sorted(_deviations(self.facts).items()))
        self.stages = tuple(self._stages())

    def close(self) -> None:
        """Let the file go. Closing twice is fine."""
        if self._file >= 0:
            os.close(self._file)
        self._file = -1

    def record(self, seq: int) -> Record:
        """One record. Raises Changed if the file is not as it was when it was wound, OSError if it cannot be read."""
        begin, end = self._offsets[seq], self._offsets[seq + 1]
        try:
            return Chain(seq, begin).take(os.pread(self._file, end - begin, begin))
        except BadRecord as bad:
            raise Changed(f"Record {seq} is no longer what it was when it was opened: {bad.fault.what}") from None

    def records(self, first: int, end: int) -> Iterator[Record]:
        """The records from one up to another, without that."""
        return map(self.record, range(first, min(end, len(self))))

    def at(self, seq: int) -> int:
        """When it was written, in microseconds from the first record on; never less than those before it."""
        return self._times[seq]

    def view(self, seq: int, near: RunView | None = None) -> RunView:
        """The session after that record; as a fold from `near`, if that is nearer than what is kept."""
        start = max((kept for kept in self._views if kept <= seq), default=-1)
        view = self._views.get(start, RunView())
        if near is not None and start < near.seq <= seq:
            view = near
        for record in self.records(view.seq + 1, seq + 1):
            view = _after(view, record)
        return view

    @property
    def told(self) -> Sequence[int]:
        """The records that are neither output nor progress."""
        return self._told

    def _taken(self, lines: Iterable[bytes]) -> Iterator[Record]:
        chain, view, last, began = Chain(), RunView(), 0, ""
        for line in lines:
            if not whole(line):
                return
            try:
                record = chain.take(line)
            except BadRecord as bad:
                self.fault = f"record {bad.fault.seq} does not hold: {bad.fault.what}"
                return
            began = began or record.at
            last = max(last, between(began, record.at))
            self._times.append(last)
            self._offsets.append(chain.offset)
            if record.event.kind not in ("step_output", "step_progress"):
                self._told.append(record.seq)
            view = _after(view, record)
            self._keep(view)
            if isinstance(record.event, e.PhaseOpened):
                self._opened.append((record.seq, record.event.phase, record.at))
            yield record

    def _keep(self, view: RunView) -> None:
        """Keep a view now and then; the longer the journal, the fewer."""
        if view.seq % self._every == 0:
            self._views[view.seq] = view
        if len(self._views) > MOST_VIEWS:
            self._every *= 2
            self._views = {seq: kept for seq, kept in self._views.items() if seq % self._every == 0}

    def _stages(self) -> Iterator[Stage]:
        facts = self.facts
        if facts.opened is None or facts.last is None:
            return
        begun: list[tuple[int, PhaseName, str]] = [(0, "opening", facts.opened.at), *self._opened]
        for number, (first, name, at) in enumerate(begun):
            following = begun[number + 1] if number + 1 < len(begun) else None
            until = following[2] if following else facts.last.at
            end = following[0] if following else len(self)
            gos = [r.seq for r, _ in facts.decided("go") if first <= r.seq < end]
            no_gos = tuple(r.seq for r, _ in facts.decided("no_go") if first <= r.seq < end)
            yield Stage(name, first, at, max(0, between(at, until)), gos[-1] if gos else None, no_gos)


def reel_of(folder: Path) -> tuple[Reel | None, str]:
    """The reel of a session's journal, yet to be wound; or why there is none."""
    try:
        return Reel(folder / NAME), ""
    except Problem as problem:
        return None, problem.what


def _after(view: RunView, record: Record) -> RunView:
    return advance(view, record.seq, record.at, record.event, record.hash)


def _deviations(facts: Facts) -> dict[int, list[str]]:
    """Which records were not as the runbook has it, and why."""
    found: dict[int, list[str]] = {}
    for words, deviation in facts.deviations.items():
        for seq in deviation.seqs:
            found.setdefault(seq, []).append(words)
    for record, _ in facts.decided("no_go"):
        found.setdefault(record.seq, []).append("NO-GO was called")
    for record, _ in facts.waivers:
        found.setdefault(record.seq, []).append("something was waived")
    for record, _ in facts.not_applicable.values():
        found.setdefault(record.seq, []).append("an item was called not applicable")
    return found
