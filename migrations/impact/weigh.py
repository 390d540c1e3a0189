"""What each statement of the pending scripts means for the target: locks, for how long, and how bad that is."""

from collections import ChainMap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from migrations.impact.asked import names_in
from migrations.impact.budgets import Budgets
from migrations.impact.durations import took, until_end
from migrations.impact.estimate import Span
from migrations.impact.foreseen import Foreseen
from migrations.impact.judged import Stand, judged
from migrations.impact.known import Known, Relation
from migrations.impact.settle import Settled, settled
from migrations.rules import Finding, reasons, rules
from migrations.rules.situation import Situation
from migrations.sql import Name, Script, Statement
from migrations.sql import actions as a
from migrations.sql.settings import Settings


@dataclass(frozen=True, slots=True)
class Held:
    """A lock that a statement takes, and how long it holds it: until its transaction ends."""

    what: Settled
    span: Span


@dataclass(frozen=True, slots=True)
class Weighed:
    """A script as it would run now. What only the target shows is among the findings; `held` are the locks of each
    statement."""

    findings: tuple[Finding, ...]
    held: tuple[tuple[Held, ...], ...]


@dataclass(slots=True)
class Scales:
    """Weighs the pending scripts, in their order: what one of them makes is nobody's for those after it.

    `relations` are those of the target that were touched so far.
    """

    budgets: Budgets
    known: Known | None = None
    relations: dict[Name, Relation] = field(default_factory=dict)
    _foreseen: Foreseen = field(init=False)
    _named: dict[str, Relation] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._foreseen = Foreseen(self.known)

    def weigh(self, script: Script, findings: Sequence[Finding]) -> Weighed:
        """What rules found in the script, as bad as it is on the target, and the locks that it takes there."""
        stands, live = self._go_through(script)
        rest = until_end(script, [stand.took for stand in stands])
        by_code = {rule.code: rule for rule in rules()}
        everything = sorted(_with(findings, live, script), key=lambda finding: finding.statement)
        return Weighed(
            tuple(
                judged(one, by_code.get(one.rule), stands[one.statement], rest[one.statement], self.budgets)
                for one in everything
            ),
            tuple(
                tuple(Held(touch, span) for touch in stand.touches if touch.matters)
                for stand, span in zip(stands, rest, strict=True)
            ),
        )

    def _go_through(self, script: Script) -> tuple[list[Stand], list[Finding]]:
        looking = [rule for rule in rules() if rule.look] if self.known else []
        seen = Situation(script) if looking else None
        stands: list[Stand] = []
        live: list[Finding] = []
        settings = Settings()
        self._named = {}
        for statement in script.statements:
            if seen is not None:
                live += (one for rule in looking for one in rule.judge_live(statement, seen, self._foreseen))
                seen.take_in(statement)
            stands.append(self._stand(statement, _is_utc(settings.get("timezone"))))
            for action in statement.actions:
                settings.take_in(action)
        return stands, live

    def _stand(self, statement: Statement, utc: bool | None) -> Stand:
        """How the statement finds things; it is behind us then."""
        foreseen = self._foreseen
        idle = {key for action in statement.actions for key in _checked_against_nothing(action, foreseen)}
        names = tuple(names_in(statement))
        relations = {str(name): relation for name in names if (relation := foreseen.relation(name))}
        unused = frozenset(str(name) for name in names if foreseen.is_unused(name))
        keeping = frozenset(str(name) for name in names if foreseen.keeps(name))
        raw = (replace(t, work="brief") if t.relation in idle else t for t in foreseen.take_in(statement))
        touches = settled(raw, self.known, utc=utc)
        for relation in (*relations.values(), *(touch.relation for touch in touches if touch.relation)):
            self.relations.setdefault(relation.name, relation)
        self._named |= relations
        everything = self.known.relations if self.known else {}
        return Stand(touches, took(statement, touches, everything), ChainMap(relations, self._named), unused, keeping)


def _checked_against_nothing(action: a.Action, foreseen: Foreseen) -> Iterator[Name]:
    """The tables that a new foreign key leads to from one that is new, or empty: there is nothing to look up."""
    if isinstance(action, a.AddConstraint) and action.constraint.references and foreseen.is_empty(action.table):
        yield action.constraint.references


def _with(findings: Sequence[Finding], live: Sequence[Finding], script: Script) -> Iterator[Finding]:
    """All of them, with the reasons that the script gives. Of what a rule finds on either side, the target's words."""
    better = {_key(finding): finding for finding in live}
    for finding in findings:
        known = better.pop(_key(finding), finding)
        yield replace(known, allowed=finding.allowed, live=False)
    allowed = reasons(script) if better else {}
    for finding in better.values():
        yield replace(finding, allowed=allowed.get((finding.statement, finding.rule), ""))


def _key(finding: Finding) -> tuple[str, int, str]:
    return (finding.rule, finding.statement, finding.subject)


def _is_utc(zone: str | None) -> bool | None:
    """Whether a time zone that a script has set is UTC; None where it is the session's own."""
    return None if zone is None else zone.upper() in ("UTC", "ETC/UTC", "GMT")
