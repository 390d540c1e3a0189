"""One attempt of one step: what it is given, and a record of every way that it can end."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import psycopg
from pydantic import JsonValue

from migrations.hashing import fingerprint_file
from migrations.problem import Problem, Unavailable
from migrations.target import Pinned, session_name
from migrations.target.connecting import told
from runbooks.journal.artefacts import make_folder, mode_in
from runbooks.running.output import Output, Progress
from runbooks.running.recorder import Recorder
from runbooks.session import events as e
from runbooks.session.gates import worst
from runbooks.session.runbook import Step
from runbooks.session.view import RunView
from runbooks.settings.setting import Setting
from runbooks.steps.base import Purpose


class StepRun:
    """The Context of one attempt: see runbooks.steps.base.Context."""

    def __init__(
        self,
        recorder: Recorder,
        setting: Setting,
        step: Step,
        attempt: int,
        child_environment: Mapping[str, str],
        captured: dict[str, JsonValue] | None = None,
    ) -> None:
        self._recorder = recorder
        self.folder = setting.folder
        self.session = setting.folder.name
        self.project = setting.project
        self.environment = setting.environment
        self.target = setting.target
        self.step = step
        self.attempt = attempt
        self.stop_asked = False
        self.checks: list[e.Check] = []
        self._child_environment = child_environment
        self._captured = {} if captured is None else captured
        self._setting = setting
        self._output = Output(recorder, step.id, attempt)
        self._progress = Progress(recorder, step.id, attempt)

    @property
    def view(self) -> RunView:
        """The session as it stands now."""
        return self._recorder.view

    @property
    def application_name(self) -> str:
        """How the server's other users see this session: its id, who, from where (63 bytes at most)."""
        by = self.view.opened.operator if self.view.opened else None
        return session_name(self.session, f"{by.name if by else '?'}@{by.host if by else '?'}")

    def check(self, id: str, title: str, outcome: e.Outcome, evidence: str = "", advice: str = "") -> None:
        """Report one line of the result."""
        self.checks.append(e.Check(id=id, title=title, outcome=outcome, evidence=evidence, advice=advice))

    async def output(self, text: str, stream: Literal["out", "err", "note"] = "out") -> None:
        """Show text; the loop gets a turn, so that a chatty program stalls nobody."""
        self._output.feed(text, stream)
        await asyncio.sleep(0)

    async def progress(self, **data: JsonValue) -> None:
        """Show where the step stands, once a second at the most."""
        self._progress.show(data)

    async def record(self, **data: JsonValue) -> None:
        """Note what `reconcile` will need; on disk when this returns."""
        self._progress.flush()
        self._recorder.append(
            e.StepProgress(step=self.step.id, attempt=self.attempt, data={**data, "recorded": True}), sync=True
        )

    async def ask(self, question: str, text: str, *, exact: str | None = None, choices: Sequence[str] = ()) -> str:
        """Ask a person, and wait."""
        name = f"{self.step.id}/{question}"
        self._recorder.append(
            e.QuestionAsked(
                question=name, step=self.step.id, attempt=self.attempt, text=text, exact=exact, choices=tuple(choices)
            )
        )
        view = await self._recorder.until(lambda v: name not in v.questions)
        return view.answers[name]

    def artefact(self, name: str) -> Path:
        """Where to write an artefact of this attempt. Raises Unavailable."""
        folder = self.folder / "artefacts"
        try:
            make_folder(folder)
        except OSError as error:
            raise Unavailable(f"{folder} cannot be made: {error.strerror}.") from None
        return folder / f"{self.view.seq + 1:06d}-{self.step.id}-{name}"

    async def keep(self, name: str, path: Path) -> e.ArtefactKept:
        """Keep a file as an artefact: hashed, in the journal. Raises Unavailable."""
        try:
            sha256, size = await asyncio.to_thread(fingerprint_file, path)
        except OSError as error:
            raise Unavailable(f"{path} cannot be read: {error.strerror}.") from None
        inside = path.is_relative_to(self.folder)
        if inside:
            path.chmod(mode_in(path.parent))
        kept = e.ArtefactKept(
            step=self.step.id,
            attempt=self.attempt,
            name=name,
            path=str(path.relative_to(self.folder) if inside else path),
            sha256=sha256,
            size=size,
        )
        self._recorder.append(kept)
        return kept

    def capture(self, name: str, value: str, *, secret: bool) -> None:
        """Keep a value in memory; as a secret, also out of everything that is written from now on."""
        if secret:
            self._recorder.redactor.learn([(f"{self.step.id}.{name}", value)])
        self._captured[name] = value

    def clean(self, text: str) -> str:
        """A text without secrets."""
        return self._recorder.redactor.text(text)

    def result(self, step: str) -> Mapping[str, JsonValue]:
        """The latest result of another step."""
        return self.view.step(step).result

    def child_environment(self) -> dict[str, str]:
        """The environment for a program: built, not inherited."""
        return dict(self._child_environment)

    def beside(self, environment: str) -> Pinned:
        """The database of another environment, to read. Raises Misuse."""
        return self._setting.beside(environment)

    def restored(self) -> Pinned:
        """Where a restored database is, not looked at yet. Raises Misuse."""
        return self._setting.restored()

    def move_to(self, other: Pinned) -> None:
        """Let the session act on another database from here on."""
        self._setting.move_to(other)

    @asynccontextmanager
    async def connect(self, purpose: Purpose = "read") -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """A new connection to the pinned target; it bears the session's name, so that others see who is there.

        Raises Unavailable when it is lost; what else the server has to say of a query is a Problem.
        """
        connection = await self.target.open(purpose, application_name=self.application_name)
        try:
            yield connection
        except psycopg.Error as error:
            raise told(error, lost=connection.closed, where=self.target.url.shown) from None
        finally:
            await connection.close()

    def progress_of(self, step: str) -> Sequence[Mapping[str, JsonValue]]:
        """Everything that a step recorded in this session, oldest first."""
        return self._recorder.noted(step)

    def ended(
        self,
        end: e.End,
        started: float,
        *,
        result: Mapping[str, JsonValue] | None = None,
        failure: e.Failure | None = None,
    ) -> None:
        """Write how this attempt ended, after the last of its output and progress."""
        self._output.close()
        self._progress.flush()
        outcome: e.Outcome = worst([c.outcome for c in self.checks])
        if end != "done":
            outcome = worst([outcome, "fail" if end == "failed" else "unknown"])
        self._recorder.append(
            e.StepEnded(
                step=self.step.id,
                attempt=self.attempt,
                end=end,
                outcome=outcome,
                checks=tuple(self.checks),
                result=dict(result or {}),
                failure=failure,
                advice=self._advice(failure),
                took=int((time.monotonic() - started) * 1_000_000),
            )
        )

    def _advice(self, failure: e.Failure | None) -> tuple[str, ...]:
        if failure is None:
            return ()
        tail = "\n".join(line.text for line in self.view.step(self.step.id).lines[-50:])
        said = "\n".join((failure.what, failure.code, failure.detail, tail)).lower()
        return tuple(dict.fromkeys(a.do for a in self.view.runbook.troubleshooting if a.see.lower() in said))


def failure_of(problem: Problem) -> e.Failure:
    """A problem as the journal keeps it."""
    detail = getattr(problem, "detail", "") or ""
    return e.Failure(what=problem.what, advice=problem.advice, code=problem.code, detail=str(detail))
