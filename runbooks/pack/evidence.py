"""What an auditor asks for, gathered from the records in one look."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from runbooks.journal.records import Record
from runbooks.report.facts import Facts, gather
from runbooks.session import events as e
from runbooks.session.calls import CALL


@dataclass
class Did:
    """One attempt of a step: in which phase, begun by which record, and how it ended, if that is known."""

    phase: str
    seq: int
    started: e.StepStarted
    at: str
    ended: tuple[int, e.StepEnded] | None = None


@dataclass
class ScriptRun:
    """A script that was sent to the target by gonogo itself: its SHA-256, and the records of its start and its end."""

    name: str
    sha256: str
    seq: int
    ended: int | None = None


@dataclass
class Evidence:
    """The facts of a session, and what its summary does not tell. Numbers are those of the records."""

    facts: Facts
    steps: list[Did] = field(default_factory=list)
    scripts: list[ScriptRun] = field(default_factory=list)
    kept: list[tuple[int, e.ArtefactKept, str]] = field(default_factory=list)
    """Each with the kind of the step that kept it."""
    torn: list[tuple[int, e.JournalRepaired]] = field(default_factory=list)
    ticks: dict[str, tuple[int, str, e.ItemTicked]] = field(default_factory=dict)
    """Those that stand, by item, each with its phase."""
    reviews: list[tuple[int, e.ScriptReviewed]] = field(default_factory=list)
    pens: list[tuple[int, e.PenTaken]] = field(default_factory=list)
    resumed: list[tuple[int, e.SessionResumed]] = field(default_factory=list)

    @property
    def plan(self) -> e.PlanMade | None:
        """The last plan."""
        return self.facts.plan

    def did(self, *effects: str) -> list[Did]:
        """The attempts of steps with these effects."""
        return [one for one in self.steps if one.started.effect in effects]


def evidence(records: Iterable[Record]) -> Evidence:
    """Look at the records once. Raises Problem if there are none."""
    seen = _Seen()
    facts = gather(seen.take(record) for record in records)
    return seen.found(facts)


class _Seen:
    def __init__(self) -> None:
        self._phase = "opening"
        self._evidence = Evidence(Facts())
        self._running: dict[tuple[str, int], Did] = {}
        self._uses: dict[str, str] = {}

    def found(self, facts: Facts) -> Evidence:
        self._evidence.facts = facts
        return self._evidence

    def take(self, record: Record) -> Record:
        event, found = record.event, self._evidence
        match event:
            case e.PhaseOpened(phase=phase):
                self._phase = phase
            case e.StepStarted(step=step, attempt=attempt):
                did = Did(self._phase, record.seq, event, record.at)
                self._running[step, attempt] = did
                self._uses[step] = event.uses
                found.steps.append(did)
            case e.StepEnded(step=step, attempt=attempt):
                if (begun := self._running.get((step, attempt))) is not None:
                    begun.ended = (record.seq, event)
            case e.ArtefactKept(step=step):
                found.kept.append((record.seq, event, self._uses.get(step, "")))
            case e.ItemTicked(item=item) if not item.startswith(CALL):
                found.ticks[item] = (record.seq, self._phase, event)
            case e.ItemUnticked(item=item):
                found.ticks.pop(item, None)
            case _:
                self._beside(record)
        return record

    def _beside(self, record: Record) -> None:
        event, found = record.event, self._evidence
        match event:
            case e.ScriptReviewed():
                found.reviews.append((record.seq, event))
            case e.JournalRepaired():
                found.torn.append((record.seq, event))
            case e.StepProgress(data={"event": "ScriptStarted", "name": str(name), "checksum": str(sha256)}):
                found.scripts.append(ScriptRun(name, sha256, record.seq))
            case e.StepProgress(data={"event": "ScriptEnded", "name": str(name)}):
                for run in (run for run in found.scripts if run.name == name and run.ended is None):
                    run.ended = record.seq
            case e.PenTaken():
                found.pens.append((record.seq, event))
            case e.SessionResumed():
                found.resumed.append((record.seq, event))
            case _:
                pass
