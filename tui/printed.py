"""What the commands print."""

import json
from collections.abc import Sequence

from runbooks.journal.verify import Verdict
from runbooks.sessions import Summary
from runbooks.status import Status
from tui.printable import one_line


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


def verdict_lines(verdict: Verdict) -> list[str]:
    """What `gonogo transcript verify` says."""
    lines = [f"records: {verdict.records}", f"head:    {verdict.head}", f"grade:   {verdict.grade}"]
    if verdict.fault is not None:
        lines.append(f"record {verdict.fault.seq} (line {verdict.fault.line}): {verdict.fault.what}")
    elif not verdict.ended:
        lines.append("open: the session has no end, so a cut tail cannot be excluded")
    if verdict.torn:
        lines.append("the last line is unfinished")
    return lines


def status_lines(status: Status) -> list[str]:
    """What `gonogo status` says: what is wrong first, then what is pending."""
    groups = (
        ("failed", status.failed, "settle it with Prisma's `migrate resolve` (P3009)"),
        ("edited after it was applied", status.changed, "restore the file that was applied"),
        ("applied, but not in the folder", status.missing, "check out the commit that has it"),
        ("without migration.sql", status.without_script, "add the file, or remove the folder (P3015)"),
        ("pending", status.pending, ""),
    )
    lines = [f"{status.environment}: {status.address} ({status.fingerprint})"]
    if status.first_run:
        lines.append("no ledger yet: nothing was ever applied here")
    for words, names, advice in groups:
        lines += [f"{words}: {name}" for name in names]
        if names and advice:
            lines.append(f"  → {advice}")
    return lines if not status.clean else [*lines, f"up to date: {len(status.applied)} applied, nothing pending"]
