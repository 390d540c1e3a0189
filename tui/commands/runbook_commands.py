"""What `gonogo runbook check` says of commands that no protected target may see."""

from collections.abc import Iterator
from pathlib import Path

from migrations.problem import Misuse
from runbooks.forbidden import check_commands, faults_of
from runbooks.session.runbook import Runbook
from runbooks.settings.project import Environment, Project, find, load


def told_of_commands(book: Runbook, document: Path) -> Iterator[str]:
    """What would be refused where it is protected. Raises DocumentError if a protected environment has this document.

    The environments are those of the gonogo.toml above the document, where there is one; for development there is
    nothing to be said.
    """
    project = _project(document)
    folder = folder_of(document)
    users = [one for one in project.environments.values() if _has(one, folder, document)] if project else []
    for one in users:
        if one.protected:
            check_commands(book, document.name, folder, one.values)
    if not users:
        yield from (f"! {fault}" for fault in faults_of(book, folder, {}))


def folder_of(document: Path) -> Path:
    """The project's folder, or that of a document which has no gonogo.toml above it."""
    project = _project(document)
    return project.folder if project is not None else document.absolute().parent


def _project(document: Path) -> Project | None:
    try:
        return load(find(document.absolute().parent))
    except Misuse:
        return None


def _has(environment: Environment, folder: Path, document: Path) -> bool:
    return environment.runbook is not None and (folder / environment.runbook).resolve() == document.resolve()
