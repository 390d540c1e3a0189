"""`rollback.plan`: what undoes each pending script, as a text or a script beside it; a must for what loses data."""

from migrations.folder import ROLLBACK, ROLLBACK_TEXT
from migrations.problem import Problem
from runbooks.report.plan_words import HOW, coverage
from runbooks.report.rollback_words import rollback_lines
from runbooks.session.events import Check, Rollback, Script
from runbooks.steps.base import Context, Nothing, StepKind

MISSING = (
    f"Write {ROLLBACK_TEXT} beside the script: what brings the data back, from where, and how long it takes; "
    f"or {ROLLBACK}, which undoes it. Prisma passes both over."
)
WRONG = "Correct the file. Once it is changed the plan is another one: begin a new session with it."


async def run(ctx: Context, params: Nothing) -> Nothing:
    """Hold each pending script against what stands beside it. Raises Problem."""
    plan = ctx.view.plan
    if plan is None:
        raise Problem("There is no plan yet.", advice="The opening makes it.")
    for line in rollback_lines(plan):
        await ctx.output(f"{line}\n")
    found = [check for script in plan.scripts if (check := judged(script))]
    for one in found:
        ctx.check(one.id, one.title, one.outcome, one.evidence, one.advice)
    if not found:
        words = "no pending script is known to lose data, and none has a way back of its own beside it"
        ctx.check("way-back", "A way back for what loses data", "ok", words)
    return Nothing()


def judged(script: Script) -> Check | None:
    """What there is to say of one script; None where nothing stands beside it, and nothing must."""
    title = f"How {script.migration} is undone"
    back = script.rollback
    if back is None:
        if not script.loses_data:
            return None
        words = f"it loses data, and there is neither {ROLLBACK_TEXT} nor {ROLLBACK} beside it"
        return Check(id=script.migration, title=title, outcome="fail", evidence=words, advice=MISSING)
    if back.wrong:
        return Check(id=script.migration, title=title, outcome="fail", evidence="; ".join(back.wrong), advice=WRONG)
    return Check(id=script.migration, title=title, outcome="ok", evidence="; ".join(_has(back)))


def _has(back: Rollback) -> list[str]:
    found = [f"{ROLLBACK_TEXT}, SHA-256 {back.text_sha256[:12]}…"] if back.text else []
    if (undo := back.script) is not None:
        loses = ", loses data itself" if undo.loses_data else ""
        how = HOW.get(undo.model, undo.model)
        found.append(f"{ROLLBACK}, SHA-256 {undo.sha256[:12]}…, {how}, {coverage((undo,))}{loses}")
    return found


STEP: StepKind[Nothing, Nothing] = StepKind(
    title="Look at what undoes the scripts", effect="reads", params=Nothing, run=run
)
