"""Every statement of a script in exactly one piece, with its line; any text at all gives a script."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrations.sql import Script, read_script
from migrations.sql.split import skip_gap

STATEMENTS = (
    "SELECT 1",
    "select 'it''s; not /* the */ end -- of it'",
    r"SELECT E'it\'s; \\'",
    "SELECT $$ ; $x$ ; $$",
    "SELECT $ü$ ; 'ä' $ü$",
    'ALTER TABLE "odd; ""name""" ADD COLUMN "ünï" text',
    "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $body$ BEGIN RETURN 1; END; $body$",
    "CREATE FUNCTION g() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END",
    "CREATE PROCEDURE p() BEGIN ATOMIC INSERT INTO t SELECT CASE WHEN true THEN 1 END; END",
    "CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2)",
    "CREATE TABLE t (\n  a int,\r\n  b text DEFAULT ';'\n)",
    "BEGIN ISOLATION LEVEL SERIALIZABLE",
    "DO 'BEGIN; END'",
    "SELECT U&'d\\0061t\\+000061; ' UESCAPE '\\'",
    "SELECT /* inner; /* nested; */ */ 1 -- tail;\n + 2",
    "COPY t TO '/tmp/x'",
    "GRANT SELECT ON ALL TABLES IN SCHEMA public TO r",
)
GAPS = (" ", "\n", "\r\n", "\t\v\f", "-- SELECT 1;\n", "/* ; */", "/* a /* b; */ c */", ";", ";;\n;", "-- ü\n", "--\r")


@st.composite
def scripts(draw: st.DrawFn) -> tuple[str, list[tuple[int, str]]]:
    """A script, and its statements with their offsets."""
    gaps = st.lists(st.sampled_from(GAPS), max_size=3).map("".join)
    text, placed = draw(gaps), []
    for statement in draw(st.lists(st.sampled_from(STATEMENTS), max_size=6)):
        placed.append((len(text), statement))
        text += statement + draw(st.sampled_from(["", " ", "\n"])) + ";" + draw(gaps)
    return text, placed


@given(scripts())
@settings(deadline=None)
def test_every_statement_is_in_exactly_one_piece(case: tuple[str, list[tuple[int, str]]]) -> None:
    text, placed = case
    script = read_script(text)
    assert script.error is None
    assert [(s.start, s.text) for s in script.statements] == placed
    assert [s.line for s in script.statements] == [text.count("\n", 0, start) + 1 for start, _ in placed]
    assert_whole(script)


def assert_whole(script: Script) -> None:
    """The pieces are the text, and between them is nothing that is a statement."""
    assert_in_order(script)
    ends = [0, *(statement.end for statement in script.statements)]
    assert [skip_gap(script.text, end) for end in ends] == [*(s.start for s in script.statements), len(script.text)]


def assert_in_order(script: Script) -> None:
    """The pieces are of the text, one after the other, each with its line."""
    position = 0
    for index, statement in enumerate(script.statements):
        assert statement.index == index
        assert position <= statement.start < statement.end
        assert statement.line == script.text.count("\n", 0, statement.start) + 1
        assert script.text[statement.start : statement.end] == statement.text
        assert len(statement.summary) <= 80
        assert statement.summary.isprintable()
        position = statement.end


SQL_WORDS = st.sampled_from(
    [
        *"();,'\"$\\\n\r\t\v -/*+:.ä\ufeff\x7f𝒳",
        "$$",
        "--",
        "/*",
        "*/",
        "E'",
        "U&'",
        "SELECT ",
        "CREATE TABLE t",
        " AS ",
        "\\.",
    ]
)


@given(
    st.one_of(st.text(), st.lists(SQL_WORDS, max_size=40).map("".join), st.binary().map(lambda b: b.decode("latin1")))
)
def test_any_text_gives_a_script(text: str) -> None:
    script = read_script(text)
    assert script.text == text
    if script.error is None:
        assert_whole(script)
    else:
        assert_in_order(script)
        assert 0 <= script.error.offset <= len(text)
        assert script.error.line == text.count("\n", 0, script.error.offset) + 1
        assert script.error.message.isprintable()


