"""A running step's Context over a real database, in memory: `from tests.runbooks.steps_context import StepContext`.

`await ctx.run("backup.dump", format="custom")` runs a built-in step as the engine would, and returns its result.
"""

import hashlib
import os
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import psycopg
from pydantic import JsonValue

from migrations.hashing import fingerprint_file
from migrations.problem import Misuse
from migrations.target import Pinned
from migrations.target.connecting import told
from migrations.target.url import Url
from runbooks.journal.artefacts import write_private
from runbooks.redact import Redactor
from runbooks.session import events as e
from runbooks.session.gates import worst
from runbooks.session.runbook import Condition, Runbook, Step
from runbooks.session.view import RunView, fold
from runbooks.settings.project import Environment, Project
from runbooks.steps import catalogue
from runbooks.steps.base import Purpose
from tests.runbooks.conftest import book_of

SHA = "ab" * 32
BY = e.By(name="ana@example.org", os_user="ana", host="bastion-1")
TARGET = e.Target(
    address="shop@localhost:5432",
    system_identifier="7330000000000000001",
    database="shop",
    oid="16384",
    in_recovery=False,
    postmaster_start="2026-01-01T00:00:00Z",
    timeline="00000001",
    server_version="18.6",
)
SESSION = "20260131T020304Z-staging-7f3a"


