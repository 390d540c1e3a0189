"""A plan in Markdown: where, under which conditions, what is locked, each script with its statements and findings."""

from collections.abc import Iterator

from runbooks import events as e
from runbooks.report.escape import cell, code
from runbooks.report.plan_words import NO_REHEARSAL, allowed, coverage, held_for, table_words, unlike_prisma
from runbooks.report.words import many, size

FOLDED = 12
"""A table of more rows than this is folded."""


def plan_blocks(plan: e.PlanMade, when: str, ref: str) -> Iterator[str]:
    """The plan, under a heading of its own. `ref` names the record that every line of it comes from."""
    yield f"### Plan {ref}"
    target = plan.target
    points = [
        f"- {when} hash {code(plan.hash)}",
        f"- target {code(target.address)}, PostgreSQL {code(target.server_version)}, identity"
        f" {code(target.fingerprint)}, OID {code(target.oid)}, timeline {code(target.timeline)},"
        f" {'in recovery' if target.in_recovery else 'primary'}, started {code(target.postmaster_start)}",
        *([f"- applied by {code(plan.runner.words)}"] if plan.runner else []),
        *(f"- condition **{name}**: {', '.join(map(code, why)) or 'holds'}" for name, why in plan.conditions.items()),
        *(f"- held back: {code(name)}" for name in plan.held_back),
        *(f"- **not read**: {code(what)}" for what in plan.unread),
        *(f"- other than here, {code(words)}" for words in unlike_prisma(plan.scripts)),
        *([f"- {code(coverage(plan.scripts))}"] if plan.scripts else ["- **nothing to apply**"]),
    ]
    yield "\n".join(points)
    yield from _tables(plan)
    if any(statement.touches for script in plan.scripts for statement in script.statements):
        yield NO_REHEARSAL
    yield from _allowed(plan)
    for number, script in enumerate(plan.scripts, 1):
        yield f"#### {number} of {len(plan.scripts)}: {code(script.migration)} {ref}"
        yield (
            f"SHA-256 {code(script.sha256)}, {size(script.size)}, {code(coverage((script,)))},"
            f" runs as {code(script.model)}, {many(len(script.findings), 'finding')}"
        )
        yield from _how_it_runs(script)
        yield from _statements(script)
        yield from _locks(script)
        if script.findings:
            yield _findings(script)
        yield from _verify(script)


def _how_it_runs(script: e.Script) -> Iterator[str]:
    """Why as it does, and from where on a failure keeps something; where not all of it is one transaction."""
    if script.kept or script.model == "refused":
        yield "\n".join(f"- {code(each)}" for each in (script.model_words, script.kept) if each)


def _verify(script: e.Script) -> Iterator[str]:
    """What must be true once it is applied."""
    if verify := script.verify:
        yield f"Beside it `verify.sql`, SHA-256 {code(verify.sha256)}, each of which must be true afterwards:"
        rows = [f"| {claim.line} | {cell(claim.text)} |" for claim in verify.claims]
        yield from _folded("| Line | Statement |\n|---|---|", rows, many(len(rows), "statement"))
        notes = [*verify.wrong, *([f"and {verify.more} more"] if verify.more else [])]
        yield from ("\n".join(f"- {code(note)}" for note in notes),) if notes else ()


def _tables(plan: e.PlanMade) -> Iterator[str]:
    if plan.tables:
        rows = [
            f"| {cell(table.name)} | {cell(table_words(table))} | {', '.join(map(cell, table.words))} |"
            for table in plan.tables
        ]
        yield from _folded(
            "| Locked | Rows and size | |\n|---|---|---|", rows, many(len(rows), "table is", "tables are")
        )


def _allowed(plan: e.PlanMade) -> Iterator[str]:
    """All that the scripts allow themselves, in one list."""
    found = allowed(plan.scripts)
    if found:
        rows = [
            f"- {code(finding.rule)} in {code(name)}, line {finding.line}{_loss(finding)}: {code(finding.allowed)}"
            for name, finding in found
        ]
        yield "\n".join(["Allowed by a comment in the script:", "", *rows])


def _statements(script: e.Script) -> Iterator[str]:
    rows = [
        f"| {number} | {s.line} | {cell(s.summary)}{'' if s.analysed else f' **not analysed**{_why_not(s)}'} |"
        for number, s in enumerate(script.statements, 1)
    ]
    if rows:
        yield from _folded("| | Line | Statement |\n|---|---|---|", rows, many(len(rows), "statement"))


def _why_not(statement: e.Statement) -> str:
    return f": {cell(statement.why_not)}" if statement.why_not else ""


def _locks(script: e.Script) -> Iterator[str]:
    rows = [
        f"| {number} | {statement.line} | {cell(touch.lock)} | {cell(touch.relation)} | {cell(touch.blocks)} |"
        f" {cell(touch.work)} | {cell(held_for(touch))} |"
        for number, statement in enumerate(script.statements, 1)
        for touch in statement.touches
    ]
    if rows:
        head = "| Statement | Line | Lock | On | Blocks | Work | Held |\n|---|---|---|---|---|---|---|"
        yield from _folded(head, rows, many(len(rows), "lock"))


def _folded(head: str, rows: list[str], what: str) -> Iterator[str]:
    table = "\n".join([head, *rows])
    if len(rows) <= FOLDED:
        yield table
    else:
        yield f"<details><summary>{what}</summary>"
        yield table
        yield "</details>"


def _findings(script: e.Script) -> str:
    head = "| Finding | Statement | Line | Rule | What | Lock | Blocks | Tables | Instead |"
    return "\n".join([head, "|---|---|---|---|---|---|---|---|---|", *map(_finding, script.findings)])


def _finding(f: e.Finding) -> str:
    cells = (f.rule, f.message, f.lock, f.blocks, ", ".join(f.tables), f.instead)
    rule, message, *rest = map(cell, cells)
    words = f"{message}{_loss(f)}{_asides(f)}"
    return f"| **{f.severity}** | {f.statement + 1} | {f.line} | {' | '.join([rule, words, *rest])} |"


def _loss(finding: e.Finding) -> str:
    return " **loses data**" if finding.loses_data else ""


def _asides(finding: e.Finding) -> str:
    live = " *on this target*" if finding.live else ""
    return f"{live} *allowed: {cell(finding.allowed)}*" if finding.allowed else live
