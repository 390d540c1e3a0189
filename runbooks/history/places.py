"""What a command works on: the nearest project, where its sessions lie, the journal that a name leads to."""

import os
from dataclasses import dataclass
from pathlib import Path

from migrations.problem import Misuse
from runbooks.history import sessions
from runbooks.journal import NAME
from runbooks.settings import project as projects
from runbooks.settings.project import Project


@dataclass(frozen=True)
class Place:
    """The project that a command works on."""

    file: Path
    project: Project


def place(project_file: Path | None) -> Place:
    """Find and read gonogo.toml. Raises Misuse."""
    file = project_file or projects.find(Path.cwd())
    return Place(file, projects.load(file))


def journal_of(session: str | None, project_file: Path | None) -> Path:
    """The journal that a session's name, folder or file leads to. Raises Misuse."""
    if session and Path(session).is_file():
        return Path(session)
    if session and (Path(session) / NAME).is_file():
        return Path(session) / NAME
    if session and os.sep in session:
        raise Misuse(f"{session} is no journal, and no folder with a {NAME}.")
    where = root(project_file)
    if session is None:
        newest = next(iter(sessions.list_sessions(where)), None)
        if newest is None:
            raise Misuse(f"No sessions in {where}.")
        return newest.folder / NAME
    return sessions.find(where, session) / NAME


def root(project_file: Path | None) -> Path:
    """Where the sessions lie: the project's place for them, if there is a project."""
    try:
        here = place(project_file)
    except Misuse:
        if project_file is not None:
            raise
        return sessions.state_home(os.environ)
    return sessions.sessions_root(here.project, os.environ)
