"""A runbook as data: six phases, each with prose, steps and a checklist; rollback options beside them."""

from collections.abc import Iterator
from typing import Literal, get_args

from pydantic import JsonValue

from runbooks.session.frozen import Frozen
from runbooks.session.series import Series

PhaseName = Literal["opening", "backup", "preflight", "migrate", "verify", "deploy", "smoke", "rollback"]
PHASES: tuple[PhaseName, ...] = ("backup", "preflight", "migrate", "verify", "deploy", "smoke")

Mode = Literal["walk", "backup", "resolve"]
"""`walk` goes through all phases; the others have one alone, and end by themselves."""
ALONE: dict[Mode, PhaseName] = {"backup": "backup", "resolve": "migrate"}

Condition = Literal["destructive", "rewrite", "blocking", "backfill", "protected", "first_run"]
CONDITIONS: tuple[Condition, ...] = (
    "destructive",
    "rewrite",
    "blocking",
    "backfill",
    "protected",
    "first_run",
)

BACKFILL: Condition = "backfill"
"""Also what the id of a step is, or begins with, that fills in rows."""

Way = Literal["forward", "application", "script", "restore", "point-in-time"]
"""What kind of a way back it is; the order depends on what was applied: see runbooks.session.ways_back."""
WAYS: tuple[Way, ...] = get_args(Way)

Effect = Literal["reads", "target", "outside"]
"""`reads` changes nothing; `target` changes the database; `outside` changes something else."""

BACKUPS = ("backup.dump", "backup.read", "backup.proof")
"""Steps that say when a backup was taken, and until when it is good."""


class Step(Frozen):
    """One thing that runs. `uses` names the built-in (`backup.dump`); a shell block is `shell`.

    `shows` is what is put before the operator ahead of `start`: the command, or the parameters in words.
    `touches` are the tables that it looks at. `see` is a document to read beside it, here and in items and options.
    `undo` is the step that undoes this one: until that has run, a session does not end without a reason.
    """

    id: str
    title: str
    uses: str
    effect: Effect
    params: dict[str, JsonValue] = {}
    required: bool = False
    when: Condition | None = None
    shows: str = ""
    see: str = ""
    undo: str = ""
    touches: tuple[str, ...] = ()
    line: int = 0

    @property
    def backfills(self) -> bool:
        """Whether it fills in rows, as its id says: gonogo cannot see what the team's own commands do."""
        return self.id == BACKFILL or self.id.startswith(f"{BACKFILL}-")


About = Literal["performance", "downtime", "loss"]
"""What an item asks a person to judge; gonogo puts beside it what it found of that."""
ABOUT: tuple[About, ...] = get_args(About)


class Item(Frozen):
    """One thing that a person confirms. `evidence` is the label of what to write beside the tick, if asked for.

    `first`: before any step of its section that changes something.
    `proved_by` is the step that ticks it in a person's place, for as long as its result is green. `facts` is what it
    is about, where what was found of that stands beside the question.
    """

    id: str
    text: str
    evidence: str | None = None
    see: str = ""
    proved_by: str = ""
    touches: tuple[str, ...] = ()
    facts: About | None = None
    required: bool = False
    first: bool = False
    when: Condition | None = None
    line: int = 0


class Section(Frozen):
    """Prose, steps and a checklist: what a phase and a rollback option have in common."""

    title: str
    prose: str = ""
    steps: tuple[Step, ...] = ()
    items: tuple[Item, ...] = ()


class Phase(Section):
    """One of the six phases."""

    name: PhaseName


class Option(Section):
    """One way back. `costs` and `loses` are the document's own words; `until` names the last phase it serves in.

    `read_by`: who must have read it before it changes anything. `application`: whether the app goes back before or
    after the database, and why.
    """

    id: str
    way: Way | None = None
    costs: str = ""
    loses: str = ""
    until: PhaseName | None = None
    read_by: str = ""
    see: str = ""
    application: str = ""

    def is_over(self, phase: PhaseName | None) -> bool:
        """Whether it does not serve any more in this phase."""
        if self.until is None or phase not in PHASES or self.until not in PHASES:
            return False
        return PHASES.index(phase) > PHASES.index(self.until)


class Advice(Frozen):
    """A row of the Troubleshooting table: when a step's error contains `see`, show `do`."""

    see: str
    do: str


class FollowUp(Frozen):
    """Something to be done after a session that ended with GO. `due` is as written: a day, `+30d`, `next release`."""

    id: str
    text: str
    owner: str
    due: str
    when: Condition | None = None
    line: int = 0


class Document(Frozen):
    """Another document that the runbook points to, by its path in the project; which line does so first.

    `sha256` and `size` (bytes) are of what the session keeps of it, once there is one.
    """

    path: str
    line: int = 0
    sha256: str = ""
    size: int = 0


class Contact(Frozen):
    """Somebody to call: who, and how. `wait`: microseconds until the next one is called."""

    who: str
    how: str
    wait: int = 0


class Runbook(Frozen):
    """The whole document. `sha256` is of its bytes.

    `prose` is what stands before the first phase, `rollback` what stands before the options.
    """

    name: str
    owner: str = ""
    reviewed: str = ""
    review_every: str = ""
    sha256: str = ""
    prose: str = ""
    phases: tuple[Phase, ...]
    rollback: str = ""
    options: tuple[Option, ...] = ()
    troubleshooting: tuple[Advice, ...] = ()
    contacts: str = ""
    people: tuple[Contact, ...] = ()
    documents: tuple[Document, ...] = ()
    follow_ups: tuple[FollowUp, ...] = ()
    series: Series | None = None

    def sections(self) -> Iterator[Section]:
        """Every phase in order, then every rollback option."""
        yield from self.phases
        yield from self.options

    def steps(self) -> Iterator[Step]:
        """Every step, in the document's order."""
        return (step for section in self.sections() for step in section.steps)

    def step(self, id: str) -> Step | None:
        """A step by its id."""
        return next((step for step in self.steps() if step.id == id), None)
