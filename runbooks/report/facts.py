"""What a session comes down to: one look at the records, for every rendering to share."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from migrations.problem import Problem
from runbooks.anchoring.noted import noted_by
from runbooks.journal.records import ZEROS, Record
from runbooks.report.timings import Timings, between
from runbooks.report.words import many
from runbooks.session import events as e
from runbooks.session.follow_ups import Owed, owed_by
from runbooks.session.moved import MOVED, REPINNED
from runbooks.session.pairs import Opened, pairs_after
from runbooks.session.reach import Reach
from runbooks.session.runbook import Mode
from runbooks.session.touched import Touching
from runbooks.signing.record import Unsigned, said_by

ALONE: dict[Mode, str] = {
    "backup": "Unattended: the Backup phase alone, by a command; no person watched",
    "resolve": "By a command: the ledger alone; what a person typed stands below, and no screen was attached",
}


@dataclass
class Deviation:
    """Something that was not as the runbook has it: in which records, and of what (steps, items …)."""

    seqs: list[int] = field(default_factory=list)
    subjects: dict[str, None] = field(default_factory=dict)


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
    touching: Touching = field(default_factory=Touching)
    pairs: Mapping[str, Opened] = field(default_factory=dict)
    """What is open, by the step that opened it."""
    not_applicable: dict[str, tuple[Record, e.ItemTicked]] = field(default_factory=dict)
    """The items that were called so and not ticked afterwards, by their ids."""
    phases: dict[str, int] = field(default_factory=dict)
    deviations: dict[str, Deviation] = field(default_factory=dict)
    screens: list[int] = field(default_factory=list)
    headless: bool = False
    answers: list[tuple[int, e.AnswersFile]] = field(default_factory=list)
    from_file: dict[str, int] = field(default_factory=dict)
    starts: dict[tuple[str, int], int] = field(default_factory=dict)
    ends: dict[tuple[str, int], int] = field(default_factory=dict)
    reach: Reach = field(default_factory=Reach)
    timings: Timings = field(default_factory=Timings)

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
    def worst_first(self) -> list[tuple[str, Deviation]]:
        """The deviations, those that weigh most before the others."""

        def weight(found: tuple[str, Deviation]) -> int:
            return next((n for n, words in enumerate(_WORST) if found[0].startswith(words)), len(_WORST))

        return sorted(self.deviations.items(), key=weight)

    @property
    def length(self) -> int:
        """From the first record to the last, in microseconds; 0 if the clock went backwards."""
        if self.opened is None or self.last is None:
            return 0
        return max(0, between(self.opened.at, self.last.at))

    @property
    def owed(self) -> tuple[Owed, ...]:
        """What is left to be done."""
        if self.ended is None or self.last is None:
            return ()
        conditions = self.plan.conditions if self.plan else {}
        day, opening = date.fromisoformat(self.last.at[:10]), self.opening
        return owed_by(opening.runbook, conditions, self.ended.outcome, day, opening.mode)

    @property
    def protected(self) -> bool:
        """By gonogo.toml, or by the server's own mark."""
        return self.opening.protected or bool(self.plan and self.plan.protected)

    @property
    def proven(self) -> int | None:
        """The record that names the key with which the operator signed the first one, where approvals ask for that."""
        approval = self.plan.approval if self.plan else None
        return self.plan_seq if approval is not None and approval.operator_key else None

    @property
    def untouched(self) -> list[str]:
        """The altered tables that nothing has looked at, where it had come to that."""
        return self.touching.left(self.opening.runbook, self.plan) if "smoke" in self.phases else []

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
        if shrugged := self.from_file.get("not applicable"):
            numbers += f", {shrugged} not applicable"
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
    for (step, attempt), seq in facts.starts.items():
        if (step, attempt) not in facts.ends:
            _deviated(facts, "a step has no end in the journal", step, seq)
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
            facts.phases.setdefault(phase, record.seq)
        case e.StepStarted(step=step, attempt=attempt):
            facts.starts[step, attempt] = record.seq
            facts.pairs = pairs_after(facts.pairs, facts.opening.runbook, record.at, event)
        case e.StepEnded(step=step, attempt=attempt):
            facts.ends[step, attempt] = record.seq
            facts.reach = facts.reach.after_step(event.result)
            facts.pairs = pairs_after(facts.pairs, facts.opening.runbook, record.at, event)
        case e.StepProgress(data=data):
            facts.reach = facts.reach.after_record(data)
        case e.FaceAttached(sort="screen"):
            facts.screens.append(record.seq)
        case e.FaceAttached():
            facts.headless = True
        case e.Decided():
            facts.decisions.append((record, event))
        case e.Waived():
            facts.waivers.append((record, event))
        case e.ItemTicked(item=item) | e.ItemUnticked(item=item):
            facts.not_applicable.pop(item, None)
            if isinstance(event, e.ItemTicked) and event.state == "not_applicable":
                facts.not_applicable[item] = (record, event)
        case _:
            pass
    if sort := _from_file(event):
        facts.from_file[sort] = facts.from_file.get(sort, 0) + 1
    facts.timings.take(record)
    facts.touching.take(event)
    for words, subject in (*_deviations(event), *_anothers_pen(event, facts.opening.operator)):
        _deviated(facts, words, subject, record.seq)


