"""`gonogo follow-ups`: what sessions have left to be done, and what is done by now."""

import asyncio
import json
import os
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import click

from runbooks.history import sessions
from runbooks.history.done import settle
from runbooks.history.places import root
from runbooks.history.sessions import Summary
from runbooks.host.operator import who
from runbooks.reading.listing import Wanted, chosen
from runbooks.report.afterwards import release_note_of
from runbooks.session.follow_ups import Owed, urgency, urgent_first
from runbooks.session.view import RunView
from tui.commands.common import json_option, project_option, talk
from tui.printable import one_line


@click.group("follow-ups")
def follow_ups() -> None:
    """What ended sessions have left to be done: listed, and ticked off."""


@follow_ups.command("list", short_help="What is still to be done, the most urgent first.")
@click.option("--environment", default="", metavar="PATTERN", help="Only of sessions on these environments.")
@click.option("--all", "every", is_flag=True, help="Also what is done.")
@json_option
@project_option
def list_follow_ups(environment: str, every: bool, as_json: bool, project_file: Path | None) -> None:
    """List what sessions of this machine have left to be done, the most urgent first."""
    listed = chosen(sessions.list_sessions(root(project_file)), Wanted(environment=environment), "opened")
    rows = list(_rows(listed, every=every))
    if as_json:
        return click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    for line in _lines(rows, datetime.now(UTC).date()):
        click.echo(line)


@follow_ups.command("done", short_help="Say that one is done, and how.")
@click.argument("session")
@click.argument("follow_up")
@click.argument("note")
@click.option("--operator", help="Your name for the record, if it is not git's user.email.")
@project_option
def done(session: str, follow_up: str, note: str, operator: str | None, project_file: Path | None) -> None:
    """Tick off FOLLOW_UP of SESSION, with a NOTE that says how it was done: a ticket, a commit.

    It stands in a file beside the journal, which had ended by then, and is proven by nothing.
    """
    found = sessions.summary(sessions.find(root(project_file), session))
    by = asyncio.run(who(operator, os.environ)).model_copy(update={"how": "command"})
    settle(found.folder, found.follow_ups, found.head, follow_up, note, by)
    talk(f"{one_line(follow_up)} of {found.id}: done, says {one_line(by.name)}.")


def afterwards_lines(folder: Path, view: RunView) -> Iterator[str]:
    """What is said when a session has ended: the line for the release notes, and what is to be done."""
    if note := release_note_of(view):
        yield f"For the release notes: {note}"
    for one in urgent_first(view.owed):
        yield f"To be done: {one.words}; tick off: gonogo follow-ups done {folder.name} {one.id} NOTE"
    if view.ended is not None:
        yield f"For the ticket: gonogo transcript show {folder.name} --ticket"


def _rows(listed: Iterable[Summary], *, every: bool) -> Iterator[dict[str, str | None]]:
    """Each with the session that left it, and who did it."""
    pairs = [(session, one) for session in listed for one in session.follow_ups]
    for session, one in sorted(pairs, key=lambda pair: urgency(pair[1])):
        known = next((done for done in session.done if done.follow_up == one.id), None)
        if known is None or every:
            yield _row(session, one) | {
                "done_by": known.by.name if known else None,
                "done_at": known.at if known else None,
                "note": known.note if known else None,
            }


def _row(session: Summary, one: Owed) -> dict[str, str | None]:
    told = {"session": session.id, "environment": session.environment, "ticket": session.ticket}
    return {**told, **one.model_dump()}


def _lines(rows: list[dict[str, str | None]], today: date) -> Iterator[str]:
    """A line for each."""
    if not rows:
        yield "nothing is to be done"
    for row in rows:
        late = " OVERDUE" if not row["done_at"] and Owed.model_validate(_owed(row)).overdue(today) else ""
        done = f"; done {str(row['done_at'])[:10]} by {row['done_by']}: {row['note']}" if row["done_at"] else ""
        yield one_line(f"{row['due']}{late} · {row['owner']} · {row['text']} · {row['session']} {row['id']}{done}")


def _owed(row: dict[str, str | None]) -> dict[str, str | None]:
    return {name: row[name] for name in Owed.model_fields}
