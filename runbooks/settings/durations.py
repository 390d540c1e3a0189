"""Lengths of time as people write them: `90s`, `10m`, `1h30m`, `500ms`, and PostgreSQL's `15min`."""

import re
from datetime import timedelta

UNITS: dict[str, timedelta] = {
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "min": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
    "us": timedelta(microseconds=1),
}
EXPECTED = "a length of time such as 90s, 10m, 1h30m, 500ms"
LONGEST = timedelta(days=3650)

_PART = re.compile(r"\s*([0-9]{1,18})\s*([a-z]+)", re.ASCII)


def duration(text: str) -> timedelta:
    """The length of time that `text` says. Raises ValueError with words for a person."""
    total, last, at = timedelta(), timedelta.max, 0
    shown, stripped = repr(text[:40]), text.rstrip()
    while at < len(stripped) or at == 0:
        part = _PART.match(stripped, at)
        unit = UNITS.get(part[2]) if part else None
        if part is None or unit is None or unit >= last:
            raise ValueError(f"{shown} is not {EXPECTED}")
        if int(part[1]) > LONGEST // unit or total + int(part[1]) * unit > LONGEST:
            raise ValueError(f"{shown} is more than {LONGEST.days} days")
        total, last, at = total + int(part[1]) * unit, unit, part.end()
    return total


def microseconds(length: timedelta) -> int:
    """Whole microseconds, exactly."""
    return length // timedelta(microseconds=1)


def milliseconds(length: timedelta) -> int:
    """Whole milliseconds, rounded up: PostgreSQL reads 0 as no limit at all."""
    return -(-length // timedelta(milliseconds=1))


def spell(length: timedelta) -> str:
    """The shortest exact text that `duration` reads back as the same length: `1h30m`."""
    left, parts = length, []
    for name in ("d", "h", "m", "s", "ms", "us"):
        count, left = divmod(left, UNITS[name])
        if count:
            parts.append(f"{count}{name}")
    return "".join(parts) or "0s"
