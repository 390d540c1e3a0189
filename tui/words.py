"""Numbers and times, as the screens say them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from runbooks.report.words import many
from runbooks.session.lengths import minutes as minutes

plural = many
"""`1 item`, `2 items`."""

Clock = Callable[[], datetime]
"""Tells the time, aware of its zone."""


def now() -> datetime:
    """The time of this machine, in UTC."""
    return datetime.now(UTC)


def moment(at: str) -> datetime | None:
    """A record's time (RFC 3339), or None if there is none."""
    try:
        return datetime.fromisoformat(at)
    except ValueError:
        return None


def elapsed(length: timedelta) -> str:
    """Hours, minutes and seconds: `0:41`, `12:31`, `1:02:03`. Never below zero."""
    seconds = max(0, int(length.total_seconds()))
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours}:{minutes:02}:{seconds % 60:02}" if hours else f"{minutes}:{seconds % 60:02}"


def took(microseconds: int) -> str:
    """How long something took: `12 ms`, `1.4 s`, `2:05`."""
    if microseconds < 1_000_000:
        return f"{microseconds // 1000} ms"
    if microseconds < 60_000_000:
        return f"{microseconds / 1_000_000:.1f} s"
    return elapsed(timedelta(microseconds=microseconds))


def size(count: float) -> str:
    """Bytes, in the unit that leaves few digits: `812 B`, `1.2 GB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def amount(count: float, unit: str) -> str:
    """A number and its unit; bytes are shortened."""
    if unit in ("bytes", "B"):
        return size(count)
    number = f"{count:,.0f}".replace(",", " ") if float(count).is_integer() else f"{count:.1f}"
    return f"{number} {unit}".strip()
