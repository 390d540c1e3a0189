"""The head of the journal, noted where the operator cannot rewrite it: in the target, by a notice, in the ticket."""

import asyncio
import contextlib

from runbooks.anchoring.anchors_target import note_in_target
from runbooks.anchoring.noted import NAME as KEPT_IN
from runbooks.anchoring.noted import Noted, keep, progress
from runbooks.anchoring.notifying import Notice, Why, notify
from runbooks.journal import JournalBroken
from runbooks.report.escape import one_line
from runbooks.running.recorder import Recorder
from runbooks.session.events import Check, Outcome
from runbooks.session.view import RunView
from runbooks.settings.setting import Setting

LATE_SECONDS = 25.0
"""What is left to be noted when the session has ended gets no longer than this."""


class Anchors:
    """Notes the head when the plan is made, at each GO, when taken up again and at the end. It holds nothing up."""

    def __init__(self, recorder: Recorder, setting: Setting) -> None:
        self._recorder = recorder
        self._setting = setting
        self._plan = recorder.view.plan
        self._due: asyncio.Queue[tuple[str, Why, RunView] | None] = asyncio.Queue()
        self._open: list[tuple[str, RunView]] = []
        self._late: list[Noted] = []
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Look at every record from now on. What a dead runner had not noted any more is covered by a head of now."""
        if self._plan is not None:
            self._put("resume", "resume", self._recorder.view)
        self._recorder.listen(self._look)
        self._task = asyncio.create_task(self._work())

    async def settled(self, seconds: float) -> None:
        """Wait until all that is due has been noted, and is in the record; what takes longer is told as on its way."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._due.join()
        for why, view in self._open:
            self._tell(_told_as(why, view, "unknown", f"still on its way when the session ended: see {KEPT_IN}"))

    async def finish(self) -> None:
        """Wait until all that is due has been noted; what comes after the last record is kept beside it.

        Raises Unavailable if that cannot be written.
        """
        if self._task is None:
            return
        self._due.put_nowait(None)
        await asyncio.wait([self._task], timeout=LATE_SECONDS)
        await self.leave()
        if self._recorder.view.ended is not None:
            keep(self._setting.folder, self._late, self._recorder.redactor)

    async def leave(self) -> None:
        """Note no more; what was due is told as not noted."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.wait([self._task])
        self._task = None
        while not self._due.empty():
            if (due := self._due.get_nowait()) is not None:
                self._tell(_too_late(due[0], due[2]))

    def _look(self) -> None:
        """The recorder has written one more record."""
        view, before = self._recorder.view, self._plan
        self._plan = view.plan
        last = view.decisions[-1] if view.decisions else None
        if view.ended is not None:
            self._put("end", "end", view)
        elif last is not None and last.seq == view.seq and last.event.what == "go":
            self._put(f"go-{last.event.phase}", "go", view)
        elif view.plan is not before:
            self._put("opening", "opening", view)

    def _put(self, why: str, sort: Why, view: RunView) -> None:
        self._open.append((why, view))
        self._due.put_nowait((why, sort, view))

    async def _work(self) -> None:
        while (due := await self._due.get()) is not None:
            why, sort, view = due
            try:
                noted = await note(self._setting, view, why, sort)
            except asyncio.CancelledError:
                self._tell(_too_late(why, view))
                raise
            self._open.pop(0)
            self._tell(noted)
            self._due.task_done()

    def _tell(self, noted: Noted) -> None:
        if self._recorder.view.ended is not None:
            self._late.append(noted)
        elif self._recorder.broken is None:
            try:
                self._recorder.append(progress(noted), sync=True)
            except JournalBroken:
                return  # the runner has heard of it


async def note(setting: Setting, view: RunView, why: str, sort: Why) -> Noted:
    """Note the head that the view has. What cannot be noted is told in the checks."""
    line = line_of(view, why)
    checks, clock = await note_in_target(setting, view, why, line)
    if setting.environment.notify:
        notice = Notice(sort, line, f"{view.seq}:{view.head}")
        env = setting.notice_environment(view)
        delivery = await notify(setting.environment.notify, notice, cwd=setting.project.folder, env=env)
        advice = "" if delivery.delivered else "See that `notify` in gonogo.toml works from this machine."
        outcome = "ok" if delivery.delivered else "warn"
        told = {"id": "notice", "title": "a notice", "outcome": outcome, "evidence": delivery.words, "advice": advice}
        checks.append(Check.model_validate(told))
    return Noted(why=why, record=view.seq, head=view.head, checks=tuple(checks), clock=clock)


def line_of(view: RunView, why: str) -> str:
    """What others read: one line, without control codes, whatever name the operator claims."""
    opened = view.opened
    assert opened is not None
    ended = f", {view.ended.outcome.replace('_', '-')}" if view.ended else ""
    place = f"{opened.project} {opened.environment}, {opened.ticket}, {opened.operator.name}"
    return one_line(f"gonogo {opened.session} ({place}): {why}{ended}, record {view.seq}:{view.head}")


def _too_late(why: str, view: RunView) -> Noted:
    return _told_as(why, view, "warn", "the runner left before it was noted")


def _told_as(why: str, view: RunView, outcome: Outcome, evidence: str) -> Noted:
    check = Check(id="time", title="time", outcome=outcome, evidence=evidence)
    return Noted(why=why, record=view.seq, head=view.head, checks=(check,))
