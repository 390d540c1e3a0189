"""What scripts would lock, and for how long: as their text tells, or as the tables of one database do."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import psycopg

from migrations import ledger
from migrations.impact.asked import Asked, asked_of
from migrations.impact.known import Known
from migrations.impact.reading import look_up
from migrations.impact.weigh import Held, Scales, Weighed
from migrations.plan import Plan, compare
from migrations.problem import Unavailable
from migrations.sql import Script, read_script
from migrations.target import Connection, Pinned, environment_mark
from migrations.target.connecting import told
from runbooks.check import matters as m
from runbooks.check.files import readable
from runbooks.check.report import OURS, More, Remark, Report
from runbooks.check.sources import File
from runbooks.identity import judge
from runbooks.planning import budgets_of
from runbooks.project import Environment, Project, Review
from runbooks.setting import read_urls

SECONDS = 20.0


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
    """A database: what its ledger says of the folder, and what it tells of what pending scripts touch."""

    words: str
    plan: Plan
    known: Known


def facts_of(chosen: Sequence[File], review: Review) -> tuple[Facts, ...]:
    """What each script touches, as far as its text tells."""
    read = ((file, read_script(readable(file) or "")) for file in chosen)
    return tuple(Facts(file, _facts(script, Scales(budgets_of(review)).weigh(script, ()))) for file, script in read)


def weigh(
    report: Report, chosen: Sequence[File], files: Sequence[File], review: Review, target: Target
) -> tuple[Report, tuple[Facts, ...]]:
    """The report with its findings as bad as they are on the target, and the facts of each chosen script.

    Only pending scripts are weighed, all of the folder's `files` in their order: what one makes is nobody's for those
    after it.
    """
    scales = Scales(budgets_of(review), target.known)
    pending = {migration.name for migration in target.plan.pending}
    facts: list[Facts] = []
    for file in (file for file in files if file.name in pending):
        script = read_script(readable(file) or "")
        mine = [r for r in report.remarks if r.path == file.path and r.by == OURS and r.finding.statement >= 0]
        weighed = scales.weigh(script, [remark.finding for remark in mine])
        if file in chosen:
            facts.append(Facts(file, _facts(script, weighed)))
            others = [remark for remark in report.remarks if remark not in mine]
            report = replace(report, remarks=(*others, *(Remark(file.path, finding) for finding in weighed.findings)))
    return report, tuple(facts)


def _facts(script: Script, weighed: Weighed) -> tuple[Fact, ...]:
    together = zip(script.statements, weighed.held, strict=True)
    return tuple(Fact(statement.line, statement.summary, held) for statement, held in together)


def about_target(target: Target, chosen: Sequence[File], environment: Environment) -> More:
    """What the ledger knows of the chosen scripts, and what could not be told."""
    changed, applied = set(target.plan.changed), set(target.plan.applied)
    edited = (
        m.EDITED.remark(file.path, f"{environment.name} has applied another text")
        for file in chosen
        if file.name in changed
    )
    there = [file.name for file in chosen if file.name in applied]
    unknown = [f"what it means for {environment.name}: {name} is applied there already" for name in there]
    return More(remarks=tuple(edited), proven=(target.words,), not_checked=(*unknown, *target.known.missing))


async def read_target(
    project: Project, environment: Environment, files: Sequence[File], environ: Mapping[str, str]
) -> Target:
    """Ask an environment's database. Raises Misuse, Problem, Unavailable; changes nothing."""
    url = read_urls(environment, environ)[environment.direct_url or environment.url]
    target = Pinned(url)
    connection = await target.open("read", application_name="gonogo check")
    try:
        async with asyncio.timeout(SECONDS):
            rows, mark = await ledger.read(connection, url.schema), await environment_mark(connection)
            assert target.pin is not None
            judge(project, environment, target.pin, mark)
            plan = compare([file.migration for file in files], rows or ())
            known = await _look_up(connection, plan, files)
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
    return Target(words, plan, known)


async def _look_up(connection: Connection, plan: Plan, files: Sequence[File]) -> Known:
    pending = {migration.name for migration in plan.pending}
    texts = [readable(file) or "" for file in files if file.name in pending]
    asked = await asyncio.to_thread(lambda: asked_of([read_script(text) for text in texts]))
    return Known() if asked == Asked() else await look_up(connection, asked)
