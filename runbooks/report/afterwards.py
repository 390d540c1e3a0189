"""What is told of a session that ended with GO: the line for the release notes, and what is left to be done."""

from collections.abc import Collection, Iterator

from runbooks.report.facts import Facts
from runbooks.report.parts import Heading, Paragraph, Part, Refs, Strong, Value, Verbatim, table
from runbooks.report.words import many
from runbooks.session import events as e
from runbooks.session.follow_ups import urgent_first
from runbooks.session.view import RunView

NAMED = 20


def release_note(facts: Facts) -> str:
    """One line of plain text; empty of a session that brought nothing to where it is used."""
    if facts.last is None or facts.ended is None:
        return ""
    return _note(facts.opening, facts.plan, facts.ended, facts.done, facts.last.at, facts.last.seq, facts.head)


def release_note_of(view: RunView) -> str:
    """The same of a session that somebody looks at."""
    if view.opened is None or view.ended is None:
        return ""
    done = {name for name, step in view.steps.items() if step.end == "done"}
    return _note(view.opened, view.plan, view.ended, done, view.at, view.seq, view.head)


def _note(
    opening: e.SessionOpened,
    plan: e.PlanMade | None,
    ended: e.SessionEnded,
    done: Collection[str],
    at: str,
    seq: int,
    head: str,
) -> str:
    applying = {step.id for step in opening.runbook.steps() if step.uses == "migrations.apply"}
    if ended.outcome != "go" or opening.mode != "walk" or plan is None or not plan.scripts:
        return ""
    if applying and not applying & set(done):
        return ""
    names = [script.migration for script in plan.scripts]
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    what = f"{many(len(names), 'migration')} applied: {', '.join(names[:NAMED])}{more}"
    where = f"{at[:10]} {opening.project} {opening.environment}, {opening.ticket or 'no ticket'}"
    return f"{where}: {what} (gonogo {opening.session}, head {seq}:{head})"


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
