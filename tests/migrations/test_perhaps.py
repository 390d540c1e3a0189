"""What a script makes only if it is not there yet: without a target nobody knows, with one it decides."""

import pytest

from migrations.impact.budgets import Budgets
from migrations.impact.known import Known, Relation
from migrations.impact.weigh import Scales, Weighed
from migrations.rules import judge
from migrations.sql import read_script
from migrations.sql.names import Name

MAYBE = "CREATE TABLE IF NOT EXISTS t (c int)"
IN_CODE = "DO $$ BEGIN IF now() > '2000-01-01' THEN CREATE TABLE t (c int); END IF; END $$"
LARGE = Relation(Name("public", "t"), "table", rows=40_000_000, heap=3 * 10**9)
THERE = Known(relations={LARGE.name: LARGE, Name(None, "t"): LARGE})
NOT_THERE = Known()


def weighed(text: str, target: Known) -> Weighed:
    script = read_script(text)
    return Scales(Budgets(), target).weigh(script, judge(script))


@pytest.mark.parametrize("made", [MAYBE, IN_CODE])
def test_without_a_target_it_is_a_note(made: str) -> None:
    (finding,) = judge(read_script(f"{made}; CREATE INDEX i ON t (c)"))
    assert (finding.rule, finding.severity) == ("index-without-concurrently", "note")
    assert finding.message.endswith("this matters only where the table was there before the script")


@pytest.mark.parametrize("made", [MAYBE, IN_CODE])
def test_where_the_table_is_there_it_is_as_bad_as_ever(made: str) -> None:
    result = weighed(f"{made}; CREATE INDEX i ON t (c); ALTER TABLE t DISABLE ROW LEVEL SECURITY", THERE)
    severities = {finding.rule: finding.severity for finding in result.findings}
    assert severities["index-without-concurrently"] == "stop"
    assert severities["row-security-off"] == "warn"
    assert not any("only where" in finding.message for finding in result.findings)
    assert [held.what.lock.value for held in result.held[1]] == ["SHARE"]


@pytest.mark.parametrize("made", [MAYBE, IN_CODE])
def test_where_it_is_not_nobody_waits(made: str) -> None:
    result = weighed(f"{made}; CREATE INDEX i ON t (c); ALTER TABLE t ADD COLUMN d int DEFAULT random()", NOT_THERE)
    assert {finding.severity for finding in result.findings} == {"note"}
    assert all(finding.message.endswith("nobody uses it yet") for finding in result.findings)
    assert not any(result.held)


def test_a_target_that_could_not_be_read_decides_nothing() -> None:
    result = weighed(f"{MAYBE}; CREATE INDEX i ON t (c)", Known(missing=("the relations could not be read",)))
    assert [finding.if_there for finding in result.findings] == ["warn"]
    assert result.held[1]


def test_its_rows_may_be_anybodys() -> None:
    (finding,) = judge(read_script(f"{MAYBE}; DROP TABLE t"))
    assert (finding.rule, finding.severity, finding.loses_data) == ("table-drop", "stop", True)


def test_what_was_dropped_before_is_made() -> None:
    findings = judge(read_script(f"DROP TABLE IF EXISTS t; {MAYBE}; CREATE INDEX i ON t (c)"))
    assert [finding.statement for finding in findings] == [0]
