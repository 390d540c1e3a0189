"""Which of the altered tables something has looked at since: a step that ended well, an item that was confirmed."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from runbooks.session import events as e
from runbooks.session.proven import is_green
from runbooks.session.runbook import Condition, Item, PhaseName, Runbook, Step

if TYPE_CHECKING:
    from runbooks.session.view import RunView

AFTERWARDS: tuple[PhaseName, ...] = ("verify", "deploy", "smoke")
"""What looks at a table before it is altered proves nothing of it."""


class Touching:
    """Follows the events of a session: which steps ended well the last time, and which items are confirmed."""

    def __init__(self) -> None:
        self._good: set[str] = set()
        self._green: set[str] = set()

    def take(self, event: e.Event) -> None:
        """The next event."""
        match event:
            case e.StepStarted(step=name) | e.ItemUnticked(item=name) | e.ItemTicked(item=name, state="not_applicable"):
                self._good.discard(name)
                self._green.discard(name)
            case e.StepEnded(step=name, end="done", outcome="ok" | "warn" as outcome):
                self._good.add(name)
                if is_green("done", outcome):
                    self._green.add(name)
            case e.ItemTicked(item=name):
                self._good.add(name)
            case _:
                pass

    def left(self, runbook: Runbook, plan: e.PlanMade | None) -> list[str]:
        """The altered tables that nothing has looked at."""

        def did(one: Step | Item) -> bool:
            return one.id in self._good or (isinstance(one, Item) and one.proved_by in self._green)

        return _left(runbook, plan, did)


def untouched(view: "RunView") -> list[str]:
    """The altered tables that nothing has looked at by now."""

    def did(one: Step | Item) -> bool:
        if isinstance(one, Item):
            ticked = view.items.get(one.id)
            return view.proof(one) is not None or (ticked is not None and ticked.state == "done")
        return view.step(one.id).ended_well

    return _left(view.runbook, view.plan, did)


def _left(runbook: Runbook, plan: e.PlanMade | None, did: Callable[[Step | Item], bool]) -> list[str]:
    if plan is None or not plan.altered:
        return []
    touched = {name for one in _later(runbook, plan.conditions) if one.touches and did(one) for name in one.touches}
    return [table for table in plan.altered if not any(_is(name, table) for name in touched)]


def _later(runbook: Runbook, conditions: dict[Condition, tuple[str, ...]]) -> Iterator[Step | Item]:
    for phase in runbook.phases:
        every: list[Step | Item] = [*phase.steps, *phase.items] if phase.name in AFTERWARDS else []
        yield from (one for one in every if one.when is None or one.when in conditions)


def _is(said: str, table: str) -> bool:
    """Whether a name that a runbook gives is this table's: a schema counts only where both have one."""
    (said_schema, _, said_name), (schema, _, name) = said.rpartition("."), table.rpartition(".")
    return said_name == name and (not said_schema or not schema or said_schema == schema)
