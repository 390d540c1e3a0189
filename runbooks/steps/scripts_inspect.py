"""`scripts.inspect`: what is about to be applied, as files: named, committed, whole, and what in them loses data."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from migrations.folder import BESIDE, SCRIPT, VERIFY, Migration, read_folder
from migrations.listed import many
from migrations.naming import convention
from migrations.problem import Problem
from runbooks.planning.git import committed
from runbooks.planning.planning import engine_of
from runbooks.report.plan_words import HOW, NO_REHEARSAL, coverage, table_words, touch_words, unlike_prisma
from runbooks.session.events import Finding, PlanMade, Script
from runbooks.session.runbook import Runbook
from runbooks.steps.base import Context, Nothing, StepKind

SHOWN = 10
"""So many of a kind are named in a check's evidence; the rest is counted."""


async def run(ctx: Context, params: Nothing) -> Nothing:
    """Look at the pending scripts. Raises Problem, Misuse."""
    plan = ctx.view.plan
    if plan is None:
        raise Problem("There is no plan yet.", advice="The opening makes it.")
    folder = await asyncio.to_thread(read_folder, ctx.project.migrations)
    pending = {script.migration for script in plan.scripts}
    found = [migration for migration in folder if migration.name in pending]
    await _show(ctx, plan)
    _check_pending(ctx, plan)
    _check_files(ctx, found, folder)
    _check_runnable(ctx, plan, engine_of(ctx.view.runbook))
    _check_names(ctx, found, folder)
    await _check_git(ctx, found)
    _check_destructive(ctx, plan, ctx.view.runbook)
    _check_blocking(ctx, plan, ctx.view.runbook)
    _check_sizes(ctx, plan)
    _check_verify(ctx, plan)
    return Nothing()


async def _show(ctx: Context, plan: PlanMade) -> None:
    if plan.scripts:
        await ctx.output(f"{coverage(plan.scripts)}\n")
    for script in plan.scripts:
        how = script.model_words if script.model == "refused" else HOW.get(script.model, script.model)
        kept = [f"  {script.kept}"] if script.kept else []
        await ctx.output("\n".join([f"{script.migration}: {how}", *kept, *_lines(script), *_claims(script)]) + "\n")
    if plan.runner is None and (unlike := unlike_prisma(plan.scripts)):
        await ctx.output("\n".join(["Other than here:", *(f"  {words}" for words in unlike)]) + "\n")
    if plan.tables:
        tables = [f"{table.name}: {'; '.join((table_words(table), *table.words))}" for table in plan.tables]
        await ctx.output("\n".join([*tables, NO_REHEARSAL]) + "\n")


def _lines(script: Script) -> Iterator[str]:
    """Each statement, what it locks, and what the rules say of it."""
    said = dict[int, list[Finding]]()
    for finding in script.findings:
        said.setdefault(finding.statement, []).append(finding)
    for number, statement in enumerate(script.statements):
        yield f"  line {statement.line}: {statement.summary}"
        if not statement.analysed:
            yield f"    not analysed{': ' if statement.why_not else ''}{statement.why_not}"
        yield from (f"    {touch_words(touch)}" for touch in statement.touches)
        for finding in said.get(number, ()):
            yield f"    {finding.severity} {finding.rule}: {finding.message}"
            if finding.allowed:
                yield f"      allowed: {finding.allowed}"


def _claims(script: Script) -> Iterator[str]:
    """What its verify.sql says must be true afterwards."""
    if script.verify:
        yield f"  {VERIFY}: what must be true once it is applied"
        yield from (f"    line {claim.line}: {' '.join(claim.text.split())}" for claim in script.verify.claims)


def _check_verify(ctx: Context, plan: PlanMade) -> None:
    title = f"What {VERIFY} asks"
    beside = [script for script in plan.scripts if script.verify]
    wrong = [f"{s.migration}/{VERIFY}, {words}" for s in beside if s.verify for words in s.verify.wrong]
    asked = any(step.uses == "migrations.verify" for step in ctx.view.runbook.steps())
    if wrong:
        ctx.check("verify", title, "fail", _listed(wrong), "Correct the file: as it is, nothing of it can be asked.")
    elif beside and not asked:
        advice = 'Put a step that `uses = "migrations.verify"` into Verify.'
        ctx.check("verify", title, "warn", "no step of this runbook asks it", advice)
    elif beside:
        count = sum(len(s.verify.claims) + s.verify.more for s in beside if s.verify)
        ctx.check("verify", title, "ok", f"{many(count, 'statement')} beside {many(len(beside), 'script')}")


def _check_pending(ctx: Context, plan: PlanMade) -> None:
    title = "Pending migrations"
    held = f"; held back: {_listed(plan.held_back)}" if plan.held_back else ""
    if not plan.scripts:
        ctx.check(
            "pending",
            title,
            "warn",
            f"nothing to apply: nothing will be proven{held}",
            "If you expected some, see that this is the right database and the right folder.",
        )
        return
    names = [script.migration for script in plan.scripts]
    ctx.check("pending", title, "ok", f"{len(names)}, in this order: {_listed(names)}{held} ({coverage(plan.scripts)})")


def _check_files(ctx: Context, pending: Sequence[Migration], folder: Sequence[Migration]) -> None:
    title = "Files that can be read"
    wrong = [f"{migration.name}: {migration.problem}" for migration in pending if migration.problem]
    names = {migration.name for migration in pending}
    gone = [migration.name for migration in folder if migration.data is None and migration.name not in names]
    if wrong:
        missing = any(migration.data is None for migration in pending)
        code = " Prisma calls a missing script P3015." if missing else ""
        advice = f"Save it as UTF-8 without a byte order mark; put a missing {SCRIPT} back.{code}"
        ctx.check("files", title, "fail", _listed(wrong), advice)
    elif gone:
        advice = f"Put the {SCRIPT} back from git: what was applied belongs to the history."
        ctx.check("files", title, "warn", f"no {SCRIPT} in {_listed(gone)}", advice)
    else:
        ctx.check("files", title, "ok", f"{len(pending)} of {many(len(pending), 'is', 'are')} whole")


