"""What each rule claims, the server confirms: the lock, what it blocks, the rewrite, the failure."""

import pytest
from proving.of_rules import put_rule

from migrations.rules import Rule, judge, rules
from migrations.sql import read_script


@pytest.fixture(params=rules(), ids=lambda rule: rule.code)
def rule(request: pytest.FixtureRequest) -> Rule:
    found: Rule = request.param
    return found


def test_the_risky_form_is_found_and_the_safer_one_is_not(rule: Rule) -> None:
    """What only the target shows is put to it in test_rules_live.py."""
    if rule.only_live:
        return
    assert rule.code in {finding.rule for finding in judge(read_script(rule.risky), also=(rule.code,))}
    assert rule.code not in {finding.rule for finding in judge(read_script(rule.safer), also=(rule.code,))}


def test_the_server_confirms_it(rule: Rule, database: str) -> None:
    verdict = put_rule(database, rule)
    assert not verdict.against, verdict.did
