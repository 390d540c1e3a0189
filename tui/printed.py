"""What the commands print."""

import json
from collections.abc import Sequence

from runbooks.sessions import Summary
from runbooks.status import Anomaly, Status
from tui.printable import one_line, printable


def session_row(summary: Summary) -> str:
    """One session as a line of `gonogo sessions`."""
    if summary.fault:
        state = f"broken: {summary.fault}"
    elif summary.outcome:
        state = summary.outcome.replace("_", "-")
    else:
        state = "running" if summary.running else "unfinished"
    waivers = f"{summary.waivers} waived" if summary.waivers else ""
    parts = (summary.id, summary.environment, summary.ticket, summary.operator, state, waivers)
    return "  ".join(one_line(part) for part in parts if part)


def sessions_json(summaries: Sequence[Summary]) -> str:
    """`gonogo sessions --json`."""
    names = ("id", "environment", "ticket", "operator", "opened_at", "outcome", "exit_code", "waivers", "records")
    rows = [{n: getattr(s, n) for n in (*names, "head", "running", "fault")} for s in summaries]
    return json.dumps(rows, indent=2)


def status_lines(status: Status) -> list[str]:
    """What `gonogo status` says: what is wrong first, then what is pending."""
    lines = [f"{status.environment}: {status.address} ({status.fingerprint})"]
    if status.first_run:
        lines.append("no ledger yet: nothing was ever applied here")
    lines += [line for anomaly in status.anomalies for line in anomaly_lines(anomaly)]
    lines += [f"pending: {name}" for name in status.pending]
    if status.clean:
        lines.append(f"up to date: {len(status.applied)} applied, nothing pending")
    return [printable(line) for line in lines]


def anomaly_lines(anomaly: Anomaly) -> list[str]:
    """One thing that the doctor found: what, why, and each way out with its steps in order."""
    marks = {"stop": "✘", "warn": "!", "note": "·"}
    lines = [f"{marks[anomaly.severity]} {f'{anomaly.code} ' if anomaly.code else ''}{anomaly.what}"]
    lines += [f"  {text}" for text in (anomaly.cause, *anomaly.details)]
    for way in anomaly.ways:
        lines += [f"  {way.when}:"] if way.when else []
        lines += [f"  → {step}" for step in way.steps]
    return lines
