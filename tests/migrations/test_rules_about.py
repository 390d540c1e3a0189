"""A rule names the actions that it is about, and is not asked of other statements: it would find nothing in them."""

from collections.abc import Iterator

import pytest

from migrations.locks.claims import claims
from migrations.rules import Rule, rules
from migrations.rules.situation import Situation
from migrations.sql import Script, read_script

TEXTS = [
    *(f"{rule.setup};\n{form}" for rule in rules() for form in (rule.risky, rule.safer)),
    *(form for rule in rules() for form in (rule.risky, rule.safer)),
    *(f"{claim.setup};\n{claim.sql}" for _, claim in claims()),
    *(claim.sql for _, claim in claims()),
]


@pytest.fixture(scope="module")
def scripts() -> list[Script]:
    return [read_script(text) for text in TEXTS]


def passed_over(rule: Rule, scripts: list[Script]) -> Iterator[str]:
    """What the rule would say, were it asked, of statements without an action that it is about."""
    for script in scripts:
        seen = Situation(script)
        for statement in script.statements:
            if not any(isinstance(action, rule.about) for action in statement.actions):
                yield from (f"{statement.text}: {finding.message}" for finding in rule.judge(statement, seen))
            seen.take_in(statement)


@pytest.mark.parametrize("rule", [rule for rule in rules() if rule.about], ids=lambda rule: rule.code)
def test_nothing_is_passed_over_that_the_rule_would_find(rule: Rule, scripts: list[Script]) -> None:
    assert list(passed_over(rule, scripts)) == []
