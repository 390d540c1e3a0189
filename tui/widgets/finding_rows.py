"""What the rules say of a statement, in rows."""

from collections.abc import Iterator

from textual.content import Content

from runbooks.events import Finding, Script
from tui.palette import OUTCOMES, of_finding
from tui.printable import one_line, printable
from tui.widgets.row import Row, row

ARROW = Content.styled("→ ", "$busy")
SHOWN = 20
"""Statements of one line that are told of one by one."""

_RANK = {"stop": 0, "warn": 1, "note": 2}


def worst_first(findings: tuple[Finding, ...]) -> list[Finding]:
    """What loses data, then by severity."""
    return sorted(findings, key=lambda f: (not f.loses_data, _RANK[f.severity], f.line))


def model_rows(script: Script) -> Iterator[Row]:
    """How the script will be run, and why."""
    if script.model_words:
        yield row("", ("Runs ", "bold $quiet"), (f"{one_line(script.model)}: {one_line(script.model_words)}", "$quiet"))


def statement_rows(script: Script, statements: range) -> Iterator[Row]:
    """Everything said of these statements of a script."""
    for number in statements[:SHOWN]:
        statement = script.statements[number]
        head = f"Statement {number + 1} of {len(script.statements)}  "
        yield row("", (head, "bold $quiet"), (one_line(statement.summary), "bold"))
        if not statement.analysed:
            words = "not analysed: gonogo cannot say what it does. Read it as if it could do anything."
            yield row(Content.styled("? ", "$unknown"), (words, "$unknown"))
        found = worst_first(tuple(f for f in script.findings if f.statement == number))
        for finding in found:
            yield from finding_rows(finding)
        if not found and statement.analysed:
            yield row(Content.assemble(OUTCOMES["ok"].sign, " "), ("no rule speaks of it", "$quiet"))
    if len(statements) > SHOWN:
        yield row("", (f"and {len(statements) - SHOWN} more statements on this line", "bold $warn"))
    if not statements:
        yield row("", ("after the last statement", "$quiet"))


def finding_rows(finding: Finding) -> Iterator[Row]:
    """One finding: what, which lock, what it blocks, what to do instead."""
    mark = of_finding(finding)
    head = f"{mark.word} · {one_line(finding.rule)}: "
    yield row(Content.assemble(mark.sign, " "), (head, f"bold ${mark.shade}"), printable(finding.message))
    facts = (
        finding.lock,
        f"blocks {finding.blocks}" if finding.blocks else "",
        ", ".join(finding.tables),
    )
    words = " · ".join(one_line(fact) for fact in facts if fact)
    if words:
        yield row("  ", (words, "$quiet"))
    if finding.instead:
        yield row(Content.assemble("  ", ARROW), printable(finding.instead))
    if finding.source:
        yield row("  ", (one_line(finding.source), "$quiet"))
