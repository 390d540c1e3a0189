"""The part of a transcript that fits on a screen, and the few lines that go into the ticket."""

from collections.abc import Iterable, Iterator

from runbooks.journal.records import Record
from runbooks.report.afterwards import release_note
from runbooks.report.approved import approved_rows
from runbooks.report.escape import one_line, running
from runbooks.report.facts import Deviation, Facts, gather
from runbooks.report.parts import Heading, Pairs, Paragraph, Part, Point, Points, Refs, Strong, Value, Words, listed
from runbooks.report.rollback_words import rollback_lines
from runbooks.report.words import DECISION, SESSION_OUTCOME, by_whom, login, many, moment, took
from runbooks.session import events as e
from runbooks.session.follow_ups import urgent_first
from runbooks.session.runbook import ALONE

SHOWN = 3
"""How many NO-GOs, waivers and items that do not apply the summary lists each; all of them follow below it."""
DEVIATIONS = 8
LONGEST = 160
UNDONE = 60
"""So many lines of what undoes the scripts stand in the ticket."""


def outcome(facts: Facts) -> str:
    """GO, NO-GO …, or that the session has not ended."""
    return SESSION_OUTCOME[facts.ended.outcome] if facts.ended else "NOT ENDED"


def title(facts: Facts) -> str:
    """Environment, ticket, outcome."""
    return " · ".join([facts.opening.environment, facts.opening.ticket or "no ticket", outcome(facts)])


def summary(facts: Facts) -> Iterator[Part]:
    """What deviated, then what matters most, each line with the records that say so."""
    yield Heading(1, (title(facts),))
    if facts.unattended:
        yield Paragraph((Strong(facts.unattended),), notice=True)
    points = deviation_points(facts)
    if points:
        yield Paragraph((Strong("What deviated"), ", all of it told below in its place:"))
        yield Points(tuple(points))
    else:
        yield Paragraph((Strong("What deviated"), ": nothing that these records tell of."))
    yield Pairs(tuple(_rows(facts)))
    yield Paragraph(
        ("Every statement names its records: ", Refs((12,)), " is record 12 of the journal. Times are UTC.")
    )


def deviation_points(facts: Facts, each: int = SHOWN, sorts: int = DEVIATIONS) -> list[Point]:
    """What is open, was refused, waived or does not apply; then what else was not as the runbook has it, worst first.

    At most so many of `each`, and so many `sorts` of deviations; the others are counted.
    """
    return [
        *_left_open(facts),
        *_no_gos(facts, each),
        *_waivers(facts, each),
        *_shrugged(facts, each),
        *_deviations(facts, sorts),
    ]


def ticket_summary(records: Iterable[Record]) -> str:
    """At most 16 lines of plain text to paste into the change ticket, and how the scripts are undone.

    Raises ValueError if there are no records.
    """
    facts = gather(records)
    opening = facts.opening
    exit_code = f" (exit {facts.ended.exit_code})" if facts.ended else ""
    target = facts.plan.target if facts.plan else None
    deviations = "; ".join(f"{words}{_times(found.seqs)}" for words, found in facts.worst_first)
    lines = [
        f"gonogo {outcome(facts)}{exit_code}: {opening.environment}, {opening.ticket or 'no ticket'}",
        f"Session {opening.session}, {time_words(facts)}",
        "Still open: " + "; ".join("{}, not undone by {}".format(*_titles(facts, step)) for step in facts.pairs),
        f"Target {target.address}, PostgreSQL {target.server_version}" if target else "Target: never reached",
        f"Operator {opening.operator.name} ({_claimed(facts)}), {login(opening.operator)}",
        facts.unattended,
        f"Series: {opening.runbook.series.words if opening.runbook.series else ''}",
        _plain_plan(facts),
        "Phases: " + (", ".join(f"{d.phase} GO {moment(r.at)}" for r, d in facts.decided("go")) or "none passed"),
        "NO-GO: " + "; ".join(f"{d.phase} ({d.reason})" for _, d in facts.decided("no_go")),
        "Waived: " + "; ".join(f"{w.subject} ({w.reason})" for _, w in facts.waivers),
        "Not applicable: " + "; ".join(f"{t.item} ({t.reason})" for _, t in facts.not_applicable.values()),
        f"Deviations: {deviations}",
        f"For the release notes: {release_note(facts)}",
        "To be done: " + "; ".join(one.words for one in urgent_first(facts.owed)),
    ]
    head = f"Record #{facts.last.seq if facts.last else 0}, head {facts.head}"
    short = (_cut(one_line(line), 240) for line in lines if line and not line.endswith(": "))
    return "".join(f"{line}\n" for line in (*short, *_undone(facts), head))


