"""Code in scripts: what stands in it plainly is judged, and what cannot be looked into is said."""

import re
import threading

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrations.rules import judge
from migrations.sql import Script, read_script
from migrations.sql.harmless import ACT, READ


def codes(text: str) -> list[tuple[str, int]]:
    return [(finding.rule, finding.line) for finding in judge(read_script(text))]


def why_not(text: str) -> str:
    return read_script(text).statements[-1].why_not


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("DO $$ BEGIN END $$", []),
        ("SELECT 1;\nDO $$ BEGIN IF true THEN ALTER TABLE t DROP COLUMN c; END IF; END $$", [("column-drop", 2)]),
        ("DO $$ BEGIN EXECUTE 'DROP TABLE t'; END $$", [("table-drop", 1)]),
        ("DO $$ BEGIN EXECUTE $x$UPDATE t SET c = 1; DROP TABLE t$x$; END $$",
         [("data-change-with-ddl", 1), ("table-drop", 1), ("update-without-where", 1)]),
        ("DO $$ BEGIN ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (c) REFERENCES o (id);\n"
         "EXCEPTION WHEN duplicate_object THEN NULL; END $$", [("add-foreign-key", 1)]),
        ("DO $$ DECLARE r record; BEGIN FOR r IN SELECT 1 AS n LOOP TRUNCATE t; END LOOP; END $$", [("truncate", 1)]),
        ("DO $$ BEGIN CREATE TABLE n (c int); CREATE INDEX ON n (c); ALTER TABLE n ADD CHECK (c > 0); END $$", []),
        ("DO $$ BEGIN CREATE INDEX ON n (c); CREATE TABLE m (c int); END $$", [("index-without-concurrently", 1)]),
        ("DO $$ BEGIN CREATE TABLE n (c int); END $$;\nCREATE INDEX ON n (c)", []),
        ("DO $$ BEGIN CREATE TABLE n (c int); EXCEPTION WHEN duplicate_table THEN NULL; END $$;\n"
         "CREATE INDEX ON n (c)", [("index-without-concurrently", 2)]),
        ("DO $$ BEGIN IF true THEN RETURN; END IF; CREATE TABLE n (c int); END $$;\n"
         "CREATE INDEX ON n (c)", [("index-without-concurrently", 2)]),
        ("DO $$ BEGIN WHILE false LOOP CREATE TABLE n (c int); END LOOP; END $$;\n"
         "CREATE INDEX ON n (c)", [("index-without-concurrently", 2)]),
        ("DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_class) THEN CREATE TABLE t (c int); END IF; END $$;\n"
         "DROP TABLE t", [("table-drop", 2)]),
        ("DO $$ BEGIN BEGIN BEGIN DELETE FROM t; END; END; END $$", [("delete-without-where", 1)]),
        ("DO 'BEGIN DROP SCHEMA s CASCADE; END' LANGUAGE plpgsql", [("schema-drop", 1)]),
        ("CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN DROP TABLE t; END $$", []),
        ("CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN DROP TABLE t; END $$;\nSELECT public.f()",
         [("table-drop", 2)]),
        ("CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$ DELETE FROM t $$;\nDO $$ BEGIN PERFORM f(); END $$",
         [("delete-without-where", 2)]),
        ("CREATE PROCEDURE p() AS 'SELECT p(); TRUNCATE t' LANGUAGE sql;\nCALL p()", [("truncate", 2)]),
    ],
)  # fmt: skip
def test_plain_statements_in_code_are_judged(text: str, expected: list[tuple[str, int]]) -> None:
    assert sorted(codes(text)) == sorted(expected)
    assert not any(statement.why_not for statement in read_script(text).statements)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("DO $$ DECLARE n text; BEGIN EXECUTE format('DROP TABLE %I', n); END $$", "made only when it runs"),
        ("DO $$ DECLARE r record; BEGIN FOR r IN EXECUTE 'x' || 'y' LOOP NULL; END LOOP; END $$", "made only when"),
        ("DO LANGUAGE plpython3u $$ pass $$", "plpython3u code"),
        ("DO $$ BEGIN PERFORM unknown_one(1); END $$", "what unknown_one does"),
        ("DO $$ DECLARE x int := app.f(); BEGIN NULL; END $$", "what app.f does"),
        ("DO $$ DECLARE x int; BEGIN x := f(); END $$", "what f does"),
        ("DO $$ BEGIN IF f() THEN NULL; END IF; END $$", "what f does"),
        ("SELECT f()", "what f does"),
        ("CALL p()", "what p does"),
        ("DO $$ BEGIN CALL p(); END $$", "what p does"),
        ("DO $$ BEGIN nonsense; END $$", "syntax error"),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE c AS 'lib', 'f';\nSELECT f()", "the c code of f"),
        ("CREATE FUNCTION f() RETURNS void LANGUAGE sql AS 'SELECT g()';\nSELECT f()", "what g does"),
        ("DO $$ " + "BEGIN " * 3000 + "NULL; " + "END; " * 3000 + "$$", "nests too deeply"),
        ("DO $$ BEGIN PERFORM " + "(" * 20000 + "1" + ")" * 20000 + "; END $$", "nests too deeply"),
    ],
)
def test_what_cannot_be_looked_into_is_said(text: str, words: str) -> None:
    assert words in why_not(text)


