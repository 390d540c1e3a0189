"""The page of a rule: what it says, why, and what would be better."""

import importlib
from dataclasses import dataclass

import migrations.rules
from migrations.problem import Misuse
from migrations.rules import Rule, Severity, rules
from runbooks.check.matters import MATTERS, Matter
from runbooks.nearest import nearest


@dataclass(frozen=True, slots=True)
class Page:
    """`facts`: what else is known, each under a label. `proven`: a server confirms it in the tests."""

    code: str
    title: str
    severity: Severity
    why: str
    facts: tuple[tuple[str, str], ...]
    source: str


def explain(code: str) -> Page:
    """The page of a code. Raises Misuse that names the nearest one."""
    wanted = code.strip().lower().replace("_", "-")
    by_code: dict[str, Rule | Matter] = {rule.code: rule for rule in rules()}
    by_code |= {matter.code: matter for matter in MATTERS}
    found = by_code.get(wanted)
    if found is None:
        near = nearest(wanted, by_code)
        advice = f"Did you mean {near}?" if near else "`gonogo check --explain all` lists the codes."
        raise Misuse(f"There is no rule {code}.", advice=advice)
    return _of_rule(found) if isinstance(found, Rule) else _of_matter(found)


def all_codes() -> tuple[tuple[str, Severity, str, bool], ...]:
    """Code, severity and title of everything that can be found; whether it is a matter of taste."""
    found = [(rule.code, rule.severity, rule.title, rule.taste) for rule in rules()]
    found += [(matter.code, matter.severity, matter.title, False) for matter in MATTERS]
    return tuple(sorted(found))


def _of_rule(rule: Rule) -> Page:
    module = importlib.import_module(f"{migrations.rules.__name__}.{rule.code.replace('-', '_')}")
    facts = (
        ("lock", f"{rule.lock}, which blocks {rule.blocks or rule.lock.blocks}" if rule.lock else ""),
        ("loses", "data" if rule.loses_data else ""),
        ("rewrites", "the whole table" if rule.rewrites else ""),
        ("fails", f"with SQLSTATE {rule.fails} on rows as they may be" if rule.fails else ""),
        ("risky", rule.risky),
        ("safer", rule.safer),
        ("allow", f"-- gonogo: allow {rule.code} because REASON"),
        ("taste", f"silent unless asked for: --also {rule.code}" if rule.taste else ""),
    )
    return Page(
        rule.code, rule.title, rule.severity, _doc(module.__doc__), tuple(f for f in facts if f[1]), rule.source
    )


def _of_matter(matter: Matter) -> Page:
    return Page(matter.code, matter.title, matter.severity, matter.why, (("instead", matter.instead),), matter.source)


def _doc(text: str | None) -> str:
    return " ".join((text or "").split())
