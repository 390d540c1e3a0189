"""What the headless face prints of a session, event by event; the recording of a session is made of the same lines."""

from migrations.listed import many
from runbooks.anchoring.noted import noted_by
from runbooks.faces.queue_told import QueueTold
from runbooks.session import events as e
from runbooks.session.calls import contact_of
from runbooks.session.looked import looked_in
from runbooks.session.proven import Proven
from runbooks.session.runbook import Runbook
from runbooks.signing.record import Unsigned, said_by

GLYPHS: dict[str, str] = {"ok": "✔", "warn": "!", "fail": "✘", "unknown": "?"}


class HeadlessTold:
    """Remembers what was said: `reason` is the last one, which is not said again."""

    def __init__(self) -> None:
        self.reason = ""
        self._queue = QueueTold()
        self._proven = Proven()
        self._book: Runbook | None = None

    def lines(self, event: e.Event) -> list[str]:
        """What is said of one event."""
        if isinstance(event, e.SessionOpened):
            self._book = event.runbook
        if isinstance(event, e.ItemTicked) and self._book and (contact := contact_of(self._book, event.item)):
            return [f"☎ called {contact.who}, {contact.how}" + (f": {event.evidence}" if event.evidence else "")]
        lines = _lines_of(event, self.reason)
        proven, lost = self._proven.take(event)
        lines += [f"  ☑ proven: {item.id}" for item in proven]
        lines += [f"  ☐ not proven any more: {item.id}" for item in lost]
        if isinstance(event, e.StepProgress):
            lines += self._queue.lines(event)
        if isinstance(event, e.Decided) and event.reason:
            self.reason = event.reason
        return lines


def _lines_of(event: e.Event, said: str) -> list[str]:
    match event:
        case e.SessionOpened():
            series = f" · {event.runbook.series.words}" if event.runbook.series else ""
            return [f"Session {event.session} · {event.environment} · {event.ticket} · {event.operator.name}{series}"]
        case e.PlanMade():
            scripts = many(len(event.scripts), "script")
            return [f"Plan {event.hash[:12]}: {scripts} for {event.target.address}"]
        case e.PhaseOpened():
            return ["", f"── {event.phase.capitalize()}" + (f": {event.option}" if event.option else "")]
        case e.StepStarted():
            return [f"▶ {event.title}" + (f" (attempt {event.attempt})" if event.attempt > 1 else "")]
        case e.StepEnded():
            return _ended(event)
        case e.ItemTicked(state="not_applicable"):
            return [f"⊘ {event.item} is not applicable: {event.reason}", *_facts(event)]
        case e.ItemTicked():
            return [f"☑ {event.item}" + (f": {event.evidence}" if event.evidence else ""), *_facts(event)]
        case e.ScriptReviewed():
            return [f"☑ reviewed {event.migration}"]
        case e.Waived():
            return [f"~ waived {event.subject}: {event.reason}"]
        case e.Decided():
            word = event.what.upper().replace("_", "-")
            return [f"{word} {event.phase}{_because(event.reason, said)}"]
        case e.PenTaken():
            return [f"✎ {event.by.name} took the pen: {event.reason}"]
        case e.SessionEnded():
            return ["", f"Ended: {event.outcome.replace('_', '-')}{_because(event.reason, said)}"]
        case e.StepProgress() if isinstance(unsigned := said_by(event), Unsigned):
            return [f"  ! record {unsigned.record} was not signed: {unsigned.reason}"]
        case e.StepProgress() if (looked := looked_in(event.step, event.data)) is not None:
            lines = (line for one in looked.logs for line in (one.words, *one.tail))
            return [f"  ≡ {line}" for line in (f"the logs, since {looked.cause}", *lines)]
        case e.StepProgress() if (noted := noted_by(event)) is not None:
            return [f"  {line}" for line in noted.words]
        case e.StepProgress(step=e.WINDOW, data={"label": str(words)}):
            return [f"  maintenance window: {words}"]
        case _:
            return []


def _facts(event: e.ItemTicked) -> list[str]:
    """What stood beside the question."""
    return [f"    · {fact}" for fact in event.facts]


def _because(reason: str, said: str) -> str:
    return f": {reason}" if reason and reason != said else ""


def _ended(event: e.StepEnded) -> list[str]:
    lines = [f"  {GLYPHS[event.outcome]} {event.end}, {event.outcome}, {event.took / 1_000_000:.1f} s"]
    for check in event.checks:
        lines.append(f"    {GLYPHS[check.outcome]} {check.title}: {check.evidence or check.outcome}")
        if check.outcome != "ok" and check.advice:
            lines.append(f"      → {check.advice}")
    if event.failure:
        lines.append(f"    {event.failure.code} {event.failure.what} {event.failure.advice}".rstrip())
    return [*lines, *(f"      → {advice}" for advice in event.advice)]
