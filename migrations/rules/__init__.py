"""Risks of statements. A rule is one file, found by being there: `index_without_concurrently.py` holds its `RULE`."""

import importlib
import pkgutil
from collections.abc import Collection
from functools import cache, lru_cache

from migrations.rules import allow_without_effect
from migrations.rules.allowances import allow, allowances_of
from migrations.rules.base import Finding, Found, Rule, Severity
from migrations.rules.situation import Situation
from migrations.sql import Action, Script

__all__ = ["Finding", "Found", "Rule", "Severity", "judge", "reasons", "rules"]

HELPERS = ("allowances", "base", "column_pairs", "column_steps", "likeness", "situation", "steps")


@cache
def rules() -> tuple[Rule, ...]:
    """Every rule, by the order of their codes."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name not in HELPERS)
    return tuple(importlib.import_module(f"{__name__}.{name}").RULE for name in names)


def judge(script: Script, also: Collection[str] = ()) -> tuple[Finding, ...]:
    """All findings of a script, in the order of its statements. `also`: matters of taste that are asked for."""
    asked, seen = frozenset(also), Situation(script)
    found: list[Finding] = []
    for statement in script.statements:
        concerned = _concerned(frozenset(map(type, statement.actions)), asked)
        found += (finding for rule in concerned for finding in rule.judge(statement, seen))
        seen.take_in(statement)
    found = _without_superseded(found)
    codes = {rule.code for rule in rules()}
    silent = {rule.code for rule in rules() if rule.taste} - asked
    allowances = [one for one in allowances_of(script, codes) if one.code not in silent]
    if not script.statements or not allowances:
        return tuple(found)
    last = script.statements[-1].index
    allowed = allow(found, allowances, allow_without_effect.RULE, last, {rule.code for rule in rules() if rule.look})
    return tuple(sorted(allowed, key=lambda finding: finding.statement))


@lru_cache(maxsize=1000)
def _concerned(kinds: frozenset[type[Action]], also: frozenset[str]) -> tuple[Rule, ...]:
    """The rules that may find something in a statement with these actions."""
    asked = (rule for rule in rules() if not rule.taste or rule.code in also)
    return tuple(rule for rule in asked if not rule.about or not kinds.isdisjoint(rule.about))


def reasons(script: Script) -> dict[tuple[int | None, str], str]:
    """What the script's comments allow, by statement and code, with their reasons."""
    found = allowances_of(script, {rule.code for rule in rules()})
    return {(one.statement, one.code): one.reason for one in found if not one.fault}


def _without_superseded(findings: list[Finding]) -> list[Finding]:
    supersedes = {rule.code: rule.supersedes for rule in rules()}
    gone = {(code, f.statement, f.subject) for f in findings for code in supersedes[f.rule]}
    return [f for f in findings if (f.rule, f.statement, f.subject) not in gone]
