"""A session that is none: what the review screen and the reader of plans need of one, without a runner."""

from importlib.metadata import version

from runbooks.session import events as e
from runbooks.session.runbook import Runbook
from runbooks.settings.project import FILE, Environment, Project

NAME = "on paper"


def opened_on_paper(
    project: Project, environment: Environment, runbook: Runbook, by: e.By, ticket: str
) -> e.SessionOpened:
    """The first record of a session on paper. It is written nowhere."""
    return e.SessionOpened(
        gonogo=version("gonogo"),
        session=NAME,
        environment=environment.name,
        protected=environment.protected,
        project=project.name,
        project_file=str(project.folder / FILE),
        project_sha256=project.sha256,
        runbook=runbook,
        operator=by,
        ticket=ticket,
    )
