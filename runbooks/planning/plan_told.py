"""A plan as the journal holds it: scripts, statements, findings and locks, as many as one record has room for.

A script of a few megabytes may have half a million statements, and findings on each. Past the bounds, statements are
told together as one, and findings of a rule by their number. What the plan's hash covers is cut by order alone: the
same scripts are told alike, whatever the target holds.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from migrations.impact.known import Known, Relation
from migrations.impact.weigh import Held, Weighed
from migrations.impact.words import facts
from migrations.listed import many
from migrations.rules import Finding
from migrations.sql import Script, Statement
from migrations.sql.altered import altered
from migrations.verify_sql import Claims
from runbooks.session import events as e

ALTERED = 1_000
_WORST = ("stop", "warn", "note")
_STORED = ("table", "partitioned table", "materialized view", "foreign table")


@dataclass(slots=True)
class Room:
    """What is left of the room in one plan; a record holds 64 MB of JSON. `of_…`: at the most of one of these."""

    statements: int = 50_000
    findings: int = 4_000
    live: int = 500
    touches: int = 20_000
    safer_sql: int = 1_000_000
    claims: int = 2_000
    tables: int = 1_000
    of_rule: int = 100
    of_statement: int = 20
    of_message: int = 600
    of_safer_sql: int = 10_000

    def statements_told(self, statements: Sequence[Statement], held: Sequence[Sequence[Held]]) -> list[e.Statement]:
        """The statements of one script; what there is no room for is told as one at the end."""
        shown = min(len(statements), self.statements)
        self.statements -= shown
        told = [self._statement(one, locks) for one, locks in zip(statements[:shown], held, strict=False)]
        if rest := statements[shown:]:
            count = many(len(rest), "more statement")
            why = "there are too many to tell them one by one"
            first, last = rest[0], rest[-1]
            told.append(
                e.Statement(
                    line=first.line, start=first.start, end=last.end, summary=count, analysed=False, why_not=why
                )
            )
        return told

    def _statement(self, statement: Statement, held: Sequence[Held]) -> e.Statement:
        return e.Statement(
            line=statement.line,
            start=statement.start,
            end=statement.end,
            summary=statement.summary,
            analysed=statement.analysed,
            why_not=statement.why_not,
            alone=statement.facts.alone,
            touches=tuple(self._touches(held)),
        )

    def _touches(self, held: Sequence[Held]) -> Iterator[e.Touch]:
        shown = min(len(held), self.of_statement, self.touches)
        self.touches -= shown
        yield from (_touch(one.what.shown, one) for one in held[:shown])
        if rest := held[shown:]:
            strongest = max(rest, key=lambda one: one.what.lock.strength)
            yield _touch(f"{len(rest)} more", strongest)

    def findings_told(self, findings: Iterable[Finding], statements: int) -> list[e.Finding]:
        """The findings of one script, of which so many statements are told. Those of the target alone stand apart."""
        findings = list(findings)
        text = [finding for finding in findings if not finding.live]
        live = [finding for finding in findings if finding.live]
        shown, self.findings = self._cut(text, self.findings)
        also, self.live = self._cut(live, self.live)
        told = [self._finding(finding, statements) for finding in (*shown, *also)]
        return sorted(told, key=lambda finding: finding.statement)

    def _cut(self, findings: Sequence[Finding], room: int) -> tuple[list[Finding], int]:
        shown: list[Finding] = []
        rest: dict[str, list[Finding]] = {}
        counts: Counter[str] = Counter()
        for finding in findings:
            if room and counts[finding.rule] < self.of_rule:
                counts[finding.rule] += 1
                room -= 1
                shown.append(finding)
            else:
                rest.setdefault(finding.rule if room else "", []).append(finding)
        return [*shown, *(_together(left, of_rule=bool(rule)) for rule, left in rest.items())], room

    def _finding(self, finding: Finding, statements: int) -> e.Finding:
        long = len(finding.safer_sql) > min(self.of_safer_sql, self.safer_sql)
        self.safer_sql -= 0 if long else len(finding.safer_sql)
        return e.Finding(
            rule=finding.rule,
            severity=finding.severity,
            statement=min(finding.statement, max(statements - 1, 0)),
            line=finding.line,
            message=self._cut_message(finding.message),
            loses_data=finding.loses_data,
            lock=finding.lock,
            blocks=finding.blocks,
            tables=finding.tables[: self.of_statement],
            instead=finding.instead,
            source=finding.source,
            safer_sql="" if long else finding.safer_sql,
            allowed=finding.allowed,
            live=finding.live,
        )

    def claims_told(self, sha256: str, claims: Claims, copy_sha256: str = "") -> e.Verify:
        """What a verify.sql claims, and what is wrong with it."""
        shown = claims.claims[: self.claims]
        self.claims -= len(shown)
        return e.Verify(
            sha256=sha256,
            copy_sha256=copy_sha256,
            claims=tuple(e.Claim(line=claim.line, text=self._cut_message(claim.text)) for claim in shown),
            more=len(claims.claims) - len(shown),
            wrong=tuple(f"line {each.line}: {each.words}" for each in claims.wrong[: self.of_statement]),
        )

    def _cut_message(self, text: str) -> str:
        return text if len(text) <= self.of_message else f"{text[: self.of_message]}…"

    def tables_told(self, relations: Iterable[Relation], known: Known | None) -> tuple[e.Table, ...]:
        """The tables that are locked, the largest first."""
        stored = [relation for relation in relations if relation.kind in _STORED]
        largest = sorted(stored, key=lambda relation: (-(relation.bytes or 0), relation.name))[: self.tables]
        slots = known.slots if known else ()
        return tuple(
            e.Table(name=relation.shown, rows=_rows(relation), bytes=relation.bytes, words=facts(relation, slots))
            for relation in largest
        )


def altered_told(scripts: Iterable[Script]) -> tuple[str, ...]:
    """The tables that the scripts make or change, as far as there is room for them."""
    names = altered(action for script in scripts for one in script.statements for action in one.actions)
    return tuple(f"{name.schema}.{name.name}" if name.schema else name.name for name in names)[:ALTERED]


def locked(weighed: Iterable[Weighed]) -> list[Relation]:
    """The relations of the target that the scripts lock."""
    every = (held.what.relation for script in weighed for each in script.held for held in each)
    return list({relation.name: relation for relation in every if relation}.values())


def _rows(relation: Relation) -> int | None:
    return 0 if relation.empty else relation.rows


def _touch(shown: str, held: Held) -> e.Touch:
    return e.Touch(
        relation=shown,
        lock=held.what.lock.value,
        blocks=held.what.blocks,
        work=held.what.work,
        least=held.span.least,
        most=held.span.most,
    )


def _together(findings: Sequence[Finding], *, of_rule: bool) -> Finding:
    """Several findings as one that counts them."""
    first = findings[0]
    which = " of this rule" if of_rule else ""
    return Finding(
        rule=first.rule,
        severity=min((finding.severity for finding in findings), key=_WORST.index),
        statement=first.statement,
        line=first.line,
        message=f"and {many(len(findings), 'more finding')}{which} from here on",
        loses_data=any(finding.loses_data for finding in findings),
        live=first.live,
    )