class StepContext:
    """Implements `runbooks.steps.base.Context`. `answers` are by question, `environ` is what programs get."""

    def __init__(
        self,
        url: str,
        folder: Path,
        *,
        answers: Mapping[str, str] | None = None,
        environ: Mapping[str, str] | None = None,
        runbook: Runbook | None = None,
        migrations: Path | None = None,
    ) -> None:
        self.session = SESSION
        self.folder = folder / "session"
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self.environment = Environment(name="staging")
        self.project = Project(
            name="shop",
            folder=folder,
            sha256=SHA,
            migrations=migrations or folder / "migrations",
            environments={"staging": self.environment},
        )
        self.target = Pinned(Url.parse(url, variable="DATABASE_URL"))
        self.step = Step(id="step", title="Step", uses="step", effect="reads")
        self.attempt = 1
        self.at = "2026-01-31T02:03:04.000000Z"
        self.stop_asked = False
        self.answers = dict(answers or {})
        self.checks: list[e.Check] = []
        self.said: list[tuple[str, str]] = []
        self.progressed: list[dict[str, JsonValue]] = []
        self.recorded: list[tuple[str, dict[str, JsonValue]]] = []
        self.kept: list[e.ArtefactKept] = []
        self.asked: list[str] = []
        self.captured: dict[str, tuple[str, bool]] = {}
        self.cleaned_by = set[int]()
        self.events: list[e.Event] = [_opened(runbook or book_of())]
        self._environ = dict(environ) if environ is not None else {"PATH": os.environ["PATH"], "DATABASE_URL": url}

    async def run(self, uses: str, id: str | None = None, when: Condition | None = None, **params: Any) -> Any:
        """Run a built-in step as a new attempt. `checks`, `said` and `progressed` are then this attempt's alone."""
        kind = catalogue()[uses]
        texts = {key: value for key, value in params.items() if isinstance(value, str)}
        effect, name = kind.effect_with(params), id or uses.replace(".", "-")
        self.step = Step(id=name, title=kind.title, uses=uses, effect=effect, params=texts, when=when)
        self.attempt = self.view.step(self.step.id).attempt + 1
        self.checks, self.said, self.progressed = [], [], []
        self.events.append(
            e.StepStarted(
                step=self.step.id, attempt=self.attempt, title=kind.title, uses=uses, effect=kind.effect, why="start"
            )
        )
        result = await kind.run(self, kind.params.model_validate(params))
        self.finish(self.step.id, result.model_dump(mode="json"))
        return result

    def finish(self, step: str, result: Mapping[str, JsonValue]) -> None:
        """Let a step have ended with this result."""
        self.events.append(
            e.StepEnded(step=step, attempt=self.attempt, end="done", outcome=self.outcome, result=dict(result))
        )

    def plan(self, *scripts: str, verify: Mapping[int, str] | None = None) -> None:
        """Let these be the pending scripts of the session, `m0`, `m1` and so on; their bytes are in its folder.

        `verify`: the verify.sql beside them, by number.
        """
        folder = self.folder / "scripts"
        folder.mkdir(exist_ok=True)
        found = []
        for number, text in enumerate(scripts):
            sha256 = hashlib.sha256(text.encode()).hexdigest()
            write_private(folder / f"{sha256}.sql", text.encode())
            beside = None
            if claims := (verify or {}).get(number):
                beside = e.Verify(sha256=hashlib.sha256(claims.encode()).hexdigest())
                write_private(folder / f"{beside.sha256}.sql", claims.encode())
            script = e.Script(migration=f"m{number}", sha256=sha256, size=len(text), model="transaction", statements=())
            found.append(script.model_copy(update={"verify": beside}))
        self.events.append(e.PlanMade(hash=SHA, target=TARGET, protected=False, scripts=tuple(found)))

    @property
    def outcome(self) -> e.Outcome:
        """The worst of the checks of the latest attempt."""
        return worst([check.outcome for check in self.checks])

    @property
    def outcomes(self) -> dict[str, str]:
        """Outcomes by check."""
        return {check.id: check.outcome for check in self.checks}

    def found(self, id: str) -> e.Check:
        """One check of the latest attempt."""
        return next(check for check in self.checks if check.id == id)

    def text(self, stream: str = "out") -> str:
        """All that the latest attempt said on a stream."""
        return "".join(text for name, text in self.said if name == stream)

    @property
    def view(self) -> RunView:
        return fold((seq, self.at, event) for seq, event in enumerate(self.events))

    @property
    def application_name(self) -> str:
        return f"gonogo {self.session} {BY.name}@{BY.host}"[:63]

    def check(self, id: str, title: str, outcome: e.Outcome, evidence: str = "", advice: str = "") -> None:
        self.checks.append(e.Check(id=id, title=title, outcome=outcome, evidence=evidence, advice=advice))

    async def output(self, text: str, stream: Literal["out", "err", "note"] = "out") -> None:
        self.said.append((stream, text))

    async def progress(self, **data: JsonValue) -> None:
        self.progressed.append(data)

    async def record(self, **data: JsonValue) -> None:
        self.recorded.append((self.step.id, data))

    async def ask(self, question: str, text: str, *, exact: str | None = None, choices: Sequence[str] = ()) -> str:
        self.asked.append(text)
        answer = self.answers.get("*") or self.answers[question]
        assert exact is None or answer == exact, f"{question} takes only {exact!r}"
        assert not choices or answer in choices, f"{question} takes one of {choices}"
        return answer

    def capture(self, name: str, value: str, *, secret: bool) -> None:
        self.captured[name] = (value, secret)

    def clean(self, text: str) -> str:
        self.cleaned_by.add(threading.get_ident())
        return Redactor({"TOKEN": "hunter2-hunter2"}).text(text)

    async def keep(self, name: str, path: Path) -> e.ArtefactKept:
        sha256, size = fingerprint_file(path)
        where = path.relative_to(self.folder) if path.is_relative_to(self.folder) else path
        kept = e.ArtefactKept(
            step=self.step.id, attempt=self.attempt, name=name, path=str(where), sha256=sha256, size=size
        )
        self.kept.append(kept)
        self.events.append(kept)
        return kept

    def artefact(self, name: str) -> Path:
        folder = self.folder / "artefacts"
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder / f"{len(self.events):06d}-{self.step.id}-{name}"

    def result(self, step: str) -> Mapping[str, JsonValue]:
        return self.view.step(step).result

    def child_environment(self) -> dict[str, str]:
        return dict(self._environ)

    def beside(self, environment: str) -> Pinned:
        other = self.project.environment(environment)
        if other.url not in self._environ:
            raise Misuse(f"{other.url} is not set.")
        return Pinned(Url.parse(self._environ[other.url], variable=other.url))

    @asynccontextmanager
    async def connect(self, purpose: Purpose = "read") -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        connection = await self.target.open(purpose, application_name=self.application_name)
        try:
            yield connection
        except psycopg.Error as error:
            raise told(error, lost=connection.closed, where=self.target.url.shown) from None
        finally:
            await connection.close()

    def restored(self) -> Pinned:
        return Pinned(self.target.url)

    def move_to(self, other: Pinned) -> None:
        self.target.url, self.target.pin, self.target.pooled = other.url, other.pin, other.pooled

    def progress_of(self, step: str) -> Sequence[Mapping[str, JsonValue]]:
        return [data for name, data in self.recorded if name == step]


def _opened(runbook: Runbook) -> e.SessionOpened:
    return e.SessionOpened(
        gonogo="0.1.0",
        session=SESSION,
        environment="staging",
        protected=False,
        project="gonogo.toml",
        project_sha256=SHA,
        runbook=runbook,
        operator=BY,
        ticket="CHG-4821",
    )
