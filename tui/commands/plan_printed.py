"""A plan for people, in lines: what would run where, what the rules say of it, and what an approval names."""

from collections.abc import Iterator

from runbooks.approvals.plan_document import GivenAnswers, PlanDocument
from runbooks.faces.answers import NotApplicable, parse_answers
from runbooks.report.plan_words import HOW, coverage, table_words
from runbooks.report.rollback_words import undone_by
from runbooks.session import events as e

MARKS = {"stop": "✘", "warn": "!", "note": "·"}
_WORST = tuple(MARKS)


def plan_lines(document: PlanDocument, plan: e.PlanMade) -> Iterator[str]:
    """The whole plan; the worst findings of each script first."""
    yield from head_lines(document, protected=plan.protected)
    if document.answers is not None:
        yield from answers_lines(document.answers)
    for name, why in sorted(plan.conditions.items()):
        yield f"{name}:"
        yield from (f"  {words}" for words in why)
    for table in plan.tables:
        yield f"locks {table.name}: {table_words(table)}"
    yield from (f"not read: {words}" for words in plan.unread)
    for number, script in enumerate(plan.scripts, 1):
        yield ""
        yield from script_lines(script, f"{number} of {len(plan.scripts)}")
    yield from (f"held back: {name}" for name in plan.held_back)
    if not plan.scripts:
        yield "nothing is pending: there is nothing to apply"


def head_lines(document: PlanDocument, *, protected: bool) -> Iterator[str]:
    """Where, what for, by whom, until when."""
    yield f"Plan {document.plan}"
    sort = "PROTECTED" if protected else "not protected"
    yield f"{document.project} · {document.environment} · {sort} · {document.address}"
    yield f"PostgreSQL {document.server_version} · {document.covers.system_identifier}/{document.covers.database}"
    yield f"ticket {document.ticket} · asked for by {document.requester.name} · up to {document.to or 'the last'}"
    yield f"made {document.created_at} · expires {document.expires_at} · number {document.number}"
    if document.runner is not None:
        yield f"applied by {document.runner.words}"
    if document.git is not None:
        yield f"commit {document.git.commit}{'' if document.git.clean else ', with changes that are not committed'}"


def answers_lines(given: GivenAnswers) -> Iterator[str]:
    """What a person decided for an unattended run; what it waives first."""
    answers = parse_answers(given.text.encode(), given.file)
    yield f"run unattended by {given.file}, SHA-256 {given.sha256}:"
    yield from (f"  ! waives {subject}: {reason}" for subject, reason in answers.waivers.items())
    for item, answer in answers.items.items():
        if isinstance(answer, NotApplicable):
            yield f"  ! not applicable: {item}: {answer.not_applicable}"
        elif answer:
            yield f"  ticks {item}" + (f": {answer}" if isinstance(answer, str) else "")
    yield from (f"  answers {question}: {answer}" for question, answer in answers.answers.items())
    yield from (f"  reviewed {migration} as SHA-256 {sha256}" for migration, sha256 in answers.reviews.items())
    yield from (f"  undoes {step} before it ends early" for step, undo in answers.undo.items() if undo)
    yield f"  calls GO for {', '.join(phase for phase, go in answers.go.items() if go) or 'nothing'}"


def script_lines(script: e.Script, place: str) -> Iterator[str]:
    """One script, and what the rules say of it."""
    yield f"{place}  {script.migration}"
    yield f"  SHA-256 {script.sha256 or 'there is no migration.sql'}"
    yield f"  {HOW.get(script.model, script.model)}; {coverage((script,))}"
    yield from (f"  {words}" for words in (script.kept,) if words)
    for finding in sorted(script.findings, key=lambda found: (_WORST.index(found.severity), found.line)):
        yield from finding_lines(finding)
    if script.rollback or script.loses_data:
        yield "  undone by"
        yield from (f"    {line}".rstrip() for line in undone_by(script.rollback))


def finding_lines(finding: e.Finding) -> Iterator[str]:
    """What a rule says, where, and what to do instead."""
    loses = " · loses data" if finding.loses_data else ""
    live = " · on this target" if finding.live else ""
    yield f"  {MARKS[finding.severity]} {finding.rule}, line {finding.line}{loses}{live}: {finding.message}"
    yield from (f"      {words}" for words in (finding.instead,) if words)
    yield from (f"      allowed by the script: {words}" for words in (finding.allowed,) if words)
