"""The keys of the run screen, and which of them are wanted now."""

from textual.binding import Binding, BindingType

from runbooks.session.undone import undone
from runbooks.session.view import RunView
from tui.standing import Standing, failed_step


def _key(key: str, action: str, words: str, tooltip: str) -> Binding:
    return Binding(key, action, words, id=f"run.{action}", tooltip=tooltip)


BINDINGS: list[BindingType] = [
    _key("s", "start", "Start", "Start the step that waits; what and where is shown first"),
    _key("r", "again", "Run again", "Run the chosen step again, as a new attempt"),
    _key("t", "tick", "Tick", "Tick the chosen item of the checklist, or take the tick back"),
    _key("n", "not_applicable", "N/A", "Say that the chosen item does not apply, and why"),
    _key("w", "waive", "Waive", "Pass over the chosen hold, with a written reason"),
    _key("g", "go", "GO", "Poll the hold point; GO is typed there, not pressed"),
    _key("x", "no_go", "NO-GO", "Call NO-GO, with a reason; the hold point stays shut"),
    _key("a", "answer", "Answer", "Answer the question that is open"),
    _key("v", "review", "SQL", "Read the pending scripts, and mark them as reviewed"),
    _key("c", "cancel", "Cancel", "End the running step now"),
    _key("o", "stop", "Stop after", "Let the running step finish its script or batch, then end it"),
    _key("b", "roll_back", "Roll back", "The ways back: what each costs and loses"),
    _key("u", "undo", "Undo", "Start the step that undoes what is still open, such as maintenance mode"),
    _key("e", "end", "End", "End this session, with a reason"),
    _key("p", "transcript", "Transcript", "The record of this session so far"),
    _key("i", "contacts", "Contacts", "Whom to call, and what the runbook advises for known errors"),
    _key("m", "logs", "Logs", "The logs of the environment: where they are, and their last lines"),
    _key("f", "see", "See also", "Read the other documents that the runbook points to"),
    _key("h", "take_pen", "Take the pen", "Be the one whose keys count, with a reason"),
    _key("1", "pane('steps')", "Steps", "Show the steps"),
    _key("2", "pane('detail')", "Detail", "Show the chosen step"),
    _key("3", "pane('hold')", "Hold point", "Show the hold point"),
    Binding("tab", "next_pane", "Next pane", id="run.next_pane", tooltip="Go on to the next pane"),
    Binding("q,d", "app.detach", "Detach", id="run.detach", tooltip="Leave; the session goes on and can be resumed"),
]

_WANTED: dict[str, tuple[str, ...]] = {
    "opening": ("cancel",),
    "running": ("cancel", "stop"),
    "question": ("answer", "cancel"),
    "start": ("start",),
    "held": (),
    "ready": ("go", "no_go"),
    "refused": ("again", "roll_back", "end"),
    "ended": (),
    "gone": (),
}
_PAST = ("ended", "gone")
_LEAVING = ("app.detach", "app.help")


def wanted(view: RunView, state: Standing, *, has_pen: bool = True) -> tuple[str, ...]:
    """The actions to name at the bottom of the screen, the most wanted first."""
    if view.opened is None:
        return _LEAVING
    scripts = ("review",) if view.to_review else ()
    watching = not has_pen and state.kind not in _PAST
    deciding = ("take_pen",) if watching else _deciding(view, state)
    logs = ("logs",) if view.looked is not None else ()
    return tuple(dict.fromkeys((*deciding, *scripts, *logs, "transcript", *_LEAVING)))


def _deciding(view: RunView, state: Standing) -> tuple[str, ...]:
    """What changes something, or says how it goes on."""
    first = _WANTED[state.kind]
    if state.kind == "opening" or state.kind in _PAST:
        return first
    if state.kind in ("running", "question"):
        return (*first, *_lifting(view), *(("no_go",) if view.section else ()))
    if state.kind == "held" and failed_step(view):
        first = ("again", "roll_back")
    undo = ("undo",) if view.pairs else ()
    if view.pairs and undone(view) is not None:
        return ("undo", "waive")
    actions = (*first, *undo, *_lifting(view), "again", "go", "no_go", "roll_back")
    moot = (
        ("again", not _any_ran(view)),
        ("no_go", view.refused),
        ("roll_back", view.phase == "rollback"),
    )
    return tuple(action for action in actions if (action, True) not in moot)


def _any_ran(view: RunView) -> bool:
    steps = view.active_steps(view.section) if view.section else ()
    return any(view.step(step.id).status == "ended" for step in steps)


def _lifting(view: RunView) -> tuple[str, ...]:
    """What would lift something that holds."""
    holds = view.gate.holds if view.section else ()
    kinds = {hold.kind for hold in holds}
    lifting = (
        "review" if "review" in kinds else "",
        "tick" if "item" in kinds else "",
        "not_applicable" if any(h.kind == "item" and h.waivable for h in holds) else "",
        "waive" if any(h.kind in ("step", "check", "undo", "window") and h.waivable for h in holds) else "",
    )
    return tuple(action for action in lifting if action)
