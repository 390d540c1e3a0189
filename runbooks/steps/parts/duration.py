"""A length of time as a step's parameter."""

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, PlainSerializer

from runbooks.settings.durations import EXPECTED, duration, spell


def _read(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, str):
        return duration(value)
    raise ValueError(f"expected {EXPECTED}, in quotes")


def _legible(text: str) -> str:
    if "${" not in text:
        duration(text)
    return text


Duration = Annotated[timedelta, BeforeValidator(_read), PlainSerializer(spell, return_type=str)]
"""A step parameter that is written as `"10m"` and read as a timedelta. Defaults may be given as timedelta."""

DurationText = Annotated[str, AfterValidator(_legible)]
"""The same as it is written, which may therefore be a reference: `"${env.watch}"`. `duration` reads it."""
