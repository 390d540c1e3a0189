"""How long what comes may take, and how old the backup is: measured then, and said so; never a promise."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from runbooks.report.words import took
from runbooks.session.runbook import BACKUPS, Option, Step
from runbooks.session.view import RunView, StepView
from tui.printable import one_line
from tui.words import minutes, moment, plural

TEST = "backup.restore_test"
UNKNOWN = "no time on record here, as it is written now"
"""A step may have run here nevertheless: to another end, only up to a migration, or as it was written then."""
JUDGED = ("backup", "preflight")
"""Phases whose gate a backup that is too old keeps shut."""


def estimate(view: RunView, steps: Sequence[Step]) -> str:
    """What these steps took together when each last ran on this environment; empty if none of them has."""
    known = [one for step in steps if (one := view.took_before(step.id))]
    if not known:
        return ""
    some = f", known for {len(known)} of {plural(len(steps), 'step')}" if len(known) < len(steps) else ""
    return f"{took(sum(one.us for one in known))} last time{some}"


def sessions_of(view: RunView, steps: Sequence[Step]) -> str:
    """The sessions that an estimate is from, newest first."""
    names = {one.session for step in steps if (one := view.took_before(step.id))}
    return ", ".join(one_line(name) for name in sorted(names, reverse=True))


def last_time(view: RunView, step: Step) -> str:
    """What one step took; how long scripts take depends on the scripts."""
    one = view.took_before(step.id)
    if one is None:
        return UNKNOWN
    pending = ", with what was pending then" if step.uses == "migrations.apply" else ""
    return f"{took(one.us)} last time{pending}"


def time_back(view: RunView, option: Option) -> Iterator[str]:
    """What is known of the time that a way back takes: the runbook's word, and what this session's dump took."""
    if option.costs:
        yield f"costs {one_line(option.costs)} (runbook)"
    if any(step.uses.startswith("restore.") for step in option.steps):
        yield _dump_took(_dump(view, option))
        tested = (view.step(step.id).result.get("restored_us") for step in view.runbook.steps() if step.uses == TEST)
        yield from (f"a restore took {took(length)} when it was tried" for length in tested if isinstance(length, int))


def _dump(view: RunView, option: Option) -> StepView:
    """The dump that a restore of this option would read, as its step chooses it."""
    named = (step.params.get("dump") for step in option.steps if step.uses.startswith("restore."))
    name = next((str(name) for name in named if name), None)
    dumps = (step.id for phase in view.runbook.phases for step in phase.steps if step.uses in BACKUPS)
    return view.step(name or next(dumps, ""))


def _dump_took(dump: StepView) -> str:
    if dump.status == "running":
        return "dump under way"
    length = dump.result.get("duration_us")
    if isinstance(length, int):
        return f"dump took {took(length)}"
    if dump.result.get("by") == "snapshot":
        return f"proven is the snapshot {one_line(str(dump.result.get('what')))} alone, which its provider restores"
    return "how long the dump took is not known" if dump.result else "no dump yet"


def backup_words(view: RunView, now: datetime) -> Iterator[tuple[str, bool]]:
    """How old each backup is, and until when it is good for a GO; whether it is too old."""
    steps = {step.id: step for phase in view.runbook.phases for step in phase.steps if step.uses in BACKUPS}
    for name, step in steps.items():
        result = view.step(name).result
        taken, until = moment(str(result.get("taken_at"))), moment(str(result.get("stale_at")))
        if taken is None or until is None:
            continue
        age = f"{'backup' if len(steps) == 1 else one_line(step.title)} {minutes(now - taken)} old"
        if view.phase not in JUDGED:
            yield age, False
        elif now < until:
            yield f"{age}, good for {minutes(until - now)} more", False
        else:
            yield f"{age}, TOO OLD by {minutes(now - until)}: run it again", True
