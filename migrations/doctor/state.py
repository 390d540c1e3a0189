"""What the doctor says: a state by its name, what it is in plain words, where it comes from, and the ways out of it."""

from dataclasses import dataclass
from typing import Literal

from migrations.problem import Problem

StateName = Literal[
    "other-provider",
    "prisma-8",
    "lock-held",
    "no-baseline",
    "ledger-elsewhere",
    "failed",
    "cut-short",
    "without-script",
    "changed-by-others",
    "edited",
    "ahead",
    "removed",
    "duplicate",
    "rolled-back",
    "out-of-order",
]
Severity = Literal["stop", "warn", "note"]
"""`stop`: nothing can be applied like this. `warn`: a person should know why, before going on. `note`: all is well."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way out: for whom (`when`, empty if there is only one), and its steps, to be taken in this order."""

    steps: tuple[str, ...]
    when: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """One anomaly, of one or more migrations. `code` is what Prisma calls it, empty where Prisma does not look."""

    name: StateName
    severity: Severity
    what: str
    cause: str
    ways: tuple[Way, ...]
    code: str = ""
    migrations: tuple[str, ...] = ()
    details: tuple[str, ...] = ()

    @property
    def advice(self) -> str:
        """The ways out in one line."""
        return " Or: ".join(f"{way.when}: {_joined(way)}" if way.when else _joined(way) for way in self.ways)

    @property
    def problem(self) -> Problem:
        """The state as what keeps something from being done."""
        return Problem(self.what, advice=self.advice, code=self.code)


def _joined(way: Way) -> str:
    return " Then: ".join(way.steps)
