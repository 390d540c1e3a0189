"""What is about to happen, as one event with one hash. Pure: everything is passed in."""

import hashlib
from collections.abc import Sequence

import rfc8785

from migrations.folder import Migration
from migrations.plan import Plan
from migrations.rules import Finding, judge
from migrations.sql import Script, execution_model, read_script
from runbooks import events as e
from runbooks.project import Environment, Project
from runbooks.runbook import Condition, Runbook


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
    scripts = tuple(_script(migration) for migration in pending.pending)
    marked = project.environments.get(mark or "")
    protected = environment.protected or (marked is not None and marked.protected)
    return e.PlanMade(
        hash=_hash(project, runbook, scripts, target),
        target=target,
        protected=protected,
        scripts=scripts,
        held_back=tuple(migration.name for migration in pending.held_back),
        conditions=_conditions(scripts, protected=protected, first_run=first_run),
    )


def _script(migration: Migration) -> e.Script:
    read = read_script(migration.text)
    model = execution_model(read)
    unreadable = migration.problem or ("there is no migration.sql (P3015)" if migration.data is None else "")
    return e.Script(
        migration=migration.name,
        sha256=migration.checksum if migration.data is not None else "",
        size=len(migration.data or b""),
        model=f"refused: {unreadable}" if unreadable else f"{model.kind}: {model.words}",
        statements=_statements(read),
        findings=tuple(_finding(finding) for finding in judge(read)),
    )


def _statements(script: Script) -> tuple[e.Statement, ...]:
    return tuple(
        e.Statement(line=s.line, start=s.start, end=s.end, summary=s.summary, analysed=s.analysed)
        for s in script.statements
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


def _conditions(scripts: Sequence[e.Script], *, protected: bool, first_run: bool) -> dict[Condition, tuple[str, ...]]:
    """Each condition that holds, with what is behind it."""
    found = [(script.migration, finding) for script in scripts for finding in script.findings]

    def words(which: list[tuple[str, e.Finding]]) -> tuple[str, ...]:
        return tuple(f"{name}, line {finding.line}: {finding.message}" for name, finding in which)

    held: dict[Condition, tuple[str, ...]] = {
        "destructive": words([(n, f) for n, f in found if f.loses_data]),
        "rewrite": words([(n, f) for n, f in found if "rewrite" in f.blocks]),
        "blocking": words([(n, f) for n, f in found if f.severity == "stop" and not f.loses_data]),
        "protected": ("the environment is protected",) if protected else (),
        "first_run": ("there is no ledger yet",) if first_run else (),
    }
    return {condition: reasons for condition, reasons in held.items() if reasons}


def _hash(project: Project, runbook: Runbook, scripts: Sequence[e.Script], target: e.Target) -> str:
    """SHA-256 of what a GO refers to. Sizes, severities, estimates and addresses are shown, and not in it."""
    covered = {
        "scripts": [[s.migration, s.sha256, sorted([f.rule, f.statement] for f in s.findings)] for s in scripts],
        "system_identifier": target.system_identifier,
        "database": target.database,
        "runbook": runbook.sha256,
        "project": project.sha256,
        "engine": "native",
        "model": "safe",
    }
    return hashlib.sha256(rfc8785.dumps(covered)).hexdigest()  # type: ignore[arg-type]