@pytest.mark.parametrize(
    ("text", "line", "at", "words"),
    [
        ("SELECT 1;\nSELECT 'ü' FORM x;", 2, "x", 'syntax error at or near "x"'),
        ("SELECT 1;\nselct 2", 2, "selct", 'at or near "selct"'),
        ("SELECT 'abc\ndef", 1, "'abc", "unterminated quoted string at or near a quoted text"),
        ("SELECT 1 E'hunter2' 2", 1, "E'", "syntax error at or near a quoted text"),
        ("SELECT 1; /* never ended", 1, "/*", "unterminated /* comment"),
        ("\ufeffSELECT 1", 1, "\ufeff", "byte order mark"),
        ("SELECT 1;\n\\connect other", 2, "\\connect", "psql's own"),
        ("COPY t FROM stdin;\n1\tä\n\\.\n", 2, "1\t", "only a client such as psql"),
        ("COPY t FROM stdin;\n\\.\nSELECT 1;\n", 2, "\\.", "only a client such as psql"),
        ("SELECT 1;\nSELECT \0", 2, "\0", "NUL byte"),
        ("SELECT 1;\nSELECT '\ud800'", 1, "SELECT 1", "not Unicode text"),
    ],
)
def test_what_cannot_be_read_says_where_and_why(text: str, line: int, at: str, words: str) -> None:
    error = read_script(text).error
    assert error is not None
    assert (error.line, text[error.offset :].startswith(at)) == (line, True)
    assert words in error.message


def test_a_script_with_an_error_still_shows_the_statements_around_it() -> None:
    script = read_script("DROP TABLE a;\nselct 'x;y';\n-- c\nDROP TABLE b")
    assert [(s.line, s.text, s.analysed) for s in script.statements] == [
        (1, "DROP TABLE a", True),
        (2, "selct 'x;y'", False),
        (4, "DROP TABLE b", True),
    ]


ATOMIC = "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END"
RULE = "CREATE OR REPLACE RULE r AS ON INSERT TO t DO (SELECT (1); SELECT 2)"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"selct;\n{ATOMIC};\n{RULE};\nDROP TABLE t", ["selct", ATOMIC, RULE, "DROP TABLE t"]),
        ("selct (1;\nDROP TABLE t", ["selct (1", "DROP TABLE t"]),
        ("\\restrict it's\n\nSET x = 1;\n\\unrestrict it's\n", ["\\restrict it's", "SET x = 1", "\\unrestrict it's"]),
        ("COPY t (a)\nFROM stdin;\nit's\t1;\n\\.\r\nDROP TABLE t;", ["COPY t (a)\nFROM stdin", "DROP TABLE t"]),
        ("COPY t FROM stdin;\nDROP TABLE t; selct", ["COPY t FROM stdin", "DROP TABLE t", "selct"]),
        ("DROP TABLE t; SELECT 'it;\nDROP TABLE u;", ["DROP TABLE t", "SELECT 'it;\nDROP TABLE u;"]),
        ("DROP TABLE t; SELECT $a$ it; $$", ["DROP TABLE t", "SELECT $a$ it; $$"]),
        ("DROP TABLE t; SELECT 0x; DROP TABLE u", ["DROP TABLE t", "SELECT 0x; DROP TABLE u"]),
        ("DROP TABLE t; /* it; DROP TABLE u", ["DROP TABLE t"]),
        ("selct 'a\n\\b\n'", ["selct 'a\n\\b\n'"]),
        (" \n'", ["'"]),
        ("DROP TABLE t; SELECT 1'it; SELECT 2", ["DROP TABLE t", "SELECT 1'it; SELECT 2"]),
        ("DROP TABLE t; /* it " + "/*" * 2000, ["DROP TABLE t"]),
        ("\n \ud800; SELECT 1", ["\ud800; SELECT 1"]),
        ("DROP TABLE t; SELECT 1'it;", ["DROP TABLE t", "SELECT 1'it;"]),
        ("DROP TABLE t; SELECT 1.$$", ["DROP TABLE t", "SELECT 1.$$"]),
        (" E'\\uD800'; DROP TABLE t", ["E'\\uD800'; DROP TABLE t"]),
        ("SELECT (; E'(\\uD800\\", ["SELECT (", "E'(\\uD800\\"]),
        ("DROP TABLE t; -- " + "/*" * 2000 + "\nDROP TABLE u", ["DROP TABLE t", "/*" * 2000 + "\nDROP TABLE u"]),
    ],
)
def test_of_what_the_grammar_refuses_no_statement_is_lost(text: str, expected: list[str]) -> None:
    script = read_script(text)
    assert script.error
    assert [statement.text for statement in script.statements] == expected
    assert_in_order(script)


