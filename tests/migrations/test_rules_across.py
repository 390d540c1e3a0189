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
        ("concurrently-among-others", [], "BEGIN;\nCREATE INDEX CONCURRENTLY i ON t (c);\nCOMMIT"),
    ],
)
def test_where_it_speaks(rule: str, lines: list[int], text: str) -> None:
    assert lines_of(rule, text) == lines


def test_what_nothing_commits_is_lost(database: str) -> None:
    with closing(psycopg.connect(database, autocommit=True)) as connection:
        connection.execute("CREATE TABLE t (c int)")
        connection.execute("BEGIN; ALTER TABLE t ADD COLUMN d int")
    with psycopg.connect(database, autocommit=True) as connection:
        row = connection.execute("SELECT count(*) FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0")
        assert row.fetchone() == (1,)
