"""Follow-ups: what is left to be done when a session has ended with GO. Pure."""

import re
from collections.abc import Collection, Iterable
from datetime import date, timedelta

from runbooks.session.frozen import Frozen
from runbooks.session.runbook import FollowUp, Mode, Runbook

NEXT_RELEASE = "next release"
NEXT_STAGE = "next-stage"
"""The follow-up that every stage of a series but the last one leaves."""
DUE = "a date, `+30d`, `+6w`, or `next release`"
_LATER = re.compile(r"\+([1-9][0-9]{0,3})([dw])", re.ASCII)
_DAYS = {"d": 1, "w": 7}


class Owed(Frozen):
    """Something that somebody has to do. `due` is a day (YYYY-MM-DD), or `next release`."""

    id: str
    text: str
    owner: str
    due: str

    def overdue(self, today: date) -> bool:
        """Whether its day is past."""
        return self.due != NEXT_RELEASE and self.due < today.isoformat()

    @property
    def words(self) -> str:
        """In one line."""
        return f"{self.text} ({self.owner}, {'by ' * (self.due != NEXT_RELEASE)}{self.due})"


def is_due(text: str) -> bool:
    """Whether a document can say so when something is due."""
    return text == NEXT_RELEASE or _LATER.fullmatch(text) is not None or _is_day(text)


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def due_on(due: str, day: date) -> str:
    """The day that `+30d` comes to, counted from `day`; what is a day already, and `next release`, as they are."""
    later = _LATER.fullmatch(due)
    return (day + timedelta(days=int(later[1]) * _DAYS[later[2]])).isoformat() if later else due


def owed_by(
    book: Runbook, conditions: Collection[str], outcome: str | None, day: date, mode: Mode = "walk"
) -> tuple[Owed, ...]:
    """What a session of this runbook leaves, which ended so on this day: nothing but after the GO of a whole walk."""
    if outcome != "go" or mode != "walk":
        return ()
    written = tuple(_owed(one, day) for one in book.follow_ups if one.when is None or one.when in conditions)
    following = book.series.following if book.series is not None else None
    if following is None:
        return written
    owner = book.owner or "whoever owns the runbook"
    return (*written, Owed(id=NEXT_STAGE, text=following.words, owner=owner, due=NEXT_RELEASE))


def _owed(one: FollowUp, day: date) -> Owed:
    return Owed(id=one.id, text=one.text, owner=one.owner, due=due_on(one.due, day))


def urgent_first(owed: Iterable[Owed]) -> list[Owed]:
    """The earliest day first, then what waits for the next release."""
    return sorted(owed, key=urgency)


def urgency(one: Owed) -> tuple[bool, str]:
    """What sorts them so."""
    return one.due == NEXT_RELEASE, one.due
