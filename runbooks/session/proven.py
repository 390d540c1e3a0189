"""Items that a step proves: ticked by its result as it stands, and by no person."""

from collections.abc import Sequence

from runbooks.session import events as e
from runbooks.session.runbook import Item


def is_green(end: e.End | None, outcome: e.Outcome | None) -> bool:
    """Whether a step that ended so proves anything: amber does not."""
    return (end, outcome) == ("done", "ok")


class Proven:
    """Follows the events of a session. `take` says what is proven now, and what is not any more."""

    def __init__(self) -> None:
        self._opened: e.SessionOpened | None = None
        self._conditions = frozenset[str]()
        self._proven: set[str] = set()

    def take(self, event: e.Event) -> tuple[Sequence[Item], Sequence[Item]]:
        """The items that this event has proven, and those that it takes the proof from."""
        match event:
            case e.SessionOpened():
                self._opened = event
            case e.PlanMade(conditions=conditions):
                self._conditions = frozenset(conditions)
            case e.StepEnded():
                return self._ended(event)
            case _:
                pass
        return (), ()

    def _ended(self, event: e.StepEnded) -> tuple[Sequence[Item], Sequence[Item]]:
        items = [item for item in self._items() if item.proved_by == event.step]
        if is_green(event.end, event.outcome):
            self._proven |= {item.id for item in items}
            return items, ()
        lost = [item for item in items if item.id in self._proven]
        self._proven -= {item.id for item in items}
        return (), lost

    def _items(self) -> list[Item]:
        sections = self._opened.runbook.sections() if self._opened else ()
        found = (item for section in sections for item in section.items)
        return [item for item in found if item.when is None or item.when in self._conditions]
