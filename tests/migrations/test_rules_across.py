"""Rules that look at more than one statement: when they speak, and when they are silent."""

from contextlib import closing

import psycopg
import pytest

from migrations.rules import judge
from migrations.sql import read_script


def lines_of(rule: str, text: str) -> list[int]:
    return [finding.line for finding in judge(read_script(text)) if finding.rule == rule]


NOT_VALID = "ALTER TABLE t ADD CONSTRAINT k CHECK (c > 0) NOT VALID"
VALIDATE = "ALTER TABLE t VALIDATE CONSTRAINT k"
ADD = "ALTER TABLE t ADD COLUMN d int"
BIGINT = "ALTER TABLE t ALTER COLUMN c TYPE bigint"
FILL = "INSERT INTO o SELECT c FROM t"
KEY = "ALTER TABLE n ADD FOREIGN KEY (c) REFERENCES o"


@pytest.mark.parametrize(
    ("rule", "lines", "text"),
    [
        ("validate-in-same-transaction", [2], f"{NOT_VALID};\n{VALIDATE}"),
        ("validate-in-same-transaction", [1], f"{NOT_VALID}, VALIDATE CONSTRAINT k"),
        ("validate-in-same-transaction", [3], f"BEGIN;\n{NOT_VALID};\n{VALIDATE};\nCOMMIT"),
        ("validate-in-same-transaction", [], f"BEGIN;\n{NOT_VALID};\nCOMMIT;\nBEGIN;\n{VALIDATE};\nCOMMIT"),
        ("validate-in-same-transaction", [], f"{NOT_VALID};\nCREATE INDEX CONCURRENTLY i ON o (c);\n{VALIDATE}"),
        ("validate-in-same-transaction", [], f"CREATE TABLE t (c int);\n{NOT_VALID};\n{VALIDATE}"),
        ("validate-in-same-transaction", [], VALIDATE),
        ("validate-in-same-transaction", [], f"{NOT_VALID.replace('TABLE t', 'TABLE o')};\n{VALIDATE}"),
        ("begin-without-commit", [2], "SELECT 1;\nBEGIN;\nDELETE FROM t WHERE c = 1"),
        ("begin-without-commit", [1], "START TRANSACTION;\nBEGIN;\nSELECT 1"),
        ("begin-without-commit", [4], "BEGIN;\nSELECT 1;\nCOMMIT;\nBEGIN;\nSELECT 2"),
        ("begin-without-commit", [], "BEGIN;\nSELECT 1;\nROLLBACK"),
        ("begin-without-commit", [], "BEGIN;\nSAVEPOINT s;\nROLLBACK TO s;\nCOMMIT"),
        ("begin-without-commit", [], "DO $$ BEGIN PERFORM 1; END $$"),
        ("begin-without-commit", [], "BEGIN;\nDROP TABLE t\nCOMMIT"),
        ("commit-without-begin", [], "DROP TABLE t\nBEGIN;\nCOMMIT"),
        ("commit-without-begin", [2], "SELECT 1;\nCOMMIT"),
        ("commit-without-begin", [4], "BEGIN;\nSELECT 1;\nCOMMIT;\nROLLBACK"),
        ("commit-without-begin", [], "BEGIN;\nSELECT 1;\nCOMMIT AND CHAIN;\nSELECT 2;\nCOMMIT"),
        ("concurrently-in-transaction", [2], "BEGIN;\nCREATE INDEX CONCURRENTLY i ON t (c);\nCOMMIT"),
        ("concurrently-in-transaction", [2], "BEGIN;\nVACUUM t;\nCOMMIT"),
        ("concurrently-in-transaction", [], "BEGIN;\nSELECT 1;\nCOMMIT;\nVACUUM t"),
        ("table-rename-as-drop-and-create", [1], "DROP TABLE t;\nCREATE TABLE u (c int)"),
        ("table-rename-as-drop-and-create", [2], "CREATE TABLE u (c int);\nDROP TABLE t"),
        (
            "table-rename-as-drop-and-create",
            [],
            "CREATE TABLE u (c int);\nINSERT INTO u SELECT c FROM t;\nDROP TABLE t",
        ),
        ("table-rename-as-drop-and-create", [], "CREATE TABLE u AS SELECT * FROM t;\nDROP TABLE t"),
        ("table-rename-as-drop-and-create", [], "DROP TABLE t;\nCREATE TABLE t (c int)"),
        ("table-rename-as-drop-and-create", [], "DROP TABLE t;\nCREATE TEMP TABLE u (c int)"),
        ("table-rename-as-drop-and-create", [], "CREATE TABLE u (c int);\nDROP TABLE u"),
        ("table-rename-as-drop-and-create", [], "DROP TABLE t"),
        ("table-rename-as-drop-and-create", [2], "CREATE TABLE user_note (c int);\nDROP TABLE note, people"),
        ("table-rename-as-drop-and-create", [], "CREATE TABLE invoices (c int);\nDROP TABLE notes, people"),
        ("work-under-exclusive-lock", [2], f"{ADD};\nUPDATE o SET c = 2 WHERE c = 1"),
        ("work-under-exclusive-lock", [2], f"{ADD};\nCREATE INDEX i ON t (c)"),
        ("work-under-exclusive-lock", [2], f"{ADD};\nALTER TABLE o VALIDATE CONSTRAINT k"),
        ("work-under-exclusive-lock", [2], f"{ADD};\nINSERT INTO o SELECT c FROM t"),
        ("work-under-exclusive-lock", [], f"{ADD};\nINSERT INTO o VALUES (1), (2)"),
        ("work-under-exclusive-lock", [], f"UPDATE o SET c = 2 WHERE c = 1;\n{ADD}"),
        ("work-under-exclusive-lock", [], f"BEGIN;\n{ADD};\nCOMMIT;\nUPDATE o SET c = 2 WHERE c = 1"),
        ("work-under-exclusive-lock", [], f"{ADD};\nCREATE INDEX CONCURRENTLY i ON t (c)"),
        ("work-under-exclusive-lock", [], "CREATE TABLE t (c int);\nUPDATE o SET c = 2 WHERE c = 1"),
        ("work-under-exclusive-lock", [], f"CREATE TABLE t (c int);\n{ADD};\nUPDATE o SET c = 2 WHERE c = 1"),
        ("work-under-exclusive-lock", [], f"{ADD};\nCREATE TABLE n (c int);\nINSERT INTO n SELECT 1"),
        ("work-under-exclusive-lock", [], f"{NOT_VALID};\n{VALIDATE}"),
        ("work-under-exclusive-lock", [2], f"{ADD};\nCREATE INDEX i ON t (c);\nCREATE INDEX j ON o (c)"),
        ("work-under-exclusive-lock", [2], f"{ADD};\n{FILL};\nALTER TABLE o ADD COLUMN d int;\n{FILL};\n{FILL}"),
        ("work-under-exclusive-lock", [2], f"{ADD};\nCREATE MATERIALIZED VIEW v AS SELECT * FROM o"),
        ("work-under-exclusive-lock", [2], f"{ADD};\nCREATE TABLE n AS SELECT * FROM o"),
        ("work-under-exclusive-lock", [], f"{ADD};\nCREATE TABLE n AS SELECT * FROM o WITH NO DATA"),
        ("work-under-exclusive-lock", [3], f"{ADD};\nCREATE TABLE n (c int);\nINSERT INTO n SELECT c FROM o"),
        ("work-under-exclusive-lock", [], f"{ADD};\nCREATE TABLE n (c int);\n{KEY}"),
        ("work-under-exclusive-lock", [], f"DROP TABLE u;\n{FILL}"),
        ("work-under-exclusive-lock", [], f"DROP VIEW v;\n{FILL}"),
        ("work-under-exclusive-lock", [2], "DROP VIEW v;\nCREATE MATERIALIZED VIEW v AS SELECT * FROM t"),
        ("data-change-with-ddl", [1], f"UPDATE o SET c = 2 WHERE c = 1;\n{ADD}"),
        ("data-change-with-ddl", [1], f"UPDATE o SET c = 2 WHERE c = 1;\n{FILL};\n{ADD}"),
        ("data-change-with-ddl", [], f"{ADD};\nUPDATE o SET c = 2 WHERE c = 1"),
        ("data-change-with-ddl", [], "UPDATE o SET c = 2 WHERE c = 1;\nDELETE FROM t WHERE c = 2"),
        ("data-change-with-ddl", [], "UPDATE o SET c = 2 WHERE c = 1;\nCREATE TABLE n (c int)"),
        ("data-change-with-ddl", [], f"INSERT INTO o VALUES (1);\n{ADD}"),
        ("data-change-with-ddl", [], f"BEGIN;\nUPDATE o SET c = 2 WHERE c = 1;\nCOMMIT;\n{ADD}"),
        ("alters-that-could-be-one", [2], f"{BIGINT};\n{BIGINT.replace('c TYPE', 'd TYPE')}"),
        ("alters-that-could-be-one", [], f"{BIGINT};\n{BIGINT.replace('TABLE t', 'TABLE o')}"),
        ("alters-that-could-be-one", [2], f"{BIGINT};\n{BIGINT};\n{BIGINT}"),
        ("alters-that-could-be-one", [], f"{BIGINT}, ALTER COLUMN d TYPE bigint"),
        ("alters-that-could-be-one", [], f"{ADD};\n{ADD.replace('d int', 'e int')}"),
        ("alters-that-could-be-one", [], f"BEGIN;\n{BIGINT};\nCOMMIT;\n{BIGINT}"),
        ("timeout-switched-off", [1], f"SET lock_timeout = 0;\n{ADD}"),
        ("timeout-switched-off", [1], f"SET LOCAL lock_timeout TO '0ms';\n{ADD}"),
        ("timeout-switched-off", [1], f"SET statement_timeout = '0';\n{ADD}"),
        ("timeout-switched-off", [2], f"SET lock_timeout = '9s';\nRESET lock_timeout;\n{ADD}"),
        ("timeout-switched-off", [1], f"SET lock_timeout TO DEFAULT;\n{ADD}"),
        ("timeout-switched-off", [1], f"RESET ALL;\n{ADD}"),
        ("timeout-switched-off", [], f"RESET statement_timeout; {ADD};\nRESET lock_timeout; RESET ALL"),
        ("timeout-switched-off", [], f"SET lock_timeout = '10s';\n{ADD}"),
        ("timeout-switched-off", [], f"{ADD};\nSET lock_timeout = 0"),
        ("timeout-switched-off", [], "SET lock_timeout = 0;\nCREATE TABLE t (c int)"),
        ("timeout-switched-off", [], f"SET idle_session_timeout = 0;\n{ADD}"),
        ("timeout-set-too-late", [2], f"{ADD};\nSET lock_timeout = '2s'"),
        ("timeout-set-too-late", [], f"{ADD};\nSET lock_timeout = '2s';\n{BIGINT}"),
        ("timeout-set-too-late", [], f"SET lock_timeout = '1s';\n{ADD};\nSET lock_timeout = '2s'"),
        ("timeout-set-too-late", [], "CREATE TABLE t (c int);\nSET lock_timeout = '2s'"),
        ("timeout-set-too-late", [], f"{ADD};\nRESET lock_timeout"),
        ("no-lock-timeout", [], ADD),
        ("concurrently-among-others", [], "BEGIN;\nCREATE INDEX CONCURRENTLY i ON t (c);\nCOMMIT"),
    ],
)
def test_where_it_speaks(rule: str, lines: list[int], text: str) -> None:
    assert lines_of(rule, text) == lines


