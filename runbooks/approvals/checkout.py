"""A plan computed again from another checkout, without a database: what an approver holds the document against."""

from migrations.folder import read_folder
from migrations.plan import Plan
from migrations.problem import Misuse
from runbooks.approvals.plan_document import PlanDocument
from runbooks.document import read_runbook
from runbooks.document.chosen import runbook_text
from runbooks.document.told import told_for
from runbooks.planning.narrowed import Narrowing, narrowed
from runbooks.planning.planning import Covered, covered_by, engine_of, make_plan
from runbooks.session import events as e
from runbooks.session.runbook import Runbook
from runbooks.settings.project import Environment, Project
from runbooks.steps import catalogue

_SEVERITIES = ("stop", "warn", "note")


def runbook_here(project: Project, environment: Environment, document: PlanDocument) -> Runbook:
    """The environment's runbook as this checkout has it, narrowed as the plan was. Raises Misuse."""
    name, text = runbook_text(project, environment)
    runbook = told_for(read_runbook(text, name=name, catalogue=catalogue()), environment.values, catalogue())
    return narrowed(runbook, catalogue(), Narrowing(to=document.to))


def plan_here(project: Project, environment: Environment, runbook: Runbook, document: PlanDocument) -> e.PlanMade:
    """The plan of the same scripts as this checkout has them. Takes seconds for megabytes."""
    wanted = {script.name for script in document.covers.scripts}
    pending = [migration for migration in read_folder(project.migrations) if migration.name in wanted]
    _same_engine(runbook, document)
    return make_plan(
        project,
        environment,
        runbook,
        Plan(pending=tuple(pending)),
        _target(document),
        first_run="first_run" in document.conditions,
        mark=None,
        runner=document.runner,
    )


def covered_here(project: Project, runbook: Runbook, plan: e.PlanMade, document: PlanDocument) -> Covered:
    """What its hash covers. Which database it is, and the version of Prisma there, only the plan can say."""
    database = (document.covers.system_identifier, document.covers.database)
    return covered_by(project, runbook, plan.scripts, database, document.runner)


def with_the_target(plan: e.PlanMade, document: PlanDocument) -> e.PlanMade:
    """The plan of this checkout, and beside it what the document says that only the target shows.

    A finding that weighs more there than here is told as there; none is told as less, nor what is protected here.
    """
    told = {(one.migration, one.finding.rule, one.finding.statement): one.finding for one in document.found}
    live = [one for one in document.found if one.finding.live]

    def weighed(migration: str, finding: e.Finding) -> e.Finding:
        there = told.get((migration, finding.rule, finding.statement), finding)
        severity = min(finding.severity, there.severity, key=_SEVERITIES.index)
        return finding.model_copy(update={"severity": severity})

    def script(one: e.Script) -> e.Script:
        found = [weighed(one.migration, finding) for finding in one.findings]
        last = max(0, len(one.statements) - 1)
        also = [each.finding for each in live if each.migration == one.migration and each.finding.statement <= last]
        both = sorted((*found, *also), key=lambda finding: finding.statement)
        return one.model_copy(update={"findings": tuple(both)})

    scripts = tuple(map(script, plan.scripts))
    conditions = {**document.conditions, **plan.conditions}
    told_of = {"scripts": scripts, "tables": document.tables, "conditions": conditions}
    protected = plan.protected or document.protected
    return plan.model_copy(update={**told_of, "protected": protected, "held_back": document.held_back})


def _same_engine(runbook: Runbook, document: PlanDocument) -> None:
    if (engine_of(runbook) == "prisma") != (document.runner is not None):
        raise Misuse(
            f"The plan is applied by {document.covers.engine}, and the runbook here says {engine_of(runbook)}.",
            advice="Check out what the plan was made from.",
        )


def _target(document: PlanDocument) -> e.Target:
    return e.Target(
        address=document.address,
        system_identifier=document.covers.system_identifier,
        database=document.covers.database,
        oid="",
        in_recovery=False,
        postmaster_start="",
        timeline="",
        server_version=document.server_version,
    )
