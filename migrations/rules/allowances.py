"""Findings that a script allows itself: `-- gonogo: allow CODE[, CODE …] because REASON`.

The comment stands ahead of its statement, in it, or behind it on the same line. Nothing is hidden by it: the finding
stays, with the reason beside it.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from migrations.rules.base import Finding, Rule
from migrations.sql import Script
from migrations.sql.comments import comments_of
from migrations.sql.names import printable

MARK = "gonogo:"

_ALLOW = re.compile(r"allow\s+([a-z0-9-]+(?:\s*,\s*[a-z0-9-]+)*)(?:\s+because\b\s*(.*))?", re.DOTALL)
FORM = "-- gonogo: allow CODE because REASON"


@dataclass(frozen=True, slots=True)
class Allowance:
    """One code of one comment; `fault` in words if it cannot count."""

    code: str
    reason: str
    line: int
    statement: int | None
    fault: str = ""


def allowances_of(script: Script, codes: Collection[str]) -> Iterator[Allowance]:
    """All that a script asks to be allowed. `codes` are those of the rules."""
    for comment in comments_of(script, MARK):
        _, _, words = comment.text.partition(MARK)
        asked = _ALLOW.fullmatch(words.strip())
        if asked is None:
            yield Allowance("", "", comment.line, comment.statement, f"it is not of the form {FORM}")
            continue
        reason = printable((asked[2] or "").strip())
        for code in re.split(r"\s*,\s*", asked[1]):
            fault = "" if code in codes else f"no rule is called {code}"
            fault = fault or ("" if reason else f"it gives no reason; the form is {FORM}")
            yield Allowance(code, reason, comment.line, comment.statement, fault)


def allow(
    findings: Sequence[Finding], allowances: Iterable[Allowance], rule: Rule, last: int, live: Collection[str] = ()
) -> Iterator[Finding]:
    """The findings, with the reasons that the script gives; and one of `rule` for each comment that allows nothing.

    `last` is the script's last statement, which is spoken of where a comment has none. Of the codes in `live` there
    may be findings that only a target shows.
    """
    asked = list(allowances)
    counting = {(a.statement, a.code): a for a in asked if not a.fault}
    used: set[tuple[int | None, str]] = set()
    for finding in findings:
        key = (finding.statement, finding.rule)
        if key in counting:
            used.add(key)
            finding = replace(finding, allowed=counting[key].reason)
        yield finding
    for one in asked:
        if one.fault or ((one.statement, one.code) not in used and one.code not in live):
            why = one.fault or f"there is no finding of {one.code} on its statement"
            where = last if one.statement is None else one.statement
            yield _of_no_use(rule, one, where, why)


def _of_no_use(rule: Rule, one: Allowance, statement: int, why: str) -> Finding:
    return Finding(
        rule=rule.code,
        severity=rule.severity,
        statement=statement,
        line=one.line,
        message=f"the comment on line {one.line} allows nothing: {why}",
        instead="Correct it, or take it out: it may hide what comes later.",
        source=rule.source,
        subject=f"{one.line}:{one.code}",
    )
