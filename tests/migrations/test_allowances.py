"""What a script allows itself, with a reason; and comments that allow nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrations.rules import Finding, judge
from migrations.sql import read_script

DROP = "ALTER TABLE orders DROP COLUMN note"
ALLOW = "-- gonogo: allow column-drop because nobody reads it since 4.2"
REASON = "nobody reads it since 4.2"


def judged(text: str) -> dict[str, Finding]:
    return {finding.rule: finding for finding in judge(read_script(text))}


@pytest.mark.parametrize(
    "text",
    [
        f"{ALLOW}\n{DROP};",
        f"SELECT 1;\n{ALLOW}\n\n-- another comment\n{DROP};",
        f"{DROP}; {ALLOW}",
        f"ALTER TABLE orders\n  {ALLOW}\n  DROP COLUMN note;",
        f"{DROP} {ALLOW}\n;",
        f"SELECT 'ä😀';\r\n{ALLOW}\r\n{DROP};\r\n",
    ],
    ids=["ahead", "ahead with a gap", "behind", "inside", "before the semicolon", "wide characters and CRLF"],
)
def test_a_reason_stands_beside_the_finding(text: str) -> None:
    found = judged(text)
    assert found["column-drop"].allowed == REASON
    assert found["column-drop"].loses_data and found["column-drop"].severity == "stop"
    assert "allow-without-effect" not in found


def test_several_at_once() -> None:
    found = judged(
        "-- gonogo: allow column-drop, column-rename-as-drop-and-add because both are meant\n"
        f"{DROP}, ADD COLUMN remark text;"
    )
    assert found["column-rename-as-drop-and-add"].allowed == "both are meant"
    assert "no finding of column-drop" in found["allow-without-effect"].message


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (f"{ALLOW}\nSELECT 1;\n{DROP};", "no finding of column-drop on its statement"),
        (f"{DROP};\n{ALLOW}", "no finding"),
        (f"-- gonogo: allow colum-drop because of it\n{DROP};", "no rule is called colum-drop"),
        (f"-- gonogo: allow column-drop\n{DROP};", "gives no reason"),
        (f"-- gonogo: allow column-drop because \n{DROP};", "gives no reason"),
        (f"-- gonogo: alow column-drop because of it\n{DROP};", "not of the form"),
        (f"-- gonogo:\n{DROP};", "not of the form"),
    ],
)
def test_what_allows_nothing_is_a_finding(text: str, word: str) -> None:
    found = judged(text)
    assert word in found["allow-without-effect"].message
    assert not found["column-drop"].allowed
    assert f"on line {text[: text.index('-- gonogo')].count(chr(10)) + 1} " in found["allow-without-effect"].message


@pytest.mark.parametrize(
    "text",
    [
        "SELECT '\n-- gonogo: allow column-drop because it is text\n';",
        "/* -- gonogo: allow column-drop because it is in a block */ SELECT 1;",
        "SELECT $$ -- gonogo: allow column-drop because it is quoted $$;",
        "-- see gonogo for more\nSELECT 1;",
        "-- gonogo: allow column-drop because there is no statement",
    ],
)
def test_only_a_comment_of_its_own_counts(text: str) -> None:
    assert judged(text) == {}


@given(st.text(alphabet="-\n;'$ a{}/*ä😀"), st.sampled_from(["ahead", "behind"]))
def test_any_text_around_it_is_borne(noise: str, where: str) -> None:
    text = f"{noise}\n{ALLOW}\n{DROP};" if where == "ahead" else f"{DROP}; {ALLOW}\n{noise}"
    script = read_script(text)
    for finding in judge(script):
        assert finding.statement < len(script.statements)
