"""`gonogo plan`: reads the target as the opening of a session does, and makes the document that is approved."""

import secrets as random
import tempfile
from collections.abc import Mapping
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path

from migrations.folder import read_folder, with_reverse
from migrations.problem import Problem
from migrations.server_clock import server_time
from migrations.target import Pinned, environment_mark, pooling
from runbooks.approvals.on_paper import opened_on_paper
from runbooks.approvals.plan_document import Found, GivenAnswers, PlanDocument, stamped
from runbooks.document import read_runbook
from runbooks.document.chosen import runbook_text
from runbooks.document.told import told_for
from runbooks.faces.answers import check_answers, lacks, parse_answers
from runbooks.forbidden import check_commands
from runbooks.planning.allowed import judge_conditions
from runbooks.planning.git import head_of
from runbooks.planning.identity import judge
from runbooks.planning.narrowed import Narrowing, check_narrowing, narrowed
from runbooks.planning.plan_reader import PlanReader
from runbooks.planning.planning import covered_by
from runbooks.redact import Redactor
from runbooks.running.opening import judge_pooling, runner_of
from runbooks.session import events as e
from runbooks.session.references import check_values
from runbooks.session.runbook import Runbook
from runbooks.session.view import RunView, advance, fold
from runbooks.settings.project import Environment, Project
from runbooks.settings.setting import Setting, read_urls, secrets, target_of
from runbooks.steps import catalogue

APPLICATION = "gonogo plan"
NUMBER_BYTES = 16


async def request(
    project: Project,
    environment: Environment,
    environ: Mapping[str, str],
    *,
    to: str,
    ticket: str,
    requester: e.By,
    expires: timedelta,
    answers: GivenAnswers | None = None,
) -> tuple[PlanDocument, e.PlanMade]:
    """The document, and the plan as a session would make it now. Raises Misuse, Problem or Unavailable.

    `answers` are those of an unattended run. Nothing may be lacking in them, and no secret stand there.
    """
    runbook = _runbook(project, environment, to, answers)
    urls = read_urls(environment, environ)
    target = target_of(environment, urls)
    now = await _look(project, environment, target)
    with tempfile.TemporaryDirectory(prefix="gonogo-plan-") as folder:
        setting = Setting(Path(folder), project, environment, runbook, urls, target, dict(environ))
        view = fold([(0, stamped(now), opened_on_paper(project, environment, runbook, requester, ticket))])
        runner, _ = await runner_of(setting, setting.child_environment(view), APPLICATION)
        plan = await _made(setting, view, runner)
        judge_conditions(environment, plan)
        if answers is not None:
            _complete(answers, advance(view, 1, stamped(now), plan), setting)
    database = (plan.target.system_identifier, plan.target.database)
    document = PlanDocument(
        gonogo=version("gonogo"),
        project=project.name,
        environment=environment.name,
        protected=plan.protected,
        plan=plan.hash,
        covers=covered_by(project, runbook, plan.scripts, database, plan.runner),
        runner=plan.runner,
        to=to,
        held_back=plan.held_back,
        address=plan.target.address,
        server_version=plan.target.server_version,
        conditions=plan.conditions,
        found=tuple(Found(migration=s.migration, finding=f) for s in plan.scripts for f in s.findings),
        tables=plan.tables,
        ticket=ticket,
        requester=requester,
        number=random.token_hex(NUMBER_BYTES),
        created_at=stamped(now),
        expires_at=stamped(now + expires),
        git=await head_of(project.folder),
        answers=answers,
    )
    return document, plan


def _complete(given: GivenAnswers, view: RunView, setting: Setting) -> None:
    """Raises Problem: an approval would be used up for nothing, or a secret would travel with the plan."""
    found = Redactor(secrets(setting.project, setting.environ)).names([given.text])
    if found:
        raise Problem(
            f"{given.file} holds a secret: {', '.join(found)}.",
            advice="Take it out: whoever approves the plan reads it.",
        )
    lacking = "; ".join(lacks(parse_answers(given.text.encode(), given.file), view))
    if lacking:
        raise Problem(f"{given.file} lacks: {lacking}.", advice="An unattended run would end there. Write that first.")


def _runbook(project: Project, environment: Environment, to: str, answers: GivenAnswers | None) -> Runbook:
    """As a session would walk it."""
    name, text = runbook_text(project, environment)
    runbook = read_runbook(text, name=name, catalogue=catalogue())
    check_values(runbook, environment.name, environment.values)
    if environment.protected:
        check_commands(runbook, name, project.folder, environment.values)
    folder = read_folder(project.migrations)
    check_narrowing(runbook, [migration.name for migration in folder], Narrowing(to=to))
    if answers is not None:
        names = [migration.name for migration in with_reverse(folder)]
        check_answers(parse_answers(answers.text.encode(), answers.file), runbook, names)
    return narrowed(told_for(runbook, environment.values, catalogue()), catalogue(), Narrowing(to=to))


async def _look(project: Project, environment: Environment, target: Pinned) -> datetime:
    """See that it is the database that is meant. Returns the server's time."""
    connection = await target.open("read", application_name=APPLICATION)
    try:
        assert target.pin is not None
        judge(project, environment, target.pin, await environment_mark(connection))
        now = await server_time(connection)
    finally:
        await connection.close()
    if target.pin.in_recovery:
        raise Problem("The server is a standby: it takes no writes.", advice="Give the primary's address.")
    judge_pooling(await pooling(target.url), target.url, environment)
    return now


async def _made(setting: Setting, view: RunView, runner: e.Runner | None) -> e.PlanMade:
    """The plan, secrets taken out."""
    redactor = Redactor(secrets(setting.project, setting.environ))
    made = redactor.event(await PlanReader(setting, redactor).make(view, runner))
    assert isinstance(made, e.PlanMade)
    return made
