"""Which attempts were cut short by the end of their runner, and not by themselves or by a person."""

from runbooks.session import events as e
from runbooks.session.runbook import Step
from runbooks.session.view import RunView


class CutShort:
    """Follows the events. What was cut short may be started again, once the world was asked how it ended."""

    def __init__(self) -> None:
        self._attempts: set[tuple[str, int]] = set()
        self._stopped: set[tuple[str, int]] = set()
        self._cancelled = False

    def take(self, event: e.Event) -> None:
        """The next event."""
        match event:
            case e.StepStarted():
                self._cancelled = False
            case e.Decided(what="cancel"):
                self._cancelled = True
            case e.StepEnded(step=step, attempt=attempt, end="stopped") if not self._cancelled:
                self._stopped.add((step, attempt))
            case e.SessionResumed(unknown=unknown):
                self._attempts |= {*unknown, *self._stopped}
            case e.QuestionAnswered(question=question, answer="failed") if question.endswith("/settle"):
                step = question.removesuffix("/settle")
                self._attempts = {each for each in self._attempts if each[0] != step}
            case _:
                pass

    def next(self, view: RunView) -> Step | None:
        """The step of what stands open that can be started again now."""
        steps = view.active_steps(view.section) if view.section else ()
        return next((step for step in steps if self._again(view, step)), None)

    def _again(self, view: RunView, step: Step) -> bool:
        state = view.step(step.id)
        cut_short = (step.id, state.attempt) in self._attempts and state.status == "ended" and state.end != "done"
        return cut_short and view.blocked_by(step) is None
