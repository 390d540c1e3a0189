"""`gonogo check`."""

import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from migrations.problem import Misuse
from runbooks.check import Asked, Check, More, Report
from runbooks.check.wanted import Wanted
from runbooks.settings import project as projects
from runbooks.settings.project import Project, Review
from tui.checked.printed import Form, printed
from tui.commands.common import project_option, talk
from tui.words import plural

if TYPE_CHECKING:
    from runbooks.check.impact import Facts


class WithCommand(click.Command):
    """A command of its own may follow after `--`; it is kept apart from the paths."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        cut = args.index("--") if "--" in args else len(args)
        ctx.meta["command"] = tuple(args[cut + 1 :])
        return super().parse_args(ctx, args[:cut])


def forms(function: Callable[..., None]) -> Callable[..., None]:
    """The options that choose what is printed; the last one given counts."""
    texts = {
        "pr": "Write the facts that a reviewer needs, as Markdown.",
        "github": "Print annotations of GitHub's workflows.",
        "sarif": "Print SARIF 2.1.0.",
        "json": "For a program to read.",
    }
    for form, text in texts.items():
        function = click.option(f"--{form}", "form", flag_value=form, help=text)(function)
    return function


@click.command(cls=WithCommand, short_help="Review migrations for a pull request; needs no database.")
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path(path_type=Path))
@click.option("--base", metavar="REF", help="Check what is new or changed since this commit or branch.")
@click.option("--all", "everything", is_flag=True, help="Check every script, changed or not.")
@click.option("--also", multiple=True, metavar="RULE", help="Ask for a matter of taste.")
@click.option("--fail-on", type=click.Choice(("stop", "warn", "note")), default="stop", help="Exit 1 from here on.")
@click.option(
    "--replay", is_flag=True, help="Apply the folder on a throw-away PostgreSQL; run what follows `--` there."
)
@click.option("--sync", is_flag=True, help="Ask the project's Prisma CLI whether schema, migrations and client agree.")
@click.option("--pg-bin", type=click.Path(path_type=Path), help="PostgreSQL's programs for the throw-away server.")
@click.option("--database", metavar="ENVIRONMENT", help="Weigh what is found by the tables of this one. Reads only.")
@click.option("--no-squawk", is_flag=True, help="Leave Squawk's findings out, where it is installed.")
@forms
@click.option("--explain", metavar="RULE", help="Print what there is to know about a rule; `all` lists them.")
@project_option
def check(
    paths: tuple[Path, ...],
    base: str | None,
    everything: bool,
    also: tuple[str, ...],
    fail_on: Literal["stop", "warn", "note"],
    replay: bool,
    sync: bool,
    pg_bin: Path | None,
    database: str | None,
    no_squawk: bool,
    form: Form | None,
    explain: str | None,
    project_file: Path | None,
) -> None:
    """Review migrations as a pull request would bring them: the statements of new and changed scripts, the names, what
    git says of them. PATH is a migrations folder, or .sql files; without one it is the project's folder. Exit 1 if
    anything is found at the level of --fail-on.
    """
    if explain:
        from runbooks.check import explain as pages

        click.echo(pages.explain(explain))
        return
    command = click.get_current_context().meta["command"]
    if command and not replay:
        raise Misuse("A command after -- runs on a replayed database.", advice="Add --replay.")
    project = nearest_project(project_file)
    look = Check(asked(paths, base, everything, also, project))
    report = look.report()
    facts: tuple[Facts, ...] = ()
    if database or form == "pr":
        report, facts = weighed(look, report, project, database)
    if not no_squawk:
        report = report.with_more(squawks(look, report))
    if replay or sync:
        report = report.with_more(proven(look, Wanted(replay, sync, command, variables_of(project), pg_bin)))
    code = 1 if report.fails(fail_on) else 0
    click.echo("\n".join(printed(report, facts, form or "text", code)))
    sys.exit(code)


def asked(
    paths: tuple[Path, ...], base: str | None, everything: bool, also: tuple[str, ...], project: Project | None
) -> Asked:
    """What the options and gonogo.toml ask for. Raises Misuse."""
    return Asked(
        now=datetime.now(UTC),
        environ=os.environ,
        paths=paths,
        folder=project.migrations if project else None,
        naming=project.naming if project else "prisma",
        ref=base,
        everything=everything,
        also=tastes(project, also),
    )


def nearest_project(project_file: Path | None) -> Project | None:
    """The project; None where there is no gonogo.toml, which a check can do without. Raises Misuse."""
    try:
        file = project_file or projects.find(Path.cwd())
    except Misuse:
        return None
    return projects.load(file)


def weighed(
    look: Check, report: Report, project: Project | None, database: str | None
) -> "tuple[Report, tuple[Facts, ...]]":
    """The report as bad as it is on a database, if one is named, and the facts. Raises Misuse, Problem, Unavailable."""
    import asyncio

    from runbooks.check.impact import about_target, facts_of, read_target, weigh

    review = project.review if project else Review()
    if database is None:
        return report, facts_of(look.chosen, review)
    if project is None:
        raise Misuse(
            f"There is no gonogo.toml, so nobody knows {database}.", advice="docs/project.md says how to write one."
        )
    environment = project.environment(database)
    target = asyncio.run(read_target(project, environment, look.sources.files, os.environ))
    report, facts = weigh(report, look.chosen, review, target)
    return report.with_more(about_target(target, look.chosen, environment)), facts


def squawks(look: Check, report: Report) -> More:
    """What Squawk adds."""
    from runbooks.check.squawk import squawk

    return squawk(look.chosen, report)


def proven(look: Check, wanted: Wanted) -> More:
    """What trying it out adds. Raises Misuse, Unavailable."""
    import asyncio

    from runbooks.check.proofs import prove

    talk(f"Trying it out on a throw-away PostgreSQL: {plural(len(look.sources.files), 'migration')}.")
    return asyncio.run(prove(look.sources, wanted, os.environ))


def variables_of(project: Project | None) -> tuple[str, ...]:
    """The variables that lead to a project's databases."""
    environments = project.environments.values() if project else ()
    return tuple(name for one in environments for name in one.variables)


def tastes(project: Project | None, also: tuple[str, ...]) -> tuple[str, ...]:
    """The matters of taste that the project and the options ask for. Raises Misuse."""
    asked = project.review.also if project else ()
    if not also:
        return asked
    from runbooks.check.explain import known

    return tuple(dict.fromkeys((*asked, *map(known, also))))
