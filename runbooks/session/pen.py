"""The pen: whose commands are taken. One face holds it; another may take it, with a reason that is recorded."""

from runbooks.session.events import FaceAttached
from runbooks.session.view import RunView


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


def approved(view: RunView, name: str) -> bool:
    """Whether it is the name of somebody who approved the plan: they watch, and do not run it."""
    approval = view.plan.approval if view.plan else None
    approvers = approval.approvers if approval else ()
    return any(one.principal.casefold() == name.casefold() for one in approvers)


def unheard(view: RunView, face: str, name: str) -> str | None:
    """Why what a face sends is not taken; None if it is. It may have had the pen before its plan was approved."""
    if view.pen != face:
        return f"{whose(view)}, and this face only watches"
    return _only_watches(name) if approved(view, name) else None


def withheld(view: RunView, face: str, reason: str) -> str | None:
    """Why a face cannot take the pen; None if it may. From a holder it is taken with a reason only."""
    if view.pen == face:
        return "this face has the pen already"
    if face in view.faces and approved(view, view.faces[face].by.name):
        return _only_watches(view.faces[face].by.name)
    if view.pen is not None and not reason.strip():
        return "say why the pen is taken over"
    return None


def _only_watches(name: str) -> str:
    return f"{name} approved this plan: somebody else runs it"
