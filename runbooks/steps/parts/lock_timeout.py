"""A longer lock_timeout than the document's: for one attempt, typed by a person, with a reason."""

from datetime import timedelta

from migrations.apply.events import GaveUp, ScriptStarted
from migrations.problem import Problem
from runbooks.settings.durations import EXPECTED, duration
from runbooks.steps.base import Context
from runbooks.steps.parts.limits import limit_text

KEEP = "keep"


async def lock_timeout_for(ctx: Context, document: timedelta, queue_wait: timedelta) -> timedelta:
    """The lock_timeout of this attempt. A person is asked if the last one gave up because it was over.

    Nothing is open in the database meanwhile. Raises Problem for an answer that is neither.
    """
    if (gave_up := _gave_up(ctx)) is None:
        return document
    holders = gave_up["holders"]
    held = f", held by {'; '.join(map(str, holders))}" if isinstance(holders, list) and holders else ""
    behind = f"Whoever comes meanwhile waits behind our statement, for {limit_text(queue_wait)} at the most."
    text = (
        f"{gave_up['name']} did not get its lock in the last attempt{held}. lock_timeout is {limit_text(document)}. "
        f"Type {KEEP}, or a longer one and why, such as: 20s: the report ends at three. "
        f"{behind if queue_wait else 'Whoever comes meanwhile waits behind our statement.'}"
    )
    answer = await ctx.ask("lock-timeout", text)
    if answer.strip() == KEEP:
        return document
    longer, reason = _read(answer, document)
    words = f"lock_timeout is {limit_text(longer)} in this attempt, not {limit_text(document)}: {reason}"
    await ctx.output(f"{words}\n", "note")
    return longer


def _gave_up(ctx: Context) -> dict[str, object] | None:
    """How the last attempt ended, if that was by lock_timeout."""
    last: dict[str, object] | None = None
    for record in ctx.progress_of(ctx.step.id):
        if record.get("event") == ScriptStarted.__name__:
            last = None
        elif record.get("event") == GaveUp.__name__:
            last = dict(record) if record.get("timed_out") else None
    return last


def _read(answer: str, document: timedelta) -> tuple[timedelta, str]:
    text, _, reason = answer.partition(":")
    try:
        longer = duration(text.strip())
    except ValueError:
        longer = timedelta(0)
    if not reason.strip() or longer <= document:
        form = f"{EXPECTED}, over {limit_text(document)}, a colon and a reason"
        raise Problem(
            f"{answer.strip()!r} is neither {KEEP!r} nor {form}.",
            advice="Start the step again to answer anew. lock_timeout cannot be switched off.",
        )
    return longer, reason.strip()
