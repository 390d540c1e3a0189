"""The face without a screen. It starts steps; whatever a person must decide stands in the answers file, or is NO-GO."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import assert_never

from runbooks.faces.answers import Answers, NotApplicable, idle_reviews, lacks, review_line
from runbooks.faces.client import Client
from runbooks.faces.headless_told import HeadlessTold
from runbooks.faces.meanwhile import Weight
from runbooks.session import commands as c
from runbooks.session import events as e
from runbooks.session.calls import turn_now
from runbooks.session.cut_short import CutShort
from runbooks.session.gates import Hold, is_over, unread
from runbooks.session.pairs import unexplained
from runbooks.session.pen import whose
from runbooks.session.runbook import ALONE, Step
from runbooks.session.touched import untouched
from runbooks.session.view import RunView

Say = Callable[[str], None]

SIGNS: dict[Weight, str] = {"plain": "·", "good": "✔", "bad": "✘", "open": "?"}


_WAIVED = dict.fromkeys(("step", "check", "undo", "window"), "waivers")
_TABLES: dict[str, str] = {"item": "items", **_WAIVED}
"""Where in an answers file stands what lifts a hold."""


class Headless:
    """Sends what the view calls for, one command at a time, and says each step as it goes."""

    def __init__(self, client: Client, answers: Answers, say: Say) -> None:
        self._client = client
        self._answers = answers
        self._say = say
        self._cut_short = CutShort()
        self._told = HeadlessTold()
        self._watching = False
        self._looked = False
        self._asked: dict[str, int] = {}
        self._renewed: set[str] = set()
        self._undone: set[str] = set()
        self._cancelled: set[tuple[str, int]] = set()
        self._over: str | None = None
        self._no_go = ""

    async def walk(self) -> RunView:
        """Until the session ends, or cannot be ended from here. Returns the last view. Raises Problem."""
        async for view in self._client.changes():
            self._tell()
            self._tell_meanwhile()
            command = self._next(view) if self._holds_the_pen(view) else None
            if self._left_alone(view):
                break
            if command is not None and not await self._sent(command):
                break  # it goes on without us, and a person must look at it
        self._tell()
        return self._client.view

    def _holds_the_pen(self, view: RunView) -> bool:
        """Only after all that happened before: what is seen until then is past."""
        if self._client.face in view.faces and view.pen != self._client.face and not self._watching:
            self._watching = True
            self._say(f"{whose(view)}: this face only watches, and sends nothing more.")
        return view.pen == self._client.face and view.ended is None

    def _left_alone(self, view: RunView) -> bool:
        """Who watched somebody who has gone has nothing to wait for. It takes no pen that a person had."""
        alone = self._watching and view.pen is None and view.running is None and view.ended is None
        if alone:
            self._say("Nobody has the pen any more: this face leaves.")
        return alone

    async def _sent(self, command: c.Command) -> bool:
        """Whether there is a way on from here."""
        refusal = await self._client.send(command)
        now = self._client.view
        if names := self._client.taken_out():
            self._say(f"  ! {c.lacking(names)}")
        if refusal is None or now.ended is not None:
            return True
        self._say(f"  refused: {refusal}")
        self._over = self._told.reason = self._over or f"{command.kind}: {refusal}"
        match command:
            case c.Cancel():
                return now.running is None
            case c.EndSession():
                return now.running is not None
            case _:
                return True

    # What is sent -----------------------------------------------------------------------------

    def _next(self, view: RunView) -> c.Command | None:
        if self._over is not None:
            return self._end(view, self._over)
        for question in view.questions.values():
            answer = self._answers.answers.get(question.question)
            if answer is None:
                return self._end(view, f"no answer to {question.question}: {question.text}")
            return c.Answer(question=question.question, answer=answer)
        if view.phase in (None, "opening") or view.running or view.next_reading is not None:
            return None
        if lacking := self._incomplete(view):
            return self._end(view, lacking)
        if (step := self._cut_short.next(view)) is not None:
            return c.Start(step=step.id)
        step = view.next_start
        if step is not None and view.step(step.id).status == "waiting" and view.blocked_by(step) is None:
            return self._before(view, step) or c.Start(step=step.id)
        if view.opened is not None and view.opened.mode in ALONE:
            return self._end_alone(view)
        return self._at_the_gate(view)

    def _before(self, view: RunView, step: Step) -> c.Command | None:
        """What must have been read before a step may start: the way back that it is of, and the script that it runs."""
        if (item := unread(view, step)) is not None:
            lacking = f"the answers file does not tick {item.id}: {item.text}"
            return self._tick(item.id) or self._end(view, lacking)
        holds = [hold for hold in view.gate.holds if hold.kind == "review"] if view.phase == "rollback" else []
        if holds:
            return self._review(view, holds[0].subject) or self._end(view, _as_written(view, holds[0]))
        return None

    def _incomplete(self, view: RunView) -> str:
        """Why it goes no further, where an approval would be used up for nothing."""
        approved = view.plan is not None and view.plan.approval is not None
        if not approved or view.step(e.APPROVALS).progress:
            return ""
        lacking = "; ".join(lacks(self._answers, view))
        return f"the approval was not used up, as the answers file lacks: {lacking}" if lacking else ""

    def _end(self, view: RunView, reason: str) -> c.Command | None:
        """A refusal, a NO-GO, or a question without an answer is the end of an unattended walk."""
        if reason != self._told.reason:
            self._say(f"  {reason}")
        if self._over is None and (turn := turn_now(view, datetime.now(UTC))) is not None:
            self._say(f"  ☎ call now: {turn.contact.who}, {turn.contact.how}")
        self._over = self._told.reason = reason
        if view.decisions and view.decisions[-1].event.what == "end":
            return None  # it is about to be written
        if view.running is None:
            return self._close(view) or c.EndSession(reason=reason)
        attempt = (view.running, view.step(view.running).attempt)
        if attempt in self._cancelled or (view.undoes(view.running) and not view.questions):
            return None
        self._cancelled.add(attempt)
        return c.Cancel()

    def _end_alone(self, view: RunView) -> c.Command | None:
        """It ends by itself, unless something is open."""
        if not (is_over(view) and (left := unexplained(view))):
            return None
        return self._close(view) or c.EndSession(reason="; ".join(pair.words for pair in left))

    def _close(self, view: RunView) -> c.Command | None:
        """What is open is undone, once, or may stay open, as the answers file says; else a person must see to it."""
        for pair in unexplained(view):
            if self._answers.undo.get(pair.step.id) and pair.step.id not in self._undone:
                self._undone.add(pair.step.id)
                return c.Start(step=pair.undo.id)
            if reason := self._answers.waivers.get(pair.subject):
                return c.Waive(subject=pair.subject, reason=reason)
        return None

    def _at_the_gate(self, view: RunView) -> c.Command | None:
        phase = view.phase or ""
        for hold in view.gate.holds:
            command = self._lift(view, hold)
            if command is not None:
                return command
        if view.refused:
            no_go = next((d.event.reason for d in reversed(view.decisions) if d.event.what == "no_go"), "")
            if no_go != self._no_go and self._over is None:
                self._say(f"  NO-GO of {phase} was called before, and no answers file lifts that: begin a new session")
            return self._end(view, no_go)
        if not view.gate.ready:
            lacking = "; ".join(_as_written(view, hold) for hold in view.gate.holds)
            return self._refuse(phase, f"the answers file does not cover: {lacking}")
        if not self._answers.go.get(phase, False):
            return self._refuse(phase, f"the answers file holds no GO for {phase}")
        return self._go(view, phase)

    def _refuse(self, phase: str, reason: str) -> c.Command:
        self._no_go = reason
        return c.Decide(what="no_go", phase=phase, reason=reason)

    def _go(self, view: RunView, phase: str) -> c.Command | None:
        """Once for each phase: what the engine reads again may take its time, or refuse."""
        if phase not in self._asked:
            if phase == "smoke" and (names := untouched(view)):
                self._say(f"  ! altered, and touched by nothing: {', '.join(names)}")
            self._asked[phase] = len(view.refusals)
            return c.Decide(what="go", phase=phase)
        refused = view.refusals[self._asked[phase] :]
        return self._end(view, refused[-1].reason) if refused else None

    def _lift(self, view: RunView, hold: Hold) -> c.Command | None:
        match hold.kind:
            case "item":
                return self._tick(hold.subject) or self._waive(hold)
            case "review":
                return self._review(view, hold.subject)
            case "step" | "check" | "window":
                return self._waive(hold)
            case "undo":
                return self._close(view)
            case "stale":
                return self._renew(hold.subject)
            case "running" | "question" | "refused":
                return None
            case _:
                assert_never(hold.kind)

    def _renew(self, step: str) -> c.Command | None:
        if step in self._renewed:
            return None  # it grows old faster than it can be run
        self._renewed.add(step)
        return c.Start(step=step)

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
        scripts = {s.migration: s.sha256 for s in view.to_review}
        return c.Review(migration=migration, sha256=reviewed) if reviewed == scripts.get(migration) else None

    # What is said -----------------------------------------------------------------------------

    def _tell_meanwhile(self) -> None:
        """Once: after all that was said of what is past."""
        if self._client.meanwhile is not None and not self._looked:
            self._looked = True
            self._say("")
            self._say(f"── {self._client.meanwhile.heading}")
            for line in self._client.meanwhile.lines:
                self._say(f"  {line.at[11:19]} {SIGNS[line.weight]} {line.words}")

    def _tell(self) -> None:
        for record in self._client.records():
            self._cut_short.take(record.event)
            for line in self._told.lines(record.event):
                self._say(line)
            if isinstance(record.event, e.PlanMade):
                for words in idle_reviews(self._answers, record.event):
                    self._say(f"  ! {words}")


def _as_written(view: RunView, hold: Hold) -> str:
    """What holds, and what the answers file would lift it by."""
    if hold.kind == "review":
        sha256 = next(script.sha256 for script in view.to_review if script.migration == hold.subject)
        return f"{hold.words} ({review_line(hold.subject, sha256)})"
    table = _TABLES.get(hold.kind) if hold.waivable or hold.kind == "item" else None
    return f"{hold.words} ([{table}] {hold.subject})" if table else hold.words
