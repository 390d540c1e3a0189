"""What gonogo itself found of what an item asks: the answer is a decision over facts, and recorded with them."""

from collections.abc import Callable, Iterator

from runbooks.report.plan_words import table_words, touch_words
from runbooks.report.words import many, took
from runbooks.session import events as e
from runbooks.session.fitting import APPLY, fit
from runbooks.session.runbook import BACKUPS, About
from runbooks.session.view import RunView

SHOWN = 12
"""So many lines of one sort are given; the rest is counted."""
LONGEST = 300
BLOCKS = ("reads and writes", "writes")


def facts_of(view: RunView, about: About | None) -> tuple[str, ...]:
    """The findings and estimates that an item asks a person to judge, in lines; nothing for an item without."""
    if about is None or view.plan is None:
        return ()
    return tuple(line if len(line) <= LONGEST else f"{line[:LONGEST]}…" for line in _ABOUT[about](view, view.plan))


def _performance(view: RunView, plan: e.PlanMade) -> Iterator[str]:
    work = sorted(_touches(plan, lambda touch: touch.work != "brief"))
    yield from _some([words for _, words in work], "statement that works on rows", "statements that work on rows")
    if not work:
        yield "no pending statement is known to read, build or write the rows of a table that is there"
    yield from _some([f"{table.name}: {table_words(table)}" for table in plan.tables], "table", "tables")
    said = [f for script in plan.scripts for f in _findings(script) if not f[1].loses_data and f[1].severity != "note"]
    yield from _some([_finding_words(*one) for one in said], "finding", "findings")
    yield from _not_known(plan)


def _downtime(view: RunView, plan: e.PlanMade) -> Iterator[str]:
    blocking = sorted(_touches(plan, lambda touch: touch.blocks in BLOCKS))
    yield from _some([words for _, words in blocking], "statement that blocks others", "statements that block others")
    if not blocking:
        yield "no pending statement is known to keep others from reading or writing a table"
    for step in view.runbook.steps():
        if step.uses == APPLY and (before := view.took_before(step.id)):
            yield f"{step.title} took {took(before.us)} the last time here, with what was pending then"
    if (found := fit(view)) is not None:
        yield f"maintenance window: {found.words}"
    yield from _not_known(plan)


def _loss(view: RunView, plan: e.PlanMade) -> Iterator[str]:
    losing = [script for script in plan.scripts if script.loses_data]
    for script in losing:
        found = [one for one in _findings(script) if one[1].loses_data]
        yield from _some(
            [_finding_words(*one) for one in found], "statement that loses data", "statements that lose data"
        )
        back = script.rollback
        files = ("rollback.md" * bool(back and back.text), "rollback.sql" * bool(back and back.script))
        undone = " and ".join(file for file in files if file) or "nothing that is written down beside it"
        yield f"{script.migration} is undone by {undone}"
    if not losing:
        yield "no pending statement is known to lose data"
    for step in view.runbook.steps():
        result = view.step(step.id).result
        if step.uses in BACKUPS and isinstance(at := result.get("taken_at"), str):
            what = "snapshot" if result.get("by") == "snapshot" else "dump"
            yield f"the {what} of {step.id} was taken at {at[:16].replace('T', ' ')} UTC"
    yield from _not_known(plan)


_ABOUT: dict[About, Callable[[RunView, e.PlanMade], Iterator[str]]] = {
    "performance": _performance, "downtime": _downtime, "loss": _loss,
}  # fmt: skip


def _touches(plan: e.PlanMade, wanted: Callable[[e.Touch], bool]) -> Iterator[tuple[int, str]]:
    """What is wanted of the locks, in words; to be sorted, the longest first."""
    for script in plan.scripts:
        for statement in script.statements:
            for touch in filter(wanted, statement.touches):
                where = f"{script.migration}, line {statement.line}"
                yield -(touch.most or touch.least or 0), f"{where}: {touch_words(touch)}"


def _findings(script: e.Script) -> list[tuple[str, e.Finding]]:
    return [(script.migration, finding) for finding in script.findings]


def _finding_words(name: str, finding: e.Finding) -> str:
    allowed = f" (allowed: {finding.allowed})" if finding.allowed else ""
    return f"{name}, line {finding.line}: {finding.severity} {finding.rule}: {finding.message}{allowed}"


def _not_known(plan: e.PlanMade) -> Iterator[str]:
    unread = [f"{s.migration}, line {one.line}" for s in plan.scripts for one in s.statements if not one.analysed]
    if unread:
        more = f" and {len(unread) - SHOWN} more" if unread[SHOWN:] else ""
        yield f"not analysed, so nothing is known of it: {'; '.join(unread[:SHOWN])}{more}"
    yield from (f"not read of the target: {words}" for words in plan.unread)


def _some(lines: list[str], one: str, several: str) -> Iterator[str]:
    yield from lines[:SHOWN]
    if lines[SHOWN:]:
        yield f"and {many(len(lines) - SHOWN, one, several)} more"
