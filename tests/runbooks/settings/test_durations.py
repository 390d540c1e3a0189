"""Lengths of time: what is read, what is refused, and that spelling one is reading it backwards."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from runbooks.session.frozen import Frozen
from runbooks.settings.durations import LONGEST, duration, microseconds, milliseconds, spell
from runbooks.steps.parts.duration import Duration


class Waits(Frozen):
    timeout: Duration = timedelta(seconds=5)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("10m", 600),
        ("15min", 900),
        ("4h", 14_400),
        ("24h", 86_400),
        ("2d", 172_800),
        ("1h30m", 5_400),
        ("1 h 30 min ", 5_400),
        ("0s", 0),
    ],
)
def test_reads(text: str, seconds: int) -> None:
    assert duration(text) == timedelta(seconds=seconds)


def test_reads_parts_of_a_second() -> None:
    assert duration("500ms") == timedelta(milliseconds=500)
    assert duration("1s250ms") == timedelta(milliseconds=1250)
    assert microseconds(duration("7us")) == 7
    assert milliseconds(duration("1500us")) == 2, "a limit is never rounded to nothing"


@pytest.mark.parametrize(
    "text",
    ["", " ", "10", "m", "1.5h", "-1h", "10 minutes", "30m1h", "1m1min", "1h,30m", "٣m", "4000d", "9" * 500 + "s"],
)
def test_refuses(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a length of time|is more than"):
        duration(text)


@given(st.timedeltas(timedelta(), LONGEST))
def test_what_is_spelled_reads_back(length: timedelta) -> None:
    assert duration(spell(length)) == length


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        duration(text)
    except ValueError as error:
        assert str(error)


def test_as_a_parameter() -> None:
    assert Waits(timeout="10m").timeout == timedelta(minutes=10)
    assert Waits().model_dump(mode="json") == {"timeout": "5s"}
    with pytest.raises(ValidationError, match="in quotes"):
        Waits(timeout=10)
