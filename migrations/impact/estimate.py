"""How long a statement's work may take on a relation of a known size: a guess, wide on purpose.

`RATES` are what one PostgreSQL does in a second, on slow shared storage and on a fast machine with everything in
memory. Rehearse where it matters: no rehearsal, no promise.
"""

from dataclasses import dataclass
from typing import NamedTuple

from migrations.impact.known import Relation
from migrations.locks import Work

MEGABYTE = 1000**2


class Rate(NamedTuple):
    """Bytes (of `data`: rows) in a second, at the slowest and at the fastest."""

    slow: int
    fast: int


RATES: dict[Work, Rate] = {
    "scan": Rate(100 * MEGABYTE, 2000 * MEGABYTE),
    "build": Rate(15 * MEGABYTE, 200 * MEGABYTE),
    "rewrite": Rate(10 * MEGABYTE, 150 * MEGABYTE),
    "data": Rate(5_000, 200_000),
}
ROW = Rate(slow=32, fast=1000)
"""Bytes of a row where rows were never counted: the smallest are the most, and take the longest."""


@dataclass(frozen=True, slots=True)
class Span:
    """From `least` to `most` microseconds; None where there is no telling."""

    least: int = 0
    most: int | None = 0

    def __add__(self, other: "Span") -> "Span":
        most = None if self.most is None or other.most is None else self.most + other.most
        return Span(self.least + other.least, most)


UNKNOWN = Span(0, None)
BRIEF = Span(200, 5_000)
"""A change of the catalog for one table, and the way to the server and back."""


def span(work: Work, relation: Relation | None) -> Span:
    """How long the work takes on a relation; on one that is not known, there is no telling."""
    if work == "brief":
        count = 1 + (relation.partitions if relation else 0)
        return Span(BRIEF.least * count, (BRIEF.most or 0) * count)
    if relation is None or relation.heap is None:
        return UNKNOWN
    if work == "data":
        return rows(relation)
    fewest = relation.heap
    most = relation.heap + relation.toast
    if work == "rewrite":
        fewest = most = most + relation.indexes_size
    return BRIEF + Span(_microseconds(fewest, RATES[work].fast), _microseconds(most, RATES[work].slow))


def rows(relation: Relation) -> Span:
    """How long it takes to change every row of a relation."""
    if relation.heap is None:
        return UNKNOWN
    if relation.rows is not None and relation.rows > 0:
        return of_rows(relation.rows)
    few, many = relation.heap // ROW.fast, relation.heap // ROW.slow
    return Span(of_rows(few).least, of_rows(many).most)


def of_rows(count: int) -> Span:
    """How long it takes to write so many rows."""
    rate = RATES["data"]
    return BRIEF + Span(_microseconds(count, rate.fast), _microseconds(count, rate.slow))


def _microseconds(amount: int, per_second: int) -> int:
    return amount * 1_000_000 // per_second
