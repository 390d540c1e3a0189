"""`gonogo new`: the folder of a migration, and the one that takes another back."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from migrations.drafting.skeleton import skeleton
from migrations.drafting.stamps import Named, fresh_name, suggested
from migrations.drafting.writing import write
from migrations.folder import read_folder
from migrations.naming import convention
from migrations.problem import Misuse
from runbooks.check.sources import usual
from runbooks.settings.project import Project
from tui.commands.check import nearest_project
from tui.commands.common import json_option, project_option, talk
from tui.printable import one_line

ONLY_ROLLBACK = "Leave --beside, --database and --pg-bin out, or give --rollback-of."
Script = tuple[Named, str]

NO_PROJECT = "Go to the project's folder; or begin one: mkdir -p prisma/migrations, or gonogo.toml (docs/project.md)."


@click.command(short_help="Begin a migration, or draft the one that takes another back.")
@click.argument("name", required=False)
@click.option("--rollback-of", metavar="MIGRATION", help="Draft what takes this one back, and try it.")
@click.option("--beside", is_flag=True, help="Write that as rollback.sql beside MIGRATION, for one transaction.")
@click.option("--set-not-null", metavar="TABLE.COLUMN", help="The three migrations that forbid null in a column.")
@click.option("--database", metavar="ENVIRONMENT", help="Hold the draft against this one's schema. Reads only.")
@click.option("--pg-bin", type=click.Path(path_type=Path), help="PostgreSQL's programs for the throw-away server.")
@json_option
@project_option
def new(
    name: str | None,
    rollback_of: str | None,
    beside: bool,
    set_not_null: str | None,
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
    if rollback_of is not None and set_not_null is not None:
        raise Misuse("It cannot be --rollback-of and --set-not-null at once.", advice="Give one of them.")
    if rollback_of is not None:
        from tui.commands.new_draft import Wish, drafted

        return drafted(folder, project, Wish(rollback_of, name, database, pg_bin, as_json, beside))
    if pg_bin is not None or database is not None or beside:
        raise Misuse("A new migration is tried nowhere.", advice=ONLY_ROLLBACK)
    if set_not_null is None and name is None:
        raise Misuse("What is the migration to be called?", advice="Say what it does: gonogo new add_note_to_orders")
    scripts = begun(folder, project, name) if set_not_null is None else forbidding(folder, project, name, set_not_null)
    paths = write(folder, {named.name: text for named, text in scripts})
    names = [named for named, _ in scripts]
    if as_json:
        return click.echo(json.dumps({"migrations": told(names, paths), "notes": names[0].notes}))
    for note in names[0].notes:
        talk(f"Note: {one_line(note)}.")
    for path in paths:
        click.echo(shown(path))


def begun(folder: Path, project: Project | None, words: str | None) -> list[Script]:
    """A migration without a statement. Raises Misuse."""
    named = named_after(folder, project, words or "")
    return [(named, skeleton(named.name))]


def forbidding(folder: Path, project: Project | None, words: str | None, place: str) -> list[Script]:
    """The migrations that forbid null in a column. Raises Misuse."""
    from migrations.drafting.not_null import not_null_scripts, place_of

    table, column = place_of(place)
    texts = not_null_scripts(table, column)
    names = parts_of(folder, project, words or suggested(f"require {table.name} {column}"), len(texts))
    return list(zip(names, texts, strict=True))


def parts_of(folder: Path, project: Project | None, words: str, count: int) -> list[Named]:
    """Names for what goes together, each after the one before it. Raises Misuse."""
    found: list[Named] = []
    for number in range(count):
        made = tuple(named.name for named in found)
        found.append(named_after(folder, project, f"{words}_{number + 1}" if number else words, made))
    return found


def told(named: Sequence[Named], paths: Sequence[Path]) -> list[dict[str, str]]:
    """What was made, for a program."""
    return [{"name": each.name, "script": str(path)} for each, path in zip(named, paths, strict=True)]


def named_after(folder: Path, project: Project | None, words: str, made: tuple[str, ...] = ()) -> Named:
    """The name of a folder for these words, after those that are there, and those that are `made`. Raises Misuse."""
    there = tuple(migration.name for migration in read_folder(folder)) if folder.exists() else ()
    naming = convention(project.naming if project else "prisma")
    return fresh_name(words, naming, (*there, *made), datetime.now(UTC))


def shown(path: Path) -> str:
    """A path as somebody here would type it."""
    here = Path.cwd().resolve()
    return one_line(str(path.relative_to(here) if path.is_relative_to(here) else path))
