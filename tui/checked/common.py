"""What the forms of a report share."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from migrations.finding import Severity
from runbooks.check.report import Remark, Report
from tui.words import plural

WORDS: dict[Severity, str] = {"stop": "stop", "warn": "warning", "note": "note"}


def name_of(path: Path, start: Path) -> str:
    """A path as people know it: from `start`, if it is under it."""
    return path.relative_to(start).as_posix() if path.is_relative_to(start) else path.as_posix()


def in_order(report: Report) -> list[Remark]:
    """The open remarks: scripts in their order, then everything else; in each by line."""
    places = {script.path: number for number, script in enumerate(report.scripts)}
    last = len(places)
    return sorted(report.open, key=lambda r: (places.get(r.path, last), str(r.path), r.finding.line))


def by_file(report: Report) -> Iterator[tuple[Path, list[Remark]]]:
    """The open remarks of each file."""
    for path, remarks in groupby(in_order(report), key=lambda remark: remark.path):
        yield path, list(remarks)


def coverage(report: Report) -> str:
    """How much was analysed: `31 statements, 30 analysed, 1 not: line 14`."""
    statements = sum(script.statements for script in report.scripts)
    unread = [(script.name, line) for script in report.scripts for line, _ in script.unread]
    shut = [script.name for script in report.scripts if script.fault]
    words = f"{plural(statements, 'statement')}, {statements - len(unread)} analysed"
    if unread:
        one = len(report.scripts) == 1
        places = [f"line {line}" if one else f"{name} line {line}" for name, line in unread]
        words += f", {len(unread)} not: {first_of(places)}"
    return words + (f"; not read at all: {first_of(shut)}" if shut else "")


def first_of(words: list[str], most: int = 8) -> str:
    """The first of some words; the rest is counted."""
    return ", ".join(words[:most]) + (f" and {len(words) - most} more" if len(words) > most else "")


def sums(report: Report) -> str:
    """How many remarks of each severity."""
    words = [plural(count, WORDS[s]) for s in WORDS if (count := report.count(s))]
    return ", ".join(words) or "nothing found"


def subject(report: Report) -> str:
    """Which scripts were looked at."""
    total = plural(report.there, "script")
    if len(report.scripts) == report.there or report.base is None:
        return total
    if not report.scripts:
        return f"none of {total} is new or changed since {report.base.words}; --all checks them all"
    return f"{len(report.scripts)} of {total}: new or changed since {report.base.words}"


def lock_words(remark: Remark) -> str:
    """The lock that a finding is about, where, and whom it keeps waiting."""
    finding = remark.finding
    if not finding.lock:
        return ""
    where = f" on {', '.join(finding.tables)}" if finding.tables else ""
    return f"{finding.lock}{where}" + (f", blocks {finding.blocks}" if finding.blocks else "")
