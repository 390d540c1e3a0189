"""A rule names the actions that it is about, and is not asked of other statements: it would find nothing in them."""

from collections.abc import Iterator

from migrations.locks.claims import claims
from migrations.rules import rules
from migrations.rules.situation import Situation
from migrations.sql import Script, read_script

TEXTS = [
    *(f"{rule.setup};\n{form}" for rule in rules() for form in (rule.risky, rule.safer)),
    *(form for rule in rules() for form in (rule.risky, rule.safer)),
    *(f"{claim.setup};\n{claim.sql}" for _, claim in claims()),
    *(claim.sql for _, claim in claims()),
]


def passed_over(script: Script) -> Iterator[str]:
    """What rules would say, were they asked, of statements without an action that they are about."""
    seen = Situation(script)
    for statement in script.statements:
        for rule in rules():
            if rule.about and not any(isinstance(action, rule.about) for action in statement.actions):
                yield from (f"{rule.code}: {statement.text}: {said.message}" for said in rule.judge(statement, seen))
        seen.take_in(statement)


def test_nothing_is_passed_over_that_a_rule_would_find() -> None:
    assert [found for text in TEXTS for found in passed_over(read_script(text))] == []
