"""`gonogo new --rollback-of`: what takes a migration back, drafted, tried and reviewed."""

import asyncio
import json
import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import click

from migrations.drafting.compensation import Draft, compensation
from migrations.drafting.draft_text import behind, held, scripts, verdict
from migrations.drafting.stamps import Named, suggested, without_stamp
from migrations.drafting.writing import write, write_beside
from migrations.folder import ROLLBACK, ROLLBACK_TEXT, SCRIPT, Migration, read_folder
from migrations.problem import Misuse, Problem
from migrations.replay import Source, throwaway
from migrations.server.programs import server_bin
from runbooks.check import Asked, Check, Report
from runbooks.ledger.beside_draft import read_beside
from runbooks.settings.nearest import one_of
from runbooks.settings.project import Environment, Project
from tui.checked.printed import printed
from tui.checked.text import report_lines
from tui.commands.check import tastes
from tui.commands.common import talk
from tui.commands.new import named_after, parts_of, shown, told
from tui.printable import one_line, printable
from tui.words import plural


@dataclass(frozen=True, slots=True)
class Wish:
    """The command's options: what to take back, under which name, for which environment.

    `beside`: as a file of the migration itself, with all of it in one transaction.
    """

    of: str
    words: str | None
    database: str | None
    bin: Path | None
    as_json: bool
    beside: bool = False


def drafted(folder: Path, project: Project | None, wish: Wish) -> None:
    """Draft it, write it into as many migrations as it takes, and tell what the review finds in them."""
    migrations = {migration.name: migration for migration in read_folder(folder)}
    of = _known(wish.of, list(migrations))
    words = wish.words or f"rollback_{suggested(without_stamp(of))}"
    _possible(folder, project, migrations[of], words, wish)
    environment = _environment(project, wish.database) if wish.database else None
    talk(f"Trying it out on a throw-away PostgreSQL: {plural(len(migrations), 'migration')}.")
    draft = asyncio.run(_draft([Source.of(each) for each in migrations.values()], of, environment, wish))
    texts = scripts(draft)
    if wish.beside:
        names = [Named(of)]
        paths: tuple[Path, ...] = (write_beside(migrations[of].path, ROLLBACK, _one(draft, texts)),)
    else:
        names = parts_of(folder, project, words, len(texts))
        paths = write(folder, {named.name: text for named, text in zip(names, texts, strict=True)})
    report = _reviewed(paths, project)
    if wish.as_json:
        return click.echo(json.dumps(_told(draft, names, paths, report)))
    for path in paths:
        click.echo(shown(path))
    for line in (*_lines(draft, names), *report_lines(report, Path.cwd().resolve())):
        talk(printable(line))


def _possible(folder: Path, project: Project | None, migration: Migration, words: str, wish: Wish) -> None:
    """Whether it could be written, asked before anything takes time. Raises Misuse."""
    if not wish.beside:
        named_after(folder, project, words)
    elif wish.words is not None:
        raise Misuse(f"{ROLLBACK} has no other name.", advice="Leave NAME out, or --beside.")
    elif migration.rollback is not None:
        raise Misuse(f"{migration.name} has a {ROLLBACK} already.", advice="Move it away first, to have another.")


def _one(draft: Draft, texts: list[str]) -> str:
    if not draft.cuts:
        raise Problem(
            f"No statement takes {draft.name} back: {draft.left[0].why}.",
            advice=f"Write into {ROLLBACK_TEXT} beside it what brings back what it does.",
        )
    return texts[0]


async def _draft(sources: list[Source], of: str, environment: Environment | None, wish: Wish) -> Draft:
    there = await read_beside(environment, sources, of, os.environ) if environment else None
    bin = wish.bin
    if there and bin is None:
        bin = await server_bin(there.major, os.environ)
    async with throwaway(bin) as server:
        return await compensation(server, sources, of, there, at_once=wish.beside)


def _environment(project: Project | None, name: str) -> Environment:
    if project is None:
        raise Misuse(
            f"There is no gonogo.toml, so nobody knows {name}.", advice="docs/project.md says how to write one."
        )
    return project.environment(name)


def _known(of: str, names: list[str]) -> str:
    """The migration, by its name or by a path to it. Raises Misuse."""
    name = of if of in names else Path(of.rstrip("/")).name.strip()
    if name not in names:
        raise Misuse(f"There is no migration {one_line(of)}.", advice=f"Expected {one_of(name, names)}.")
    return name


def _reviewed(paths: tuple[Path, ...], project: Project | None) -> Report:
    """What `gonogo check` says of their statements; git does not know them yet."""
    named = tuple(path.parent if path.name == SCRIPT else path for path in paths)
    asked = Asked(now=datetime.now(UTC), environ=os.environ, paths=named, also=tastes(project, ()))
    return replace(Check(asked).report(), not_checked=())


def _lines(draft: Draft, names: list[Named]) -> list[str]:
    found = [f"Note: {note}." for note in names[0].notes]
    found += [f"Not taken back: line {one.line}, {one.what}: {one.why}." for one in draft.left]
    found += [verdict(draft), *(f"  {line}" for line in draft.differs)]
    return [*found, *([behind(draft)] if draft.trouble else []), *held(draft)]


def _told(draft: Draft, names: list[Named], paths: tuple[Path, ...], report: Report) -> dict[str, object]:
    return {
        "migrations": told(names, paths),
        "notes": list(names[0].notes),
        "rollback_of": draft.name,
        "left": [{"line": one.line, "statement": one.what, "why": one.why} for one in draft.left],
        "differs": list(draft.differs),
        "trouble": behind(draft) if draft.trouble else None,
        "held_against": draft.beside or None,
        "other_there": list(draft.other),
        "review": json.loads("".join(printed(report, (), "json", 0))),
    }
