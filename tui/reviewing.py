"""What is gone through in a review: the scripts of a plan, their findings in order, and where one stands."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter

from runbooks.report.plan_words import coverage_words
from runbooks.session.events import Applied, Finding, PlanMade, Script

_RANK = {"stop": 0, "warn": 1, "note": 2}


@dataclass(frozen=True, slots=True)
class Place:
    """An entry by its id; a statement of it, or none where none is stood on; one of the script's findings, or none."""

    entry: str
    statement: int | None = None
    finding: int | None = None


@dataclass(frozen=True)
class Entry:
    """One script: pending, with what the rules say of it, or applied already."""

    id: str
    migration: str
    sha256: str
    script: Script | None = None
    applied: Applied | None = None

    @property
    def count(self) -> int:
        """How many statements it has, as far as they are known."""
        return len(self.script.statements) if self.script else 0

    def spans(self) -> Iterator[tuple[int, int]]:
        """Where its statements are."""
        return ((s.start, s.end) for s in self.script.statements) if self.script else iter(())

    @cached_property
    def order(self) -> tuple[int, ...]:
        """Its findings by statement, the worst of each first; last, what speaks of no statement."""
        if self.script is None:
            return ()
        found = self.script.findings
        return tuple(sorted(range(len(found)), key=lambda n: (self._statement(found[n]), *badness(found[n]))))

    @cached_property
    def unread(self) -> tuple[int, ...]:
        """The statements that could not be analysed."""
        analysed = list(map(attrgetter("analysed"), self.script.statements)) if self.script else []
        return () if all(analysed) else tuple(n for n, is_analysed in enumerate(analysed) if not is_analysed)

    @cached_property
    def coverage(self) -> str:
        """How much of it could be analysed, and where the rest is."""
        lines = [f"line {self.script.statements[n].line}" for n in self.unread] if self.script else []
        return coverage_words(self.count, lines)

    @cached_property
    def allowed(self) -> tuple[int, ...]:
        """The findings that it allows itself."""
        return tuple(n for n in self.order if self.script and self.script.findings[n].allowed)

    @cached_property
    def spoken_of(self) -> tuple[int, ...]:
        """The statements of which a rule speaks, or none can."""
        found = {self._statement_of(finding) for finding in self.order} - {self.count}
        return tuple(sorted(found.union(self.unread)))

    @cached_property
    def worst(self) -> Finding | None:
        """The finding to speak of, where there is room for one."""
        return min(self.script.findings, key=badness, default=None) if self.script else None

    def findings(self, statement: int | None) -> tuple[int, ...]:
        """What is said of a statement, or of none, the worst first."""
        at = self.count if statement is None else statement
        begin, end = (bisect_left(self.order, n, key=self._statement_of) for n in (at, at + 1))
        return self.order[begin:end]

    def after(self, place: Place, by: int) -> int | None:
        """The finding after a place of this script, or before it; None if it was the last one."""
        here = self.count if place.statement is None else place.statement
        if place.finding is not None:
            number = self.order.index(place.finding) + by
        else:
            number = bisect_left(self.order, here, key=self._statement_of) - (by < 0)
        return self.order[number] if 0 <= number < len(self.order) else None

    def place(self, finding: int) -> Place:
        """Where a finding is."""
        statement = self._statement_of(finding)
        return Place(self.id, statement if statement < self.count else None, finding)

    def _statement_of(self, finding: int) -> int:
        return self._statement(self.script.findings[finding]) if self.script else 0

    def _statement(self, finding: Finding) -> int:
        return finding.statement if 0 <= finding.statement < self.count else self.count


def badness(finding: Finding) -> tuple[bool, bool, int, int]:
    """The worst is the least: what loses data, what the script does not allow itself, then by severity."""
    return not finding.loses_data, bool(finding.allowed), _RANK[finding.severity], finding.line


def pending(scripts: Sequence[Script]) -> tuple[Entry, ...]:
    """The scripts that are to be reviewed, in the order in which they would be run."""
    return tuple(Entry(f"p{n}", s.migration, s.sha256, script=s) for n, s in enumerate(scripts))


def applied(plan: PlanMade | None) -> tuple[Entry, ...]:
    """What is applied already, the newest first."""
    done = reversed(plan.applied) if plan else ()
    return tuple(Entry(f"a{n}", a.migration, a.sha256, applied=a) for n, a in enumerate(done))


def next_finding(entries: Sequence[Entry], place: Place, by: int) -> Place | None:
    """The finding after a place, or before it, in whatever script it is; from the last one, the first."""
    at = next((n for n, entry in enumerate(entries) if entry.id == place.entry), None)
    if at is not None and (found := entries[at].after(place, by)) is not None:
        return entries[at].place(found)
    begin = (at + by) if at is not None else 0
    others = (entries[(begin + by * n) % len(entries)] for n in range(len(entries)))
    other = next((entry for entry in others if entry.order), None)
    return other.place(other.order[0 if by > 0 else -1]) if other else None


def number_of(entries: Sequence[Entry], place: Place) -> tuple[int, int]:
    """Which finding a place is, from 1, and of how many; 0 if it is none."""
    total = sum(len(entry.order) for entry in entries)
    before = 0
    for entry in entries:
        if entry.id == place.entry and place.finding is not None:
            return before + entry.order.index(place.finding) + 1, total
        before += len(entry.order)
    return 0, total
