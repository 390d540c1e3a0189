"""`gonogo new`: the folder of a migration, and the one that takes another back."""

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from migrations.drafting.skeleton import skeleton
from migrations.drafting.stamps import fresh_name
from migrations.drafting.writing import write
from migrations.folder import Migration, read_folder
from migrations.naming import convention
from runbooks.check.sources import usual
from runbooks.settings.project import Project
from tui.commands.check import nearest_project
from tui.commands.common import json_option, project_option, talk
from tui.printable import one_line

NO_PROJECT = "Go to the project's folder; or begin one: mkdir -p prisma/migrations, or gonogo.toml (docs/project.md)."


@click.command(short_help="Begin a migration: its folder, named and stamped.")
@click.argument("name")
@json_option
@project_option
def new(name: str, as_json: bool, project_file: Path | None) -> None:
    """Make the folder of a new migration in the project's convention, after all that are there (UTC). NAME says what it
    does, as in add_note_to_orders. Nothing is written over.
    """
    project = nearest_project(project_file)
    folder = place(project)
    named = fresh_name(name, convention(naming(project)), names(folder), datetime.now(UTC))
    paths = write(folder, {named.name: skeleton(named.name)})
    if as_json:
        told = {"migrations": [{"name": named.name, "script": str(path)} for path in paths], "notes": named.notes}
        return click.echo(json.dumps(told))
    for note in named.notes:
        talk(f"Note: {one_line(note)}.")
    for path in paths:
        click.echo(shown(path))


def place(project: Project | None) -> Path:
    """The migrations folder, whether it is there or not. Raises Misuse."""
    return project.migrations.resolve() if project else usual(NO_PROJECT)


def naming(project: Project | None) -> str:
    """The convention."""
    return project.naming if project else "prisma"


def names(folder: Path) -> tuple[str, ...]:
    """The migrations that are there, in the order of their application. Raises Misuse."""
    return tuple(migration.name for migration in there(folder))


def there(folder: Path) -> tuple[Migration, ...]:
    """None, where the folder is still to be made."""
    return read_folder(folder) if folder.exists() else ()


def shown(path: Path) -> str:
    """A path as somebody here would type it."""
    here = Path.cwd().resolve()
    return one_line(str(path.relative_to(here) if path.is_relative_to(here) else path))
