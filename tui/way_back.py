"""What comes after GO, and the ways back: their cost, their loss, until when they exist."""

from collections.abc import Iterator
from datetime import datetime

from textual.content import Content

from runbooks.session.events import WINDOW
from runbooks.session.fitting import fit
from runbooks.session.runbook import PHASES, Option, Phase, Section
from runbooks.session.touched import untouched
from runbooks.session.view import RunView
from runbooks.session.ways_back import ranked
from tui.estimates import UNKNOWN, backup_words, estimate, last_time, sessions_of, time_back
from tui.printable import one_line, printable
from tui.standing import phase_title
from tui.widgets.row import Row, row


def way_back_rows(view: RunView, now: datetime, *, keys: bool = True) -> list[Row]:
    """The age of the backup, and the ways back, the first to be taken first; nothing where none is to be taken.

    The key that leads there stands beside them where `keys` are to be had.
    """
    if view.opened is None or view.phase in (None, "opening", "rollback") or view.ended:
        return []
    options = tuple(one.option for one in ranked(view))
    ages = (("\n" + words, "$fail" if old else "$quiet") for words, old in backup_words(view, now))
    heading = row("", ("Way back", "bold $quiet"), ("  b", "$busy") if keys and options else "", *ages)
    none = row(Content.styled("! ", "$warn"), ("the runbook has none", "$warn"))
    return [heading, *(option_row(view, option) for option in options)] if options else [heading, none]


def option_row(view: RunView, option: Option, rank: str = "") -> Row:
    """One way back: where it stands among them, until when it exists, what is known of its time, what it loses."""
    over = option.is_over(view.phase)
    until = f"until {phase_title(option.until)}" if option.until else ""
    known = estimate(view, view.active_steps(option))
    said = (
        ", ".join(part for part in ("OVER" if over else "", until, *time_back(view, option)) if part),
        f"its steps took {known}" if known else "",
        f"loses {printable(option.loses)}" if option.loses else "",
    )
    facts = ("\n" if option.steps else ", ").join(part for part in said if part)
    facts = "\n".join(part for part in (rank, facts) if part)
    title = (one_line(option.title), "strike $quiet" if over else "")
    sign = Content.styled("✖ " if over else "◀ ", "$fail" if over else "$warn")
    return row(sign, title, (f"\n{facts}" if facts else "", "$quiet"))


def next_section(view: RunView) -> Phase | None:
    """What a GO opens; None where it ends the session."""
    if view.phase not in PHASES or view.phase == PHASES[-1]:
        return None
    name = PHASES[PHASES.index(view.phase) + 1]
    return next(phase for phase in view.runbook.phases if phase.name == name)


def after_go(view: RunView) -> Iterator[Row]:
    """In a line, what a GO opens and how long that took."""
    section = next_section(view)
    if section is not None and view.ended is None and (words := _estimate(view, section)):
        yield row("▸ ", f"then {phase_title(section.name)}, ", (words, "$quiet"))


def untouched_rows(view: RunView) -> Iterator[Row]:
    """At Smoke's hold point: the altered tables that nothing has looked at yet."""
    names = untouched(view) if view.phase == "smoke" and view.ended is None else []
    if names:
        words = ", ".join(map(one_line, names[:12])) + (f" and {len(names) - 12} more" if names[12:] else "")
        yield row(Content.styled("! ", "$warn"), ("altered, and touched by nothing yet: ", "$warn"), words)


def window_rows(view: RunView) -> Iterator[Row]:
    """How long the maintenance window is still open, and what has to fit into it; nothing where there is none."""
    found = fit(view)
    if found is None or view.phase not in PHASES or view.ended is not None:
        return
    shut = found.window.now is None
    shade = "$fail" if shut else "$warn" if found.too_short else "$quiet"
    waived = ("  waived", "$warn") if WINDOW in view.waivers else ""
    words = one_line(found.words)
    if shut and PHASES.index(view.phase) > PHASES.index("preflight"):
        words = f"{words}. Finish, or go back: nothing is stopped by it"
    yield row(Content.styled("◷ ", shade), "window: ", (words, shade), waived)


def crosses_no_return(view: RunView) -> bool:
    """Whether what a GO here opens may lose data for good: the migration, where a script is destructive."""
    return view.phase == "preflight" and "destructive" in view.conditions


def coming_rows(view: RunView) -> Iterator[Row]:
    """What a GO leads to, the estimate of it, and the point of no return if it is crossed."""
    if view.phase == "rollback":
        yield row("■ ", "GO ends the session as rolled back")
        return
    section = next_section(view)
    if section is None:
        yield row("■ ", "GO ends the session: everything is done")
        return
    words = f"\n{_estimate(view, section)}".rstrip()
    yield row("▶ ", (f"After GO, {phase_title(section.name)} opens", "bold"), (words, "$quiet"))
    if crosses_no_return(view):
        yield row(Content.styled("⚑ ", "bold $fail"), ("POINT OF NO RETURN: ", "bold $fail"), _lost(view))


def running_rows(view: RunView) -> Iterator[Row]:
    """The steps of the phase that a GO opens, and what each took the last time, in which session."""
    section = next_section(view)
    steps = view.active_steps(section) if section else ()
    if sessions := sessions_of(view, steps):
        yield row("", (f"last time: session {sessions}", "$quiet"))
    for step in steps:
        changes = {"target": "changes the database", "outside": "changes something outside"}.get(step.effect, "")
        how = f"  {changes}, waits for s" if changes else "  starts by itself, only reads"
        yield row("· ", one_line(step.title), (f"{how} · {last_time(view, step)}", "$quiet"))


def _estimate(view: RunView, section: Section) -> str:
    steps = view.active_steps(section)
    known = estimate(view, steps)
    return f"estimate: {known}" if known else f"no estimate: {UNKNOWN}" if steps else ""


def _lost(view: RunView) -> str:
    findings = view.conditions.get("destructive", ())
    return "what these scripts drop comes back only from the backup: " + "; ".join(one_line(f) for f in findings)
