"""Whom to call, in the runbook's order: who was called, and when it is the next one's turn."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from runbooks.session import events as e
from runbooks.session.runbook import Contact, Runbook

if TYPE_CHECKING:
    from runbooks.session.view import RunView

CALL = "contact/"
"""A call is noted as a tick of `contact/1`, `contact/2` …: no item has such an id."""

REACHED = "reached"
"""The reason of such a tick, where whoever was called has answered."""


@dataclass(frozen=True, slots=True)
class Call:
    """When somebody was called first (RFC 3339 UTC); of the last time by whom, what came of it, if they answered."""

    at: str
    by: str
    came: str = ""
    reached: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """One contact. `due`: from when on it is their turn, as far as that is known."""

    number: int
    contact: Contact
    state: Literal["called", "now", "later", "passed"]
    call: Call | None = None
    due: datetime | None = None

    @property
    def subject(self) -> str:
        """What a note of the call names."""
        return f"{CALL}{self.number}"


def contact_of(runbook: Runbook, subject: str) -> Contact | None:
    """The contact that a note is about."""
    number = subject.removeprefix(CALL)
    known = {str(place): contact for place, contact in enumerate(runbook.people, 1)}
    return known.get(number) if subject.startswith(CALL) else None


def calls_after(before: Mapping[str, Call], at: str, event: e.ItemTicked) -> Mapping[str, Call]:
    """The calls after one more was noted. The first of a contact counts for when the next one's turn is."""
    known = before.get(event.item)
    call = Call(known.at if known else at, event.by.name, event.evidence, event.reason == REACHED)
    return {**before, event.item: call}


def turns(view: "RunView", now: datetime) -> list[Turn]:
    """Every contact: called, to be called now, or later. Nobody called: it is the first one's turn.

    Once somebody was reached, it is nobody's turn any more by itself.
    """
    people, calls = view.runbook.people, view.calls
    last = max((n for n in range(1, len(people) + 1) if f"{CALL}{n}" in calls), default=0)
    reached = any(call.reached for call in calls.values())
    found, due = list[Turn](), now if not last else None
    for number, contact in enumerate(people, 1):
        call = calls.get(f"{CALL}{number}")
        if call is not None:
            found.append(Turn(number, contact, "called", call))
            due = datetime.fromisoformat(call.at) if not reached else None
        elif number < last:
            found.append(Turn(number, contact, "passed"))
            continue
        else:
            waiting = any(turn.state == "now" for turn in found)
            state: Literal["now", "later"] = "now" if due is not None and due <= now and not waiting else "later"
            found.append(Turn(number, contact, state, due=due if last else None))
        due = due + timedelta(microseconds=contact.wait) if due is not None else None
    return found


def turn_now(view: "RunView", now: datetime) -> Turn | None:
    """Whom to call now, if it is anybody's turn."""
    return next((turn for turn in turns(view, now) if turn.state == "now"), None)
