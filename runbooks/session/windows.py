"""Maintenance windows: when a migration may begin, as people write it down, and how that stands at a moment.

The clock on the wall of the place that is named decides. A time that comes twice, as summer ends, is the first of the
two; one that never comes, as summer begins, is what the clock would have said had it not been put forward.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from runbooks.session.lengths import minutes

EXPECTED = '"Sat,Sun 02:00-06:00 Europe/Berlin", "daily 01:00-03:00 UTC" or "2026-11-22 22:00-02:00 UTC"'
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
BEHIND, AHEAD = timedelta(days=9), timedelta(days=16)
"""So far around a moment what comes every week is looked at."""
YEARS = range(2000, 3000)

_CLOCK = r"([01]\d|2[0-4]):([0-5]\d)"
_FORM = re.compile(rf"(\S+) +{_CLOCK} ?[-–] ?(?:(\d{{4}}-\d\d-\d\d) +)?{_CLOCK} +(\S+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Span:
    """From `opens` up to `closes`, in UTC."""

    opens: datetime
    closes: datetime


@dataclass(frozen=True, slots=True)
class Window:
    """One line of a window. `days` are days of the week, 0 is Monday; or `first` is the only day, and `last` its end.

    `begin` and `end` are minutes of a day.
    """

    zone: ZoneInfo
    begin: int
    end: int
    days: frozenset[int] = frozenset()
    first: date | None = None
    last: date | None = None

    def spans(self, since: datetime, until: datetime) -> Iterator[Span]:
        """Each time that it is open, of those that begin in between."""
        if self.first is not None:
            yield self._span(self.first, self.last)
            return
        day = since.astimezone(self.zone).date()
        while day <= until.astimezone(self.zone).date():
            if day.weekday() in self.days:
                yield self._span(day, None)
            day += timedelta(days=1)

    def _span(self, first: date, last: date | None) -> Span:
        over = timedelta(days=self.end <= self.begin)
        return Span(self._at(first, self.begin), self._at(last or first + over, self.end))

    def _at(self, day: date, minute: int) -> datetime:
        day += timedelta(days=minute // 1440)
        return datetime.combine(day, time(minute % 1440 // 60, minute % 60), self.zone).astimezone(UTC)


@lru_cache(maxsize=256)
def read_window(text: str) -> Window:
    """A window as it is written. Raises ValueError, with why."""
    found = _FORM.fullmatch(text.strip())
    if found is None:
        raise ValueError("it has not the form of a window")
    when, *clock, last, end_hour, end_minute, place = found.groups()
    begin, end = (int(hour) * 60 + int(minute) for hour, minute in ((clock[0], clock[1]), (end_hour, end_minute)))
    if begin >= 1440 or end > 1440:
        raise ValueError("a day has 24 hours")
    zone = _zone(place)
    if when[:1].isdigit():
        window = Window(zone, begin, end, first=_date(when), last=_date(last) if last else None)
        (span,) = window.spans(datetime.now(UTC), datetime.now(UTC))
        if span.closes <= span.opens:
            raise ValueError("it ends before it begins")
        return window
    if last:
        raise ValueError("only a date is followed by a date")
    return Window(zone, begin, end, days=_days(when))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"this machine knows no time zone {name}") from None


def _date(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"there is no day {text}") from None
    if day.year not in YEARS:
        raise ValueError(f"nobody plans for the year {day.year}")
    return day


def _days(text: str) -> frozenset[int]:
    if text.casefold() == "daily":
        return frozenset(range(7))
    found = set[int]()
    for part in text.split(","):
        first, _, last = part.casefold().partition("-")
        if first not in DAYS or (last or first) not in DAYS:
            raise ValueError(f"{part} is no day of the week")
        begin, end = DAYS.index(first), DAYS.index(last or first)
        found |= {day % 7 for day in range(begin, (end if end >= begin else end + 7) + 1)}
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class Standing:
    """How the windows stand at a moment. `now` is the one that is open, `next` the one after that, `past` the last one.

    `unread`: why they cannot be read here; then nothing is known, and they count as shut.
    """

    at: datetime
    zone: ZoneInfo | None = None
    now: Span | None = None
    next: Span | None = None
    past: Span | None = None
    unread: str = ""

    @property
    def left(self) -> timedelta:
        """How long it is still open."""
        return self.now.closes - self.at if self.now else timedelta()

    @property
    def words(self) -> str:
        """In a line: how long it is open, or when it opens."""
        if self.unread:
            return self.unread
        if self.now and self.left > AHEAD - timedelta(days=2):
            return "open for two weeks and more"
        if self.now:
            return f"{minutes(self.left)} left, until {self._local(self.now.closes)}"
        lately = self.past is not None and (self.next is None or self.at - self.past.closes < timedelta(days=1))
        since = f"closed since {self._local(self.past.closes)}, " if self.past and lately else ""
        if self.next:
            return f"{since}opens {self._local(self.next.opens)}, in {minutes(self.next.opens - self.at)}"
        return f"{since}does not open any more" if since else "does not open"

    def _local(self, moment: datetime) -> str:
        local = moment.astimezone(self.zone or UTC)
        return f"{local:%a} {local:%Y-%m-%d %H:%M} {local:%Z}"


def standing(groups: Sequence[Sequence[str]], at: datetime) -> Standing:
    """How it stands where of each group one window must be open."""
    try:
        read = [[read_window(text) for text in group] for group in groups]
    except ValueError as error:
        return Standing(at, unread=f"a window cannot be read here: {error}")
    dated = [span.opens for group in read for one in group if one.first for span in one.spans(at, at)]
    moments = (at, *(opens for opens in dated if opens > at))
    spans = [_united(span for one in group for span in _around(one, moments)) for group in read]
    open_in_all = spans[0]
    for other in spans[1:]:
        open_in_all = _shared(open_in_all, other)
    return Standing(
        at,
        zone=read[0][0].zone,
        now=next((span for span in open_in_all if span.opens <= at < span.closes), None),
        next=next((span for span in open_in_all if span.opens > at), None),
        past=next((span for span in reversed(open_in_all) if span.closes <= at), None),
    )


def _around(window: Window, moments: Iterable[datetime]) -> Iterator[Span]:
    """When it is open: what comes every week repeats itself, and need not be looked at all the way to a far day."""
    return (span for moment in moments for span in window.spans(moment - BEHIND, moment + AHEAD))


def _united(spans: Iterable[Span]) -> list[Span]:
    found: list[Span] = []
    for span in sorted(spans, key=lambda one: one.opens):
        if span.closes <= span.opens:
            continue
        if found and span.opens <= found[-1].closes:
            found[-1] = Span(found[-1].opens, max(found[-1].closes, span.closes))
        else:
            found.append(span)
    return found


def _shared(ours: Sequence[Span], others: Sequence[Span]) -> list[Span]:
    both = (Span(max(a.opens, b.opens), min(a.closes, b.closes)) for a in ours for b in others)
    return _united(span for span in both if span.opens < span.closes)
