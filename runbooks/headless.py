"""The face without a screen. It starts steps; whatever a person must decide stands in the answers file, or is NO-GO."""

from collections.abc import Callable
from typing import assert_never

from runbooks import commands as c
from runbooks import events as e
from runbooks.answers import Answers, NotApplicable
from runbooks.client import Client
from runbooks.gates import Hold
from runbooks.view import RunView

Say = Callable[[str], None]

GLYPHS: dict[str, str] = {"ok": "✔", "warn": "!", "fail": "✘", "unknown": "?"}


class Headless:
    """Sends what the view calls for, one command at a time, and says each step as it goes."""

    def __init__(self, client: Client, answers: Answers, say: Say) -> None:
        self._client = client
        self._answers = answers
        self._say = say
        self._said = -1
        self._went: set[tuple[str, int]] = set()

    async def walk(self) -> RunView:
        """Until the session ends. Returns the last view."""
        async for view in self._client.changes():
            self._tell()
            if view.ended is not None:
                break
            command = self._next(view)
            if command is None:
                continue
            refusal = await self._client.send(command)
            if refusal is not None and self._client.view.ended is None and await self._gave_up(command, refusal):
                break
        self._tell()
        return self._client.view

    # What is sent -----------------------------------------------------------------------------

    def _next(self, view: RunView) -> c.Command | None:
        if view.phase in (None, "opening") and not view.questions:
            return None
        for question in view.questions.values():
            answer = self._answers.answers.get(question.question)
            if answer is None:
                return c.EndSession(reason=f"no answer to: {question.text}") if not view.running else c.Cancel()
            return c.Answer(question=question.question, answer=answer)
        if view.running or view.next_reading is not None:
            return None
        if (step := view.next_start) is not None and view.step(step.id).status == "waiting":
            return c.Start(step=step.id)
        if view.opened is not None and view.opened.mode == "backup":
            return None
        return self._at_the_gate(view)

    def _at_the_gate(self, view: RunView) -> c.Command | None:
        phase = view.phase or ""
        for hold in view.gate.holds:
            command = self._lift(view, hold)
            if command is not None:
                return command
        if view.refused:
            return c.EndSession(reason=view.decisions[-1].event.reason)
        if not view.gate.ready:
            lacking = "; ".join(hold.words for hold in view.gate.holds)
            return c.Decide(what="no_go", phase=phase, reason=f"the answers file does not cover: {lacking}")
        if not self._answers.go.get(phase, False):
            return c.Decide(what="no_go", phase=phase, reason=f"the answers file holds no GO for {phase}")
        tried = (phase, len(view.refusals))
        if tried in self._went:
            return None
        self._went.add(tried)
        return c.Decide(what="go", phase=phase)

    def _lift(self, view: RunView, hold: Hold) -> c.Command | None:
        match hold.kind:
            case "item":
                return self._tick(hold.subject) or self._waive(hold)
            case "review":
                return self._review(view, hold.subject)
            case "step" | "check":
                return self._waive(hold)
            case "stale":
                return c.Start(step=hold.subject)
            case "running" | "question" | "refused":
                return None
            case _:
                assert_never(hold.kind)

    def _tick(self, item: str) -> c.Command | None:
        match self._answers.items.get(item):
            case None | False:
                return None
            case True:
                return c.Tick(item=item)
            case NotApplicable(not_applicable=reason):
                return c.Tick(item=item, state="not_applicable", reason=reason)
            case str(evidence):
                return c.Tick(item=item, evidence=evidence)
        return None

    def _waive(self, hold: Hold) -> c.Command | None:
        reason = self._answers.waivers.get(hold.subject)
        return c.Waive(subject=hold.subject, reason=reason) if reason and hold.waivable else None

    def _review(self, view: RunView, migration: str) -> c.Command | None:
        reviewed = self._answers.reviews.get(migration)
        scripts = {s.migration: s.sha256 for s in view.plan.scripts} if view.plan else {}
        return c.Review(migration=migration, sha256=reviewed) if reviewed == scripts.get(migration) else None

    async def _gave_up(self, command: c.Command, refusal: str) -> bool:
        """A refusal is the end of an unattended walk: end the session, or leave it to be resumed by a person."""
        self._say(f"  refused: {refusal}")
        return await self._client.send(c.EndSession(reason=f"{command.kind}: {refusal}")) is not None

    # What is said -----------------------------------------------------------------------------

    def _tell(self) -> None:
        for record in self._client.records(after=self._said):
            self._said = record.seq
            for line in lines_of(record.event):
                self._say(line)


def lines_of(event: e.Event) -> list[str]:
    """What the headless face prints of one event."""
    match event:
        case e.SessionOpened():
            return [f"Session {event.session} · {event.environment} · {event.ticket} · {event.operator.name}"]
        case e.PlanMade():
            return [f"Plan {event.hash[:12]}: {len(event.scripts)} scripts for {event.target.address}"]
        case e.PhaseOpened():
            return ["", f"── {event.phase.capitalize()}" + (f": {event.option}" if event.option else "")]
        case e.StepStarted():
            return [f"▶ {event.title}" + (f" (attempt {event.attempt})" if event.attempt > 1 else "")]
        case e.StepEnded():
            return _ended(event)
        case e.ItemTicked():
            words = f"not applicable: {event.reason}" if event.state == "not_applicable" else event.evidence
            return [f"☑ {event.item}" + (f": {words}" if words else "")]
        case e.ScriptReviewed():
            return [f"☑ reviewed {event.migration}"]
        case e.Waived():
            return [f"~ waived {event.subject}: {event.reason}"]
        case e.Decided():
            word = event.what.upper().replace("_", "-")
            return [f"{word} {event.phase}" + (f": {event.reason}" if event.reason else "")]
        case e.SessionEnded():
            return ["", f"Ended: {event.outcome}" + (f": {event.reason}" if event.reason else "")]
        case _:
            return []


def _ended(event: e.StepEnded) -> list[str]:
    lines = [f"  {GLYPHS[event.outcome]} {event.end}, {event.outcome}, {event.took / 1_000_000:.1f} s"]
    for check in event.checks:
        lines.append(f"    {GLYPHS[check.outcome]} {check.title}: {check.evidence or check.outcome}")
        if check.outcome != "ok" and check.advice:
            lines.append(f"      → {check.advice}")
    if event.failure:
        lines.append(f"    {event.failure.code} {event.failure.what} {event.failure.advice}".rstrip())
    return [*lines, *(f"      → {advice}" for advice in event.advice)]
