"""Where a session acts now: the plan's target, or what it has restored, or moved to, since."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydantic import JsonValue

from runbooks.session.events import Target

if TYPE_CHECKING:
    from runbooks.session.view import RunView

REPINNED = "repinned"
"""The key of a result under which a step says what the session is pinned to from then on: fields of a target."""
MOVED = "moved_to"
"""The key of a result that names the variable whose address the session has moved to."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What steps have said of it, the latest word on each field. No later attempt of theirs takes it back."""

    pinned: Mapping[str, JsonValue] = field(default_factory=dict)
    variable: str | None = None

    def after_step(self, result: Mapping[str, JsonValue]) -> "Moved":
        """After the end of a step."""
        found = result.get(REPINNED)
        if not isinstance(found, dict):
            return self
        pinned = {**self.pinned, **{key: value for key, value in found.items() if key in FIELDS}}
        return Moved(pinned, str(result[MOVED]) if result.get(MOVED) else self.variable)


def target_of(view: "RunView") -> Target | None:
    """The target as it is now; None before there is a plan."""
    if view.plan is None:
        return None
    target = view.plan.target
    return Target.model_validate({**target.model_dump(), **view.moved.pinned}) if view.moved.pinned else target


def moved_to(view: "RunView") -> str | None:
    """The variable whose address the session has moved to, if it has."""
    return view.moved.variable


FIELDS = frozenset(Target.model_fields)
