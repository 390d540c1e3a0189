"""The part of a transcript that fits on a screen, and the few lines that go into the ticket."""

from collections.abc import Iterable

from runbooks.journal.records import Record
from runbooks.report.escape import cell, inline, one_line
from runbooks.report.facts import Facts, gather
from runbooks.report.words import SESSION_OUTCOME, login, many, moment, refs, took
from runbooks.runbook import ALONE

SHOWN = 5
"""How many of each sort the summary lists; all of them follow below it."""
LONGEST = 160


def outcome(facts: Facts) -> str:
    """GO, NO-GO …, or that the session has not ended."""
    return SESSION_OUTCOME[facts.ended.outcome] if facts.ended else "NOT ENDED"


def title(facts: Facts) -> str:
    """Environment, ticket, outcome."""
    opening = facts.opening
    parts = [inline(opening.environment), inline(opening.ticket) or "no ticket", outcome(facts)]
    return " · ".join(parts)


def summary(facts: Facts) -> str:
    """A table of what matters most, each line with the records that say so."""
    rows = [
        ("Session", f"{cell(facts.opening.session)} [#0]"),
        ("Outcome", _outcome(facts)),
        ("Environment", _environment(facts)),
        ("Target", _target(facts)),
        ("Operator", _operator(facts)),
        *([("Answers", _answers(facts))] if facts.answers else []),
        ("Runbook", _runbook(facts)),
        ("Source", _source(facts)),
        ("Before", _before(facts)),
        ("Time", _time(facts)),
        ("Phases", _phases(facts)),
        ("NO-GO", _listed([f"{d.phase}: {cell(_cut(d.reason))} {refs([r.seq])}" for r, d in facts.decided("no_go")])),
        ("Waivers", _listed([f"{cell(w.subject)}: {cell(_cut(w.reason))} {refs([r.seq])}" for r, w in facts.waivers])),
        (
            "Deviations",
            _listed([f"{words}{_times(seqs)} {refs(seqs)}" for words, seqs in facts.deviations.items()], 12),
        ),
        ("Head", f"{cell(facts.head)} {refs([facts.last.seq if facts.last else 0])}"),
    ]
    body = "\n".join(f"| {name} | {words} |" for name, words in rows)
    return f"| | |\n|---|---|\n{body}"


def ticket_summary(records: Iterable[Record]) -> str:
    """At most 12 lines of plain text to paste into the change ticket. Raises ValueError if there are no records."""
    facts = gather(records)
    opening = facts.opening
    exit_code = f" (exit {facts.ended.exit_code})" if facts.ended else ""
    target = facts.plan.target if facts.plan else None
    lines = [
        f"gonogo {outcome(facts)}{exit_code}: {opening.environment}, {opening.ticket or 'no ticket'}",
        f"Session {opening.session}, {_plain_time(facts)}",
        f"Target {target.address}, PostgreSQL {target.server_version}" if target else "Target: never reached",
        f"Operator {opening.operator.name} (as claimed), {login(opening.operator)}",
        facts.unattended,
        _plain_plan(facts),
        "Phases: " + (", ".join(f"{d.phase} GO {moment(r.at)}" for r, d in facts.decided("go")) or "none passed"),
        "NO-GO: " + "; ".join(f"{d.phase} ({d.reason})" for _, d in facts.decided("no_go")),
        "Waived: " + "; ".join(f"{w.subject} ({w.reason})" for _, w in facts.waivers),
        "Deviations: " + "; ".join(f"{words}{_times(seqs)}" for words, seqs in facts.deviations.items()),
        f"Record #{facts.last.seq if facts.last else 0}, head {facts.head}",
    ]
    return "".join(f"{_cut(one_line(line), 240)}\n" for line in lines if line and not line.endswith(": "))


def _outcome(facts: Facts) -> str:
    if facts.ended is None or facts.last is None:
        return "**NOT ENDED**: later records may exist, or may have been cut off"
    reason = f": {cell(_cut(facts.ended.reason))}" if facts.ended.reason else ""
    return f"**{outcome(facts)}**, exit code {facts.ended.exit_code}{reason} {refs([facts.last.seq])}"


