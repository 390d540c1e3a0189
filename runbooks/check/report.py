"""What a check found: remarks on files, and how much was looked at."""

from dataclasses import dataclass, replace
from pathlib import Path

from migrations.finding import Finding, Severity
from runbooks.check.base import Base

NAMED = 5
"""Names that a remark lists, the rest counted."""
RANK: dict[Severity, int] = {"stop": 3, "warn": 2, "note": 1}

OURS = "gonogo"


@dataclass(frozen=True, slots=True)
class Remark:
    """A finding, and the file that it is about; its statement is -1 if it is about none. `by`: who says it."""

    path: Path
    finding: Finding
    by: str = OURS

    @property
    def code(self) -> str:
        """What `--explain` knows it by; that of another tool with the tool's name ahead."""
        return self.finding.rule if self.by == OURS else f"{self.by}:{self.finding.rule}"


@dataclass(frozen=True, slots=True)
class Checked:
    """A script that was read: where its statements begin, and line and reason of each that could not be analysed.

    `fault`: why nothing of the file could be, in words.
    """

    name: str
    path: Path
    sha256: str
    lines: tuple[int, ...] = ()
    unread: tuple[tuple[int, str], ...] = ()
    fault: str = ""

    @property
    def statements(self) -> int:
        """How many there are."""
        return len(self.lines)


@dataclass(frozen=True, slots=True)
class Report:
    """`top`: what names of files are relative to for programs. `there`: how many scripts there are, checked or not.

    `proven`: what was tried out, and how it went, in words. `not_checked`: what could not be looked at, in words.
    """

    top: Path
    scripts: tuple[Checked, ...]
    there: int
    base: Base | None = None
    remarks: tuple[Remark, ...] = ()
    proven: tuple[str, ...] = ()
    not_checked: tuple[str, ...] = ()

    def with_more(self, more: "More") -> "Report":
        """The report with what else was found. Remarks that `more` settles are gone."""
        kept = tuple(remark for remark in self.remarks if remark.code not in more.settles)
        return replace(
            self,
            remarks=(*kept, *more.remarks),
            proven=(*self.proven, *more.proven),
            not_checked=(*self.not_checked, *more.not_checked),
        )

    @property
    def open(self) -> tuple[Remark, ...]:
        """The remarks that no comment allows."""
        return tuple(remark for remark in self.remarks if not remark.finding.allowed)

    @property
    def allowed(self) -> tuple[Remark, ...]:
        """The remarks that a comment in the script allows, with its reason."""
        return tuple(remark for remark in self.remarks if remark.finding.allowed)

    def count(self, severity: Severity) -> int:
        """How many open remarks there are of a severity."""
        return sum(remark.finding.severity == severity for remark in self.open)

    def fails(self, level: Severity) -> bool:
        """Whether an open remark is at this level or above."""
        return any(RANK[remark.finding.severity] >= RANK[level] for remark in self.open)


@dataclass(frozen=True, slots=True)
class More:
    """What one further look adds to a report. `settles`: codes of remarks that it knows better."""

    remarks: tuple[Remark, ...] = ()
    proven: tuple[str, ...] = ()
    not_checked: tuple[str, ...] = ()
    settles: frozenset[str] = frozenset()
