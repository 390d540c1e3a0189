"""A session as the engine would record it, with every kind of event; and a clock that can be set."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runbooks.journal import NAME, Journal
from runbooks.session import events as e
from runbooks.session.runbook import PHASES, Advice, Item, Option, Phase, Runbook, Step

SHA = "ab" * 32
ANA = e.By(name="ana@example.org", os_user="ana", host="bastion-1", ssh="198.51.100.7 50022")
FILE = ANA.model_copy(update={"how": "answers"})


class Clock:
    """Starts at a known moment and goes on by a second a call."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 31, 2, 3, 4, 123456, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def book_of(*options: Option, **parts: Sequence[Step | Item]) -> Runbook:
    """Six phases, these steps and items in them, and ways back: `book_of(back, backup=(dump, offsite))`."""
    phases = tuple(
        Phase(
            name=name,
            title=name.capitalize(),
            steps=tuple(part for part in parts.get(name, ()) if isinstance(part, Step)),
            items=tuple(part for part in parts.get(name, ()) if isinstance(part, Item)),
        )
        for name in PHASES
    )
    return Runbook(name="test", phases=phases, options=options)


def outside(**uses: str) -> tuple[Step, ...]:
    """Steps whose effects are outside the target: `outside(dump="backup.dump")`."""
    return tuple(Step(id=id, title=id, uses=kind, effect="outside") for id, kind in uses.items())


def book() -> Runbook:
    """Six phases; Backup has a step and an item, Migrate a step; one way back."""
    dump = Step(id="dump", title="Dump the database", uses="backup.dump", effect="outside", required=True)
    apply = Step(id="apply", title="Apply the migrations", uses="migrate.apply", effect="target")
    item = Item(id="offsite", text="The dump is stored elsewhere", evidence="where")
    restore = Option(id="restore", title="Restore from the backup", costs="20 min", loses="rows written since")
    advice = Advice(see="lock timeout", do="try again later")
    told = {"name": "production", "sha256": SHA, "troubleshooting": (advice,)}
    return book_of(restore, backup=(dump, item), migrate=(apply,)).model_copy(update=told)


def opening(**over: object) -> e.SessionOpened:
    """The first event of a session."""
    values: dict[str, object] = {
        "gonogo": "0.1.0",
        "session": "20260131T020304Z-production-7f3a",
        "environment": "production",
        "protected": True,
        "project": "/srv/shop/gonogo.toml",
        "project_sha256": SHA,
        "runbook": book(),
        "git": e.Git(commit="c0ffee" + "0" * 34, clean=True),
        "operator": ANA,
        "ticket": "CHG-4821",
    }
    return e.SessionOpened.model_validate(values | over)


def the_plan() -> e.PlanMade:
    """One pending script with a finding."""
    finding = e.Finding(
        rule="drop-column",
        severity="stop",
        statement=0,
        line=1,
        message="loses data",
        loses_data=True,
        lock="ACCESS EXCLUSIVE",
        allowed="nothing reads it since March",
        live=True,
    )
    touch = e.Touch(
        relation="orders", lock="ACCESS EXCLUSIVE", blocks="reads and writes", work="rewrite", least=200, most=4_200_000
    )
    script = e.Script(
        migration="20260301_drop",
        sha256=SHA,
        size=40,
        model="transaction",
        statements=(
            e.Statement(line=1, start=0, end=39, summary='drop column "legacy_code" of orders', touches=(touch,)),
            e.Statement(line=2, start=40, end=49, summary="run f()", analysed=False, why_not="f is not looked into"),
        ),
        findings=(finding,),
        verify=e.Verify(
            sha256=SHA,
            claims=(e.Claim(line=1, text="SELECT count(*) = 0\nFROM orders | ok"),),
            more=1,
            wrong=("line 9: it locks rows",),
        ),
        rollback=e.Rollback(
            script=e.Script(
                migration="20260301_drop/rollback.sql",
                sha256="cd" * 32,
                size=20,
                model="transaction",
                statements=(e.Statement(line=1, start=0, end=19, summary="add column legacy_code"),),
            ),
            text="# How\nCopy `legacy_code` back | from the dump.",
            text_sha256="ef" * 32,
            wrong=("rollback.sql: it was torn",),
        ),
    )
    target = e.Target(
        address="orders@db-1.prod:5432",
        system_identifier="7330000000000000001",
        database="orders",
        oid="16384",
        in_recovery=False,
        postmaster_start="2026-01-01T00:00:00Z",
        timeline="00000001",
        server_version="15.8",
    )
    return e.PlanMade(
        hash=SHA,
        target=target,
        protected=True,
        scripts=(script,),
        conditions={"destructive": ("drop-column",)},
        tables=(e.Table(name="orders", rows=41_000_000, bytes=5_000_000_000, words=("3 indexes", "5 triggers")),),
        unread=("it was busy",),
    )


