"""The answers to an auditor's questions. Where no record has one, that is said."""

from collections.abc import Iterable, Iterator

from runbooks.pack.evidence import Did, Evidence
from runbooks.report.approved import approval_points, approved_rows
from runbooks.report.parts import Paragraph, Part, Point, Points, Refs, Strong, Value, Words, listed
from runbooks.report.steps import end_words
from runbooks.report.summary import operator_words, target_words, time_words
from runbooks.report.words import DECISION, OUTCOME, by_whom, login, many, moment
from runbooks.session import events as e
from runbooks.session.runbook import ALONE

BACKUPS = ("backup.dump", "backup.read", "backup.proof", "backup.restore_test")
TESTS = frozenset({"parity.inspect", "restore.side", "scripts.inspect", "schema.drift", *BACKUPS})
"""The steps that try something before it is done to the target, or prove that there is a way back."""
AFTERWARDS = ("verify", "deploy", "smoke", "rollback")
SHOWN = 40


def requested(found: Evidence) -> Iterator[Part]:
    """The change, where, by which runbook; then each script."""
    opening, plan = found.facts.opening, found.plan
    ticket: Words = ("Ticket ", Value(opening.ticket)) if opening.ticket else ("No ticket",)
    alone = f"; {opening.mode} alone" if opening.mode in ALONE else ""
    where = (f" on {'protected ' * found.facts.protected}", Value(opening.environment), " of ", Value(opening.project))
    book = (", by the runbook ", Value(opening.runbook.name), f"{alone} ", Refs((0,)))
    points = [Point((*ticket, *where, *book))]
    if plan is None:
        yield Points(tuple(points))
        yield Paragraph(("No plan was made: the target was never read.",))
        return
    seq = Refs((found.facts.plan_seq,))
    held = f", {many(len(plan.held_back), 'migration')} held back" if plan.held_back else ""
    points.append(
        Point((f"{many(len(plan.scripts), 'script')}{held}; the plan's hash is ", Value(plan.hash), " ", seq))
    )
    points += (Point((*_script(one), " ", seq)) for one in plan.scripts[:SHOWN])
    points += _more(len(plan.scripts), "script")
    points.append(Point(_asked_by(found)))
    yield Points(tuple(points))


def _script(script: e.Script) -> Words:
    sorts = {name: sum(f.severity == name for f in script.findings) for name in ("stop", "warn", "note")}
    said = ", ".join(f"{count} {name}" for name, count in sorts.items() if count) or "no findings"
    loses: Words = (", ", Strong("loses data")) if any(f.loses_data for f in script.findings) else ()
    copy = ", whose copy here lacks secrets" if script.copy_sha256 else ""
    what = f", {many(len(script.statements), 'statement')}, {said}"
    return (Value(script.migration), what, *loses, ", SHA-256 ", Value(script.sha256 or "none"), copy)


def _asked_by(found: Evidence) -> Words:
    approval = found.plan.approval if found.plan else None
    if approval is not None:
        return ("Asked for by ", Value(approval.requester), " ", Refs((found.facts.plan_seq,)))
    return ("Who asked for it, no record says; ", Value(found.facts.opening.operator.name), " began it ", Refs((0,)))


def approved(found: Evidence) -> Iterator[Part]:
    """A second engineer's word; then who reviewed the scripts, which the operator may do."""
    facts, points = found.facts, list[Point]()
    if facts.opening.emergency is not None:
        points += (Point(words) for _, words in approved_rows(facts))
    if facts.plan is not None and facts.plan.approval is not None:
        points += (Point((*words, " ", Refs((facts.plan_seq,)))) for words in approval_points(facts.plan.approval))
    if not points:
        yield Paragraph((Strong("Nobody"), ": no approval by a second engineer was asked for ", Refs((0,)), "."))
    else:
        yield Points(tuple(points))
    reviews = [
        Point(("The script ", Value(one.migration), " was reviewed, ", *by_whom(one.by), " ", Refs((seq,))))
        for seq, one in found.reviews[:SHOWN]
    ]
    if reviews:
        yield Points((*reviews, *_more(len(found.reviews), "review")))
    else:
        yield Paragraph(("No record says that a script was read before it ran.",))


def tested(found: Evidence) -> Iterator[Part]:
    """Steps that try or prove something first, what persons ticked off before Migrate, the session before."""
    done = [one for one in found.steps if one.started.uses in TESTS and one.phase not in (*AFTERWARDS, "migrate")]
    points = list(_steps(_latest(done)))
    for seq, phase, tick in found.ticks.values():
        if phase not in (*AFTERWARDS, "migrate"):
            said: Words = (": ", Value(tick.evidence or tick.reason)) if tick.evidence or tick.reason else ()
            state = "Ticked off" if tick.state == "done" else "Called not applicable"
            text = _item(found, tick.item)
            points.append(Point((f"{state}: ", text, *said, ", ", *by_whom(tick.by), " ", Refs((seq,)))))
    points += _proofs(found, before=True)
    if points:
        yield Points(tuple(points))
    if not any(one.started.uses == "parity.inspect" for one in done):
        yield Paragraph(
            (Strong("No record says that these scripts ran on another environment first"), ": no step compared one.")
        )
    previous = found.facts.opening.previous
    if previous is None:
        yield Paragraph(("No session on this environment before this one was found ", Refs((0,)), "."))
    else:
        where = (
            "The session before on this environment was ",
            Value(previous.session),
            ", head ",
            Value(previous.head),
        )
        yield Paragraph((*where, " ", Refs((0,)), "."))