def _undone(facts: Facts) -> Iterator[str]:
    """What is written down beside the scripts, for whoever has the ticket and nothing else."""
    lines = list(rollback_lines(facts.plan)) if facts.plan else []
    yield from (running(line).rstrip() for line in lines[:UNDONE])
    if lines[UNDONE:]:
        yield f"and {many(len(lines) - UNDONE, 'more line')} in the transcript"


def _left_open(facts: Facts) -> Iterator[Point]:
    """What a step has opened and nothing has undone; why it stays so is among the waivers."""
    for step, opened in facts.pairs.items():
        undo, seq = _titles(facts, step), facts.starts[step, opened.attempt]
        yield Point((Strong("Still open"), f": {undo[0]} (", Value(step), f"), not undone by {undo[1]} ", Refs((seq,))))


def _titles(facts: Facts, name: str) -> tuple[str, str]:
    """Of a step, and of the one that undoes it."""
    steps = {step.id: step for step in facts.opening.runbook.steps()}
    return steps[name].title, steps[steps[name].undo].title


def _no_gos(facts: Facts, most: int) -> Iterator[Point]:
    found = facts.decided("no_go")
    for record, event in found[:most]:
        why = (f" in {event.phase}: ", Value(_cut(event.reason)), ", ", *by_whom(event.by), " ", Refs((record.seq,)))
        yield Point((Strong("NO-GO"), *why))
    yield from _more(len(found) - most, "NO-GO")


def _waivers(facts: Facts, most: int) -> Iterator[Point]:
    for record, event in facts.waivers[:most]:
        why = (" ", Value(event.subject), ": ", Value(_cut(event.reason)), ", ", *by_whom(event.by))
        yield Point((Strong("Waived"), *why, " ", Refs((record.seq,))))
    yield from _more(len(facts.waivers) - most, "waiver")


def _shrugged(facts: Facts, most: int) -> Iterator[Point]:
    """Items that were called not applicable: nothing was passed over."""
    for record, event in list(facts.not_applicable.values())[:most]:
        why = (" ", Value(event.item), ": ", Value(_cut(event.reason)), ", ", *by_whom(event.by))
        yield Point((Strong("Not applicable"), *why, " ", Refs((record.seq,))))
    yield from _more(len(facts.not_applicable) - most, "item that does not apply", "items that do not apply")


def _deviations(facts: Facts, most: int) -> Iterator[Point]:
    for words, found in facts.worst_first[:most]:
        yield Point((words, *_subjects(found), _times(found.seqs), " ", Refs(tuple(found.seqs))))
    yield from _more(len(facts.deviations) - most, "sort of deviation", "sorts of deviation")


def _subjects(found: Deviation) -> Words:
    names: list[Words] = [(Value(_cut(name, 60)),) for name in list(found.subjects)[:SHOWN]]
    more: list[Words] = [(f"{len(found.subjects) - SHOWN} more",)] if len(found.subjects) > SHOWN else []
    return (": ", *listed([*names, *more])) if names else ()


def _more(count: int, one: str, more: str = "") -> Iterator[Point]:
    if count > 0:
        yield Point((f"and {many(count, f'more {one}', f'more {more}' if more else '')}",))


