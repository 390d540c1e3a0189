"""What a session comes down to: one look at the records, for every rendering to share."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from migrations.problem import Problem
from runbooks import events as e
from runbooks.journal.records import ZEROS, Record
from runbooks.report.words import many
from runbooks.runbook import Mode

ALONE: dict[Mode, str] = {
    "backup": "Unattended: the Backup phase alone, by a command; no person watched",
    "resolve": "By a command: the ledger alone; what a person typed stands below, and no screen was attached",
}


@dataclass
class Facts:
    """The summary of a session. Numbers are those of the records that say so."""

    opened: Record | None = None
    last: Record | None = None
    ended: e.SessionEnded | None = None
    plan: e.PlanMade | None = None
    plan_seq: int = 0
    decisions: list[tuple[Record, e.Decided]] = field(default_factory=list)
    waivers: list[tuple[Record, e.Waived]] = field(default_factory=list)
    phases: list[str] = field(default_factory=list)
    deviations: dict[str, list[int]] = field(default_factory=dict)
    screens: list[int] = field(default_factory=list)
    headless: bool = False
    answers: list[tuple[int, e.AnswersFile]] = field(default_factory=list)
    from_file: dict[str, int] = field(default_factory=dict)

    @property
    def opening(self) -> e.SessionOpened:
        """The first event. Raises ValueError if there was none."""
        if self.opened is None or not isinstance(self.opened.event, e.SessionOpened):
            raise ValueError("these records do not begin with session_opened")
        return self.opened.event

    @property
    def head(self) -> str:
        """The hash of the last record."""
        return self.last.hash if self.last else ZEROS

    @property
    def length(self) -> int:
        """From the first record to the last, in microseconds; 0 if the clock went backwards."""
        if self.opened is None or self.last is None:
            return 0
        span = datetime.fromisoformat(self.last.at) - datetime.fromisoformat(self.opened.at)
        return max(0, span.days * 86_400_000_000 + span.seconds * 1_000_000 + span.microseconds)

    @property
    def protected(self) -> bool:
        """By gonogo.toml, or by the server's own mark."""
        return self.opening.protected or bool(self.plan and self.plan.protected)

    def decided(self, *what: str) -> list[tuple[Record, e.Decided]]:
        """The decisions of these sorts, in order."""
        return [(record, event) for record, event in self.decisions if event.what in what]

    @property
    def unattended(self) -> str:
        """The line that a session opens with where no person held the pen, at times or all the time; else empty."""
        if not self.headless and (self.screens or not self.answers):
            return ""
        if self.opening.mode in ALONE:
            return ALONE[self.opening.mode]
        numbers = ", ".join(
            many(self.from_file.get(kind, 0), one, more)
            for kind, one, more in (("tick", "tick", ""), ("review", "review", ""), ("waiver", "waiver", ""))
        )
        watched = "a screen was attached at times" if self.screens else "no person watched"
        files = " and ".join(dict.fromkeys(given.file for _, given in self.answers))
        unnamed = "a file that no record names" if self.from_file else "no file"
        return f"Unattended: {numbers}, {self.from_file.get('go', 0)} GO from {files or unnamed}; {watched}"


def gather(records: Iterable[Record]) -> Facts:
    """The facts of a session. Raises Problem if there are no records, ValueError if the first is no session_opened."""
    facts = Facts()
    for record in records:
        if facts.opened is None:
            facts.opened = record
        facts.last = record
        _take(facts, record)
    if facts.opened is None:
        raise Problem("This journal holds no record.", advice="Its session ended before it had begun.")
    facts.opening  # noqa: B018
    return facts


def _take(facts: Facts, record: Record) -> None:
    event = record.event
    if isinstance(event, e.SessionOpened | e.SessionResumed | e.FaceAttached) and event.answers is not None:
        facts.answers.append((record.seq, event.answers))
    match event:
        case e.SessionEnded():
            facts.ended = event
        case e.PlanMade():
            facts.plan, facts.plan_seq = event, record.seq
        case e.PhaseOpened(phase=phase):
            facts.phases.append(phase)
        case e.FaceAttached(sort="screen"):
            facts.screens.append(record.seq)
        case e.FaceAttached():
            facts.headless = True
        case e.Decided():
            facts.decisions.append((record, event))
        case e.Waived():
            facts.waivers.append((record, event))
        case _:
            pass
    if sort := _from_file(event):
        facts.from_file[sort] = facts.from_file.get(sort, 0) + 1
    for words in _deviations(event):
        facts.deviations.setdefault(words, []).append(record.seq)


def _from_file(event: e.Event) -> str:
    match event:
        case e.ItemTicked(by=by):
            sort = "tick"
        case e.ScriptReviewed(by=by):
            sort = "review"
        case e.Waived(by=by):
            sort = "waiver"
        case e.Decided(what="go", by=by):
            sort = "go"
        case _:
            return ""
    return sort if by.how == "answers" else ""


def _deviations(event: e.Event) -> Iterable[str]:
    """What was not as the runbook has it. NO-GOs and waivers are told by themselves."""
    match event:
        case e.SessionOpened(git=e.Git(clean=False)):
            yield "the project's folder differed from its commit"
        case e.PlanMade(held_back=held) if held:
            yield f"{many(len(held), 'migration')} held back"
        case e.StepStarted(attempt=attempt, why="start") if attempt > 1:
            yield "a step was run again"
        case e.StepEnded(end=end) if end != "done":
            yield f"a step ended {end}"
        case e.StepEnded(outcome="fail" | "unknown" as outcome):
            yield f"a step's result was {outcome}"
        case e.ItemTicked(state="not_applicable"):
            yield "an item was called not applicable"
        case e.ItemUnticked():
            yield "a tick was taken back"
        case e.CommandRefused():
            yield "a command was refused"
        case e.Decided(what="roll_back" | "stop" | "cancel" | "end" as what):
            yield {"roll_back": "rolled back", "end": "ended by hand"}.get(what, f"a running step was told to {what}")
        case e.PenTaken(from_face=str()):
            yield "the pen was taken over"
        case e.SessionParked():
            yield "the session was parked"
        case e.SessionResumed(unknown=unknown):
            yield "the session was resumed"
            if unknown:
                yield "a step's end was not known after a crash"
        case e.JournalRepaired():
            yield "a torn line of the journal was set aside"
        case _:
            pass
