"""The page of a code: what it finds, why that matters, and what would be better."""

import re

from migrations.finding import Severity
from migrations.problem import Misuse
from migrations.rule_pages import page
from migrations.rules import rules
from runbooks.check.matters import MATTERS, Matter
from runbooks.settings.nearest import nearest

ALL = "all"

_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")


def explain(code: str) -> str:
    """The page of a code as text; of `all`, the list of them. Raises Misuse that names the nearest one."""
    if code == ALL:
        return _list()
    found = known(code)
    rule = next((rule for rule in rules() if rule.code == found), None)
    if rule is not None:
        return _LINK.sub(r"\1", page(rule)).rstrip()
    return _page(next(matter for matter in MATTERS if matter.code == found))


def known(code: str) -> str:
    """The code, spelt as it is known. Raises Misuse that names the nearest one."""
    wanted = code.strip().lower().replace("_", "-")
    codes = [known for known, _, _ in all_codes()]
    if wanted in codes:
        return wanted
    near = nearest(wanted, codes)
    advice = f"Did you mean {near}?" if near else f"`gonogo check --explain {ALL}` lists the codes."
    raise Misuse(f"There is no rule {code}.", advice=advice)


def all_codes() -> tuple[tuple[str, Severity, str], ...]:
    """Code, severity and title of everything that can be found."""
    found = [(rule.code, rule.severity, rule.title) for rule in rules()]
    return tuple(sorted((*found, *((matter.code, matter.severity, matter.title) for matter in MATTERS))))


def _list() -> str:
    taste = {rule.code for rule in rules() if rule.taste}
    lines = (
        f"{severity:<4}  {code:<36}  {title}{', if asked for' * (code in taste)}"
        for code, severity, title in all_codes()
    )
    return "\n".join(lines)


def _page(matter: Matter) -> str:
    parts = (
        f"# {matter.code}",
        f"{matter.title}.",
        matter.why,
        f"- Severity: {matter.severity}.",
        f"## What to do\n\n{matter.instead}",
        f"Source: <{matter.source}>",
    )
    return "\n\n".join(parts)
