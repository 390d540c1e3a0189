"""A report for people: calm, grouped by file, aligned."""

import textwrap
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from runbooks.check.report import Remark, Report
from tui.checked.common import by_file, coverage, lock_words, name_of, subject, sums
from tui.printable import one_line, printable

Paint = Callable[[str, str], str]
"""A text and its severity → the text, coloured or not."""

WIDTH = 100
INDENT = 14
LABEL = 9


def plain(text: str, severity: str) -> str:
    """No colour."""
    return text


def report_lines(report: Report, here: Path, paint: Paint = plain, width: int = WIDTH) -> Iterator[str]:
    """The whole report. Names of files start from `here`."""
    yield subject(report)
    for path, remarks in by_file(report):
        yield ""
        yield one_line(name_of(path, here))
        for remark in remarks:
            yield from _remark(remark, paint, width)
    if report.allowed:
        yield from ("", "allowed by a comment in the script")
        for remark in report.allowed:
            place = f"{name_of(remark.path, here)}:{remark.finding.line}"
            yield from _wrapped(f"{place} {remark.code} because {remark.finding.allowed}", 2, width, hang=4)
    yield ""
    yield from _wrapped(coverage(report), 0, width, hang=2)
    for words in report.proven:
        yield from _wrapped(words, 0, width, hang=2)
    for words in report.not_checked:
        yield from _wrapped(f"not checked: {words}", 0, width, hang=2)
    yield sums(report)


def _remark(remark: Remark, paint: Paint, width: int) -> Iterator[str]:
    finding = remark.finding
    yield f"{finding.line:>6}  {paint(finding.severity, finding.severity)}  {one_line(remark.code)}"
    yield from _wrapped(finding.message, INDENT, width)
    for label, words in (("lock", lock_words(remark)), ("instead", finding.instead)):
        if words:
            yield from _labelled(label, words, width)
    if finding.safer_sql:
        yield from _sql(finding.safer_sql)


def _labelled(label: str, words: str, width: int) -> Iterator[str]:
    start = INDENT + LABEL
    first, *rest = _wrapped(words, start, width)
    yield f"{' ' * INDENT}{label:<{LABEL}}{first[start:]}"
    yield from rest


def _sql(sql: str) -> Iterator[str]:
    label = f"{'safer':<{LABEL}}"
    for line in printable(sql).rstrip().split("\n"):
        yield f"{' ' * INDENT}{label}{line}".rstrip()
        label = " " * LABEL


def _wrapped(words: str, indent: int, width: int, hang: int | None = None) -> Iterable[str]:
    """The words on as many lines as they need, at least one; the later ones begin at `hang`."""
    words = one_line(words)
    if indent + len(words) <= width:
        return (f"{' ' * indent}{words}",)
    later = " " * (indent if hang is None else hang)
    return textwrap.wrap(
        words,
        width,
        initial_indent=" " * indent,
        subsequent_indent=later,
        break_long_words=False,
        break_on_hyphens=False,
    )
