"""One finding, as bad as it is on the target, and why in its message."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from migrations.impact.budgets import Budgets
from migrations.impact.estimate import Span
from migrations.impact.known import Relation
from migrations.impact.settle import Settled
from migrations.impact.words import GUESSED, relation_text, span_text
from migrations.rules.base import DOUBT, Finding, Rule, Severity

NAMED = 2
"""Of so many tables a finding tells the size."""


@dataclass(frozen=True, slots=True)
class Stand:
    """A statement when its turn comes: what it touches, how long it takes, and what its names then mean.

    `relations` are those of the target, by the names in the statement, and in those of its script before it. Of what
    an earlier script made, `unused` are the names that nobody can know yet, and `keeping` those of what holds rows of
    the target.
    """

    touches: tuple[Settled, ...]
    took: Span
    relations: Mapping[str, Relation]
    unused: frozenset[str]
    keeping: frozenset[str]


def judged(finding: Finding, rule: Rule | None, stand: Stand, rest: Span, budgets: Budgets) -> Finding:
    """The finding with its severity on the target. `rest`: until the statement's transaction ends.

    Only time under a lock moves it, and rows that are not there. What loses data is a stop, whatever the size.
    """
    if finding.loses_data and not stand.keeping.isdisjoint(finding.tables):
        return replace(finding, message=f"{finding.message}; an earlier script put rows into it that were there before")
    relations = _relations(finding, stand)
    if finding.if_there and (relations or stand.unused.issuperset(finding.tables)):
        message = finding.message.removesuffix(DOUBT)
        finding = replace(finding, severity=finding.if_there, message=message, if_there=None)
    if finding.tables and stand.unused.issuperset(finding.tables):
        words = "a pending script makes it: nobody uses it yet"
        return replace(finding, severity="note", loses_data=False, message=f"{finding.message}; {words}")
    if not relations:
        return finding
    severity = finding.severity
    if not finding.loses_data:
        severity = _severity(finding, rule, relations, stand, rest, budgets)
    return replace(finding, severity=severity, message=f"{finding.message}; {_why(finding, relations, stand, rest)}")


def _relations(finding: Finding, stand: Stand) -> list[Relation]:
    """What a finding is about, on the target. Where it names no table, what its statement locks."""
    if finding.tables:
        return [stand.relations[name] for name in finding.tables if name in stand.relations]
    locked = (touch.relation for touch in stand.touches if finding.lock and touch.lock.blocks)
    return [relation for relation in locked if relation]


def _severity(
    finding: Finding, rule: Rule | None, relations: list[Relation], stand: Stand, rest: Span, budgets: Budgets
) -> Severity:
    if rule and (rule.fails or "").startswith("23"):
        return _of_rows(finding, relations)
    if not finding.lock or (rule and (rule.fails or rule.breaks)):
        return finding.severity
    verdict = budgets.verdict(rest, finding.blocks, finding.severity)
    if all(relation.empty for relation in relations) and verdict != "stop":
        return "note"
    if finding.severity == "note" and all(touch.work == "brief" for touch in stand.touches):
        return "note"
    return verdict


def _of_rows(finding: Finding, relations: list[Relation]) -> Severity:
    """What rows make fail (class 23 of the SQLSTATEs) fails surely where there are some."""
    if all(relation.empty for relation in relations):
        return "note"
    return "stop" if any(relation.rows for relation in relations) else finding.severity


def _why(finding: Finding, relations: list[Relation], stand: Stand, rest: Span) -> str:
    """What the target has to say to it: how large the tables are, how long it would take."""
    texts = [relation_text(relation) for relation in dict.fromkeys(relations)]
    more = f" and {len(texts) - NAMED} more" if len(texts) > NAMED else ""
    words = ", ".join(texts[:NAMED]) + more
    names = {relation.name for relation in relations}
    spared = [touch.spared for touch in stand.touches if touch.relation and touch.relation.name in names]
    if spared and all(spared):
        return f"{words}, and {spared[0]}"
    time = span_text(rest) if finding.lock and not finding.loses_data else ""
    return f"{words}: {time}, {GUESSED}" if time else words
