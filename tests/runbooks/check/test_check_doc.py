"""docs/check.md says of codes and forms what the code does."""

import re
from pathlib import Path

from migrations.rules import rules
from runbooks.check.matters import MATTERS
from runbooks.check.squawk import SAME, TASTE

DOC = (Path(__file__).parents[3] / "docs" / "check.md").read_text(encoding="utf-8")


def test_every_matter_is_in_the_table_with_its_severity() -> None:
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| (stop|warn|note) \|", DOC, re.MULTILINE))
    assert rows == {matter.code: matter.severity for matter in MATTERS}


def test_what_squawk_is_said_to_repeat_is_a_rule_of_ours() -> None:
    codes = {rule.code for rule in rules()}
    assert {code for ours in SAME.values() for code in ours} <= codes
    assert not TASTE & set(SAME)


def test_no_matter_has_the_code_of_a_rule() -> None:
    assert not {matter.code for matter in MATTERS} & {rule.code for rule in rules()}
