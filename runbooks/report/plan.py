"""A plan in Markdown: where, under which conditions, each script with its statements and findings."""

from collections.abc import Iterator

from runbooks import events as e
from runbooks.report.escape import cell, code
from runbooks.report.words import many, size

FOLDED = 12
"""A table of more statements than this is folded."""


def plan_blocks(plan: e.PlanMade, when: str, ref: str) -> Iterator[str]:
    """The plan, under a heading of its own. `ref` names the record that every line of it comes from."""
    yield f"### Plan {ref}"
    target = plan.target
    points = [
        f"- {when} hash {code(plan.hash)}",
        f"- target {code(target.address)}, PostgreSQL {code(target.server_version)}, identity"
        f" {code(target.fingerprint)}, OID {code(target.oid)}, timeline {code(target.timeline)},"
        f" {'in recovery' if target.in_recovery else 'primary'}, started {code(target.postmaster_start)}",
        *(f"- condition **{name}**: {', '.join(map(code, why)) or 'holds'}" for name, why in plan.conditions.items()),
        *(f"- held back: {code(name)}" for name in plan.held_back),
        *([] if plan.scripts else ["- **nothing to apply**"]),
    ]
    yield "\n".join(points)
    for number, script in enumerate(plan.scripts, 1):
        yield f"#### {number} of {len(plan.scripts)}: {code(script.migration)} {ref}"
        yield (
            f"SHA-256 {code(script.sha256)}, {size(script.size)}, {many(len(script.statements), 'statement')},"
            f" runs as {code(script.model)}, {many(len(script.findings), 'finding')}"
        )
        yield from _statements(script)
        if script.findings:
            yield _findings(script)


def _statements(script: e.Script) -> Iterator[str]:
    if not script.statements:
        return
    rows = [
        f"| {number} | {s.line} | {cell(s.summary)}{'' if s.analysed else ' **not analysed**'} |"
        for number, s in enumerate(script.statements, 1)
    ]
    table = "\n".join(["| | Line | Statement |", "|---|---|---|", *rows])
    if len(rows) <= FOLDED:
        yield table
    else:
        yield f"<details><summary>{many(len(rows), 'statement')}</summary>"
        yield table
        yield "</details>"


def _findings(script: e.Script) -> str:
    rows = [
        f"| **{f.severity}** | {f.statement + 1} | {f.line} | {cell(f.rule)} | {cell(f.message)}{_loss(f)} |"
        f" {cell(f.lock)} | {cell(f.blocks)} | {cell(', '.join(f.tables))} | {cell(f.instead)} |"
        for f in script.findings
    ]
    head = "| Finding | Statement | Line | Rule | What | Lock | Blocks | Tables | Instead |"
    return "\n".join([head, "|---|---|---|---|---|---|---|---|---|", *rows])


def _loss(finding: e.Finding) -> str:
    return " **loses data**" if finding.loses_data else ""