def _deviated(facts: Facts, words: str, subject: str, seq: int) -> None:
    found = facts.deviations.setdefault(words, Deviation())
    found.seqs.append(seq)
    if subject:
        found.subjects[subject] = None


def _from_file(event: e.Event) -> str:
    match event:
        case e.ItemTicked(state="not_applicable", by=by):
            sort = "not applicable"
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


_WORST = (
    "it ran in the emergency lane",
    *("rolled back", "a step ended crashed", "a step ended failed", "a step has no end", "a step's end was not known"),
    *("a step ended", "a step's result was fail", "a step's result was unknown", "ended by hand", "a running step"),
    *(
        "the session moved",
        "the pen was",
        "a torn line",
        "a record was to be signed",
        "a head could not",
        "the project's folder",
    ),
)
"""How deviations begin that weigh more than the others, the worst first."""

_BY_HAND = {
    "roll_back": "rolled back",
    "stop": "a running step was told to stop",
    "cancel": "a running step was told to cancel",
    "end": "ended by hand",
}


def _deviations(event: e.Event) -> Iterable[tuple[str, str]]:
    """What was not as the runbook has it, and of what.

    NO-GOs, waivers and what does not apply are told by themselves.
    """
    if isinstance(event, e.SessionOpened) and event.emergency is not None:
        yield "it ran in the emergency lane, without approval", event.emergency.reason
    if isinstance(event, e.StepEnded) and MOVED in event.result:
        repinned = event.result.get(REPINNED)
        yield "the session moved to another database", str(repinned["address"]) if isinstance(repinned, dict) else ""
    match event:
        case e.SessionOpened(git=e.Git(clean=False)):
            yield "the project's folder differed from its commit", ""
        case e.PlanMade(held_back=held) if held:
            yield f"{many(len(held), 'migration')} held back", ""
        case e.StepStarted(attempt=attempt, why="start", step=step) if attempt > 1:
            yield "a step was run again", step
        case e.StepEnded(end=end, step=step) if end != "done":
            yield f"a step ended {end}", step
        case e.StepEnded(outcome="fail" | "unknown" | "warn" as outcome, step=step):
            yield f"a step's result was {outcome}", step
        case e.ItemUnticked(item=item):
            yield "a tick was taken back", item
        case e.CommandRefused(command=command):
            yield "a command was refused", command
        case e.Decided(what="roll_back" | "stop" | "cancel" | "end" as what):
            yield _BY_HAND[what], ""
        case _:
            yield from _interruptions(event)


def _anothers_pen(event: e.Event, operator: e.By) -> Iterable[tuple[str, str]]:
    """Whoever comes while nobody has the pen gets it, and takes it from nobody."""
    match event:
        case e.FaceAttached(pen=True, by=by) | e.PenTaken(from_face=None, by=by) if by.name != operator.name:
            yield "the pen was with another than the operator", by.name
        case _:
            pass


def _interruptions(event: e.Event) -> Iterable[tuple[str, str]]:
    """What befell the session itself, and its record."""
    match event:
        case e.PenTaken(from_face=str(), by=by):
            yield "the pen was taken over", by.name
        case e.SessionParked():
            yield "the session was parked", ""
        case e.SessionResumed(unknown=unknown):
            yield "the session was resumed", ""
            for step, _ in unknown:
                yield "a step's end was not known after a crash", step
        case e.JournalRepaired():
            yield "a torn line of the journal was set aside", ""
        case e.StepProgress() if isinstance(unsigned := said_by(event), Unsigned):
            yield "a record was to be signed, and was not", f"record {unsigned.record}: {unsigned.reason}"
        case e.StepProgress(step=e.WINDOW, data={"open": False, "why": str(why), "label": str(words)}) if (
            why != "opening"
        ):
            yield f"the maintenance window was not open ({why})", words
        case e.StepProgress() if (noted := noted_by(event)) is not None and noted.missed:
            yield "a head could not be noted everywhere", f"record {noted.record}: {noted.missed}"
        case _:
            pass
