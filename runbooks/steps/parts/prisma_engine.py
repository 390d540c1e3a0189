"""`engine = "prisma"`: the scripts are applied by the team's own Prisma command."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from migrations.folder import read_folder
from migrations.prisma.address import environment
from migrations.prisma.after import After, child_name, settle
from migrations.prisma.before import Before
from migrations.prisma.deploy import Deploy, Deployed, deploy
from migrations.prisma.judged import Wanted
from migrations.prisma.layout import find_layout
from migrations.prisma.runner import Runner, find
from migrations.prisma.version import Version, version
from migrations.prisma.watching import Standing
from migrations.prisma.workplace import Workplace, remove_copy
from migrations.problem import Problem
from migrations.process import Child, alive, end
from runbooks.journal.artefacts import write_private
from runbooks.session import events
from runbooks.session.events import Check, Script, StepStarted
from runbooks.session.runbook import Runbook
from runbooks.settings.project import Environment, Project
from runbooks.steps.base import Context, Settled
from runbooks.steps.parts.applying import chosen, still_as_reviewed
from runbooks.steps.parts.kept_scripts import script_bytes
from runbooks.steps.parts.ledger_reading import held_back, planned
from runbooks.steps.parts.registering import Registered

ENGINE = "prisma"
BEFORE = "before-prisma.json"
COPY = "reviewed-for-prisma"
CUT_SHORT = "the step's start was cut short before Prisma's command began: nothing was run"


def command_of(runbook: Runbook) -> tuple[bool, str | None]:
    """Whether a step of the runbook applies by Prisma's command, and the command that it gives."""
    wanted = [s.params for s in runbook.steps() if s.uses == "migrations.apply" and s.params.get("engine") == ENGINE]
    command = next((params.get("command") for params in wanted), None)
    return bool(wanted), command if isinstance(command, str) else None


async def find_prisma(
    project: Project, env: Mapping[str, str], command: str | None
) -> tuple[Runner, Version, events.Runner]:
    """The team's command, its version, and both as the plan holds them. Raises Misuse, Problem, Unavailable."""
    runner = await asyncio.to_thread(find, project.migrations, command, env, project=project.folder)
    found = await version(runner, env)
    way: Literal["prisma-7.3", "prisma-7.4"] = "prisma-7.4" if found.splits else "prisma-7.3"
    return runner, found, events.Runner(command=runner.words, version=found.text, why=runner.why, way=way)


def prisma_environment(base: Mapping[str, str], env: Environment, session: str) -> dict[str, str]:
    """The command's environment: the one that is built for programs, made quiet."""
    addresses = [name for name in (env.url, env.direct_url) if name]
    return environment(base, addresses, child_name(session))


async def apply_by_prisma(ctx: Context, to: str | None, command: str | None) -> Deployed:
    """Apply what is pending by Prisma's command. Raises Problem, Unavailable."""
    scripts = chosen(ctx, to)
    env = prisma_environment(ctx.child_environment(), ctx.environment, ctx.session)
    runner, found, now = await find_prisma(ctx.project, env, command)
    _as_planned(ctx, now)
    wanted = await asyncio.to_thread(_wanted, ctx, scripts)
    for one in wanted:
        await still_as_reviewed(ctx, one)
    copies = await asyncio.to_thread(_copies, ctx, wanted)
    layout = await asyncio.to_thread(find_layout, runner.folder, ctx.project.migrations, found.major)
    place = Workplace(_workplace(ctx), layout, copies)
    register, applied = Registered(ctx, scripts), set[str]()
    try:
        deployed = await deploy(_order(ctx, runner, place, env, wanted, register))
        applied = {fate.name for fate in deployed.after.judged.of("applied")}
        return deployed
    finally:
        await _take_away(ctx)
        await register.ended(applied)


def _order(
    ctx: Context,
    runner: Runner,
    place: Workplace,
    env: Mapping[str, str],
    wanted: tuple[Wanted, ...],
    register: Registered,
) -> Deploy:
    async def note(text: str) -> None:
        await ctx.output(f"{text}\n", "note")

    async def before(found: Before) -> None:
        path = ctx.artefact(BEFORE)
        await asyncio.to_thread(lambda: write_private(path, found.to_json(ctx.clean).encode()))
        kept = await ctx.keep(BEFORE, path)
        await ctx.record(label=runner.words, prisma="before", attempt=ctx.attempt, path=kept.path)

    async def started(child: Child) -> None:
        await ctx.record(
            label=runner.words, prisma="started", attempt=ctx.attempt,
            pid=child.pid, started=child.started, group=child.group,
        )  # fmt: skip

    async def progress(now: Standing) -> None:
        total = len(wanted)
        await ctx.progress(label=runner.words, done=now.done, total=total, unit="scripts", detail=now.words)

    return Deploy(
        target=ctx.target,
        session=ctx.session,
        environment=ctx.environment.name,
        application_name=ctx.application_name,
        runner=runner,
        workplace=place,
        env=env,
        wanted=wanted,
        again=bool(_records(ctx)),
        on_text=lambda stream, text: ctx.output(text, stream),
        on_note=note,
        on_before=before,
        on_begin=register.started,
        on_start=started,
        on_progress=progress,
        stop_asked=lambda: ctx.stop_asked,
    )