def test_functions_that_call_each_other_end() -> None:
    chain = "".join(
        f"CREATE FUNCTION f{n}() RETURNS void LANGUAGE sql AS 'SELECT f{n + 1}(), f{n}(), f0()';\n" for n in range(300)
    )
    assert why_not(chain + "SELECT f0()") == "it calls too many functions to look into"


def test_code_says_nothing_of_what_the_script_is_certain_to_leave() -> None:
    facts = read_script("DO $$ BEGIN CREATE TABLE t (c int); DROP TABLE o; COMMIT; END $$").statements[0].facts
    assert facts.touches == () and facts.may_commit


def test_the_functions_that_are_taken_for_harmless_are_so_says_the_server(database: str) -> None:
    with psycopg.connect(database) as connection:
        rows = connection.execute(
            "SELECT proname, bool_or(provolatile = 'v') FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace "
            "GROUP BY 1"
        )
        volatile = dict(rows.fetchall())
    changing = {name for name in READ if volatile.get(name)}
    assert {
        name for name in changing if not re.fullmatch("pg_.*_size|pg_partition_.*|pg_is_in_recovery", name)
    } == set()
    assert {name for name in ACT if not volatile.get(name, True)} == set()
    assert len(READ & volatile.keys()) > 300


@pytest.mark.parametrize(
    "text",
    [
        "SELECT cardinality(a), jsonb_array_elements(b) FROM t",
        "DO $$ DECLARE a text := quote_ident('x'); BEGIN a := regexp_replace(a, 'x', 'y'); END $$",
    ],
)
def test_what_only_reads_is_looked_into(text: str) -> None:
    assert why_not(text) == ""


LINES = """
BEGIN
END;
IF x THEN
END IF;
LOOP
END LOOP;
FOR r IN SELECT 1 LOOP
CASE x WHEN 1 THEN
END CASE;
DECLARE x int;
EXECUTE 'DROP TABLE t';
EXCEPTION WHEN others THEN
x := f(1);
PERFORM 1;
SELECT 1 INTO x;
RAISE NOTICE 'é😀';
RETURN;
'
$q$
--
\\
(((
"""
WORDS = st.sampled_from([*LINES.splitlines(), "\n"])
HEADS = st.sampled_from(
    ["DO $$", "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$", "CREATE PROCEDURE p(x int) AS $$"]
)


@given(HEADS, st.lists(WORDS, max_size=12).map(" ".join))
def test_any_code_gives_a_verdict_or_a_reason(head: str, code: str) -> None:
    tail = " LANGUAGE plpgsql" if head.startswith("CREATE P") else ""
    script = read_script(f"{head} BEGIN {code} END $${tail}; SELECT f(); CALL p(1)")
    for statement in script.statements:
        assert statement.analysed or statement.why_not
    judge(script)


def test_a_thread_with_a_small_stack_bears_it() -> None:
    found: list[Script] = []
    text = "DO $$ BEGIN " + "IF true THEN " * 280 + "NULL; " + "END IF; " * 280 + "END $$"
    before = threading.stack_size(512 * 1024)
    try:
        thread = threading.Thread(target=lambda: found.append(read_script(text)))
        thread.start()
    finally:
        threading.stack_size(before)
    thread.join()
    assert found[0].statements