def _rows(facts: Facts) -> Iterator[tuple[str, Words]]:
    opening, last = facts.opening, facts.last.seq if facts.last else 0
    yield "Outcome", outcome_words(facts)
    yield "Session", (Value(opening.session), " ", Refs((0,)))
    yield "Time", (f"{time_words(facts)} ", Refs((0, last)))
    yield "Operator", operator_words(facts)
    yield from approved_rows(facts)
    yield "Environment", _environment(facts)
    yield "Target", target_words(facts)
    if (series := opening.runbook.series) is not None:
        yield "Series", (Value(series.words), " ", Refs((0,)))
    yield "Plan", _plan(facts)
    yield "Phases", _phases(facts)
    if facts.untouched:
        names: list[Words] = [(Value(name),) for name in facts.untouched[:12]]
        more: list[Words] = [(f"{len(facts.untouched) - 12} more",)] if facts.untouched[12:] else []
        yield "Not touched", ("altered, and by no step or item said to be looked at: ", *listed([*names, *more]))
    yield "Runbook", _runbook(opening)
    if kept := [one for one in opening.runbook.documents if one.sha256]:
        each: list[Words] = [(Value(one.path), ", SHA-256 ", Value(one.sha256)) for one in kept]
        yield "Read beside", (*listed(each, "; "), " ", _OPENED)
    yield "Source", _source(opening)
    if facts.answers:
        given = [(Value(a.file), ", SHA-256 ", Value(a.sha256), " ", Refs((seq,))) for seq, a in facts.answers]
        yield "Answers", listed([*given[:SHOWN], *([(f"{len(given) - SHOWN} more",)] if given[SHOWN:] else [])], "; ")
    yield "Before", _before(opening)
    yield "Head", (Value(facts.head), " ", Refs((last,)))


_OPENED = Refs((0,))


def _claimed(facts: Facts) -> str:
    return "as claimed" if facts.proven is None else "proven by signature, which `gonogo transcript verify` checks"


def operator_words(facts: Facts) -> Words:
    """The claimed name, and what the machine knows."""
    by, proof = facts.opening.operator, () if facts.proven is None else (facts.proven,)
    return (Value(by.name), f", {_claimed(facts)}; login ", Value(login(by)), " ", Refs((0, *proof)))


def outcome_words(facts: Facts) -> Words:
    """How it ended, or that it has not."""
    if facts.ended is None or facts.last is None:
        return (Strong("NOT ENDED"), ": later records may exist, or may have been cut off")
    reason: Words = (": ", Value(_cut(facts.ended.reason))) if facts.ended.reason else ()
    return (Strong(outcome(facts)), f", exit code {facts.ended.exit_code}", *reason, " ", Refs((facts.last.seq,)))


def _environment(facts: Facts) -> Words:
    mode = f", {facts.opening.mode} alone" if facts.opening.mode in ALONE else ""
    ticket: Words = (Value(facts.opening.ticket),) if facts.opening.ticket else ("none",)
    protected = Strong("protected") if facts.protected else "not protected"
    seqs = (0, facts.plan_seq) if facts.plan and facts.plan.protected and not facts.opening.protected else (0,)
    return (Value(facts.opening.environment), ", ", protected, f"{mode}, ticket ", *ticket, " ", Refs(seqs))


def target_words(facts: Facts) -> Words:
    """The database, and by which record."""
    if facts.plan is None:
        return ("never reached: no plan was made",)
    target = facts.plan.target
    return (
        *(Value(target.address), ", PostgreSQL ", Value(target.server_version)),
        *(", in recovery" * target.in_recovery, ", identity ", Value(target.fingerprint), " ", Refs((facts.plan_seq,))),
    )


