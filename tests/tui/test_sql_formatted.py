"""Statements laid out for reading: the same words, or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.sql_formatted import MOST, formatted


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        (
            'CREATE TABLE "s" ("id" SERIAL NOT NULL, "price" numeric(10,2) CHECK (price > 0), '
            'CONSTRAINT "p" PRIMARY KEY ("id", "price"))',
            'CREATE TABLE "s" (\n  "id" SERIAL NOT NULL,\n  "price" numeric(10,2) CHECK (price > 0),\n'
            '  CONSTRAINT "p" PRIMARY KEY ("id", "price")\n)',
        ),
        (
            "ALTER TABLE orders   ADD COLUMN first text,\n  ADD COLUMN second text DEFAULT 'a  b', DROP COLUMN third",
            "ALTER TABLE orders ADD COLUMN first text,\n  ADD COLUMN second text DEFAULT 'a  b',\n  DROP COLUMN third",
        ),
        (
            "UPDATE t SET a = 1, b = ' ' WHERE c = 2 AND d",
            "UPDATE t\nSET a = 1,\n    b = ' '\nWHERE c = 2\n  AND d",
        ),
        (
            "CREATE VIEW v AS SELECT a FROM t WHERE b",
            "CREATE VIEW v AS\nSELECT a\nFROM t\nWHERE b",
        ),
        ("DROP TABLE t", "DROP TABLE t"),
        ("DO $$\nBEGIN\n  x;\nEND $$", "DO $$\nBEGIN\n  x;\nEND $$"),
        ("SELECT 1 -- one\n, 2", "SELECT 1 -- one\n, 2"),
    ],
)
def test_a_line_for_each_part(source: str, shown: str) -> None:
    assert (formatted(source) or "").replace(" \n", "\n") == shown


@pytest.mark.parametrize(
    "source",
    [
        r"SELECT '\', 'a    b', E'it\'s    x'",
        "INSERT INTO t VALUES " + ", ".join("(1, 2)" for _ in range(3000)),
        "SELECT " + "(" * 500 + "1" + ")" * 500,
        "SELECT 1" + " " * MOST,
    ],
    ids=["a backslash that sqlparse takes for an escape", "past 10 000 tokens", "deep", "long"],
)
def test_what_it_would_change_or_cannot_do_is_left_as_it_is(source: str) -> None:
    assert formatted(source) is None


words = st.sampled_from(
    [
        *(
            "SELECT",
            "FROM",
            "CREATE TABLE",
            "(",
            ")",
            ",",
            "'a  b'",
            '"A  b"',
            "E'\\''",
            "-- c\n",
            "/* d */",
            "$$ e  f $$",
        ),
        *("1", "x", "::", "int", "AND", "CASE WHEN", "END", "''", "||", "'\\'", ";", "\n", "\t"),
    ]
)


@given(st.lists(words, max_size=30).map(" ".join) | st.text(max_size=40))
def test_no_text_brings_it_down_and_no_word_is_lost(source: str) -> None:
    shown = formatted(source)
    assert shown is None or "".join(shown.split()) == "".join(source.split())
