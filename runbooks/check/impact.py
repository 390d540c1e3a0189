"""What scripts would lock, and for how long: as their text tells, or as the tables of one database do."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg

from migrations import ledger
from migrations.finding import Finding
from migrations.impact.asked import Asked, asked_of
from migrations.impact.known import Known
from migrations.impact.reading import look_up
from migrations.impact.weigh import Held, Scales, Weighed
from migrations.plan import Plan, compare
from migrations.problem import Unavailable
from migrations.sql import Script, read_script
from migrations.target import environment_mark
from migrations.target.connecting import told
from runbooks.check import matters as m
from runbooks.check.files import readable
from runbooks.check.report import OURS, More, Remark, Report
from runbooks.check.sources import File
from runbooks.planning.identity import judge
from runbooks.planning.planning import budgets_of
from runbooks.settings.project import Environment, Project, Review
from runbooks.settings.setting import read_urls, target_of

SECONDS = 20.0
"""For each answer of the database. How long it takes to read the scripts is another matter."""
APPLIED = "is applied there already"
FAILED = "failed there, and until that is resolved nothing else is applied"


@dataclass(frozen=True, slots=True)
class Fact:
    """One statement, as a reviewer wants to know it. `held`: what it locks of what was there before its script."""

    line: int
    summary: str
    held: tuple[Held, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """The statements of one script."""

    file: File
    statements: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Target:
    """A database: what its ledger says of the folder, and what it tells of what the pending `scripts` touch."""

    words: str
    plan: Plan
    scripts: Mapping[Path, Script]
    known: Known


def facts_of(chosen: Sequence[File], review: Review) -> tuple[Facts, ...]:
    """What each script touches, as far as its text tells."""
    read = ((file, read_script(readable(file) or "")) for file in chosen)
    return tuple(Facts(file, _facts(script, Scales(budgets_of(review)).weigh(script, ()))) for file, script in read)


def weigh(report: Report, chosen: Sequence[File], review: Review, target: Target) -> tuple[Report, tuple[Facts, ...]]:
    """The report with its findings as bad as they are on the target, and the facts of each chosen script.

    Only pending scripts are weighed, all of them in their order: what one makes is nobody's for those after it.
    """
    scales = Scales(budgets_of(review), target.known)
    by_path = {file.path: file for file in chosen}
    said: dict[Path, list[Finding]] = {}
    others: list[Remark] = []
    for remark in report.remarks:
        if remark.path in target.scripts and remark.by == OURS and remark.finding.statement >= 0:
            said.setdefault(remark.path, []).append(remark.finding)
        else:
            others.append(remark)
    weighed = {path: scales.weigh(script, said.get(path, ())) for path, script in target.scripts.items()}
    mine = {path: one for path, one in weighed.items() if path in by_path}
    found = (Remark(path, finding) for path, one in mine.items() for finding in one.findings)
    facts = tuple(Facts(by_path[path], _facts(target.scripts[path], one)) for path, one in mine.items())
    return replace(report, remarks=(*others, *found)), facts


def _facts(script: Script, weighed: Weighed) -> tuple[Fact, ...]:
    together = zip(script.statements, weighed.held, strict=True)
    return tuple(Fact(statement.line, statement.summary, held) for statement, held in together)


def about_target(target: Target, chosen: Sequence[File], environment: Environment) -> More:
    """What the ledger knows of the chosen scripts, and what could not be told."""
    changed = set(target.plan.changed)
    words = f"{environment.name} has applied another text"
    edited = tuple(m.EDITED.remark(file.path, words) for file in chosen if file.name in changed)
    there = {**dict.fromkeys(target.plan.applied, APPLIED), **dict.fromkeys(target.plan.failed, FAILED)}
    told = [f"{file.name} {there[file.name]}" for file in chosen if file.name in there]
    unknown = [f"what it means for {environment.name}: {words}" for words in told]
    return More(remarks=edited, proven=(target.words,), not_checked=(*unknown, *target.known.missing))


async def read_target(
    project: Project, environment: Environment, files: Sequence[File], environ: Mapping[str, str]
) -> Target:
    """Ask an environment's database. Raises Misuse, Problem, Unavailable; changes nothing."""
    target = target_of(environment, read_urls(environment, environ))
    url = target.url
    connection = await target.open("read", application_name="gonogo check")
    try:
        async with asyncio.timeout(SECONDS):
            rows, mark = await ledger.read(connection, url.schema), await environment_mark(connection)
        assert target.pin is not None
        judge(project, environment, target.pin, mark)
        plan = compare([file.migration for file in files], rows or ())
        scripts, asked = await asyncio.to_thread(_pending, plan, files)
        async with asyncio.timeout(SECONDS):
            known = Known() if asked == Asked() else await look_up(connection, asked)
    except TimeoutError:
        raise Unavailable(
            f"{url.shown} did not answer within {SECONDS:.0f} s.", advice="Look for who is busy."
        ) from None
    except psycopg.Error as error:
        raise told(error, lost=connection.closed, where=url.shown) from None
    finally:
        await connection.close()
    version, count = target.pin.server_version, len(plan.pending)
    pending = f"{count} script{' is' if count == 1 else 's are'} pending"
    words = f"weighed on {environment.name}: {url.shown}, PostgreSQL {version}, where {pending}"
    return Target(words, plan, scripts, known)


def _pending(plan: Plan, files: Sequence[File]) -> tuple[dict[Path, Script], Asked]:
    """The pending scripts in their order, and what they speak of. Takes seconds for megabytes."""
    pending = {migration.name for migration in plan.pending}
    scripts = {file.path: read_script(readable(file) or "") for file in files if file.name in pending}
    return scripts, asked_of(scripts.values())
