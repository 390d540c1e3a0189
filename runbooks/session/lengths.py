"""Lengths of time, as a person counts them down."""

from datetime import timedelta


def minutes(length: timedelta) -> str:
    """Whole minutes, never rounded up: `under a minute`, `48 min`, `3 h 5 min`, `2 d 4 h`."""
    whole = max(0, length // timedelta(minutes=1))
    if whole < 60:
        return f"{whole} min" if whole else "under a minute"
    hours, rest = divmod(whole, 60)
    return f"{hours} h {rest} min" if hours < 24 else f"{hours // 24} d {hours % 24} h"