def _plan(facts: Facts) -> Words:
    if facts.plan is None:
        return ("none",)
    findings = [finding for script in facts.plan.scripts for finding in script.findings]
    sorts = [(f"{count} {name}",) for name in ("stop", "warn", "note") if (count := _count(findings, name))]
    loses: list[Words] = [(Strong("loses data"),)] if any(f.loses_data for f in findings) else []
    said: Words = ("; findings: ", *listed([*sorts, *loses])) if findings else ("; no findings",)
    unread = sum(not one.analysed for script in facts.plan.scripts for one in script.statements)
    blind: Words = (", ", Strong(f"{unread} not analysed")) if unread else ()
    return (_scripts(facts.plan), *blind, *said, "; hash ", Value(facts.plan.hash), " ", Refs((facts.plan_seq,)))


def _count(findings: list[e.Finding], severity: str) -> int:
    return sum(finding.severity == severity for finding in findings)


def _scripts(plan: e.PlanMade) -> str:
    statements = sum(len(script.statements) for script in plan.scripts)
    held = f", {len(plan.held_back)} held back" if plan.held_back else ""
    return f"{many(len(plan.scripts), 'script')}, {many(statements, 'statement')}{held}"


def _phases(facts: Facts) -> Words:
    day = facts.opened.at[:10] if facts.opened else ""
    decided: dict[str, Words] = {
        event.phase: (f"{event.phase} {DECISION[event.what]} {moment(record.at, day)} ", Refs((record.seq,)))
        for record, event in facts.decided("go", "no_go")
    }
    seen = {**facts.phases, **dict.fromkeys(decided, 0)}
    told = [decided.get(phase, (f"{phase} opened, no GO ", Refs((facts.phases.get(phase, 0),)))) for phase in seen]
    never = [phase.name for phase in facts.opening.runbook.phases if phase.name not in seen]
    return listed([*told, *([(f"never opened: {', '.join(never)}",)] if never else [])], " · ") or ("none opened",)


def _runbook(opening: e.SessionOpened) -> Words:
    book = opening.runbook
    owner: Words = (", owner ", Value(book.owner)) if book.owner else ()
    owner += (", reviewed ", Value(book.reviewed)) if book.reviewed else ()
    return (Value(book.name), *owner, ", SHA-256 ", Value(book.sha256 or "?"), " ", _OPENED)


def _source(opening: e.SessionOpened) -> Words:
    git = opening.git
    state = "clean" if git and git.clean else Strong("with changes that are not in it")
    commit: Words = ("commit ", Value(git.commit), ", ", state) if git else (Strong("not in git"),)
    return (*commit, "; gonogo ", Value(opening.gonogo), " ", _OPENED)


def _before(opening: e.SessionOpened) -> Words:
    """The session before, and the times that were shown as what to expect."""
    previous = opening.previous
    if previous is None:
        return ("no earlier session on this environment was found ", _OPENED)
    times: list[Words] = []
    for step, one in list(previous.took.items())[:12]:
        where: Words = (" in ", Value(one.session)) if one.session != previous.session else ()
        times.append((Value(step), f" took {took(one.us)}", *where))
    if len(previous.took) > 12:
        times.append((f"and {len(previous.took) - 12} more",))
    last: Words = ("; the last time ", *listed(times, "; ")) if times else ()
    return ("session ", Value(previous.session), ", head ", Value(previous.head), *last, " ", _OPENED)


def _times(seqs: list[int]) -> str:
    return f" ({len(seqs)} times)" if len(seqs) > 1 else ""


def _cut(text: str, longest: int = LONGEST) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def time_words(facts: Facts) -> str:
    """From when to when, and how long."""
    if facts.opened is None or facts.last is None:
        return ""
    return f"{moment(facts.opened.at)} to {moment(facts.last.at, facts.opened.at[:10])} UTC, {took(facts.length)}"


def _plain_plan(facts: Facts) -> str:
    return f"Plan {facts.plan.hash}: {_scripts(facts.plan)}" if facts.plan else ""
