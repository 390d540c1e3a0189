"""A report as annotations of a pull request: GitHub's workflow commands, `gonogo check --github`."""

from collections.abc import Iterator

from runbooks.check.report import Report
from tui.checked.common import coverage, in_order, lock_words, name_of, sums
from tui.printable import printable

LEVELS = {"stop": "error", "warn": "warning", "note": "notice"}


def annotations(report: Report) -> Iterator[str]:
    """One line for each finding. Names of files start at the work tree's top, as GitHub wants them."""
    for remark in in_order(report):
        finding = remark.finding
        words = [finding.message, lock_words(remark), finding.instead, finding.safer_sql]
        properties = {
            "file": printable(name_of(remark.path, report.top)),
            "line": str(finding.line),
            "title": printable(remark.code if ":" in remark.code else f"gonogo: {remark.code}"),
        }
        shown = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
        yield f"::{LEVELS[finding.severity]} {shown}::{_data(printable(chr(10).join(filter(None, words))))}"
    summary = [
        coverage(report),
        *report.proven,
        *(f"not checked: {words}" for words in report.not_checked),
        sums(report),
    ]
    yield f"::notice title=gonogo check::{_data(printable(chr(10).join(summary)))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