def _check_runnable(ctx: Context, plan: PlanMade, engine: str) -> None:
    title = "Scripts that can be run"
    refused = [f"{script.migration}: {script.model_words}" for script in plan.scripts if script.model == "refused"]
    if refused:
        advice = "Mend the script: it is not applied yet, so editing it is safe."
        ctx.check("runnable", title, "fail" if engine == "native" else "warn", _listed(refused), advice)
        return
    ctx.check("runnable", title, "ok", _how(plan.scripts))


def _how(scripts: Sequence[Script]) -> str:
    counts = {model: sum(script.model == model for script in scripts) for model in HOW}
    return ", ".join(f"{count} {HOW[model]}" for model, count in counts.items() if count) or "none"


def _check_names(ctx: Context, pending: Sequence[Migration], folder: Sequence[Migration]) -> None:
    title = "Names"
    wanted = convention(ctx.project.naming)
    now = datetime.now(UTC)
    faults = [f"{m.name}: {fault}" for m in pending for fault in wanted.faults(m.name, now)]
    names = {migration.name for migration in pending}
    twice = wanted.collisions(migration.name for migration in folder).values()
    faults += [f"one time stands at the start of {' and '.join(same)}" for same in twice if names & set(same)]
    if faults:
        advice = "Rename what no database has applied yet; after that a name must stay."
        ctx.check("names", title, "warn", _listed(faults), advice)
    else:
        ctx.check("names", title, "ok", f"as {wanted.looks}")


async def _check_git(ctx: Context, pending: Sequence[Migration]) -> None:
    title = "In git, and committed"
    known = await committed(ctx.project.migrations)
    if known is None:
        advice = "Compare the scripts by hand with what was reviewed, and say so in the waiver."
        ctx.check("git", title, "warn", "the migrations folder is in no git work tree that can be read", advice)
        return
    files = [(m.name, SCRIPT) for m in pending if m.data is not None]
    beside = [(m, (m.verify, m.rollback, m.rollback_text)) for m in pending]
    files += [
        (m.name, file) for m, found in beside for file, data in zip(BESIDE, found, strict=True) if data is not None
    ]
    loose = [name if file == SCRIPT else f"{name}/{file}" for name, file in files if f"{name}/{file}" not in known]
    if loose:
        advice = "Commit them, so that what is applied can be found again."
        ctx.check("git", title, "fail", f"not committed as they are: {_listed(loose)}", advice)
    else:
        ctx.check("git", title, "ok", "every pending script is committed as it is")


def _check_destructive(ctx: Context, plan: PlanMade, runbook: Runbook) -> None:
    title = "Loss of data"
    lost = plan.conditions.get("destructive", ())
    guarded = any(item.when == "destructive" for section in runbook.sections() for item in section.items)
    if not lost:
        ctx.check("destructive", title, "ok", "no statement that is known to lose data")
    elif guarded:
        ctx.check("destructive", title, "ok", f"{_listed(lost)}; the checklist for it is switched on")
    else:
        advice = "Write a checklist under `### When destructive` in the runbook."
        ctx.check("destructive", title, "warn", f"{_listed(lost)}; the runbook has no checklist for it", advice)


def _check_blocking(ctx: Context, plan: PlanMade, runbook: Runbook) -> None:
    title = "What fails, or blocks others"
    stops = plan.conditions.get("blocking", ())
    guarded = any(item.when == "blocking" for section in runbook.sections() for item in section.items)
    if not stops:
        ctx.check("blocking", title, "ok", _longest(plan))
    elif guarded:
        ctx.check("blocking", title, "ok", f"{_listed(stops)}; the checklist for it is switched on")
    else:
        advice = "Mend the script; or write a checklist under `### When blocking` in the runbook."
        ctx.check("blocking", title, "warn", f"{_listed(stops)}; the runbook has no checklist for it", advice)


def _longest(plan: PlanMade) -> str:
    """The lock that others may wait for the longest."""
    found = [
        ((touch.most is None, touch.most or 0), f"{touch_words(touch)} ({script.migration}, line {statement.line})")
        for script in plan.scripts
        for statement in script.statements
        for touch in statement.touches
        if touch.blocks in ("writes", "reads and writes")
    ]
    return f"at the most {max(found)[1]}" if found else "no statement keeps others from reading or writing a table"


def _check_sizes(ctx: Context, plan: PlanMade) -> None:
    title = "Sizes on the target"
    if plan.unread:
        advice = "Without them findings stay as their rules have them: look at the tables yourself."
        ctx.check("sizes", title, "warn", _listed(plan.unread), advice)
    else:
        largest = [f"{table.name} ({table_words(table)})" for table in plan.tables[:SHOWN]]
        ctx.check("sizes", title, "ok", ", ".join(largest) or "no table of the target is locked")


def _listed(words: Sequence[str]) -> str:
    more = f"; and {len(words) - SHOWN} more" if len(words) > SHOWN else ""
    return ("; " if any(" " in word for word in words) else ", ").join(words[:SHOWN]) + more


STEP: StepKind[Nothing, Nothing] = StepKind(
    title="Look at the pending scripts", effect="reads", params=Nothing, run=run
)
