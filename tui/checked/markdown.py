"""What a reviewer of a pull request needs to know, as Markdown: `gonogo check --pr`."""

from collections.abc import Iterator, Sequence
from itertools import chain

from migrations.impact.weigh import Held
from migrations.impact.words import GUESSED, rows_text, size_text, span_text
from migrations.locks.lock import EFFORT
from runbooks.check.impact import Fact, Facts
from runbooks.check.report import Remark, Report
from runbooks.report.escape import cell, code, fenced, inline
from tui.checked.common import coverage, in_order, name_of, subject, sums

MOST = 50
"""Locks of a script that are told one by one: the hardest."""

WORK = {
    "brief": "",
    "data": "changes rows",
    "scan": "reads every row",
    "build": "builds an index",
    "rewrite": "writes the table anew",
}
HEAD = "| line | statement | locks | blocks | work | on | for |\n|--:|---|---|---|---|---|---|"


def report_markdown(report: Report, facts: Sequence[Facts]) -> Iterator[str]:
    """The facts of each script, its findings, and what is not known; in paragraphs."""
    yield f"## Migrations: {sums(report)}"
    yield inline(subject(report))
    told = {one.file.path: one for one in facts}
    remarks = in_order(report)
    for script in report.scripts:
        yield f"### {code(script.name)}"
        if script.path in told:
            yield from _locks(told[script.path])
        yield from chain.from_iterable(_remark(remark) for remark in remarks if remark.path == script.path)
    others = [remark for remark in remarks if remark.path not in {script.path for script in report.scripts}]
    if others:
        yield "### Beside the scripts"
        yield from chain.from_iterable(_remark(one, name_of(one.path, report.top)) for one in others)
    yield from _allowed(report)
    yield from _rest(report, facts)


def _locks(facts: Facts) -> Iterator[str]:
    """What is locked or changed, statement by statement; a script that touches nothing that was there has no table."""
    locks = [(fact, held) for fact in facts.statements for held in fact.held]
    if not locks:
        yield "It touches nothing that was there before it."
        return
    hardest = sorted(range(len(locks)), key=lambda n: _hardness(locks[n][1]), reverse=True)[:MOST]
    more = f"\n\n{len(locks) - MOST} more, none of them harder" if len(locks) > MOST else ""
    yield "\n".join((HEAD, *(_row(*locks[n]) for n in sorted(hardest)))) + more


def _hardness(held: Held) -> tuple[int, int]:
    return held.what.lock.strength, EFFORT[held.what.work]


def _row(fact: Fact, held: Held) -> str:
    what = held.what
    columns = (
        str(fact.line),
        cell(fact.summary),
        f"{what.lock.value} on {cell(what.shown)}",
        what.blocks or "nobody",
        WORK[what.work] + (f"; {what.spared}" if what.spared else ""),
        _size(held),
        span_text(held.span),
    )
    return f"| {' | '.join(columns)} |"


def _size(held: Held) -> str:
    relation = held.what.relation
    if relation is None:
        return ""
    size = "" if relation.bytes is None or relation.empty else f", {size_text(relation.bytes)}"
    return f"{rows_text(relation)}{size}"


def _remark(remark: Remark, file: str = "") -> Iterator[str]:
    finding = remark.finding
    where = f"{code(file)}, line {finding.line}" if file else f"line {finding.line}"
    words = f"**{finding.severity}** {code(remark.code)}, {where}: {inline(finding.message)}."
    instead = f" {inline(finding.instead)}" if finding.instead else ""
    safer = f"\n\n{_indented(fenced(finding.safer_sql, 'sql'))}" if finding.safer_sql else ""
    yield f"- {words}{instead}{safer}"


def _indented(text: str) -> str:
    return "\n".join(f"  {line}".rstrip() for line in text.split("\n"))


def _allowed(report: Report) -> Iterator[str]:
    if not report.allowed:
        return
    yield "### Allowed by a comment in the script"
    for remark in report.allowed:
        place = code(f"{name_of(remark.path, report.top)}:{remark.finding.line}")
        yield f"- {place} {code(remark.code)}: {inline(remark.finding.allowed)}"


def _rest(report: Report, facts: Sequence[Facts]) -> Iterator[str]:
    yield "### How this is known"
    yield f"- {inline(coverage(report))}"
    yield from (f"- {inline(words)}" for words in report.proven)
    yield from (f"- not checked: {inline(words)}" for words in report.not_checked)
    if not any(held.what.relation for one in facts for fact in one.statements for held in fact.held):
        yield "- sizes, rows and times are not known without a database: `gonogo check --pr --database ENV`"
    else:
        yield f"- times are {GUESSED}"
