"""Runs a session: steps one at a time, gates held, every command an event or a refusal with a reason."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime
from typing import Any, assert_never

from migrations.problem import Problem
from runbooks.planning.plan_reader import PlanReader
from runbooks.running.attempts import OPENING, Attempts
from runbooks.running.execution import StepRun
from runbooks.running.logs import Logs
from runbooks.running.recorder import Recorder
from runbooks.running.said import Refused, said
from runbooks.session import commands as c
from runbooks.session import events as e
from runbooks.session import gates, ways_back
from runbooks.session.looked import LOGS
from runbooks.session.pairs import unexplained
from runbooks.session.runbook import ALONE, PHASES, Mode, PhaseName, Step
from runbooks.session.undone import undone
from runbooks.session.view import RunView, as_of
from runbooks.steps import catalogue


class Engine:
    """Owns the course of one session. `start` it, then `run` it; `submit` is called by faces.

    `before_end` is waited for when all is decided, and nothing but the last record is left to be written.
    """

    def __init__(
        self,
        recorder: Recorder,
        attempts: Attempts,
        plans: PlanReader,
        by: e.By,
        before_end: Callable[[], Awaitable[None]],
        logs: Logs,
    ) -> None:
        self._recorder = recorder
        self._attempts = attempts
        self._plans = plans
        self._logs = logs
        self._by = by.model_copy(update={"how": "engine"})
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._leaving = False
        self._before_end = before_end
        self._end_due: e.SessionEnded | None = None

    @property
    def view(self) -> RunView:
        """The session as it stands."""
        return self._recorder.view

    @property
    def busy(self) -> bool:
        """A step runs, or a gate is being read again. What has crashed stays so until `run` has raised it."""
        task = self._task
        return task is not None and not (task.done() and (task.cancelled() or task.exception() is None))

    def start(self, unknown: tuple[tuple[str, int], ...] = ()) -> None:
        """Begin, or take up what was left, before any face can send a command.

        `unknown` are the attempts that a dead runner left without an end: they are settled before anything else.
        """
        for name, _ in unknown:
            if name == OPENING.id:
                self._attempts.opening_was_cut_short()
        if self.view.phase in (None, "opening"):
            self._launch(self._open())
            return
        if (decided := undone(self.view)) is not None and not unexplained(self.view):
            self._complete(decided)
        if self._end_due is None:
            left = tuple(name for name, _ in unknown if name != OPENING.id)
            self._launch(self._resume(self._attempts.read_again(), left))

    async def run(self) -> int:
        """Until the session has ended. Returns its exit code.

        Raises Problem if it could not be taken up as it was left, and what crashed it.
        """
        while self._end_due is None:
            if self._task is not None and self._task.done():
                task, self._task = self._task, None
                if not task.cancelled():
                    task.result()
                elif self.view.phase == "opening":
                    self.finish("no_go", 1, "the opening was cancelled")
            elif self._task is None and not self._ending and (step := self.view.next_reading) is not None:
                self._launch(self._attempts.run(step, why="phase"))
            elif self._task is None and not unexplained(self.view) and self._must_end():
                self._end_by_itself()
            else:
                await self._sleep()
        await self._before_end()
        self._recorder.append(self._end_due)
        return self._end_due.exit_code

    async def submit(self, command: c.Command, by: e.By) -> str | None:
        """Take a command. Returns why it was refused, or None."""
        try:
            if self._leaving or self._end_due is not None:
                return "the session has ended, or its runner is leaving"
            self._take(command, by)
        except Refused as refusal:
            subject = c.subject_of(command)
            self._recorder.append(e.CommandRefused(command=command.kind, subject=subject, reason=str(refusal), by=by))
            return str(refusal)
        finally:
            self._wake.set()
        return None

    async def interrupt(self) -> None:
        """End what runs now and wait for its end to be written: the runner is about to leave."""
        self._leaving = True
        task, self._task = self._task, None
        if task is None:
            return
        if not task.cancelling():
            task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    # What is taken, and when ------------------------------------------------------------------

    def _take(self, command: c.Command, by: e.By) -> None:
        match command:
            case c.Start(step=name) if name == LOGS:
                self._look_at_logs(by)
            case c.Start(step=name):
                self._start(name, by)
            case c.Stop() | c.Cancel():
                self._stop(command, by)
            case c.Answer() | c.Tick() | c.Untick() | c.Review() | c.Waive():
                self._recorder.append(said(self._now(), command, by))
            case c.Decide(what="go", phase=phase):
                self._go(phase, by)
            case c.Decide(phase=phase, reason=reason):
                self._no_go(phase, reason, by)
            case c.RollBack(option=option, reason=reason):
                self._roll_back(option, reason, by)
            case c.TakePen():
                raise Refused("the pen is handed out by the runner")
            case c.EndSession(reason=reason):
                self._end(reason, by)
            case _:
                assert_never(command)

    def _start(self, name: str, by: e.By) -> None:
        self._must_be_idle()
        step = self._startable(name)
        if not self.view.undoes(name) and (earlier := gates.blocked_by(self.view, step)) is not None:
            raise Refused(f"{earlier.title} comes first: run it, or waive it")
        if (item := gates.unread(self.view, step)) is not None:
            raise Refused(f"first: {item.text} ({item.id})")
        self._launch(self._attempts.run(step, why="start", by=by))

    def _look_at_logs(self, by: e.By) -> None:
        """Whatever runs goes on."""
        if not self._logs.named:
            raise Refused("gonogo.toml names no logs for this environment: [environments.NAME.logs]")
        self._logs.ask(by)

    def _startable(self, name: str) -> Step:
        if (step := self.view.runbook.step(name)) is not None and self.view.undoes(name):
            return step  # from wherever the session stands, also after a failure
        self._must_go_on()
        section = self.view.section
        for step in self.view.active_steps(section) if section else ():
            if step.id == name:
                return step
        again = gates.once_more(self.view, self._gate()) if self.view.phase == "preflight" else ()
        for step in again:
            if step.id == name:
                return step
        raise Refused(f"{name} is not a step of what stands open")

    def _stop(self, command: c.Stop | c.Cancel, by: e.By) -> None:
        running, task = self.view.running, self._task
        if running is None or task is None:
            raise Refused("no step is running")
        if running == OPENING.id and self.view.phase != OPENING.id:
            raise Refused("everything is being read again: answer what is asked, or leave and resume later")
        if task.cancelling():
            raise Refused("it is being cancelled already")
        if running == OPENING.id and isinstance(command, c.Stop):
            raise Refused("the opening does nothing that could be finished first: cancel it")
        self._decide(command.kind, by)
        if isinstance(command, c.Stop):
            self._attempts.ask_to_stop()
        else:
            task.cancel()

    # Decisions --------------------------------------------------------------------------------

    def _go(self, phase: str, by: e.By) -> None:
        self._must_be_idle()
        self._must_walk()
        self._must_stand_open(phase)
        self._must_be_ready()
        self._launch(self._confirm_go(by))

    async def _confirm_go(self, by: e.By) -> None:
        """Green grows old: read again what the phase reads, then decide, then open what follows."""
        section, phase = self.view.section, self.view.phase
        assert section is not None and phase is not None
        for step in self.view.active_steps(section):
            ages = step.effect == "reads" and catalogue()[step.uses].grows_old
            if ages and self.view.step(step.id).status == "ended":
                await self._attempts.run(step, why="go", by=by)
        try:
            await self._attempts.read_window(f"go-{phase}")
            if phase == "backup" and (plan := await self._plans.again(self.view)) is not None:
                self._recorder.append(plan)
            difference = await self._plans.differs(self.view) if phase == "preflight" else None
        except Problem as problem:
            self._refuse_go(phase, str(problem), by)
            return
        if difference is not None:
            self._end_as_no_go(difference)
        elif holds := self._gate().holds:
            self._refuse_go(phase, "read again before GO: " + "; ".join(hold.words for hold in holds), by)
        else:
            self._decide("go", by)
            self._open_after(phase)

    def _refuse_go(self, phase: PhaseName, reason: str, by: e.By) -> None:
        self._recorder.append(e.CommandRefused(command="decide", subject=phase, reason=reason, by=by))

    def _end_as_no_go(self, reason: str) -> None:
        """The engine's own decision: what was reviewed is not what is there."""
        self._decide("no_go", self._by, reason=reason)
        if not unexplained(self.view):
            self.finish("no_go", 1, reason)

    def _open_after(self, phase: PhaseName) -> None:
        if phase == "rollback":
            self.finish("rolled_back", 1, "rolled back")
        elif phase == PHASES[-1]:
            self.finish("go", 0)
        else:
            self._recorder.append(e.PhaseOpened(phase=PHASES[PHASES.index(phase) + 1]))

    def _no_go(self, phase: str, reason: str, by: e.By) -> None:
        self._must_stand_open(phase)
        if not reason.strip():
            raise Refused("a NO-GO needs a reason")
        self._decide("no_go", by, reason=reason)

    def _roll_back(self, option: str, reason: str, by: e.By) -> None:
        self._must_be_idle()
        self._must_walk()
        if self.view.phase == "rollback":
            raise Refused("a rollback is under way: go on with it, or end")
        chosen = next((o for o in self.view.runbook.options if o.id == option), None)
        if chosen is None:
            known = ", ".join(o.id for o in self.view.runbook.options) or "none"
            raise Refused(f"the runbook has no such option; it has: {known}")
        if chosen.is_over(self.view.phase):
            raise Refused(f"that way back existed until {chosen.until}")
        if not reason.strip():
            raise Refused("a rollback needs a reason")
        self._decide("roll_back", by, reason=reason, option=option)
        self._recorder.append(e.PhaseOpened(phase="rollback", option=option))

    def _end(self, reason: str, by: e.By) -> None:
        if self.view.running is not None:
            raise Refused("a step is running: cancel it first")
        if not reason.strip():
            raise Refused("say why it ends here")
        if left := gates.left_open(self.view):
            raise Refused("; ".join(hold.words for hold in left) + ": run that, or say why it stays open, then end")
        self._decide("end", by, reason=reason)
        if self._task is not None:  # a gate was being read for the last time
            self._task.cancel()
        self.finish("no_go", 1, reason)

    def _complete(self, decided: e.Decided) -> None:
        """Let a decision take the effect that a dead runner owed it."""
        if decided.what == "go":
            self._open_after(decided.phase)
        elif decided.what == "roll_back":
            self._recorder.append(e.PhaseOpened(phase="rollback", option=decided.option))
        else:
            self.finish("no_go", 1, decided.reason)

    def finish(self, outcome: Any, exit_code: int, reason: str = "") -> None:
        """Nothing more is taken, and `run` writes the end of the session."""
        self._end_due = e.SessionEnded(outcome=outcome, exit_code=exit_code, reason=reason)
        self._wake.set()

    async def _resume(self, run: StepRun, left: tuple[str, ...]) -> None:
        """Settle what was left without an end, then compare the world with the plan. Raises Problem."""
        difference = await self._attempts.take_up(run, left)
        if difference is not None and not self._ending:
            self._end_as_no_go(difference)

    async def _open(self) -> None:
        """The opening ends in a plan, or ends the session."""
        verdict = await self._attempts.open()
        if verdict is not None:
            self.finish(*verdict)
            return
        self._recorder.append(e.PhaseOpened(phase=ALONE.get(self._mode, PHASES[0])))

    @property
    def _mode(self) -> Mode:
        return self.view.opened.mode if self.view.opened else "walk"

    @property
    def _ending(self) -> bool:
        """It was decided that the session ends; only what is open keeps it from that."""
        return undone(self.view) is not None

    def _must_end(self) -> bool:
        return self._ending or (self._mode in ALONE and gates.is_over(self.view))

    def _end_by_itself(self) -> None:
        if (decided := undone(self.view)) is not None:
            self._complete(decided)
        else:
            self._end_alone()

    def _end_alone(self) -> None:
        section = self.view.section
        assert section is not None
        bad = [s.title for s in self.view.active_steps(section) if self.view.step(s.id).outcome not in ("ok", "warn")]
        if bad:
            self.finish("no_go", 1, f"not green: {', '.join(bad)}")
        else:
            self.finish("go", 0, f"{self._mode} alone")

    def _decide(self, what: Any, by: e.By, *, reason: str = "", option: str | None = None) -> None:
        phase = self.view.phase or "opening"
        ranked = ways_back.ranking_words(self.view, option) if option else ""
        plan = self._plan_hash()
        self._recorder.append(
            e.Decided(what=what, phase=phase, reason=reason, option=option, ranked=ranked, plan=plan, by=by)
        )

    def _plan_hash(self) -> str:
        return self.view.plan.hash if self.view.plan else ""

    def _must_be_idle(self) -> None:
        if not self.busy:
            return
        if self.view.running in (None, OPENING.id):
            raise Refused("everything is being read again: wait for it")
        raise Refused("a step is running")

    def _must_go_on(self) -> None:
        if self._ending:
            raise Refused("the session ends as soon as what is open is undone, or a reason is given for it")

    def _must_stand_open(self, phase: str) -> None:
        if self.view.phase in (None, "opening"):
            raise Refused("nothing stands open yet")
        self._must_go_on()
        if phase != self.view.phase:
            raise Refused(f"{phase} does not stand open; {self.view.phase} does")

    def _must_be_ready(self) -> None:
        if holds := self._gate().holds:
            raise Refused("; ".join(hold.words for hold in holds))

    def _must_walk(self) -> None:
        if self.view.phase in (None, "opening"):
            raise Refused("nothing stands open yet")
        self._must_go_on()
        if self._mode in ALONE:
            raise Refused(f"this is a {self._mode} alone: it ends by itself")

    def _gate(self) -> gates.Gate:
        """The hold point at this moment: the view's own time is that of the last record, which may be long ago."""
        return gates.poll(self._now())

    def _now(self) -> RunView:
        return as_of(self.view, datetime.now(UTC))

    def _launch(self, work: Coroutine[Any, Any, None]) -> None:
        self._task = asyncio.create_task(work)
        self._task.add_done_callback(lambda _: self._wake.set())
        self._wake.set()

    async def _sleep(self) -> None:
        self._wake.clear()
        await self._wake.wait()
