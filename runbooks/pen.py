"""The pen: whose commands are taken. One face holds it; another may take it, with a reason that is recorded."""

from runbooks.events import FaceAttached
from runbooks.view import RunView


def holder(view: RunView) -> FaceAttached | None:
    """The face that holds the pen; None while nobody does."""
    return view.faces.get(view.pen) if view.pen is not None else None


def whose(view: RunView) -> str:
    """Who holds the pen, and since when."""
    found = holder(view)
    if found is None:
        return "nobody has the pen"
    sort = " (headless)" if found.sort == "headless" else ""
    return f"{found.by.name}{sort} has the pen since {view.pen_since[11:16]} UTC"


def withheld(view: RunView, face: str, reason: str) -> str | None:
    """Why a face cannot take the pen; None if it may. From a holder it is taken with a reason only."""
    if view.pen == face:
        return "this face has the pen already"
    if view.pen is not None and not reason.strip():
        return "say why the pen is taken over"
    return None