def test_a_table_that_was_shut_is_named_once_and_an_index_by_its_table() -> None:
    text = f"{ADD};\nDROP INDEX i;\n{FILL};\nALTER TABLE o ADD COLUMN d int;\nCREATE INDEX j ON o (c)"
    said = [finding for finding in judge(read_script(text)) if finding.rule == "work-under-exclusive-lock"]
    assert [(finding.line, finding.tables) for finding in said] == [(3, ("t", "i", "o"))]
    assert "t and the table of index i: line 1 locked it" in said[0].message
    assert said[0].message.endswith("while 1 later statement does such work, the last on line 5, and then with o")


def test_each_dropped_table_is_taken_for_the_new_one_most_like_it() -> None:
    text = "DROP TABLE api_link;\nDROP TABLE old_api_try;\nCREATE TABLE api_try (c int);\nCREATE TABLE link (c int)"
    said = [finding for finding in judge(read_script(text)) if finding.rule == "table-rename-as-drop-and-create"]
    assert [finding.safer_sql for finding in said] == [
        "ALTER TABLE api_link RENAME TO link;",
        "ALTER TABLE old_api_try RENAME TO api_try;",
    ]


def test_what_nothing_commits_is_lost(database: str) -> None:
    with closing(psycopg.connect(database, autocommit=True)) as connection:
        connection.execute("CREATE TABLE t (c int)")
        connection.execute("BEGIN; ALTER TABLE t ADD COLUMN d int")
    with psycopg.connect(database, autocommit=True) as connection:
        row = connection.execute("SELECT count(*) FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0")
        assert row.fetchone() == (1,)


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        ([1], f"{ADD};\n{BIGINT}"),
        ([2], f"CREATE TABLE o (c int);\n{ADD}"),
        ([], f"SET lock_timeout = '1s';\n{ADD}"),
        ([], "CREATE TABLE t (c int)"),
    ],
)
def test_a_matter_of_taste_speaks_when_it_is_asked(lines: list[int], text: str) -> None:
    found = judge(read_script(text), also=["no-lock-timeout"])
    assert [finding.line for finding in found if finding.rule == "no-lock-timeout"] == lines


def test_work_under_a_lock_is_told_once_with_all_that_follows() -> None:
    rest = f"{FILL};\nALTER TABLE q ADD COLUMN d int;\nSELECT 1;\n{FILL};\n{FILL};\nALTER TABLE z ADD COLUMN d int"
    again = f"BEGIN;\n{ADD};\n{FILL};\nCOMMIT"
    findings = judge(read_script(f"BEGIN;\n{ADD};\n{rest};\nCOMMIT;\n{again}"))
    first, second = (finding for finding in findings if finding.rule == "work-under-exclusive-lock")
    assert (first.line, first.tables) == (3, ("t", "q"))
    assert "read or write t: line 2 locked it" in first.message
    assert first.message.endswith("while 2 later statements do such work, the last on line 7, and then with q")
    assert (second.line, second.tables) == (12, ("t",))
    assert second.message.endswith("until the transaction ends")
