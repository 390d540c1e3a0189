"""What the commands print."""

from runbooks.ledger.status import Anomaly, Status
from tui.printable import printable


def status_lines(status: Status) -> list[str]:
    """What `gonogo status` says: what is wrong first, then what is pending."""
    lines = [f"{status.environment}: {status.address} ({status.fingerprint})"]
    if status.another:
        lines.append(f"✘ {status.another}")
    if status.first_run:
        lines.append("no ledger yet: nothing was ever applied here")
    lines += [line for anomaly in status.anomalies for line in anomaly_lines(anomaly)]
    lines += [f"· not by gonogo: {edit.migration}: {edit.what}" for edit in status.history]
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
