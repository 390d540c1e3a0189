"""The order that Prisma applies names in, and what a convention says of a name."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrations.naming import convention, order_key
from migrations.problem import Misuse


@pytest.mark.parametrize(
    "ordered",
    [
        ["0_init", "000000000000_squashed"],
        ["1_x", "10_x"],
        ["20240101_z", "20240101000000"],
        ["a_b", "a-b", "a.b", "a@b", "a+b", "a$b", "a1b", "aab"],
        ["add", "Add", "adda", "Adda", "addb"],
        ["resume", "résumé", "resumes"],
        ["zebra", "жар"],
    ],
)
def test_the_order_is_javascripts(ordered: list[str]) -> None:
    assert sorted(set(ordered), key=order_key) == ordered


@given(st.text(), st.text())
def test_any_two_names_have_one_order(one: str, other: str) -> None:
    assert (order_key(one) == order_key(other)) == (one == other)
    assert sorted([one, other], key=order_key) == sorted([other, one], key=order_key)


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("prisma", "20240229235959_add_orders_2"),
        ("prisma", "0_init"),
        ("prisma", "000000000000_squashed_migrations"),
        ("dashed", "20240101-120000_add_orders"),
        ("date", "20240101_add_orders"),
        (r"V\d+__\w+", "V12__anything"),
    ],
)
def test_a_name_that_follows_its_convention(spec: str, name: str) -> None:
    assert convention(spec).faults(name) == []


@pytest.mark.parametrize(
    ("spec", "name", "expected"),
    [
        ("prisma", "20230229000000_no_such_day", "no date and time that exists"),
        ("prisma", "20240101250000_no_such_hour", "no date and time that exists"),
        ("prisma", "20240101000000_", "no description"),
        ("prisma", "20240101000000", "no description"),
        ("prisma", "20240101000000_Add orders", "' ' 'A'"),
        ("prisma", "20240101000000_add.sql", "'.'"),
        ("prisma", "20240101_add", "YYYYMMDDHHMMSS_name"),
        ("prisma", "٢٠٢٤٠١٠١٠٠٠٠٠٠_add", "YYYYMMDDHHMMSS_name"),
        ("dashed", "20240101120000_add", "YYYYMMDD-HHMMSS_name"),
        ("date", "add_orders", "does not start with a time"),
        (r"V\d+__\w+", "V__x", "does not match"),
    ],
)
def test_a_name_that_does_not_says_why(spec: str, name: str, expected: str) -> None:
    (fault,) = convention(spec).faults(name)
    assert expected in fault


def test_a_stamp_is_in_the_future_only_after_now() -> None:
    noon = datetime(2024, 1, 1, 12, tzinfo=UTC)
    assert convention("prisma").faults("20240101120000_on_time", noon) == []
    assert convention("prisma").faults("20240101120001_too_soon", noon) == ["20240101120001 is in the future (UTC)"]


def test_one_stamp_twice_is_seen() -> None:
    names = ["20240101000000_a", "20240101000000_b", "20240102000000_c", "0_init"]
    assert convention("prisma").collisions(names) == {"20240101000000": names[:2]}


def test_an_expression_that_cannot_be_read_is_misuse() -> None:
    with pytest.raises(Misuse, match="regular expression"):
        convention("([a-z")


@given(st.sampled_from(["prisma", "dashed", "date", r"\w+"]), st.text())
def test_any_name_gets_a_word(spec: str, name: str) -> None:
    assert all(isinstance(fault, str) and fault for fault in convention(spec).faults(name))
