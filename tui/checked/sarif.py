"""A report as SARIF 2.1.0, which code hosts take in: `gonogo check --sarif`."""

import hashlib
import json
from collections.abc import Iterable
from itertools import groupby
from typing import Any
from urllib.parse import quote

from runbooks.check.explain import all_codes
from runbooks.check.report import OURS, Remark, Report
from tui.checked.common import coverage, in_order, lock_words, name_of
from tui.printable import printable

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS = {"stop": "error", "warn": "warning", "note": "note"}


def report_sarif(report: Report, version: str) -> str:
    """One run for each tool that found something; gonogo's own always. What a comment allows is there, suppressed."""
    remarks = sorted((*in_order(report), *report.allowed), key=lambda remark: remark.by != OURS)
    by_tool = {by: list(group) for by, group in groupby(remarks, key=lambda remark: remark.by)}
    runs = [_run(report, by, by_tool.get(by, []), version) for by in dict.fromkeys((OURS, *by_tool))]
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": runs})


def _run(report: Report, by: str, remarks: list[Remark], version: str) -> dict[str, Any]:
    codes = list(dict.fromkeys(remark.finding.rule for remark in remarks))
    driver: dict[str, Any] = {"name": by, "rules": [_rule(code, remarks) for code in codes]}
    if by == OURS:
        driver["version"] = version
    return {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {"executionSuccessful": True, "toolExecutionNotifications": list(_notes(report)) if by == OURS else []}
        ],
        "results": [_result(report, remark, codes) for remark in remarks],
    }


def _notes(report: Report) -> Iterable[dict[str, Any]]:
    for words in (coverage(report), *report.proven):
        yield {"level": "note", "message": {"text": printable(words)}}
    for words in report.not_checked:
        yield {"level": "warning", "message": {"text": printable(f"not checked: {words}")}}


def _rule(code: str, remarks: list[Remark]) -> dict[str, Any]:
    about = {known: (severity, title) for known, severity, title in all_codes()}
    finding = next(remark.finding for remark in remarks if remark.finding.rule == code)
    severity, title = about.get(code, (finding.severity, code))
    rule: dict[str, Any] = {
        "id": printable(code),
        "shortDescription": {"text": printable(title)},
        "defaultConfiguration": {"level": LEVELS[severity]},
    }
    return {**rule, "helpUri": finding.source} if finding.source else rule


def _result(report: Report, remark: Remark, codes: list[str]) -> dict[str, Any]:
    finding = remark.finding
    words = [finding.message, lock_words(remark), finding.instead, finding.safer_sql]
    file = name_of(remark.path, report.top)
    result: dict[str, Any] = {
        "ruleId": printable(finding.rule),
        "ruleIndex": codes.index(finding.rule),
        "level": LEVELS[finding.severity],
        "message": {"text": printable("\n".join(filter(None, words)))},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": quote(file.encode("utf-8", "replace"))},
                    "region": {"startLine": max(finding.line, 1)},
                }
            }
        ],
        "partialFingerprints": {"gonogo/v1": _same(file, remark)},
    }
    if finding.allowed:
        result["suppressions"] = [{"kind": "inSource", "justification": printable(finding.allowed)}]
    return result


def _same(file: str, remark: Remark) -> str:
    """What stays the same of a finding when lines above it come and go."""
    words = "\0".join((remark.code, file, remark.finding.subject, remark.finding.message))
    return hashlib.sha256(words.encode("utf-8", "replace")).hexdigest()