def _environment(facts: Facts) -> str:
    protected = "**protected**" if facts.protected else "not protected"
    mode = f", {facts.opening.mode} alone" if facts.opening.mode in ALONE else ""
    return f"{cell(facts.opening.environment)}, {protected}{mode}, ticket {_given(facts.opening.ticket)} [#0]"


def _target(facts: Facts) -> str:
    if facts.plan is None:
        return "never reached: no plan was made"
    target = facts.plan.target
    standby = ", in recovery" if target.in_recovery else ""
    return (
        f"{cell(target.address)}, PostgreSQL {cell(target.server_version)}{standby},"
        f" identity {cell(target.fingerprint)} {refs([facts.plan_seq])}"
    )


def _operator(facts: Facts) -> str:
    by = facts.opening.operator
    return f"{cell(by.name)}, as claimed; login {cell(login(by))} [#0]"


def _answers(facts: Facts) -> str:
    return _listed([f"{cell(given.file)}, SHA-256 {cell(given.sha256)} {refs([seq])}" for seq, given in facts.answers])


def _runbook(facts: Facts) -> str:
    book = facts.opening.runbook
    owner = f", owner {cell(book.owner)}" if book.owner else ""
    return f"{cell(book.name)}{owner}, SHA-256 {cell(book.sha256 or '?')} [#0]"


def _source(facts: Facts) -> str:
    git = facts.opening.git
    state = "clean" if git and git.clean else "**with changes that are not in it**"
    commit = f"commit {cell(git.commit)}, {state}" if git else "not in git"
    return f"{commit}; gonogo {cell(facts.opening.gonogo)} [#0]"


def _before(facts: Facts) -> str:
    """The session before, and the times that were shown as what to expect."""
    previous = facts.opening.previous
    if previous is None:
        return "no earlier session on this environment was found [#0]"
    times = [
        f"{cell(step)} took {took(one.us)}{f' in {cell(one.session)}' if one.session != previous.session else ''}"
        for step, one in previous.took.items()
    ]
    last = f"; the last time {_listed(times, 12)}" if times else ""
    return f"session {cell(previous.session)}, head {cell(previous.head)}{last} [#0]"


def _time(facts: Facts) -> str:
    return f"{_plain_time(facts)} {refs([0, facts.last.seq if facts.last else 0])}"


def _phases(facts: Facts) -> str:
    day = facts.opened.at[:10] if facts.opened else ""
    passed = {d.phase: f"{d.phase} GO {moment(r.at, day)} {refs([r.seq])}" for r, d in facts.decided("go")}
    seen = dict.fromkeys([*facts.phases, *passed])
    return " · ".join(passed.get(phase, f"{phase} opened, no GO") for phase in seen) or "none opened"  # type: ignore[call-overload]


def _listed(lines: list[str], shown: int = SHOWN) -> str:
    more = [f"and {len(lines) - shown} more"] if len(lines) > shown else []
    return "; ".join([*lines[:shown], *more]) or "none"


def _times(seqs: list[int]) -> str:
    return f" ({len(seqs)} times)" if len(seqs) > 1 else ""


def _given(ticket: str) -> str:
    return cell(ticket) if ticket else "none"


def _cut(text: str, longest: int = LONGEST) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _plain_time(facts: Facts) -> str:
    if facts.opened is None or facts.last is None:
        return ""
    return f"{moment(facts.opened.at)} to {moment(facts.last.at, facts.opened.at[:10])} UTC, {took(facts.length)}"


def _plain_plan(facts: Facts) -> str:
    if facts.plan is None:
        return ""
    held = f", {len(facts.plan.held_back)} held back" if facts.plan.held_back else ""
    return f"Plan {facts.plan.hash}: {many(len(facts.plan.scripts), 'script')}{held}"
