"""A report for programs: `gonogo check --json`."""

import json
from dataclasses import asdict, fields
from typing import Any

from migrations.finding import Finding
from runbooks.check.report import Remark, Report
from tui.checked.common import name_of

FORMAT = 1
FIELDS = fields(Finding)


def report_json(report: Report, version: str, exit_code: int) -> str:
    """The report as one JSON object; names of files start at the work tree's top. docs/check.md describes it."""
    whole = {
        "format": FORMAT,
        "gonogo": version,
        "exit_code": exit_code,
        "counts": {severity: report.count(severity) for severity in ("stop", "warn", "note")},
        "base": asdict(report.base) if report.base else None,
        "proven": list(report.proven),
        "not_checked": list(report.not_checked),
        "scripts_there": report.there,
        "scripts": [_script(report, number) for number in range(len(report.scripts))],
        "findings": [_remark(report, remark) for remark in report.remarks],
    }
    return "{\n" + ",\n".join(f"{json.dumps(name)}: {_lines(value)}" for name, value in whole.items()) + "\n}"


def _lines(value: object) -> str:
    """JSON with one entry of a list on a line: an indent would take many times as long."""
    if not isinstance(value, list) or not value:
        return json.dumps(value)
    return "[\n" + ",\n".join(map(json.dumps, value)) + "\n]"


def _script(report: Report, number: int) -> dict[str, Any]:
    script = report.scripts[number]
    return {
        "name": script.name,
        "file": name_of(script.path, report.top),
        "sha256": script.sha256,
        "statements": script.statements,
        "analysed": script.statements - len(script.unread),
        "not_analysed": [{"line": line, "why": why} for line, why in script.unread],
        "fault": script.fault or None,
    }


def _remark(report: Report, remark: Remark) -> dict[str, Any]:
    values = {field.name: getattr(remark.finding, field.name) for field in FIELDS}
    values["statement"] = None if remark.finding.statement < 0 else remark.finding.statement
    return {"by": remark.by, "code": remark.code, "file": name_of(remark.path, report.top), **values}
