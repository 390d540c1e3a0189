"""Any record in one line of words, as the transcript words it."""

from runbooks.journal.records import Record
from runbooks.report.entries import Entries
from runbooks.report.parts import Refs, Strong, Value, Words
from runbooks.report.steps import end_words, question_words
from runbooks.report.words import EFFECT, WHY, by_whom, many, size
from runbooks.session import events as e

__all__ = ["Record", "Said", "plain"]


def plain(words: Words) -> str:
    """The words alone."""
    return "".join("" if isinstance(span, Refs) else span if isinstance(span, str) else span.text for span in words)


class Said:
    """Knows the steps by their titles, and the items by their text."""

    def __init__(self, opening: e.SessionOpened) -> None:
        self._entries = Entries(opening.runbook, opening.operator)
        self._titles = {step.id: step.title for step in opening.runbook.steps()} | {"opening": "Opening"}

    def words(self, record: Record) -> Words:
        """What the record says."""
        event = record.event
        match event:
            case e.SessionOpened():
                return self._opened(event)
            case e.PlanMade():
                held = f", {many(len(event.held_back), 'migration')} held back" if event.held_back else ""
                scripts = f": {many(len(event.scripts), 'script')} pending{held}, on "
                return (Strong("Plan made"), scripts, Value(event.target.address))
            case e.PhaseOpened(phase=phase, option=option):
                way = f": {option}" if option else ""
                return (Strong(f"{phase.capitalize()}{way} was opened"),)
            case e.StepProgress(step=e.WINDOW):
                return self._entries.words(event)
            case e.StepStarted() | e.StepOutput() | e.StepProgress() | e.StepEnded() | e.ArtefactKept():
                return (Value(self._title(event)), *_of_step(event))
            case e.QuestionAsked():
                return (Value(self._titles.get(event.step, event.step)), " ", *question_words(event))
            case _:
                return self._entries.words(event)

    def _title(self, event: e.StepStarted | e.StepOutput | e.StepProgress | e.StepEnded | e.ArtefactKept) -> str:
        again = f" (attempt {event.attempt})" if event.attempt > 1 else ""
        return f"{self._titles.get(event.step, event.step)}{again}"

    def _opened(self, event: e.SessionOpened) -> Words:
        ticket = (", ticket ", Value(event.ticket)) if event.ticket else ()
        return (Strong("Session opened"), " on ", Value(event.environment), *ticket, ", ", *by_whom(event.operator))


def _of_step(event: e.StepStarted | e.StepOutput | e.StepProgress | e.StepEnded | e.ArtefactKept) -> Words:
    match event:
        case e.StepStarted():
            who: Words = (", ", *by_whom(event.by)) if event.by else ()
            return (f" started {WHY[event.why]}; {EFFECT[event.effect]}", *who)
        case e.StepOutput(text=text):
            first, *more = text.rstrip("\n").split("\n")
            return (" said: ", Value(first), f" … and {many(len(more), 'more line')}" if more else "")
        case e.StepProgress(data=data):
            label = data.get("label") or data.get("detail") or ""
            return (" went on", *((": ", Value(label)) if isinstance(label, str) and label else ()))
        case e.StepEnded(failure=failure):
            why: Words = (": ", Value(failure.what)) if failure else ()
            return (": ", *end_words(event), *why)
        case e.ArtefactKept():
            return (" kept ", Value(event.name), f", {size(event.size)}: ", Value(event.path))
