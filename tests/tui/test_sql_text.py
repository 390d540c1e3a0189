"""Scripts as they are shown: lines, statements, colours; what is looked at, and nothing else, is worked out."""

import pytest

from tui.sql_search import MOST, STEP, places_of
from tui.sql_text import HEAD, SqlText, head_of


def shades(text: str, line: int, spans: tuple[tuple[int, int], ...] = ()) -> dict[str, str]:
    return {piece: shade for piece, shade in SqlText(text, spans).pieces(line) if piece.strip()}


def test_a_backslash_in_an_e_string_does_not_colour_the_rest_as_text() -> None:
    for quoted in (r"E'it\'s'", r"e'\\'", "E'two''s'"):
        found = shades(f"SELECT {quoted};\nDROP TABLE t;", 1)
        assert found["DROP"] == "sql-keyword" and found["t"] != "sql-text", quoted
    assert shades(r"SELECT '\'; DROP TABLE t;", 0)["DROP"] == "sql-keyword"


def test_what_spans_lines_keeps_its_colour() -> None:
    text = "/* one\n   DROP TABLE t;\n*/ SELECT 1;\nDO $$\nBEGIN\n  DROP TABLE t;\nEND $$;"
    assert shades(text, 1) == {"   DROP TABLE t;": "sql-comment"}
    assert "sql-keyword" in shades(text, 2).values()


def test_which_statement_a_place_belongs_to() -> None:
    text = "-- first\nBEGIN; DROP TABLE a;\nDROP TABLE\n  b; COMMIT;\n\n"
    pieces = ("BEGIN", "DROP TABLE a", "DROP TABLE\n  b", "COMMIT")
    sql = SqlText(text, [(text.index(s), text.index(s) + len(s)) for s in pieces])
    assert [sql.statement_at(sql.start(line)) for line in range(6)] == [0, 0, 2, 2, None, None]
    assert [sql.statement_at(text.index(s) + 1) for s in pieces] == [0, 1, 2, 3]
    assert [sql.source(number) for number in range(4)] == list(pieces)
    assert sql.place(2, 3) == sql.start(3) and sql.place(2, 0) == text.index("DROP TABLE\n")
    assert "".join(piece for piece, _ in sql.pieces(3)) == "  b; COMMIT;"


def test_tabs_are_widened_and_the_spans_with_them_but_what_is_copied_is_as_it_was() -> None:
    text = "\tBEGIN;\n\tDROP\tTABLE a;\n"
    begin = text.index("DROP")
    sql = SqlText(text, ((1, 6), (begin, begin + len("DROP\tTABLE a"))))
    assert sql.lines[1] == "    DROP    TABLE a;"
    assert sql.extent(0) == (4, 9) and sql.extent(1) == (15, 15 + len("DROP    TABLE a"))
    assert sql.source(1) == "DROP\tTABLE a"


@pytest.mark.parametrize("shape", ["many lines", "one line"])
def test_a_large_script_is_coloured_only_where_it_is_looked_at(shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """5 MB: only what is on the screen, and what it stands in, is coloured."""
    row = "INSERT INTO t VALUES (1, 'abc', E'x\\'y');"
    text = (row + ("\n" if shape == "many lines" else " ")) * 120_000
    spans = tuple((n * (len(row) + 1), n * (len(row) + 1) + len(row) - 1) for n in range(120_000))
    sql = SqlText(text, spans)
    coloured = counting(monkeypatch)
    if shape == "many lines":
        for line in range(60_000, 60_040):
            assert "".join(text for text, _ in sql.pieces(line)) == row
    else:
        for part in range(20_000, 20_040):
            assert len("".join(text for text, _ in sql.pieces(0, part * 100, part * 100 + 100))) == 100
    assert 0 < sum(coloured) < 40 * 200


def counting(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many characters are coloured, from now on."""
    from tui import sql_text

    coloured: list[int] = []
    original = sql_text.lex
    monkeypatch.setattr(sql_text, "lex", lambda text: coloured.append(len(text)) or original(text))
    return coloured


@pytest.mark.parametrize(
    "row", ["SELECT 1;\n", "SELECT 1; ", "\tSELECT '漢字';\r\n"], ids=["lines", "one line", "wide"]
)
def test_the_beginning_of_a_script_is_the_same_as_in_all_of_it(row: str) -> None:
    text = row * 10_000
    at = row.index("SELECT")
    spans = [(n * len(row) + at, n * len(row) + row.index(";")) for n in range(10_000)]
    head, whole = head_of(text, spans), SqlText(text, spans)
    assert not head.whole and whole.whole and len(head.shown) < 2 * HEAD
    assert head.count == whole.count and 0 < head.statements < whole.statements
    assert head.lines[:-1] == whole.lines[: len(head.lines) - 1] and whole.shown.startswith(head.shown)
    assert [head.extent(n) for n in range(head.statements - 1)] == [whole.extent(n) for n in range(head.statements - 1)]
    assert head_of(row, spans[:1]).whole


def test_words_are_found_whatever_their_case_and_not_beyond_bounds() -> None:
    assert places_of("OrderS", "orders, ORDERS, order") == (0, 8)
    assert places_of("a.c", "abc a.c") == (4,)
    assert places_of("needle", "x" * (STEP - 3) + "needle" + "x" * STEP + "needle") == (STEP - 3, 2 * STEP + 3)
    assert places_of("aa", "x" * (STEP - 1) + "aaaaa") == (STEP - 1, STEP + 1)
    assert len(places_of("a", "a" * 3 * MOST)) == MOST
    assert places_of("a", "") == ()
