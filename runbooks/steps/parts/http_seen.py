"""What a watch has seen so far, and what is to be said of it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from runbooks.settings.durations import spell


@dataclass(slots=True)
class Seen:
    """`took`: of each answer that came, in microseconds. `in_a_row`: how many of the latest were bad."""

    took: list[int] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    errors: int = 0
    bad: int = 0
    in_a_row: int = 0
    last: str = ""

    @property
    def asked(self) -> int:
        """How often it was asked."""
        return len(self.took) + self.errors

    def note(self, status: int | None, took: int, wrong: str) -> None:
        """One more; `status` is None where no answer came, `wrong` is empty for a good one."""
        if status is None:
            self.errors += 1
        else:
            self.statuses[status] += 1
            self.took.append(took)
        self.bad += bool(wrong)
        self.in_a_row = self.in_a_row + 1 if wrong else 0
        self.last = wrong or self.last

    @property
    def words(self) -> str:
        """How it stands: `12 answers (200: 11, 503: 1), 1 without an answer, 2 bad, slowest 85 ms`."""
        by = ", ".join(f"{status}: {count}" for status, count in sorted(self.statuses.items()))
        parts = [f"{len(self.took)} {'answer' if len(self.took) == 1 else 'answers'}" + (f" ({by})" if by else "")]
        parts += [f"{self.errors} without an answer"] if self.errors else []
        parts += [f"{self.bad} bad"] if self.bad else []
        parts += [f"slowest {in_ms(max(self.took))}"] if self.took else []
        return ", ".join(parts)


def percentile(values: Sequence[int], percent: int) -> int | None:
    """The smallest value that so many percent of them do not exceed; None of no values."""
    ordered = sorted(values)
    return ordered[max(0, -(-percent * len(ordered) // 100) - 1)] if ordered else None


def in_ms(us: int) -> str:
    """`85 ms`; what is shorter than ten has one digit more."""
    return f"{us / 1000:.1f} ms" if us < 10_000 else f"{us / 1000:.0f} ms"


def roughly(seconds: float) -> str:
    """`4m10s`, without what is shorter than a second."""
    return spell(timedelta(seconds=int(seconds)))
