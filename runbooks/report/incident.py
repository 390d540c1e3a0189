"""The entry of a session in the project's incident log. Pure."""

from collections.abc import Iterator

from runbooks.report.escape import block, inline
from runbooks.report.words import DECISION
from runbooks.session.view import RunView

LONGEST = 8000
"""Characters of what a person says."""


def marker(session: str, step: str, attempt: int) -> str:
    """By what an entry is found again: it stands at its end."""
    return f"<!-- gonogo {session} {step}/{attempt} -->"


def entry(view: RunView, step: str, attempt: int, text: str) -> str:
    """Markdown: when, where, for which ticket; what was done, by whom; what the session's record says of it.

    `view` is the session as it stands: the head is that of its last record, from which all of this follows.
    """
    opened = view.opened
    assert opened is not None
    lines = [
        f"## {view.at[:10]} {view.at[11:16]} UTC, {inline(opened.environment)}, {inline(opened.ticket or 'no ticket')}",
        "",
        *(f"> {inline(line)}".rstrip() for line in block(text.strip())[:LONGEST].split("\n")),
        "",
        *(f"- {line}" for line in _facts(view)),
        "",
        marker(opened.session, step, attempt),
    ]
    return "\n".join(lines) + "\n"


def _facts(view: RunView) -> Iterator[str]:
    opened = view.opened
    assert opened is not None
    by = opened.operator
    yield f"by {inline(by.name)}, as claimed (login {inline(by.os_user)} on {inline(by.host)})"
    if view.plan is not None:
        names = ", ".join(inline(script.migration) for script in view.plan.scripts) or "none"
        yield f"on {inline(view.plan.target.address)}; pending were: {names}"
    for step in view.runbook.steps():
        failure = view.step(step.id).failure
        if failure is not None:
            yield f"failed: {inline(step.title)}: {inline(failure.what)}"
    for decision in view.decisions:
        event = decision.event
        if event.what in ("go", "no_go", "roll_back", "end"):
            way = f", {inline(event.option)}" if event.option else ""
            why = f": {inline(event.reason)}" if event.reason else ""
            yield f"{DECISION[event.what]} in {event.phase}{way}{why}"
    yield f"gonogo session {inline(opened.session)}, head {view.seq}:{view.head}"
