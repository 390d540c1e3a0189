"""What `gonogo sessions` prints: rows whose columns stand below each other, or JSON."""

import json
from collections.abc import Sequence

from runbooks.history.sessions import Summary
from tui.printable import one_line

GAP = "  "
_JSON = (
    *("id", "environment", "ticket", "operator", "opened_at", "outcome", "exit_code"),
    *("waivers", "not_applicable", "records", "head"),
)


def sessions_text(sessions: Sequence[Summary]) -> str:
    """A line for each; columns that no session has anything in are left out."""
    if not sessions:
        return "no sessions"
    rows = [_cells(session) for session in sessions]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True) if width) for row in rows)
    return "\n".join(
        f"{line}{GAP}{one_line(session.fault)}" if session.fault else line.rstrip()
        for line, session in zip(lines, sessions, strict=True)
    )


def sessions_json(sessions: Sequence[Summary]) -> str:
    """A list of objects. `grade` is null unless it was asked for."""
    rows = [
        {
            **{n: getattr(s, n) for n in (*_JSON, "running", "state", "grade", "review_by", "reviewer", "fault")},
            "to_do": [one.model_dump() for one in s.to_do],
        }
        for s in sessions
    ]
    return json.dumps(rows, indent=2)


def state_word(session: Summary) -> str:
    """How it stands, as options and columns have it."""
    return session.state.replace("_", "-")


def _cells(session: Summary) -> tuple[str, ...]:
    cells = (session.id, session.environment, session.ticket, session.operator, state_word(session))
    more = (*passed_words(session), session.grade or "", review_words(session), to_do_words(session))
    return tuple(one_line(cell) for cell in (*cells, *more))


def to_do_words(session: Summary) -> str:
    """How much of what it left to be done nobody has done yet."""
    return f"{len(session.to_do)} to do" if session.to_do else ""


def passed_words(session: Summary) -> tuple[str, str]:
    """How much was waived, and how much was called not applicable."""
    return (
        f"{session.waivers} waived" if session.waivers else "",
        f"{session.not_applicable} not applicable" if session.not_applicable else "",
    )


def review_words(session: Summary) -> str:
    """What is owed, or was done, for a run without approval; else nothing."""
    if not session.review_by:
        return ""
    done = f"reviewed by {session.reviewer}, as claimed" if session.reviewer else f"review owed by {session.review_by}"
    return f"EMERGENCY, {done}"
