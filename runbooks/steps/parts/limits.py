"""Timeouts as step parameters: a length of time, or `"0"` for none."""

from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer

from runbooks.settings.durations import duration, milliseconds, spell

NONE = timedelta(0)


def _read(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, str):
        return NONE if value.strip() == "0" else duration(value)
    raise ValueError('expected a length of time such as "5s" or "15min", or "0" for none, in quotes')


def limit_text(limit: timedelta) -> str:
    """As it is written: `15m`, or `0`."""
    return spell(limit) if limit else "0"


def limit_milliseconds(limit: timedelta) -> int:
    """For the server; 0 is none."""
    return milliseconds(limit) if limit else 0


Limit = Annotated[timedelta, BeforeValidator(_read), PlainSerializer(limit_text, return_type=str)]
"""A timeout that is written as `"5s"` or `"0"` and read as a timedelta."""
