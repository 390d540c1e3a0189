"""Attempts of steps: started, run, and ended, each in the journal."""

import asyncio
import contextlib
import time
import traceback
from collections.abc import Coroutine
from typing import Any, Literal

import psycopg
from pydantic import JsonValue, ValidationError

from migrations.anchoring import clock_ahead
from migrations.problem import Misuse, Problem
from migrations.target import Pinned, environment_mark
from migrations.target.connecting import told
from migrations.target.presence import Presence
from runbooks.approvals.session import SessionApprovals
from runbooks.planning.identity import judge_mark
from runbooks.planning.plan_reader import PlanReader
from runbooks.running.execution import StepRun, failure_of
from runbooks.running.opening import Opening, Verdict
from runbooks.running.recorder import Recorder
from runbooks.running.window import window_told
from runbooks.session import events as e
from runbooks.session.pairs import open_pairs
from runbooks.session.references import SECRET, resolve, with_captured
from runbooks.session.runbook import Mode, Step
from runbooks.settings.setting import Setting
from runbooks.steps import catalogue
from runbooks.steps.base import Doubt, Settled, StepKind

Why = Literal["phase", "start", "go", "resume", "opening"]

SETTLE = "settle"
OPENING = Step(id="opening", title="Opening", uses="opening", effect="reads")
AGAIN = OPENING.model_copy(update={"title": "Everything is read again"})
"""What a resumed session does first, as another attempt of the opening: it holds off all that could be started."""


