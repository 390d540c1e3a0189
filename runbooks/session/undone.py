"""A decision is written before it takes effect: the one that a runner died in between of, found again."""

from runbooks.session.events import Decided
from runbooks.session.view import RunView


def undone(view: RunView) -> Decided | None:
    """The last decision, if what follows from it had not been written when the runner died."""
    if not view.decisions or view.ended is not None:
        return None
    if (ending := next((d.event for d in view.decisions if _ends_all(d.event)), None)) is not None:
        return ending
    last = view.decisions[-1].event
    match last.what:
        case "go":
            lacking = view.phase == last.phase
        case "roll_back":
            lacking = view.phase != "rollback"
        case "end":
            lacking = True
        case _:
            lacking = False
    return last if lacking else None


def _ends_all(decided: Decided) -> bool:
    """The engine's own NO-GO: nothing but its end can follow, once all that was opened is undone."""
    return decided.what == "no_go" and decided.by.how == "engine"
