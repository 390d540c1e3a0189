"""Where a session acts now: the plan's target, or what it has restored, or moved to, since."""

from typing import TYPE_CHECKING

from runbooks.session.events import Target

if TYPE_CHECKING:
    from runbooks.session.view import RunView

REPINNED = "repinned"
"""The key of a result under which a step says what the session is pinned to from then on: fields of a target."""
MOVED = "moved_to"
"""The key of a result that names the variable whose address the session has moved to."""


def target_of(view: "RunView") -> Target | None:
    """The target as it is now; None before there is a plan."""
    if view.plan is None:
        return None
    target = view.plan.target
    for step in sorted(view.steps.values(), key=lambda step: step.ended_at):
        found = step.result.get(REPINNED)
        if isinstance(found, dict):
            target = Target.model_validate(target.model_dump() | {k: v for k, v in found.items() if k in FIELDS})
    return target


def moved_to(view: "RunView") -> str | None:
    """The variable whose address the session has moved to, if it has."""
    steps = sorted(view.steps.values(), key=lambda step: step.ended_at)
    return next((str(step.result[MOVED]) for step in reversed(steps) if step.result.get(MOVED)), None)


FIELDS = frozenset(Target.model_fields)