class Attempts:
    """Runs steps one at a time, and records every way that one can end."""

    def __init__(self, recorder: Recorder, setting: Setting, plans: PlanReader) -> None:
        self._recorder = recorder
        self._setting = setting
        self._plans = plans
        self._presence = Presence(setting.target)
        self._approvals = SessionApprovals(recorder, setting)
        self._running: StepRun | None = None
        self._captured: dict[str, dict[str, JsonValue]] = {}

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

        if (problem := await self._ended(run, started, work())) is not None:
            raise problem
        return verdict

    def opening_was_cut_short(self) -> None:
        """Write the end of an opening that a dead runner left without one. It changes nothing."""
        run = self._prepare(OPENING, self._recorder.view.step(OPENING.id).attempt)
        run.check("settled", "How it ended", "unknown", "it was cut short; it changes nothing")
        run.ended("stopped", time.monotonic())

    def read_again(self) -> StepRun:
        """Write that a resumed session reads everything again: nothing can be started until `take_up` is over."""
        return self._begin(AGAIN, "resume", None)

    async def take_up(self, run: StepRun, left: tuple[str, ...]) -> str | None:
        """Settle the steps that were left without an end, pin the target anew, compare the world with the plan.

        Returns why the plan is not the plan any more, if so. Raises Problem if the session cannot go on now.
        """
        difference: str | None = None

        async def work() -> None:
            nonlocal difference
            changed = None
            if left:  # a swap that was cut short may have left the database without its name: then it is too early
                with contextlib.suppress(Problem):
                    changed = await self._pin_anew(run)
            for name in left:
                step, settled = await self._settle(name)
                run.check(f"ended-{name}", f"How “{step.title}” ended", settled.outcome, settled.words)
            if not await self._still_there(run, changed):
                return
            await self.read_window("resume")
            if self._mode != "backup":
                await self._presence.hold(run.application_name)
                run.check("alone", "One session at a time", "ok", "nobody else works on this database")
            if self._mode == "walk" and self._recorder.view.phase != "rollback":
                difference = await self._plans.differs(self._recorder.view)
                run.check("plan", "The plan", "fail" if difference else "ok", difference or "as it was reviewed")
            for pair in open_pairs(self._recorder.view):
                run.check(f"open-{pair.step.id}", "Still open", "warn", pair.words, pair.reason)

        if (problem := await self._ended(run, time.monotonic(), work())) is not None:
            raise problem
        return difference

    async def _still_there(self, run: StepRun, changed: str | None) -> bool:
        """Pin the target anew. Raises Problem if that cannot be, unless the session is about to leave it."""
        try:
            changed = await self._pin_anew(run) or changed
        except Problem as problem:
            if not self._leaves_it():
                raise
            run.check("target", "Target", "warn", problem.what, "Move the session to the restored database.")
            return False
        run.check("target", "Target", "ok", changed or "the database that this session is pinned to")
        return True

    def _leaves_it(self) -> bool:
        """The way back leads to another database, and the session has not moved there yet."""
        view = self._recorder.view
        steps = view.section.steps if view.phase == "rollback" and view.section else ()
        return not view.moved.pinned and any(step.uses == "target.repin" for step in steps)

    async def _pin_anew(self, run: StepRun) -> str | None:
        """The same database may have got another state meanwhile, by a failover: what has changed. Raises Problem.

        Nor must it be a physical clone, which has the same identity.
        """
        target = self._setting.target
        now = Pinned(target.url, pooled=target.pooled)
        connection = await now.open("read", application_name=run.application_name)
        try:
            mark = await environment_mark(connection)
        finally:
            await connection.close()
        if target.pin is None or now.pin is None:
            return None
        changed = target.pin.changed(now.pin)
        if now.pin.identity != target.pin.identity or now.pin.in_recovery:
            raise Problem(str(changed), advice="Find out what happened to it, then resume.")
        judge_mark(self._setting.project, self._setting.environment, now.pin, mark)
        target.pin = now.pin
        return changed

    async def read_window(self, why: str) -> None:
        """Tell how the maintenance windows stand by the server's clock, where there are any. Raises Problem."""
        if (view := self._recorder.view).opened and view.opened.windows and view.phase != "rollback":
            connection = await self._setting.target.open("read", application_name="gonogo clock")
            try:
                ahead, within = await clock_ahead(connection)
            except psycopg.Error as error:
                raise told(error, lost=connection.closed, where=self._setting.direct.shown) from None
            finally:
                await connection.close()
            self._recorder.append(window_told(view, why, ahead, within))

    def run(self, step: Step, *, why: Why, by: e.By | None = None) -> Coroutine[Any, Any, None]:
        """One attempt; its start is written when this returns, what is left of it is to be awaited.

        A Problem is how it ended. Raises CancelledError and whatever else, after recording it.
        """
        run, started = self._begin(step, why, by), time.monotonic()
        return self._rest(run, step, started)

    async def _rest(self, run: StepRun, step: Step, started: float) -> None:
        await self._ended(run, started, self._work(run, step))

    async def close(self) -> None:
        """Let go of the target."""
        await self._presence.leave()

    async def _settle(self, name: str) -> tuple[Step, Settled]:
        """Ask the world how a start without an end ended; where it cannot tell, ask a person. Raises Problem."""
        step = self._setting.runbook.step(name)
        assert step is not None
        attempt = self._recorder.view.step(name).attempt
        run, started = self._prepare(step, attempt), time.monotonic()
        settled = await self._ask_the_world(run, step, attempt)
        if not isinstance(settled, Settled):
            settled = await self._ask_a_person(run, step, settled)
        await run.output(f"{settled.words}\n", "note")
        run.checks.extend(settled.checks)
        if settled.outcome != "ok" and not settled.checks:
            run.check("settled", "How it ended", settled.outcome, settled.words)
        run.ended(settled.end, started, result=settled.result)
        return step, settled

    def _prepare(self, step: Step, attempt: int) -> StepRun:
        setting, view = self._setting, self._recorder.view
        captured = self._captured.setdefault(step.id, {})
        return StepRun(self._recorder, setting, step, attempt, setting.child_environment(view), captured)

    def _begin(self, step: Step, why: Why, by: e.By | None) -> StepRun:
        attempt = self._recorder.view.step(step.id).attempt + 1
        self._recorder.append(
            e.StepStarted(
                step=step.id, attempt=attempt, title=step.title, uses=step.uses, effect=step.effect, why=why, by=by
            )
        )
        return self._prepare(step, attempt)

    async def _ended(self, run: StepRun, started: float, work: Coroutine[Any, Any, Any]) -> Problem | None:
        """Wait for the work, and write how it ended. Returns the problem that it failed of."""
        self._running = run
        try:
            result = await work
        except Problem as problem:
            run.ended("failed", started, failure=failure_of(problem))
            return problem
        except psycopg.Error as error:
            refused = told(error, lost=error.sqlstate is None, where=self._setting.direct.shown)
            run.ended("failed", started, failure=failure_of(refused))
            return refused
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
            return None
        finally:
            self._running = None

    async def _work(self, run: StepRun, step: Step) -> dict[str, Any]:
        kind = catalogue()[step.uses]
        params = self._params(kind, step)
        held = step.effect == "target" and self._mode != "backup"
        if held:
            await self._presence.hold(run.application_name)
        if step.effect != "reads":
            await self._approvals.spend(run)
        at = self._setting.target.url
        result = await kind.run(run, params)
        if held or self._setting.target.url is not at:
            # A restored database came without our lock. If somebody was quicker, our next step will be told.
            with contextlib.suppress(Problem):
                await self._presence.hold(run.application_name)
        return result.model_dump(mode="json")  # type: ignore[no-any-return]

    def _params(self, kind: StepKind[Any, Any], step: Step) -> Any:
        results = {name: with_captured(state.result) for name, state in self._recorder.view.steps.items()}
        results = {name: {**result, **self._captured.get(name, {})} for name, result in results.items()}
        results[SECRET] = self._setting.secrets
        resolved = resolve(step.params, results, self._setting.environment.values)
        try:
            return kind.params.model_validate(resolved)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise Misuse(f"{step.id}: {where}: {first['msg']}.", advice="Correct the runbook.") from None

    async def _ask_the_world(self, run: StepRun, step: Step, attempt: int) -> Settled | Doubt | None:
        kind = catalogue()[step.uses]
        if step.effect == "reads":
            return Settled("stopped", "unknown", "it was cut short; it only reads, so it can run again")
        if kind.reconcile is None:
            return None
        start = e.StepStarted(
            step=step.id, attempt=attempt, title=step.title, uses=step.uses, effect=step.effect, why="resume"
        )
        return await kind.reconcile(run, self._params(kind, step), start)

    async def _ask_a_person(self, run: StepRun, step: Step, doubt: Doubt | None) -> Settled:
        """Once: what was answered before the next runner died is known."""
        look = doubt.look if doubt else f"Look at what it changes ({step.shows or step.uses})"
        text = (
            f"“{step.title}” had started when the runner died, and nothing here can tell how it ended. "
            f"{look}: did it do all of its work?"
        )
        known = self._recorder.view.answers.get(f"{step.id}/{SETTLE}")
        answer = known or await run.ask(SETTLE, text, choices=("done", "failed", "run again"))
        words = f"a person settled it: {answer}"
        match answer:
            case "done":
                return Settled("done", "warn", words)
            case "failed":
                return Settled("failed", "fail", words)
            case _:
                return Settled("stopped", "unknown", words)

    @property
    def _mode(self) -> Mode:
        opened = self._recorder.view.opened
        return opened.mode if opened is not None else "walk"
