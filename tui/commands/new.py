"""`gonogo new`: the folder of a migration, and the one that takes another back."""

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from migrations.drafting.skeleton import skeleton
from migrations.drafting.stamps import Named, fresh_name
from migrations.drafting.writing import write
from migrations.folder import read_folder
from migrations.naming import convention
from migrations.problem import Misuse
from runbooks.check.sources import usual
from runbooks.settings.project import Project
from tui.commands.check import nearest_project
from tui.commands.common import json_option, project_option, talk
from tui.printable import one_line

NO_PROJECT = "Go to the project's folder; or begin one: mkdir -p prisma/migrations, or gonogo.toml (docs/project.md)."


@click.command(short_help="Begin a migration, or draft the one that takes another back.")
@click.argument("name", required=False)
@click.option("--rollback-of", metavar="MIGRATION", help="Draft what takes this one back, and try it.")
@click.option("--database", metavar="ENVIRONMENT", help="Hold the draft against this one's schema. Reads only.")
@click.option("--pg-bin", type=click.Path(path_type=Path), help="PostgreSQL's programs for the throw-away server.")
@json_option
@project_option
def new(
    name: str | None,
    rollback_of: str | None,
    database: str | None,
    pg_bin: Path | None,
    as_json: bool,
    project_file: Path | None,
) -> None:
    """Make the folder of a new migration in the project's convention, after all that are there (UTC). NAME says what it
    does, as in add_note_to_orders. Nothing is written over.
    """
    project = nearest_project(project_file)
    folder = project.migrations.resolve() if project else usual(NO_PROJECT)
    if rollback_of is not None:
        from tui.commands.new_draft import Wish, drafted

        return drafted(folder, project, Wish(rollback_of, name, database, pg_bin, as_json))
    if name is None:
        raise Misuse("What is the migration to be called?", advice="Say what it does: gonogo new add_note_to_orders")
    if pg_bin is not None or database is not None:
        raise Misuse(
            "A new migration needs no PostgreSQL.", advice="Leave --pg-bin and --database out, or give --rollback-of."
        )
    named = named_after(folder, project, name)
    paths = write(folder, {named.name: skeleton(named.name)})
    if as_json:
        told = {"migrations": [{"name": named.name, "script": str(path)} for path in paths], "notes": named.notes}
        return click.echo(json.dumps(told))
    for note in named.notes:
        talk(f"Note: {one_line(note)}.")
    for path in paths:
        click.echo(shown(path))


def named_after(folder: Path, project: Project | None, words: str, made: tuple[str, ...] = ()) -> Named:
    """The name of a folder for these words, after those that are there, and those that are `made`. Raises Misuse."""
    there = tuple(migration.name for migration in read_folder(folder)) if folder.exists() else ()
    naming = convention(project.naming if project else "prisma")
    return fresh_name(words, naming, (*there, *made), datetime.now(UTC))


def shown(path: Path) -> str:
    """A path as somebody here would type it."""
    here = Path.cwd().resolve()
    return one_line(str(path.relative_to(here) if path.is_relative_to(here) else path))
