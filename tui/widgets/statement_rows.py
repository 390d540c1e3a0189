"""What one statement does to those who use the database, in rows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from textual.content import Content

from runbooks.report.plan_words import NO_REHEARSAL, held_for, table_words
from runbooks.session.events import PlanMade, Script, Statement, Table, Touch
from tui.palette import OUTCOMES
from tui.printable import one_line, printable
from tui.widgets.finding_rows import finding_rows
from tui.widgets.row import Pile, Row, row

WORK = {
    "brief": "changes the catalog only",
    "data": "changes rows",
    "scan": "reads every row",
    "build": "builds an index",
    "rewrite": "writes the whole table anew",
}
_BLOCKED = ("reads and writes", "writes", "DDL")


@dataclass(frozen=True, slots=True)
class Told:
    """Rows, and at which of them the finding begins that is stood on."""

    rows: tuple[Row, ...]
    here: int = 0

    def above(self, width: int) -> int:
        """How many rows of the screen stand above that finding."""
        return Pile(self.rows[: self.here]).get_height({}, width)


def told_of(
    plan: PlanMade, script: Script, number: int, findings: Sequence[int], here: int | None, *, with_locks: bool
) -> Told:
    """Everything that is known of a statement. `findings` speak of it; `here` is the one that is stood on."""
    statement = script.statements[number]
    rows = [*_statement_rows(statement), *_lock_rows(plan, statement, with_locks=with_locks)]
    begin = 0
    for index in findings:
        begin = len(rows) if index == here else begin
        rows += finding_rows(script.findings[index], here=index == here, locks=not statement.touches)
    if not findings and statement.analysed:
        rows.append(row(Content.assemble(" ", OUTCOMES["ok"].sign, " "), ("no rule speaks of it", "$quiet")))
    if statement.touches:
        rows.append(row("   ", (NO_REHEARSAL, "$quiet")))
    return Told((*rows, *_model_rows(script)), begin)


def tells_of_locks(plan: PlanMade) -> bool:
    """Whether what is not said to lock anything locks nothing. A plan without locks may be older than they are."""
    return bool(plan.tables) or any(statement.touches for script in plan.scripts for statement in script.statements)


def told_of_script(script: Script, findings: Sequence[int]) -> Told:
    """What is said of a script where no statement is stood on."""
    words = "after the last statement" if script.statements else "no statement"
    rows = [found for index in findings for found in finding_rows(script.findings[index])]
    return Told((row("", (words, "$quiet")), *rows, *_model_rows(script), *_undone_rows(script)))


def told_of_applied(sha256: str, *, edited: bool) -> Told:
    """What is said of a script that was applied before. No rule is asked about it."""
    mark = OUTCOMES["fail" if edited else "ok"]
    words = "not what was applied" if edited else "what was applied"
    sum_of_it = f"the ledger has SHA-256 {one_line(sha256)[:12]}…"
    return Told((row(Content.assemble(" ", mark.sign, " "), (f"This is {words}: {sum_of_it}", f"${mark.shade}")),))


def _statement_rows(statement: Statement) -> Iterator[Row]:
    yield row("", (one_line(statement.summary), "bold"))
    if not statement.analysed:
        why = f": {one_line(statement.why_not)}" if statement.why_not else ""
        words = f"not analysed{why}. Read it as if it could do anything."
        yield row(Content.styled(" ? ", "$unknown"), (words, "$unknown"))
    if statement.alone:
        yield row("   ", ("It cannot be in a transaction.", "$warn"))


def _lock_rows(plan: PlanMade, statement: Statement, *, with_locks: bool) -> Iterator[Row]:
    """The locks, the hardest first."""
    tables = {table.name: table for table in plan.tables}
    idle = [touch for touch in statement.touches if not touch.blocks and touch.work == "brief"]
    for touch in sorted(statement.touches, key=_hardness):
        if touch not in idle:
            yield from _touch_rows(touch, tables)
    if idle:
        words = ", ".join(f"{one_line(touch.relation)} ({one_line(touch.lock)})" for touch in idle)
        yield row("   ", (f"blocks nobody: {words}", "$quiet"))
    if statement.touches and plan.unread:
        words = "; ".join(one_line(each) for each in plan.unread)
        yield row(Content.styled(" ? ", "$unknown"), (f"not known of the target: {words}", "$unknown"))
    if with_locks and not statement.touches and statement.analysed:
        yield row("   ", ("locks nothing that others use", "$quiet"))


def _touch_rows(touch: Touch, tables: Mapping[str, Table]) -> Iterator[Row]:
    blocks = f"blocks {one_line(touch.blocks)}" if touch.blocks else "blocks nobody"
    time = held_for(touch)
    yield row(
        "   ",
        (one_line(touch.relation), "bold"),
        f": {one_line(touch.lock)} ",
        (blocks, "bold" if touch.blocks in _BLOCKED[:2] else ""),
        f"; {WORK.get(touch.work, one_line(touch.work))}",
        f"; guess: {time}" if time else "",
    )
    table = tables.get(touch.relation)
    if table is not None:
        yield row("     ", (" · ".join(map(one_line, (table_words(table), *table.words))), "$quiet"))


def _hardness(touch: Touch) -> tuple[int, int]:
    blocked = _BLOCKED.index(touch.blocks) if touch.blocks in _BLOCKED else len(_BLOCKED)
    return blocked, -(touch.most or touch.least or 0)


def _undone_rows(script: Script) -> Iterator[Row]:
    """How it is undone, as it is written down beside it; the script that does it stands behind it in the tree."""
    back = script.rollback
    if back is not None and (back.text or back.wrong):
        yield row("   ", ("how it is undone:", "bold"))
        yield from (row(Content.styled(" ✖ ", "$fail"), (one_line(words), "$fail")) for words in back.wrong)
        yield from (row("   ", printable(line)) for line in back.text.splitlines())


def _model_rows(script: Script) -> Iterator[Row]:
    """How the script will be run, and why."""
    for words in (script.model_words, script.kept, script.prisma):
        if words:
            yield row("   ", (f"its script: {one_line(words)}", "$quiet"))
