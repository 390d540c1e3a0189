"""Which way back comes first, judged by what was applied: pure, from the view alone."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from runbooks.session.runbook import Option, Way

if TYPE_CHECKING:
    from runbooks.session.view import RunView

APPLY = "migrations.apply"

Extent = Literal["nothing", "additive", "destructive", "unknown"]
"""What was committed of the plan: nothing; only what adds; something that loses data; or it cannot be told."""

ORDER: dict[Extent, tuple[Way, ...]] = {
    "additive": ("forward", "application", "script", "restore", "point-in-time"),
    "destructive": ("restore", "point-in-time", "script", "forward", "application"),
}

WHY: dict[tuple[Extent, Way], str] = {
    ("additive", "forward"): "the old version of the app does not see what was only added: leave it, and mend forward",
    ("additive", "application"): "the old version of the app works on what was only added to",
    ("additive", "script"): "it takes away again what was added, and what was written into it",
    ("additive", "restore"): "nothing that was there is lost: a restore would lose what was written since",
    (
        "additive",
        "point-in-time",
    ): "nothing that was there is lost: to go back loses what was written since",
    ("destructive", "restore"): "it brings back what was lost, and loses what was written since",
    ("destructive", "point-in-time"): "it brings back what was lost, and loses what was written since that moment",
    ("destructive", "script"): "it can give back the shape of what was dropped, not what was in it",
    ("destructive", "forward"): "it can give back the shape of what was dropped, not what was in it",
    ("destructive", "application"): "the old version of the app misses what was dropped",
}

NOTHING = "Nothing was committed: there is nothing to roll back. End the session."
UNKNOWN = "The ways stand as the runbook has them. Look first what changed."


@dataclass(frozen=True, slots=True)
class Applied:
    """What was committed, and why it is taken for that, in words."""

    extent: Extent
    words: str


@dataclass(frozen=True, slots=True)
class Ranked:
    """A way back. `place` counts from 1; 0 where there is no order to speak of. `why` it stands there."""

    option: Option
    place: int
    why: str


def way_of(option: Option) -> Way:
    """What kind of a way it is: by the document's word, else by its steps."""
    if option.way is not None:
        return option.way
    uses = {step.uses for step in option.steps}
    if "target.repin" in uses:
        return "point-in-time"
    if any(name.startswith("restore.") for name in uses):
        return "restore"
    return "script" if "rollback.script" in uses else "forward"


def applied(view: "RunView") -> Applied:
    """What the steps of this session have committed of its plan."""
    scripts = view.plan.scripts if view.plan else ()
    committed = [
        (s, view.reach.committed.get(s.migration, 0)) for s in scripts if view.reach.committed.get(s.migration)
    ]
    lost = [
        f"{script.migration}, line {finding.line}: {finding.message.rstrip('.')}"
        for script, through in committed
        for finding in script.findings
        if finding.loses_data and finding.statement < through
    ]
    if lost:
        more = f", and {len(lost) - 1} more" if len(lost) > 1 else ""
        return Applied("destructive", f"Data was lost: {lost[0]}{more}.")
    if doubt := _doubt(view):
        return Applied("unknown", f"{doubt} {UNKNOWN}")
    if not committed:
        return Applied("nothing", NOTHING)
    names = ", ".join(script.migration for script, _ in committed)
    unread = any(not s.analysed for script, through in committed for s in script.statements[:through])
    if unread:
        return Applied("unknown", f"{names} holds statements that could not be analysed. {UNKNOWN}")
    return Applied("additive", f"Committed, and nothing of it loses data: {names}.")


def _doubt(view: "RunView") -> str:
    """Why it cannot be told from the record what was committed; empty if it can."""
    if not view.plan or not view.plan.scripts:
        return ""
    if view.reach.in_doubt:
        return f"It is not known how much of {', '.join(sorted(view.reach.in_doubt))} was committed."
    migrate = next((phase for phase in view.runbook.phases if phase.name == "migrate"), None)
    for step in view.active_steps(migrate) if migrate else ():
        state = view.step(step.id)
        if not state.attempt:
            continue
        if state.status != "ended":
            return f"“{step.title}” {'is running' if state.status == 'running' else 'has no known end'}."
        if step.uses == "shell":
            return f"“{step.title}” ran commands of your own, which may have changed the database."
        if step.uses == APPLY and step.params.get("engine") == "prisma" and state.end != "done":
            return "Prisma's own command did not end well."
    return ""


def ranked(view: "RunView") -> tuple[Ranked, ...]:
    """The ways back, the first to be taken first; those that are over come last."""
    extent = applied(view).extent
    ways = ORDER.get(extent)
    if ways is None:
        return tuple(Ranked(option, 0, "") for option in view.runbook.options)
    options = sorted(view.runbook.options, key=lambda o: (o.is_over(view.phase), ways.index(way_of(o))))
    return tuple(Ranked(option, place, WHY[extent, way_of(option)]) for place, option in enumerate(options, 1))


def ranking_words(view: "RunView", option: str) -> str:
    """How one way stands among the others now, for the record."""
    found = ranked(view)
    mine = next((one for one in found if one.option.id == option), None)
    said = applied(view).words
    if mine is None or not mine.place:
        return said
    first = f"; first comes {found[0].option.title}" if mine.place > 1 else ""
    return f"{mine.place} of {len(found)}: {mine.why}{first}. {said}"
