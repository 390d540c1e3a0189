"""A decision is written before it takes effect: the one that a runner died in between of, found again."""

from runbooks.session.events import Decided
from runbooks.session.view import RunView


def undone(view: RunView) -> Decided | None:
    """The last decision, if what follows from it had not been written when the runner died."""
    if not view.decisions or view.ended is not None:
        return None
    last = view.decisions[-1].event
    match last.what:
        case "go":
            lacking = view.phase == last.phase
        case "roll_back":
            lacking = view.phase != "rollback"
        case "no_go":
            lacking = last.by.how == "engine"
        case "end":
            lacking = True
        case _:
            lacking = False
    return last if lacking else None
