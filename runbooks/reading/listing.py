"""Which sessions are wanted, and in what order; and their grades, once somebody asks for them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal, get_args

from migrations.problem import Problem
from runbooks.history.sessions import Summary, every
from runbooks.history.stages import without_passed
from runbooks.journal.grade import GRADES
from runbooks.settings.durations import duration

Sort = Literal["opened", "environment", "ticket", "operator", "outcome", "waivers", "grade"]
SORTS: tuple[Sort, ...] = get_args(Sort)
FORM = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Patterns, as a shell has them, whatever the case; an empty one matches all.

    What a journal that cannot be read would say is not known, so it is listed whatever its ticket and operator.
    """

    environment: str = ""
    ticket: str = ""
    operator: str = ""
    outcomes: tuple[str, ...] = ()
    since: datetime | None = None

    def takes(self, session: Summary) -> bool:
        """Whether this session is wanted."""
        known = (
            (self.environment, session.environment or environment_of(session)),
            (self.ticket, session.ticket),
            (self.operator, session.operator),
        )
        return (
            all(_alike(pattern, said) for pattern, said in known if said or not session.fault)
            and (not self.outcomes or session.state in self.outcomes)
            and (self.since is None or opened_at(session) >= self.since)
        )


def ordered(sessions: Iterable[Summary], sort: Sort) -> list[Summary]:
    """In the order of a key; those that are alike in it newest first. Most waivers and the worst grades come first."""
    newest = sorted(sessions, key=lambda session: session.id, reverse=True)
    match sort:
        case "opened":
            return newest
        case "waivers":
            return sorted(newest, key=lambda session: -session.waivers)
        case "grade":
            return sorted(newest, key=lambda session: GRADES.index(session.grade) if session.grade else len(GRADES))
        case "outcome":
            return sorted(newest, key=lambda session: session.state)
    return sorted(newest, key=lambda session: str(getattr(session, sort)).casefold())


def since(text: str, now: datetime) -> datetime:
    """A moment, as a date, a time (UTC, unless it says another zone), or a length of time before `now`.

    Raises ValueError with words for a person.
    """
    try:
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except ValueError:
        pass
    try:
        return now - duration(text)
    except ValueError:
        raise ValueError(
            f"{text[:40]!r} is neither a date such as 2026-01-31, nor a length of time such as 30d"
        ) from None


def folders_in(root: Path) -> tuple[list[Path], str]:
    """The folders of all sessions there, newest first; and why they cannot be listed, else an empty text."""
    try:
        return every(root), ""
    except Problem as problem:
        return [], problem.what


def opened_at(session: Summary) -> datetime:
    """When it began, by its name: that can be read even where the journal cannot."""
    return datetime.strptime(session.id.partition("-")[0], FORM).replace(tzinfo=UTC)


def environment_of(session: Summary) -> str:
    """The environment that is in its name."""
    return session.id.partition("-")[2].rpartition("-")[0]


def chosen(sessions: Iterable[Summary], wanted: Wanted, sort: Sort) -> Sequence[Summary]:
    """Those that are wanted, in order. The next stage of a series is left to be done only until one of them has."""
    return ordered((session for session in without_passed(sessions) if wanted.takes(session)), sort)


def _alike(pattern: str, said: str) -> bool:
    return not pattern or fnmatchcase(said.casefold(), pattern.casefold())
