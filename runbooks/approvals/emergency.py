"""The emergency lane: a run without approvals, of which others are told first, and which owes a review."""

from datetime import date, timedelta

from runbooks.anchoring.notifying import Notice, notify
from runbooks.approvals.gate import ANEW
from runbooks.planning.identity import Stop
from runbooks.report.escape import one_line
from runbooks.running.execution import StepRun
from runbooks.session import events as e
from runbooks.settings.project import FILE
from runbooks.settings.setting import Setting

SATURDAY = 5


def owed(reason: str, opened: date, working_days: int) -> e.Emergency:
    """What the first record says of a session in this lane."""
    day = opened
    while working_days:
        day += timedelta(days=1)
        working_days -= day.weekday() < SATURDAY
    return e.Emergency(reason=reason, review_by=day.isoformat())


def owed_words(emergency: e.Emergency) -> str:
    """For people, wherever the session is shown."""
    return f"EMERGENCY, without approval: {emergency.reason}; a review is owed by {emergency.review_by}"


async def tell(run: StepRun, setting: Setting, plan: e.PlanMade, emergency: e.Emergency) -> None:
    """Tell others by the team's own command. Raises Stop where that was not delivered."""
    name, opened = setting.environment.name, run.view.opened
    if not setting.environment.notify:
        raise Stop(
            f"The emergency lane tells others first, and {FILE} names no command that does.",
            advice=f"Set `notify` for {name}. {ANEW}",
        )
    who = opened.operator.name if opened else "?"
    ticket = opened.ticket if opened else ""
    scripts = ", ".join(script.migration for script in plan.scripts) or "no script"
    text = (
        f"EMERGENCY on {name}: {who} runs {scripts} on {plan.target.address} without approval, for {ticket}: "
        f"{emergency.reason}. A review is owed by {emergency.review_by}. Session {setting.folder.name}."
    )
    delivery = await notify(
        setting.environment.notify,
        Notice("emergency", one_line(text)),
        cwd=setting.project.folder,
        env=setting.notice_environment(run.view),
    )
    if not delivery.delivered:
        raise Stop(
            f"The emergency lane tells others first, and that was not delivered: {delivery.words}.",
            advice=f"See to the command `notify` in {FILE}.",
        )
    run.check("approvals", "Approved by a second engineer", "warn", f"{owed_words(emergency)}; told: {delivery.words}")