def _as_planned(ctx: Context, now: events.Runner) -> None:
    """Another Prisma than the one that the plan names is another plan. Raises Problem."""
    ctx.check("prisma", "Prisma's own command", "ok", now.words)
    told = ctx.view.plan.runner if ctx.view.plan else None
    if told is not None and told != now:
        raise Problem(f"The plan says {told.words}; now it is {now.words}.", advice="End this session and start anew.")


def _wanted(ctx: Context, scripts: Sequence[Script]) -> tuple[Wanted, ...]:
    return tuple(Wanted(script.migration, script.sha256, script_bytes(ctx, script)) for script in scripts)


def _workplace(ctx: Context) -> Path:
    return ctx.folder / COPY


async def _take_away(ctx: Context) -> None:
    """The copy, as far as that can be done: how the command ended does not hang on it."""
    place = _workplace(ctx)
    try:
        await asyncio.to_thread(remove_copy, place)
    except OSError as error:
        why = error.strerror or error
        await ctx.output(f"{place} could not be removed: {why}. Delete it: a schema may hold a password\n", "note")


def _copies(ctx: Context, wanted: Sequence[Wanted]) -> dict[str, bytes]:
    """What Prisma is to see: the reviewed bytes, and all else in the folder, which is applied or nobody reviewed it.

    The latter is refused once the ledger is read, before anything runs.
    """
    not_now = {script.migration for script in planned(ctx)} | set(held_back(ctx))
    on_disk = {m.name: m.data for m in read_folder(ctx.project.migrations) if m.name not in not_now}
    others = {name: data for name, data in on_disk.items() if data is not None}
    return {**others, **{one.name: one.data for one in wanted}}


def _records(ctx: Context, attempt: int | None = None) -> list[Mapping[str, object]]:
    found = [record for record in ctx.progress_of(ctx.step.id) if record.get("prisma")]
    return [record for record in found if attempt is None or record.get("attempt") == attempt]


async def settled_by_prisma(ctx: Context, to: str | None, start: StepStarted) -> tuple[Settled | None, After | None]:
    """How an attempt ended that was cut short: its program first, then its sessions, then the ledger decides.

    None where what was there before cannot be read: a person must decide.
    """
    records = _records(ctx, start.attempt)
    for child in map(_child, records):
        if child is not None and alive(child):
            await end(child)
    await _take_away(ctx)
    path = next((str(r["path"]) for r in reversed(records) if r["prisma"] == "before"), None)
    if path is None:
        return Settled("stopped", "unknown", CUT_SHORT), None
    try:
        before = Before.from_json(await asyncio.to_thread((ctx.folder / path).read_text))
    except (OSError, KeyError, ValueError):
        return None, None
    wanted = await asyncio.to_thread(_wanted, ctx, chosen(ctx, to))
    name = ctx.environment.name
    after = await settle(ctx.target, ctx.session, ctx.application_name, wanted, before, environment=name)
    return await _judged(ctx, after), after


async def _judged(ctx: Context, after: After) -> Settled:
    words, judged = after.words, after.judged
    if judged.applied:
        check = Check(id="applied", title="Scripts applied", outcome="ok", evidence=words)
        return Settled("done", "ok", words, (check,))
    for line in after.lines:
        await ctx.output(f"{line}\n", "note")
    wrong = "; ".join((words, *judged.disturbed))
    if judged.of("failed") or judged.of("other bytes") or judged.disturbed:
        return Settled("failed", "fail", wrong)
    return Settled("stopped", "unknown", f"{wrong}. Start the step again: it goes on from there.")


def _child(record: Mapping[str, object]) -> Child | None:
    pid, group = record.get("pid"), record.get("group")
    return Child(pid, str(record.get("started")), group) if isinstance(pid, int) and isinstance(group, int) else None
