"""A statement with words put in is that statement still, however it is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrations.sql import actions as a
from migrations.sql import read_script
from migrations.sql.names import quoted
from migrations.sql.words import bare, put_after, put_last, without, words_of
from tests.migrations.odd_names import NAMES

SPACE = st.sampled_from([" ", "\n", " /* INDEX é */ ", " -- CONCURRENTLY\n"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("create index i on t (c) -- why", "create index CONCURRENTLY i on t (c)"),
        ('/* é INDEX */ CREATE UNIQUE /* INDEX */ INDEX "INDEX" ON t (c)',
         '/* é INDEX */ CREATE UNIQUE /* INDEX */ INDEX CONCURRENTLY "INDEX" ON t (c)'),
        ("REINDEX (TABLESPACE index) INDEX i", "REINDEX (TABLESPACE index) INDEX CONCURRENTLY i"),
        ("SELECT 'INDEX'", ""),
        ("SELECT 'open", ""),
    ],
)  # fmt: skip
def test_a_word_is_put_behind_a_keyword(text: str, expected: str) -> None:
    assert put_after(text, ("INDEX",), "CONCURRENTLY") == expected


def test_words_are_put_last_and_taken_out() -> None:
    assert put_last("ALTER DOMAIN d ADD CHECK (value > 0) /* why */ -- so", "ALTER", "NOT VALID").endswith(
        "0) NOT VALID"
    )
    assert without("CREATE INDEX IF  NOT\nEXISTS i ON t (c)", "IF", "NOT", "EXISTS") == "CREATE INDEX i ON t (c)"
    assert without("CREATE INDEX i ON t (c)", "IF", "NOT", "EXISTS") == ""
    assert put_last("DO $$ BEGIN END $$", "ALTER", "NOT VALID") == ""
    assert bare("DROP TABLE t -- why\n/* so */") == "DROP TABLE t"


@given(SPACE, NAMES, NAMES)
def test_only_what_is_put_in_changes(space: str, name: str, column: str) -> None:
    text = space.join(["CREATE", "UNIQUE", "INDEX", quoted(name), "ON", "t", f"({quoted(column)})"])
    (before,) = read_script(text).statements[0].actions
    (after,) = read_script(put_after(text, ("INDEX",), "CONCURRENTLY")).statements[0].actions
    assert isinstance(before, a.CreateIndex)
    assert isinstance(after, a.CreateIndex)
    assert (after.concurrently, after.index, after.columns) == (True, before.index, before.columns)


@given(st.text(max_size=40))
def test_any_text_has_words_that_stand_in_it(text: str) -> None:
    for word in words_of(text):
        assert text[word.start : word.end].upper() == word.text.upper()
