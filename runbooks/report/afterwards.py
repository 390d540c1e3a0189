"""What is told of a session that ended with GO: the line for the release notes, and what is left to be done."""

from collections.abc import Iterator, Sequence

from migrations.listed import listed
from runbooks.report.facts import Facts
from runbooks.report.parts import Heading, Paragraph, Part, Refs, Strong, Value, Verbatim, table
from runbooks.report.words import many
from runbooks.session import events as e
from runbooks.session.follow_ups import urgent_first
from runbooks.session.reach import Reach
from runbooks.session.view import RunView

NAMED = 20


def release_note(facts: Facts) -> str:
    """One line of plain text; empty of a session that brought nothing to where it is used."""
    if facts.last is None or facts.ended is None:
        return ""
    return _note(facts.opening, facts.plan, facts.ended, facts.reach, facts.last.at, facts.last.seq, facts.head)


def release_note_of(view: RunView) -> str:
    """The same of a session that somebody looks at."""
    if view.opened is None or view.ended is None:
        return ""
    return _note(view.opened, view.plan, view.ended, view.reach, view.at, view.seq, view.head)


def _note(
    opening: e.SessionOpened,
    plan: e.PlanMade | None,
    ended: e.SessionEnded,
    reach: Reach,
    at: str,
    seq: int,
    head: str,
) -> str:
    if ended.outcome != "go" or opening.mode != "walk" or plan is None:
        return ""
    ours = any(step.uses == "migrations.apply" for step in opening.runbook.steps())
    what = _committed(plan, reach) if ours else _named([script.migration for script in plan.scripts])
    if not what:
        return ""
    where = f"{at[:10]} {opening.project} {opening.environment}, {opening.ticket or 'no ticket'}"
    return f"{where}: {what} (gonogo {opening.session}, head {seq}:{head})"


def _committed(plan: e.PlanMade, reach: Reach) -> str:
    """What is known to be committed of a plan: an apply that stopped on its way may have been waived."""
    known = [
        (script, reach.committed[script.migration]) for script in plan.scripts if script.migration in reach.committed
    ]
    doubted = [script.migration for script in plan.scripts if script.migration in reach.in_doubt]
    sure = [(script, count) for script, count in known if script.migration not in doubted]
    whole = [script.migration for script, count in sure if count >= len(script.statements)]
    part = [
        f"{count} of {many(len(script.statements), 'statement')} of {script.migration}"
        for script, count in sure
        if 0 < count < len(script.statements)
    ]
    doubt = [f"how much of {name} is applied is not known" for name in doubted]
    return "; ".join(words for words in (_named(whole), *part, *doubt) if words)


def _named(names: Sequence[str]) -> str:
    return f"{many(len(names), 'migration')} applied: {listed(names, NAMED)}" if names else ""


def afterwards(facts: Facts) -> Iterator[Part]:
    """A chapter of the transcript, where there is anything to tell."""
    note, owed = release_note(facts), facts.owed
    if not note and not owed:
        return
    yield Heading(2, ("Afterwards",))
    if note:
        yield Paragraph((Strong("For the release notes"), ":"))
        yield Verbatim(note)
    if owed:
        yield Paragraph((Strong("To be done"), ", as the runbook has it ", Refs((0,)), ":"))
        rows = [((one.text,), (Value(one.owner),), (Value(one.due),), (Value(one.id),)) for one in urgent_first(owed)]
        yield table(("What", "Who", "Until", "Id"), rows, many(len(rows), "follow-up"))
        done = "What of it is done by now stands in no record: "
        yield Paragraph((done, Value("gonogo follow-ups list"), " says so."))
