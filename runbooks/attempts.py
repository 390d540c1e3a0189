"""Attempts of steps: started, run, and ended, each in the journal."""

import asyncio
import time
import traceback
from typing import Any, Literal

from pydantic import ValidationError

from migrations.presence import Presence
from migrations.problem import Misuse, Problem
from runbooks import events as e
from runbooks.execution import StepRun, failure_of
from runbooks.opening import Opening, Verdict
from runbooks.plan_reader import PlanReader
from runbooks.recorder import Recorder
from runbooks.references import resolve
from runbooks.runbook import Step
from runbooks.setting import Setting
from runbooks.steps import catalogue
from runbooks.steps.base import Settled, StepKind

Why = Literal["phase", "start", "go", "resume", "opening"]

OPENING = Step(id="opening", title="Opening", uses="opening", effect="reads")


class Attempts:
    """Runs steps one at a time, and records every way that one can end."""

    def __init__(self, recorder: Recorder, setting: Setting, plans: PlanReader) -> None:
        self._recorder = recorder
        self._setting = setting
        self._plans = plans
        self._presence = Presence(setting.target)
        self._running: StepRun | None = None

    def ask_to_stop(self) -> None:
        """Let the running step finish its script or batch."""
        if self._running is not None:
            self._running.stop_asked = True

    async def open(self) -> Verdict | None:
        """The opening: read-only checks, the typed name, the plan. Returns how the session ends, if it must."""
        run, started = self._begin(OPENING, "opening", None), time.monotonic()
        opening = Opening(run, self._recorder, self._setting, self._plans, self._presence)
        verdict: Verdict | None = None

        async def work() -> None:
            nonlocal verdict
            verdict = await opening.run()

        await self._ended(run, started, work())
        return verdict

    async def run(self, step: Step, *, why: Why, by: e.By | None = None) -> None:
        """One attempt. Raises CancelledError and whatever is no Problem, after recording it."""
        run, started = self._begin(step, why, by), time.monotonic()
        await self._ended(run, started, self._work(run, step))

    async def close(self) -> None:
        """Let go of the target."""
        await self._presence.leave()

    async def settle(self, name: str) -> None:
        """Ask the world how a start without an end ended; where it cannot tell, ask a person."""
        step = next((s for s in (*self._setting.runbook.steps(), OPENING) if s.id == name), OPENING)
        attempt = self._recorder.view.step(name).attempt
        run, started = self._prepare(step, attempt), time.monotonic()
        settled = await self._ask_the_world(run, step, attempt) or await self._ask_a_person(run, step)
        await run.output(f"{settled.words}\n", "note")
        run.checks.extend(settled.checks)
        if settled.outcome != "ok" and not settled.checks:
            run.check("settled", "How it ended", settled.outcome, settled.words)
        run.ended(settled.end, started, result=settled.result)

    def _prepare(self, step: Step, attempt: int) -> StepRun:
        setting, view = self._setting, self._recorder.view
        return StepRun(self._recorder, setting, step, attempt, setting.child_environment(view))

    def _begin(self, step: Step, why: Why, by: e.By | None) -> StepRun:
        attempt = self._recorder.view.step(step.id).attempt + 1
        self._recorder.append(
            e.StepStarted(
                step=step.id, attempt=attempt, title=step.title, uses=step.uses, effect=step.effect, why=why, by=by
            )
        )
        return self._prepare(step, attempt)

    async def _ended(self, run: StepRun, started: float, work: Any) -> None:
        self._running = run
        try:
            result = await work
        except Problem as problem:
            run.ended("failed", started, failure=failure_of(problem))
        except asyncio.CancelledError:
            run.ended("stopped", started, failure=e.Failure(what="cancelled before it was over"))
            raise
        except BaseException as error:
            what = f"gonogo failed: {type(error).__name__}"
            detail = "".join(traceback.format_tb(error.__traceback__)[-3:])
            run.ended("crashed", started, failure=e.Failure(what=what, detail=detail))
            raise
        else:
            run.ended("done", started, result=result)
        finally:
            self._running = None

    async def _work(self, run: StepRun, step: Step) -> dict[str, Any]:
        kind = catalogue()[step.uses]
        params = self._params(kind, step)
        if step.effect == "target" and self._walks():
            await self._presence.hold(run.application_name)
        result = await kind.run(run, params)
        return result.model_dump(mode="json")  # type: ignore[no-any-return]

    def _params(self, kind: StepKind[Any, Any], step: Step) -> Any:
        results = {name: state.result for name, state in self._recorder.view.steps.items()}
        resolved = resolve(step.params, results, self._setting.environment.values)
        try:
            return kind.params.model_validate(resolved)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise Misuse(f"{step.id}: {where}: {first['msg']}.", advice="Correct the runbook.") from None

    async def _ask_the_world(self, run: StepRun, step: Step, attempt: int) -> Settled | None:
        if step.uses == OPENING.uses:
            return Settled("stopped", "unknown", "the opening was cut short; it changes nothing")
        kind = catalogue()[step.uses]
        if step.effect == "reads":
            return Settled("stopped", "unknown", "it was cut short; it only reads, so it can run again")
        if kind.reconcile is None:
            return None
        start = e.StepStarted(
            step=step.id, attempt=attempt, title=step.title, uses=step.uses, effect=step.effect, why="resume"
        )
        return await kind.reconcile(run, self._params(kind, step), start)

    async def _ask_a_person(self, run: StepRun, step: Step) -> Settled:
        text = (
            f"“{step.title}” had started when the runner died, and nothing here can tell how it ended. "
            f"Look at what it changes ({step.shows or step.uses}): did it do all of its work?"
        )
        answer = await run.ask("settle", text, choices=("done", "failed", "run again"))
        words = f"a person settled it: {answer}"
        match answer:
            case "done":
                return Settled("done", "warn", words)
            case "failed":
                return Settled("failed", "fail", words)
            case _:
                return Settled("stopped", "unknown", words)

    def _walks(self) -> bool:
        opened = self._recorder.view.opened
        return opened is not None and opened.mode == "walk"