def ran(found: Evidence) -> Iterator[Part]:
    """Each attempt of a step that changes anything, here or outside; each script that was sent."""
    points = list(_steps(found.did("target", "outside")))
    for one in found.scripts:
        end = "applied" if one.ended is not None else Strong("no record of its end")
        seqs = (one.seq,) if one.ended is None else (one.seq, one.ended)
        words = ("The script ", Value(one.name), ", SHA-256 ", Value(one.sha256), ": ", end, " ")
        points.append(Point((*words, Refs(seqs))))
    yield Points(tuple(points)) if points else Paragraph(("Nothing that changes anything was started.",))


def who(found: Evidence) -> Iterator[Part]:
    """The operator, the times, the target; then every decision, and whoever took over."""
    facts = found.facts
    last = facts.last.seq if facts.last else 0
    points = [
        Point(("Operator: ", *operator_words(facts))),
        Point((f"{time_words(facts)} ", Refs((0, last)))),
        Point(("On the machine ", Value(facts.opening.operator.host), ", against ", *target_words(facts))),
    ]
    day = facts.opened.at[:10] if facts.opened else ""
    for record, event in facts.decisions:
        reason: Words = (": ", Value(event.reason)) if event.reason else ()
        said = (Strong(DECISION[event.what]), f" in {event.phase} at {moment(record.at, day)}", *reason)
        points.append(Point((*said, ", ", *by_whom(event.by, login(event.by)), " ", Refs((record.seq,)))))
    for seq, pen in found.pens:
        if pen.from_face is not None:
            points.append(Point(("Taken over ", *by_whom(pen.by), ": ", Value(pen.reason), " ", Refs((seq,)))))
    for seq, again in found.resumed:
        points.append(Point(("Resumed on ", Value(again.host), ", ", *by_whom(again.by), " ", Refs((seq,)))))
    yield Points(tuple(points))


def verified(found: Evidence) -> Iterator[Part]:
    """What was read once the target had been changed, and what persons ticked off then."""
    points = list(_steps(_latest(one for one in found.did("reads") if one.phase in AFTERWARDS)))
    for seq, phase, tick in found.ticks.values():
        if phase in AFTERWARDS:
            said: Words = (": ", Value(tick.evidence or tick.reason)) if tick.evidence or tick.reason else ()
            state = "Ticked off: " if tick.state == "done" else "Called not applicable: "
            points.append(Point((state, _item(found, tick.item), *said, ", ", *by_whom(tick.by), " ", Refs((seq,)))))
    points += _proofs(found, before=False)
    if points:
        yield Points(tuple(points))
    elif found.did("target"):
        yield Paragraph((Strong("It was not"), ": no step looked at the target afterwards."))
    else:
        yield Paragraph(("Nothing was started that changes the target, so there was nothing to verify.",))


def why(found: Evidence) -> Iterator[Part]:
    """What each step that was not green says of that, and the reasons that persons gave."""
    points = list(_steps(one for one in found.steps if not _green(one)))
    for seq, _, tick in found.ticks.values():
        if tick.state == "not_applicable":
            because = (": ", Value(tick.reason), ", ", *by_whom(tick.by), " ", Refs((seq,)))
            points.append(Point(("Called not applicable: ", _item(found, tick.item), *because)))
    if points:
        yield Paragraph(("What each of these says of itself:",))
        yield Points(tuple(points))


def _latest(steps: Iterable[Did]) -> Iterable[Did]:
    """Of steps that were read again, the last time: the one that a GO stands on."""
    return {(one.phase, one.started.step): one for one in steps}.values()


def _green(one: Did) -> bool:
    return one.ended is not None and (one.ended[1].end, one.ended[1].outcome) == ("done", "ok")


def _steps(steps: Iterable[Did]) -> Iterator[Point]:
    """One line for each attempt; checks that are not green are named."""
    for one in steps:
        again = f", attempt {one.started.attempt}" if one.started.attempt > 1 else ""
        what = (f"{one.phase}: {one.started.title or one.started.step} (", Value(one.started.uses), f"){again}: ")
        if one.ended is None:
            yield Point((*what, Strong("no end in the journal"), " ", Refs((one.seq,))))
            continue
        seq, end = one.ended
        bad: list[Words] = [
            (f"{OUTCOME[check.outcome]} {check.title}: ", Value(check.evidence))
            for check in end.checks
            if check.outcome != "ok"
        ]
        good = f"; {many(len(end.checks) - len(bad), 'check')} ok" if len(end.checks) > len(bad) else ""
        why: Words = ("; ", Value(end.failure.what)) if end.failure else ()
        worse: Words = ("; ", *listed(bad[:5], "; ")) if bad else ()
        yield Point((*what, *end_words(end), good, *worse, *why, " ", Refs((one.seq, seq))))


def _proofs(found: Evidence, *, before: bool) -> Iterator[Point]:
    """The items that steps proved, which no person ticked: of the phases before Migrate, or of those after it."""
    last = {one.started.step: one for one in found.steps}
    opening, conditions = found.facts.opening, found.plan.conditions if found.plan else {}
    for phase in opening.runbook.phases:
        for item in phase.items if (phase.name in AFTERWARDS) != before and phase.name != "migrate" else ():
            did = last.get(item.proved_by)
            active = item.when is None or item.when in conditions
            if active and did is not None and did.ended is not None and _green(did):
                seqs = Refs((did.seq, did.ended[0]))
                yield Point(("Proven by a step: ", item.text, ", by ", Value(item.proved_by), " ", seqs))


def _item(found: Evidence, item: str) -> str:
    texts = {one.id: one.text for section in found.facts.opening.runbook.sections() for one in section.items}
    return texts.get(item, "") or item


def _more(count: int, one: str) -> Iterator[Point]:
    if count > SHOWN:
        yield Point((f"and {many(count - SHOWN, f'more {one}')}, as the transcript tells",))