@pytest.mark.parametrize(
    "signs",
    [
        "/*" * 100_000,
        "/*" * 100_000 + "*/" * 100_000,
        "SELECT " + "+-" * 100_000 + "1",
        "SET a" + ".a" * 100_000 + " = 1",
    ],
    ids=["open", "closed", "plus", "names"],
)
def test_what_the_grammar_would_never_come_to_an_end_of_is_not_given_to_it(signs: str) -> None:
    script = read_script(f"DROP TABLE a;\n{signs}")
    assert script.error and script.error.line == 2
    assert "not looked through" in script.error.message
    assert script.statements[0].text == "DROP TABLE a"


@pytest.mark.parametrize("run", ["=" * 5000, "-" * 5000, "." * 5000, "*" * 5000, "a" * 5000, "/" * 5000, "+--" * 2000])
def test_lines_drawn_of_signs_are_fine(run: str) -> None:
    script = read_script(f"-- {run}\n/* {run} */ SELECT '{run}' -- {run}")
    assert script.error is None
    assert len(script.statements) == 1


@pytest.mark.parametrize("placeholder", ["{{ .Schema }}", "${schema}", ":schema", "<%= schema %>"])
def test_a_placeholder_is_called_one(placeholder: str) -> None:
    error = read_script(f"SELECT 1;\nALTER TABLE {placeholder}.t ADD c int").error
    assert error is not None and "something else is to fill in" in error.message
    assert error.line == 2


@pytest.mark.parametrize(
    "deep",
    [
        "SELECT 1" + "+1" * 300_000,
        "SELECT 1" + "::int" * 100_000,
        "SELECT 1" + " UNION SELECT 1" * 100_000,
        "SELECT * FROM t" + " JOIN t ON true" * 100_000,
        "SELECT " + "(" * 3_000 + "1" + ")" * 3_000,
        "SELECT " + "NOT " * 5_000 + "true",
        "SELECT 1" + " ISNULL" * 100_000,
        "SELECT 1" + "+1" * 990,
    ],
    ids=["plus", "cast", "union", "join", "brackets", "not", "isnull", "short"],
)
def test_what_nests_too_deeply_is_said_not_to_be_analysed(deep: str) -> None:
    script = read_script(f"DROP TABLE a; {deep}; DROP TABLE b")
    assert script.error is None
    assert [s.analysed for s in script.statements] == [True, False, True]
    assert "too deeply" in script.statements[1].why_not


@pytest.mark.parametrize(
    "long",
    [
        "INSERT INTO t VALUES " + ",".join(f"({n}, '2026-01-01 00:00:00', -1 + {n})" for n in range(2_000)),
        "SELECT * FROM t WHERE " + " AND ".join(["a = 1"] * 5_000),
        "SELECT CASE " + " ".join(f"WHEN a = {n} THEN {n}" for n in range(2_000)) + " END FROM t",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT 1" + "+1" * 50_000 + " $$",
        "COMMENT ON TABLE t IS '" + "-" * 50_000 + "'",
    ],
    ids=["rows", "and", "case", "function", "text"],
)
def test_what_is_only_long_is_analysed(long: str) -> None:
    (statement,) = read_script(long).statements
    assert statement.analysed, statement.why_not


@pytest.mark.parametrize("opens", ["/* a ", "' -- ", "$a$ "])
def test_code_full_of_what_never_ends_is_read_once(opens: str) -> None:
    (statement,) = read_script(f"DO LANGUAGE plperl $x$ COMMIT; {opens * 80_000}$x$").statements
    assert statement.facts.alone and not statement.analysed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("DO $$ BEGIN EXECUTE x; END $$", "made only when it runs"),
        ("CALL tidy.up(1)", "tidy.up"),
        ("SELECT create_hypertable('a', 'b'), now()", "create_hypertable"),
    ],
)
def test_what_is_not_known_is_said(text: str, expected: str) -> None:
    (statement,) = read_script(text).statements
    assert not statement.analysed
    assert expected in statement.why_not
