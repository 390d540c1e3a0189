"""What is about to happen, as one event with one hash. Pure: everything is passed in.

The hash is the SHA-256 of the RFC 8785 bytes of an object with these members. `scripts`: for each pending script its
`name`, the `sha256` of its text, its `model` (how it is run) and its `findings` as pairs of rule and statement, in
order; `system_identifier` and `database` of the target; the hashes of `runbook` and `project`; the `engine` that runs
the scripts. What moves by itself (sizes, severities, estimates, addresses) is not in it.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import rfc8785

from migrations.folder import Migration
from migrations.plan import Plan
from migrations.rules import Finding, judge
from migrations.sql import Model, Script, execution_model, read_script
from runbooks import events as e
from runbooks.project import Environment, Project
from runbooks.runbook import Condition, Runbook

APPLY = "migrations.apply"


@dataclass(frozen=True, slots=True)
class Analysed:
    """One pending script, read and judged."""

    migration: Migration
    script: Script
    model: Model
    findings: tuple[Finding, ...]


def analyse(migration: Migration) -> Analysed:
    """Read and judge a script. Takes seconds for megabytes: not for the event loop."""
    script = read_script(migration.text)
    model = (
        Model("refused", f"the file cannot be run: {migration.problem}")
        if migration.problem
        else execution_model(script)
    )
    return Analysed(migration, script, model, judge(script))


def make_plan(
    project: Project,
    environment: Environment,
    runbook: Runbook,
    pending: Plan,
    target: e.Target,
    *,
    first_run: bool,
    mark: str | None,
) -> e.PlanMade:
    """The plan for what is pending. `mark` is the environment that the database itself names."""
    read = [analyse(migration) for migration in pending.pending]
    scripts = tuple(_script(one) for one in read)
    protected = _protected(project, environment, mark)
    return e.PlanMade(
        hash=plan_hash(project, runbook, scripts, target),
        target=target,
        protected=bool(protected),
        scripts=scripts,
        held_back=tuple(migration.name for migration in pending.held_back),
        conditions=_conditions(read, runbook, protected, first_run=first_run),
    )


def plan_hash(project: Project, runbook: Runbook, scripts: Sequence[e.Script], target: e.Target) -> str:
    """What a GO refers to, in lower-case hexadecimal; see the head of this file."""
    covered = {
        "scripts": [
            {
                "name": script.migration,
                "sha256": script.sha256,
                "model": script.model,
                "findings": [[rule, statement] for rule, statement in sorted(_pairs(script.findings))],
            }
            for script in scripts
        ],
        "system_identifier": target.system_identifier,
        "database": target.database,
        "runbook": runbook.sha256,
        "project": project.sha256,
        "engine": engine_of(runbook),
    }
    return hashlib.sha256(rfc8785.dumps(covered)).hexdigest()  # type: ignore[arg-type]


def _pairs(findings: Iterable[e.Finding]) -> list[tuple[str, int]]:
    return [(finding.rule, finding.statement) for finding in findings]


def engine_of(runbook: Runbook) -> str:
    """What runs the scripts: the `engine` of the step that applies them, `native` unless it says otherwise."""
    engines = (step.params.get("engine") for step in runbook.steps() if step.uses == APPLY)
    return str(next(engines, None) or "native")


def _protected(project: Project, environment: Environment, mark: str | None) -> tuple[str, ...]:
    """Why the target is protected. The database's own mark counts as much as the name that was typed."""
    marked = project.environments.get(mark or "")
    reasons = []
    if environment.protected:
        reasons.append(f"the environment {environment.name} is protected")
    if marked is not None and marked.protected:
        reasons.append(f"the database says that it is {marked.name}, which is protected")
    return tuple(reasons)


def _conditions(
    read: Sequence[Analysed], runbook: Runbook, protected: tuple[str, ...], *, first_run: bool
) -> dict[Condition, tuple[str, ...]]:
    """Each condition that holds, with what is behind it."""
    found = [(one.migration.name, finding) for one in read for finding in one.findings]
    backfills = tuple(f"the runbook has the step {s.id}" for s in runbook.steps() if s.uses.startswith("backfill."))
    held: dict[Condition, tuple[str, ...]] = {
        "destructive": _words((name, f) for name, f in found if f.loses_data),
        "rewrite": _words((name, f) for name, f in found if f.rewrites),
        "blocking": _words((name, f) for name, f in found if f.severity == "stop" and not f.loses_data),
        "backfill": backfills,
        "protected": protected,
        "first_run": ("the database has no ledger of migrations yet",) if first_run else (),
    }
    return {condition: reasons for condition, reasons in held.items() if reasons}


def _words(found: Iterable[tuple[str, Finding]]) -> tuple[str, ...]:
    return tuple(f"{name}, line {finding.line}: {finding.message}" for name, finding in found)


def _script(one: Analysed) -> e.Script:
    return e.Script(
        migration=one.migration.name,
        sha256=one.migration.checksum if one.migration.data is not None else "",
        size=len(one.migration.data or b""),
        model=one.model.kind,
        model_words=one.model.words,
        statements=tuple(
            e.Statement(line=s.line, start=s.start, end=s.end, summary=s.summary, analysed=s.analysed)
            for s in one.script.statements
        ),
        findings=tuple(_finding(finding) for finding in one.findings),
    )


def _finding(finding: Finding) -> e.Finding:
    return e.Finding(
        rule=finding.rule,
        severity=finding.severity,
        statement=finding.statement,
        line=finding.line,
        message=finding.message,
        loses_data=finding.loses_data,
        lock=finding.lock,
        blocks=finding.blocks,
        tables=finding.tables,
        instead=finding.instead,
        source=finding.source,
    )
