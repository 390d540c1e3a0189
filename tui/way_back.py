"""What comes after GO, and the ways back: their cost, their loss, until when they exist."""

from collections.abc import Iterator

from textual.content import Content

from runbooks.runbook import PHASES, Option, PhaseName
from runbooks.view import RunView
from tui.printable import one_line, printable
from tui.standing import phase_title
from tui.widgets.row import Row, row


def is_over(option: Option, phase: PhaseName | None) -> bool:
    """Whether a way back no longer exists in this phase."""
    if option.until is None or option.until not in PHASES or phase not in PHASES:
        return False
    return PHASES.index(phase) > PHASES.index(option.until)


def way_back_rows(view: RunView) -> list[Row]:
    """A heading and the ways back, in the runbook's order; nothing where none is to be taken."""
    if view.opened is None or view.phase in (None, "opening", "rollback") or view.ended:
        return []
    options = view.runbook.options
    heading = row("", ("Way back", "bold $quiet"), ("  b", "$busy") if options else "")
    none = row(Content.styled("! ", "$warn"), ("the runbook has none", "$warn"))
    return [heading, *(option_row(view, option) for option in options)] if options else [heading, none]


def option_row(view: RunView, option: Option) -> Row:
    """One way back in two lines."""
    over = is_over(option, view.phase)
    costs = f"costs {one_line(option.costs)}" if option.costs else ""
    until = f"until {phase_title(option.until)}" if option.until else ""
    loses = f"loses {printable(option.loses)}" if option.loses else ""
    facts = ", ".join(part for part in ("OVER" if over else "", costs, until, loses) if part)
    title = (one_line(option.title), "strike $quiet" if over else "")
    sign = Content.styled("✖ " if over else "◀ ", "$fail" if over else "$warn")
    return row(sign, title, (f"\n{facts}" if facts else "", "$quiet"))


def next_phase(view: RunView) -> PhaseName | None:
    """What a GO opens; None where it ends the session."""
    if view.phase not in PHASES or view.phase == PHASES[-1]:
        return None
    return PHASES[PHASES.index(view.phase) + 1]


def crosses_no_return(view: RunView) -> bool:
    """Whether what a GO here opens may lose data for good: the migration, where a script is destructive."""
    return view.phase == "preflight" and "destructive" in view.conditions


def coming_rows(view: RunView) -> Iterator[Row]:
    """What a GO leads to: the next phase and its steps, and the point of no return if it is crossed."""
    if view.phase == "rollback":
        yield row("■ ", "GO ends the session as rolled back")
        return
    phase = next_phase(view)
    if phase is None:
        yield row("■ ", "GO ends the session: everything is done")
        return
    section = next(p for p in view.runbook.phases if p.name == phase)
    yield row("▶ ", (f"{phase_title(phase)} opens", "bold"))
    for step in view.active_steps(section):
        changes = {"target": "changes the database", "outside": "changes something outside"}.get(step.effect, "")
        how = f"  {changes}, waits for s" if changes else "  starts by itself, only reads"
        yield row("  · ", one_line(step.title), (how, "$quiet"))
    if crosses_no_return(view):
        yield row(Content.styled("  ⚑ ", "bold $fail"), ("POINT OF NO RETURN: ", "bold $fail"), _lost(view))


def _lost(view: RunView) -> str:
    findings = view.conditions.get("destructive", ())
    return "what these scripts drop comes back only from the backup: " + "; ".join(one_line(f) for f in findings)