def walk() -> list[e.Event]:
    """A session with every kind of event in it, from its opening to its end."""
    check = e.Check(id="size", title="Size", outcome="warn", evidence="small | odd", advice="look")
    return [
        opening(),
        e.FaceAttached(face="f1", sort="screen", pen=True, by=ANA),
        the_plan(),
        e.PhaseOpened(phase="backup"),
        e.StepStarted(step="dump", attempt=1, title="Dump", uses="backup.dump", effect="outside", why="start", by=ANA),
        e.StepOutput(step="dump", attempt=1, stream="out", text="dumping é\x1b[2J\U0001f600\n```\n<b>&"),
        e.StepProgress(step="dump", attempt=1, data={"done": 1, "total": 2, "ﬀ": None, "\U0001f600": [True]}),
        e.QuestionAsked(question="q1", step="dump", attempt=1, text="Which?", choices=("a", "b")),
        e.QuestionAnswered(question="q1", answer="a", by=ANA),
        e.ArtefactKept(step="dump", attempt=1, name="dump", path="/dumps/x.dump", sha256=SHA, size=9),
        e.StepEnded(step="dump", attempt=1, end="done", outcome="warn", checks=(check,), result={"n": 1}, took=1500000),
        e.Waived(subject="dump/size", outcome="warn", reason="known", by=ANA),
        e.ItemTicked(item="offsite", state="done", evidence="vault", by=ANA),
        e.ItemUnticked(item="offsite", by=ANA),
        e.ItemTicked(item="offsite", state="not_applicable", reason="a rehearsal", by=ANA),
        e.ScriptReviewed(migration="20260301_drop", sha256=SHA, by=ANA),
        e.Decided(what="no_go", phase="backup", reason="wait for the batch", by=ANA),
        e.CommandRefused(command="start", subject="apply", reason="not open", by=ANA),
        e.FaceDetached(face="f1"),
        e.SessionParked(reason="nobody looked"),
        e.SessionResumed(gonogo="0.1.0", host="bastion-1", pid=42, by=ANA, unknown=(("apply", 1),)),
        e.JournalRepaired(file="journal.torn-1", size=3, sha256=SHA),
        e.PenTaken(face="f2", from_face="f1", reason="shift over", by=ANA),
        e.Decided(what="go", phase="backup", plan=SHA, by=ANA),
        e.SessionEnded(outcome="no_go", exit_code=1, reason="postponed"),
    ]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def events() -> list[e.Event]:
    return walk()


Write = Callable[[Sequence[e.Event]], Path]


@pytest.fixture
def write(tmp_path: Path, clock: Clock) -> Write:
    """Writes a session into a folder of its own and returns the folder."""
    made = 0

    def write(events: Sequence[e.Event]) -> Path:
        nonlocal made
        made += 1
        journal = Journal.create(tmp_path / f"session-{made}", clock)
        for event in events:
            journal.append(event, sync=False)
        journal.close()
        assert (journal.folder / NAME).is_file()
        return journal.folder

    return write
